"""A week of an instrument as rows of a timeline: what is free, taken, mine, waiting and closed."""

from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import permissions, queries, timelines
from booking.availability import Days
from booking.conflicts import bookable_window
from booking.models import OccupancyKind, State
from booking.queries import Busy
from booking.timelines import Piece, Row
from core.formats import format_length, format_time, format_weekday
from core.i18n import N_, Lang, gettext, translate
from core.slot import Slot, intersected, local_day, without
from equipment.models import Equipment
from members.access import Visit
from members.models import Role

WEEK = 7


def week_of(slot: Slot | None, zone: ZoneInfo, today: date) -> date:
    """The shown week: from today on, or the one in which the asked slot lies."""
    if slot is None:
        return today
    on = slot.starts_at.astimezone(zone).date()
    return today + timedelta(days=(on - today).days // WEEK * WEEK)


def find_week_busy(session: Session, entry: Equipment, first_on: date, zone: ZoneInfo) -> list[Busy]:
    window = Slot(local_day(first_on, zone).starts_at, local_day(first_on + timedelta(days=WEEK - 1), zone).ends_at)
    units = [unit.id for unit in entry.units]
    return queries.find_busy(session, units, window) + queries.find_past_use(session, units, window)


def week_rows(caller: Visit, entry: Equipment, days: Days, busy: list[Busy], first_on: date) -> list[Row]:
    zone, lang = days.zone, caller.lang
    today = caller.now.astimezone(zone).date()
    bookable = bookable_window(entry, caller.now)
    rows = []
    for number in range(WEEK):
        on = first_on + timedelta(days=number)
        pieces = _pieces(caller, entry, days, busy, on)
        choosable = intersected(days.part(days.free_slots, on), [bookable] if bookable else [])
        rows.append(
            Row(
                label=f"{format_weekday(on, lang)} {on.day}",
                note=gettext(lang, "today") if on == today else "",
                date=on.isoformat(),
                is_today=on == today,
                now=timelines.minute_of(caller.now, on, zone) if on == today else None,
                open=timelines.open_minutes(choosable, on, zone),
                bars=timelines.day_bars(pieces, days.open_slots, on, zone),
            )
        )
    return rows


def _pieces(caller: Visit, entry: Equipment, days: Days, busy: list[Busy], on: date) -> list[Piece]:
    """One's own bookings and outages as they are; everything else only as taken, where no unit is free."""
    zone = days.zone
    mine = caller.actor.organisation_ids(*permissions.BOOKERS) if caller.actor else frozenset()
    pieces: list[Piece] = []
    for part in busy:
        if part.kind is OccupancyKind.BLOCK and len(entry.units) == 1:
            pieces.append(Piece(part.slot, "stop", gettext(caller.lang, "Out of order")))
        elif _is_held(caller, part) and part.expires_at and len(entry.units) == 1:
            pieces.append(Piece(part.slot, "taken", held_words(part.expires_at, caller.lang, zone)))
        elif part.organisation_id in mine and part.booking_public_id:
            pieces.append(_own(caller, part))
            changeover = without([part.slot], [part.booked])
            pieces += [Piece(slot, "taken", gettext(caller.lang, "Changeover")) for slot in changeover]
    own = [piece.slot for piece in pieces]
    free = days.part(days.free_slots, on)
    taken = without(days.part(days.open_slots, on), [*free, *own])
    pieces += [Piece(slot, "taken") for slot in taken]
    bookable = bookable_window(entry, caller.now)
    mine_or_free = without(free, own)
    for stretch in intersected(mine_or_free, [bookable] if bookable else []):
        end = stretch.starts_at + timedelta(minutes=entry.length_minutes_min)
        first = Slot(stretch.starts_at, min(end, stretch.ends_at))
        href = f"/equipment/{entry.public_id}?{urlencode(picked(first, zone))}#ask"
        pieces.append(Piece(stretch, "free", href=href if caller.actor else ""))
    pieces += _not_to_be_asked(caller, entry, mine_or_free, bookable)
    return pieces


def _is_held(caller: Visit, part: Busy) -> bool:
    """For somebody else, and still."""
    own_id = caller.actor.person_id if caller.actor else None
    return part.kind is OccupancyKind.HOLD and not part.gives_way(caller.now, own_id)


def held_words(until: datetime, lang: Lang, zone: ZoneInfo) -> str:
    """Without a name: who chooses is nobody's business."""
    return translate(lang, N_("held until %(time)s"), time=format_time(until, zone))


def _own(caller: Visit, part: Busy) -> Piece:
    """A booking of one's company; who may change it may move it from here."""
    assert caller.actor is not None, "a booking of nobody"
    owners = caller.actor.organisation_ids(Role.STARTUP_OWNER)
    changes = part.person_id == caller.actor.person_id or part.organisation_id in owners
    movable = changes and part.state in (State.REQUESTED, State.APPROVED)
    kind = {State.REQUESTED: "wait", State.IN_USE: "run"}.get(part.state or State.APPROVED, "mine")
    return Piece(
        part.booked, kind, gettext(caller.lang, "Mine"), f"/bookings/{part.booking_public_id}",
        book=str(part.booking_public_id) if movable else "", version=part.version or 0,
    )  # fmt: skip


def _not_to_be_asked(caller: Visit, entry: Equipment, free: list[Slot], bookable: Slot | None) -> list[Piece]:
    """Free time that is past, or too near, or too far to be asked for: drawn as closed, with the reason as its word."""
    lang = caller.lang
    ahead = format_length(entry.lead_minutes, lang)
    soon = translate(lang, "Book %(length)s ahead", length=ahead) if entry.lead_minutes else gettext(lang, "Past")
    earliest = bookable.starts_at if bookable else caller.now
    pieces = []
    for part in without(free, [bookable] if bookable else []):
        if part.ends_at <= caller.now:
            word = gettext(lang, "Past")
        elif part.starts_at < earliest:
            word = soon
        else:
            word = translate(lang, "Opens %(number)s days before", number=entry.horizon_days)
        pieces.append(Piece(part, "closed", word))
    return pieces


def picked(slot: Slot, zone: ZoneInfo) -> dict[str, str]:
    form = "%Y-%m-%dT%H:%M"
    return {
        "starts_at": slot.starts_at.astimezone(zone).strftime(form),
        "ends_at": slot.ends_at.astimezone(zone).strftime(form),
    }
