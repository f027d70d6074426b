"""The lab's boards: a day of every unit with who comes and what waits, and a week of every instrument."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import boards, queries, timelines, waitlist
from booking.boards import Board, Held
from booking.models import Awaiting, Booking, OccupancyKind, State
from booking.pages import views
from booking.pages.waiting import wish_rows
from booking.pages.week import held_words
from booking.papers.views import read_written
from booking.queries import BookingFilter
from booking.timelines import Piece, Row
from booking.visits import CHECK_IN_EARLIEST, OVERDUE_AFTER
from booking.words import STATE_BADGES, STATE_WORDS
from core.formats import format_date, format_time, format_weekday
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from core.shapes import read_date, read_uuid
from core.slot import Slot, intersected, local_day
from equipment import queries as catalogue
from equipment.listing import Listed, count_listed_of_labs
from equipment.models import Lab
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
WEEK = 7
#: Bookings that a cell of the week names; the others are counted.
CHIPS_MOST = 4
#: Requests beside the board; the page of requests shows all.
WAITING_SHOWN = 6
KINDS = {State.REQUESTED: "wait", State.APPROVED: "booked", State.IN_USE: "run", State.COMPLETED: "taken"}


@dataclass(frozen=True)
class Asked:
    """What the address of a board asks."""

    on: date
    lab: UUID | None
    page: int

    def href(self, path: str, **changes: Any) -> str:
        values = {"on": self.on, "lab": self.lab, "page": self.page if self.page > 1 else None} | changes
        return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"


class VisitRow(NamedTuple):
    """A booking in the list below the board."""

    who: str
    name: str
    model: str
    href: str
    slot: Slot
    state_text: str
    state_badge: str
    is_overdue: bool
    can_check_in: bool
    can_check_out: bool


class Chip(NamedTuple):
    """A booking in a cell of the week; minutes from the local midnight where it may be moved."""

    kind: str
    times: str
    label: str
    href: str
    book: str
    version: int
    start: int
    end: int


@dataclass(frozen=True)
class Cell:
    """An instrument on one day of the week."""

    on: date
    label: str
    href: str
    is_open: bool
    chips: list[Chip] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class WeekRow:
    label: str
    note: str
    href: str
    group: str
    cells: list[Cell]


@router.get("/lab")
def show_today(caller: Staff, on: str = "", lab: str = "", page: str = "") -> Response:
    """The board of a day: every unit of the lab, who is there, what waits."""
    asked = _read(caller, on, lab, page)
    today = _today(caller)
    with caller.read() as session:
        labs, lab_ids = _labs(session, caller, asked)
        board, total = _read_board(session, caller, lab_ids, asked, first_on=asked.on, days=1)
        overdue = (
            queries.find_bookings(session, _still_open(lab_ids, board.window), limit=50) if asked.on == today else []
        )
        waiting = _waiting(session, lab_ids)
        written = read_written(session, caller, lab_ids)
        wishes = waitlist.find_of_labs(session, lab_ids, limit=WAITING_SHOWN)
    rows = day_rows(caller, board)
    busy = [row for row in rows if _is_busy(row)]
    first, last = timelines.hours_shown(rows)
    visits = _visit_rows(caller, board)
    return caller.render(
        "pages/lab/today.html",
        **_around(caller, asked, labs, total, days=1),
        rows=busy,
        quiet=[row for row in rows if not _is_busy(row)],
        first=first,
        last=last,
        running=[_overdue_row(caller, booking) for booking in overdue] + [row for row in visits if row.can_check_out],
        coming=[row for row in visits if not row.can_check_out],
        stopped=_count_stopped(caller, board, today),
        waiting=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in waiting],
        written=written,
        wishes=wish_rows(wishes, caller, who=True),
        back=asked.href("/lab"),
    )


@router.get("/lab/week")
def show_week(caller: Staff, on: str = "", lab: str = "", page: str = "") -> Response:
    """Instruments by days, from Monday on: what stands where, and where it is open and empty."""
    asked = _read(caller, on, lab, page)
    first_on = asked.on - timedelta(days=asked.on.weekday())
    with caller.read() as session:
        labs, lab_ids = _labs(session, caller, asked)
        board, total = _read_board(session, caller, lab_ids, asked, first_on=first_on, days=WEEK)
        waiting = _waiting(session, lab_ids)
        written = read_written(session, caller, lab_ids)
        wishes = waitlist.find_of_labs(session, lab_ids, limit=WAITING_SHOWN)
    days = [first_on + timedelta(days=number) for number in range(WEEK)]
    return caller.render(
        "pages/lab/week.html",
        **_around(caller, asked, labs, total, days=WEEK),
        week_text=timelines.span_text(first_on, WEEK, caller.lang),
        heads=[
            {"text": f"{format_weekday(on, caller.lang)} {on.day}", "href": asked.href("/lab", on=on),
             "is_today": on == _today(caller)}
            for on in days
        ],
        rows=[_week_row(caller, board, entry, days, asked) for entry in board.entries],
        waiting=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in waiting],
        written=written,
        wishes=wish_rows(wishes, caller, who=True),
        back=asked.href("/lab/week"),
    )  # fmt: skip


def _read(caller: Caller, on: str, lab: str, page: str) -> Asked:
    number = int(page) if page.isdecimal() and len(page) < 5 else 1
    return Asked(read_date(on, _today(caller)), read_uuid(lab), max(number, 1))


def _today(caller: Caller) -> date:
    return caller.now.astimezone(caller.site.renderer.zone).date()


def _labs(session: Session, caller: Caller, asked: Asked) -> tuple[list[Lab], frozenset[int]]:
    """The labs that one runs, and the ids of the one that is asked for, or of all."""
    lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
    labs = catalogue.find_labs(session, lab_ids)
    chosen = frozenset(lab.id for lab in labs if lab.public_id == asked.lab)
    return labs, chosen or lab_ids


def _read_board(
    session: Session, caller: Caller, lab_ids: frozenset[int], asked: Asked, *, first_on: date, days: int
) -> tuple[Board, int]:
    board = boards.read_board(
        session, lab_ids, first_on=first_on, days=days, zone=caller.site.renderer.zone, now=caller.now,
        limit=boards.PAGE, offset=(asked.page - 1) * boards.PAGE,
    )  # fmt: skip
    is_all = asked.page == 1 and len(board.entries) < boards.PAGE
    return board, len(board.entries) if is_all else count_listed_of_labs(session, lab_ids)


def _around(caller: Caller, asked: Asked, labs: Sequence[Lab], total: int, *, days: int) -> dict[str, Any]:
    """What stands around either board: its days before and after, its labs, its pages."""
    path = "/lab" if days == 1 else "/lab/week"
    today, step = _today(caller), timedelta(days=days)
    is_now = asked.on == today if days == 1 else asked.on - timedelta(days=asked.on.weekday()) <= today < (
        asked.on - timedelta(days=asked.on.weekday()) + step
    )  # fmt: skip
    chosen = [lab for lab in labs if lab.public_id == asked.lab] or list(labs)
    more = total > asked.page * boards.PAGE
    return {
        "day": asked.on,
        "previous": asked.href(path, on=asked.on - step),
        "following": asked.href(path, on=asked.on + step),
        "today_href": "" if is_now else asked.href(path, on=None),
        "tabs": [
            {"text": gettext(caller.lang, N_("Day view")), "href": asked.href("/lab"), "current": days == 1},
            {"text": gettext(caller.lang, N_("Week view")), "href": asked.href("/lab/week"), "current": days == WEEK},
        ],
        "title": " · ".join(localised(lab, caller.lang) for lab in chosen),
        "labs": [("", gettext(caller.lang, N_("All labs")))]
        + [(str(lab.public_id), localised(lab, caller.lang)) for lab in labs],
        "lab": str(asked.lab or ""),
        "total": total,
        "earlier_page": asked.href(path, page=asked.page - 1) if asked.page > 1 else "",
        "later_page": asked.href(path, page=asked.page + 1) if more else "",
        "manages": caller.actor.has(Role.LAB_MANAGER),
    }


def _still_open(lab_ids: frozenset[int], window: Slot) -> BookingFilter:
    """Visits of earlier days that nobody checked out."""
    return BookingFilter(states=frozenset({State.IN_USE}), lab_ids=lab_ids, ends_before=window.starts_at)


def _waiting(session: Session, lab_ids: frozenset[int]) -> list[Booking]:
    wanted = BookingFilter(states=frozenset({State.REQUESTED}), awaiting=Awaiting.LAB, lab_ids=lab_ids)
    found = queries.find_bookings(session, wanted, limit=WAITING_SHOWN)
    return sorted(found, key=lambda booking: booking.decide_by or booking.starts_at)


def day_rows(caller: Caller, board: Board) -> list[Row]:
    """One row per unit: who comes, outages with why, closed time hatched."""
    day = board.first_on
    moves = caller.actor.has(Role.LAB_MANAGER)
    rows = []
    for entry in board.entries:
        is_today = caller.now.astimezone(entry.zone).date() == day
        now = timelines.minute_of(caller.now, day, entry.zone) if is_today else None
        for unit in entry.units:
            pieces = [_piece(part, caller.lang, entry.zone, moves=moves) for part in board.held[unit.id]]
            if unit.is_retired and not pieces:
                continue
            rows.append(
                Row(
                    label=entry.model or localised(entry, caller.lang),
                    note=unit.label if len(entry.units) > 1 else localised(entry, caller.lang),
                    date=day.isoformat(),
                    unit=str(unit.public_id),
                    href=f"/equipment/{entry.public_id}",
                    bars=timelines.day_bars(pieces, board.open[entry.id], day, entry.zone),
                    now=now,
                    rule=f"{entry.step_minutes} {entry.length_minutes_min} {entry.length_minutes_max}",
                    group=str(entry.public_id),
                )
            )
    return rows


def _is_busy(row: Row) -> bool:
    return any(bar.kind != "closed" for bar in row.bars)


def _piece(part: Held, lang: Lang, zone: ZoneInfo, *, moves: bool) -> Piece:
    if part.kind is OccupancyKind.BLOCK:
        return Piece(part.slot, "stop", part.words or translate(lang, "Out of order"))
    if part.kind is OccupancyKind.HOLD and part.expires_at:
        return Piece(part.slot, "offer", held_words(part.expires_at, lang, zone))
    if part.public_id is None:
        return Piece(part.slot, "offer", translate(lang, N_("Offered")))
    label = (part.organisation_en if lang == "en" else "") or part.organisation_zh or ""
    kind = KINDS.get(part.state or State.APPROVED, "taken")
    movable = moves and part.state in (State.REQUESTED, State.APPROVED)
    return Piece(
        part.slot, kind, label, f"/bookings/{part.public_id}",
        book=str(part.public_id) if movable else "", version=part.version or 0,
    )  # fmt: skip


def _visit_rows(caller: Caller, board: Board) -> list[VisitRow]:
    """Who is there and who comes on this day, those who are there first, in order of time."""
    names = {unit.id: entry for entry in board.entries for unit in entry.units}
    found = [part for part in board.everything() if part.state in (State.APPROVED, State.IN_USE)]
    found.sort(key=lambda part: (part.state is not State.IN_USE, part.slot.starts_at))
    return [_visit_row(caller, part, names[part.unit_id]) for part in found]


def _visit_row(caller: Caller, part: Held, entry: Listed) -> VisitRow:
    assert part.state is not None, "a visit without a booking"
    organisation = (part.organisation_en if caller.lang == "en" else "") or part.organisation_zh
    runs = part.state is State.IN_USE
    return VisitRow(
        who=f"{organisation} · {part.person_name}",
        name=localised(entry, caller.lang),
        model=entry.model,
        href=f"/bookings/{part.public_id}",
        slot=part.slot,
        state_text=gettext(caller.lang, STATE_WORDS[part.state]),
        state_badge=STATE_BADGES[part.state],
        is_overdue=runs and caller.now > part.slot.ends_at + OVERDUE_AFTER,
        can_check_in=not runs and caller.now >= part.slot.starts_at - CHECK_IN_EARLIEST,
        can_check_out=runs,
    )


def _overdue_row(caller: Caller, booking: Booking) -> VisitRow:
    card = views.card_of(booking, lang=caller.lang, now=caller.now)
    return VisitRow(
        card.who, card.name, booking.equipment.model, card.href, card.slot, card.state_text, card.state_badge,
        card.is_overdue, False, True,
    )  # fmt: skip


def _count_stopped(caller: Caller, board: Board, today: date) -> int:
    """Units out of service: now, or at any time of another day."""
    blocks = [part for part in board.everything() if part.kind is OccupancyKind.BLOCK]
    if board.first_on == today:
        blocks = [part for part in blocks if part.starts_at <= caller.now < part.ends_at]
    return len({part.unit_id for part in blocks})


def _week_row(caller: Caller, board: Board, entry: Listed, days: Sequence[date], asked: Asked) -> WeekRow:
    held = [part for unit in entry.units for part in board.held[unit.id]]
    moves = caller.actor.has(Role.LAB_MANAGER)
    number = sum(not unit.is_retired for unit in entry.units)
    units = translate(caller.lang, N_("%(number)s units"), number=number) if number > 1 else ""
    return WeekRow(
        label=entry.model or localised(entry, caller.lang),
        note=" · ".join(part for part in (localised(entry, caller.lang) if entry.model else "", units) if part),
        href=f"/equipment/{entry.public_id}",
        group=str(entry.public_id),
        cells=[
            _cell(held, board.open[entry.id], on, entry.zone, asked.href("/lab", on=on), caller.lang, moves=moves)
            for on in days
        ],
    )


def _cell(
    held: Sequence[Held], open_slots: Sequence[Slot], on: date, zone: ZoneInfo, href: str, lang: Lang, *, moves: bool
) -> Cell:
    day = local_day(on, zone)
    here = sorted((part for part in held if part.slot.overlaps(day)), key=lambda part: part.slot.starts_at)
    chips = []
    for part in here[:CHIPS_MOST]:
        piece = _piece(part, lang, zone, moves=moves and day.contains(part.slot))
        start, end = timelines.minutes_of(part.slot, on, zone)
        times = _times(part.slot, day, zone)
        chips.append(Chip(piece.kind, times, piece.label, piece.href, piece.book, piece.version, start, end))
    is_open = bool(intersected(open_slots, [day]))
    return Cell(on, format_date(on, lang), href, is_open, chips, max(len(here) - CHIPS_MOST, 0))


def _times(slot: Slot, day: Slot, zone: ZoneInfo) -> str:
    """`09:00–11:00`, with an arrow at the end that lies on another day."""

    def text(at: datetime, edge: datetime, mark: str) -> str:
        return mark if (at < edge if mark == "←" else at > edge) else format_time(at, zone)

    end = "24:00" if slot.ends_at == day.ends_at else text(slot.ends_at, day.ends_at, "→")
    return f"{text(slot.starts_at, day.starts_at, '←')}–{end}"
