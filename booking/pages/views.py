"""What pages show of a booking: ready words and values, so that templates decide nothing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from booking import deadlines, overrides
from booking.models import Awaiting, Booking, State
from booking.pricing import Line, LineKind, lines_from_json
from booking.queries import Story
from booking.states import LIVE
from booking.visits import CHECK_IN_EARLIEST, is_overdue
from booking.weighing import Weight
from booking.words import STATE_BADGES, STATE_WORDS, VERB_WORDS
from core.errors import Refusal
from core.formats import format_instant, format_length, format_money
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from core.slot import Slot
from equipment.models import ApprovalMode, ChargeUnit
from equipment.words import UNIT_NAMES


@dataclass(frozen=True)
class Card:
    """A booking in a list."""

    booking: Booking
    name: str
    #: Maker and model: two instruments may have one name.
    model: str
    place: str
    who: str
    state_text: str
    state_badge: str
    href: str
    price_fen: int
    voucher_fen: int
    own_fen: int
    #: The slot lies in another year than the reader.
    with_year: bool
    minutes_left: int | None
    can_check_in: bool
    can_check_out: bool
    is_overdue: bool

    @property
    def slot(self) -> Slot:
        return self.booking.slot


def card_of(booking: Booking, *, lang: Lang, now: datetime) -> Card:
    visit = booking.visit
    settled = visit is not None and visit.price_fen is not None
    entry = booking.equipment
    zone = ZoneInfo(entry.lab.zone)
    return Card(
        booking=booking,
        name=localised(entry, lang),
        model=f"{entry.maker} {entry.model}".strip(),
        place=f"{localised(entry.lab.organisation, lang)} · {localised(entry.lab, lang)}",
        who=f"{localised(booking.organisation, lang)} · {booking.person.name}",
        state_text=gettext(lang, STATE_WORDS[booking.state]),
        state_badge=STATE_BADGES[booking.state],
        href=f"/bookings/{booking.public_id}",
        price_fen=(visit.price_fen or 0) if visit and settled else booking.price_fen,
        voucher_fen=(visit.voucher_fen or 0) if visit and settled else booking.voucher_fen,
        own_fen=(visit.own_fen or 0) if visit and settled else booking.own_fen,
        with_year=booking.starts_at.astimezone(zone).year != now.astimezone(zone).year,
        minutes_left=int((booking.decide_by - now).total_seconds() // 60) if booking.decide_by else None,
        can_check_in=booking.state is State.APPROVED and now >= booking.starts_at - CHECK_IN_EARLIEST,
        can_check_out=booking.state is State.IN_USE,
        is_overdue=is_overdue(booking, now),
    )


def price_rows(lines: list[dict[str, Any]], *, voucher_fen: int, paid_to: str, lang: Lang) -> list[dict[str, Any]]:
    """Lines of a price for the `lines` macro, the voucher's share as the last."""
    rows: list[dict[str, Any]] = []
    for line in lines_from_json(lines):
        notes = [line.name, gettext(lang, "example price") if line.is_example else ""]
        note = " · ".join(part for part in notes if part)
        rows.append({"label": _line_label(line, lang), "note": note, "amount_fen": line.amount_fen})
    if voucher_fen and paid_to != "company":
        rows.append({"label": gettext(lang, "Paid by the voucher"), "amount_fen": -voucher_fen, "kind": "voucher"})
    return rows


def _line_label(line: Line, lang: Lang) -> str:
    if line.kind == LineKind.SETUP:
        return gettext(lang, "Start-up")
    if line.kind == LineKind.MINIMUM:
        return translate(lang, "Up to the minimum charge of %(price)s", price=format_money(line.unit_price_fen))
    if line.kind == LineKind.RUSH:
        return translate(lang, "Rush × %(factor)s", factor=line.quantity)
    unit = gettext(lang, UNIT_NAMES[ChargeUnit(line.unit)])
    unit += "s" if lang == "en" and line.quantity != "1" else ""
    label = f"{line.quantity} {unit} × {format_money(line.unit_price_fen)}"
    return translate(lang, "Operator: %(what)s", what=label) if line.kind == LineKind.OPERATOR else label


def story_rows(story: list[Story], *, lang: Lang, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Events of a booking for the `story` macro, oldest first."""
    kinds = {"declined": "stop", "no_show": "stop", "expired": "stop", "approved": "ok", "checked_out": "ok"}
    rows = []
    for event, actor_name, words, behalf in story:
        text = gettext(lang, VERB_WORDS[event.verb])
        if event.verb == "checked_out" and event.data.get("price_fen") is not None:
            text += " · " + format_money(event.data["price_fen"])
        if event.verb == "overridden":
            text += " · " + rule_names(event.data["override"], lang)
        rows.append(
            {
                "when": format_instant(event.at, lang, zone),
                "who": _who(actor_name, behalf, lang),
                "text": text,
                "kind": kinds.get(event.verb, "plain"),
                "note": words or "",
            }
        )
    return rows


def _who(actor_name: str | None, behalf: str | None, lang: Lang) -> str:
    if actor_name and behalf:
        return translate(lang, N_("%(who)s in place of %(principal)s"), who=actor_name, principal=behalf)
    return actor_name or gettext(lang, "automatically")


def weight_rows(booking: Booking, weight: Weight, *, lang: Lang, zone: ZoneInfo) -> list[str]:
    """What a decision decides beside the request itself, a sentence each."""
    rows = []
    if weight.lacks_qualification:
        rows.append(gettext(lang, N_("The training that the instrument asks for is missing.")))
    if weight.rivals == 1:
        rows.append(gettext(lang, N_("1 other request waits for this instrument in the same week.")))
    elif weight.rivals:
        text = N_("%(count)s other requests wait for this instrument in the same week.")
        rows.append(translate(lang, text, count=str(weight.rivals)))
    who = localised(booking.organisation, lang)
    if weight.bookings:
        text = N_("With it %(who)s has %(used)s of %(limit)s bookings here in that week.")
        rows.append(translate(lang, text, who=who, used=str(weight.bookings.used), limit=str(weight.bookings.limit)))
    if weight.minutes:
        text = N_("With it %(who)s has %(used)s of %(limit)s here in that week.")
        used, limit = format_length(weight.minutes.used, lang), format_length(weight.minutes.limit, lang)
        rows.append(translate(lang, text, who=who, used=used, limit=limit))
    for hold in weight.holds:
        text = N_("%(amount)s of voucher %(number)s stays held until the visit ends.")
        rows.append(translate(lang, text, amount=format_money(hold.amount_fen), number=hold.number))
    if not weight.holds:
        text = N_("No voucher pays: %(who)s pays %(amount)s itself.")
        rows.append(translate(lang, text, who=who, amount=format_money(booking.own_fen)))
    if booking.awaiting is Awaiting.OWNER:
        rows.append(_after_owner(booking, lang, zone))
    return rows


def _after_owner(booking: Booking, lang: Lang, zone: ZoneInfo) -> str:
    if booking.equipment.approval_mode is ApprovalMode.AUTOMATIC:
        return gettext(lang, N_("With your word it is approved at once."))
    assert booking.awaiting_since and booking.decide_by, "waits without a deadline"
    until = deadlines.lab_by(booking.awaiting_since, booking.decide_by)
    return translate(lang, N_("After you the lab decides until %(when)s."), when=format_instant(until, lang, zone))


def waiting_words(booking: Booking, lang: Lang, zone: ZoneInfo) -> str:
    """Who decides until when; empty where nobody is waited for."""
    if booking.decide_by is None or booking.state is not State.REQUESTED:
        return ""
    when = format_instant(booking.decide_by, lang, zone)
    if booking.awaiting is not Awaiting.OWNER or booking.awaiting_since is None:
        return translate(lang, N_("The lab decides by %(when)s."), when=when)
    if booking.equipment.approval_mode is ApprovalMode.AUTOMATIC:
        return translate(lang, N_("The startup's owner decides by %(when)s."), when=when)
    then = format_instant(deadlines.lab_by(booking.awaiting_since, booking.decide_by), lang, zone)
    text = N_("The startup's owner decides by %(when)s, then the lab by %(then)s.")
    return translate(lang, text, when=when, then=then)


def rule_names(codes: Iterable[str], lang: Lang) -> str:
    """Codes of rules that were set aside in words, each once."""
    words = dict.fromkeys(gettext(lang, overrides.WORDS.get(code, code)) for code in codes)
    return ("、" if lang == "zh-CN" else ", ").join(words)


def step_rows(booking: Booking, lang: Lang, *, with_owner: bool = False) -> list[dict[str, str]]:
    """Where a booking stands on its way, for the `steps` macro. `with_owner`: the owner speaks first."""
    names = [N_("Request"), N_("Lab's decision"), N_("Check-in"), N_("Check-out")]
    if with_owner:
        names.insert(1, N_("Owner's word"))
    reached = {State.REQUESTED: 1, State.APPROVED: 2, State.IN_USE: 3, State.COMPLETED: 4}
    if booking.state not in reached:
        last = {"text": gettext(lang, STATE_WORDS[booking.state]), "state": "stop"}
        return [{"text": translate(lang, "Request"), "state": "done"}, last]
    done = reached[booking.state] + (with_owner and booking.awaiting is not Awaiting.OWNER)
    return [
        {"text": gettext(lang, name), "state": "done" if place < done else "now" if place == done else "next"}
        for place, name in enumerate(names)
    ]


def is_live(booking: Booking) -> bool:
    return booking.state in LIVE


def cancel_words(booking: Booking, *, fee_fen: int, by_lab: bool, now: datetime, lang: Lang, zone: ZoneInfo) -> str:
    """What cancelling costs now, and until when it costs nothing; `fee_fen` is what it would cost at once."""
    if by_lab:
        return gettext(lang, N_("The lab may cancel at any time; it costs the startup nothing."))
    if booking.state is State.REQUESTED:
        return gettext(lang, N_("Withdrawing a request is free."))
    entry = booking.equipment
    share = f"{entry.cancel_fee_bp / 100:g}"
    if fee_fen:
        text = N_("Cancelling now costs %(amount)s (%(share)s%% of the price, your own money).")
        return translate(lang, text, amount=format_money(fee_fen), share=share)
    free_until = booking.starts_at - timedelta(minutes=entry.cancel_free_minutes)
    if not entry.cancel_fee_bp or free_until < now:
        return gettext(lang, N_("Cancelling is free."))
    text = N_("Cancelling is free until %(when)s; later it costs %(share)s%% of the price, your own money.")
    return translate(lang, text, when=format_instant(free_until, lang, zone), share=share)


def slots_of(refusal: Refusal | None) -> list[Slot]:
    """The alternatives that a refusal brings along."""
    found = refusal.details.get("alternatives", []) if refusal else []
    return [Slot(_instant(item["starts_at"]), _instant(item["ends_at"])) for item in found]


def _instant(value: str | datetime) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
