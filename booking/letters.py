"""The words of every mail about a booking: one letter per kind and audience. Pure: whole rows in, texts out.

A letter is written in the recipient's language. Its text and its HTML are two renderings of the same words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from booking.models import Awaiting, Booking, State
from booking.wording import WORDING, Wording
from core.formats import format_fields, format_instant, format_length, format_money, format_slot
from core.i18n import N_, Lang, translate
from core.rendering import localised
from core.slot import Slot


class Audience(StrEnum):
    """As whom one is written to."""

    HOLDER = "holder"
    """In whose name it is booked."""
    LAB = "lab"
    """Who runs the lab."""
    OWNER = "owner"
    """Who answers for the startup's money."""
    ZONE = "zone"
    """Who administers the zone."""


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Table:
    """Columns of which the first is text and the others are figures; the last row is the total."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Letter:
    """A mail without its envelope."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...]
    action_text: str
    action_url: str
    #: Why one gets it.
    why: str
    table: Table | None = None


@dataclass(frozen=True)
class Desk:
    """Where letters are written: the site's address and its zone."""

    base_url: str
    zone: str


WHY: dict[Audience, str] = {
    Audience.HOLDER: N_("You get this mail because this booking is in your name."),
    Audience.LAB: N_("You get this mail because you run %(lab)s on Yixiang."),
    Audience.OWNER: N_("You get this mail because you answer for the money of %(organisation)s on Yixiang."),
    Audience.ZONE: N_("You get this mail because you administer the zone on Yixiang."),
}
#: What the words of the other side are called.
_NOTE_LABELS: dict[str, str] = {
    "booking_requested": N_("Purpose of use"),
    "owner_asked": N_("Purpose of use"),
    "booking_declined": N_("Reason"),
    "booking_cancelled": N_("Reason"),
}
_WITHOUT_MONEY = frozenset({"visit_overdue", "decision_late"})
#: A reminder sent so late says the time that is left instead.
REMINDER_LATE_HOURS = 2
#: Kinds after which the voucher's money is free again.
_RELEASING = frozenset({"booking_declined", "booking_cancelled", "booking_expired", "owner_expired", "booking_no_show"})


def write_letter(
    kind: str,
    audience: Audience,
    booking: Booking,
    *,
    lang: Lang,
    desk: Desk,
    now: datetime,
    data: Mapping[str, Any],
    note: str = "",
) -> Letter:
    """The letter of a kind about a whole booking (`queries.get_booking`). `note` is the reason or word given."""
    writer = _Writer(kind, audience, booking, lang, desk, now, data, note)
    wording = WORDING[kind, audience.value, data.get("by_lab", False)]
    return Letter(
        subject=writer.say(wording.subject),
        heading=writer.say(wording.heading),
        paragraphs=tuple(writer.paragraphs(wording)),
        facts=tuple(writer.facts()),
        action_text=writer.say(wording.action),
        action_url=f"{desk.base_url.rstrip('/')}/bookings/{booking.public_id}",
        why=writer.say(WHY[audience]),
    )


def equipment_name(booking: Booking, lang: Lang) -> str:
    """The instrument, with the unit's label where it has one."""
    name = localised(booking.equipment, lang)
    return f"{name} · {booking.unit.label}" if booking.unit.label else name


def place_name(booking: Booking, lang: Lang) -> str:
    """Institution and lab, without saying the same twice."""
    lab = booking.equipment.lab
    institution, name = localised(lab.organisation, lang), localised(lab, lang)
    return name if institution in name else f"{institution} · {name}"


def _hours_left(left: timedelta) -> int:
    """What the reminder of the day before says: 24 when it goes out in time, else the whole hours that are left."""
    hours = left // timedelta(hours=1)
    return 24 if hours >= 24 - REMINDER_LATE_HOURS else hours


class _Writer:
    """One letter in the making: its facts as words in one language."""

    def __init__(
        self,
        kind: str,
        audience: Audience,
        booking: Booking,
        lang: Lang,
        desk: Desk,
        now: datetime,
        data: Mapping[str, Any],
        note: str,
    ) -> None:
        self.kind, self.audience, self.booking, self.lang, self.note = kind, audience, booking, lang, note
        self.free_until_at = booking.starts_at - timedelta(minutes=booking.equipment.cancel_free_minutes)
        self.is_free_still = now < self.free_until_at < booking.starts_at
        self.hours_left = _hours_left(booking.starts_at - now)
        self.before: Slot | None = data.get("before")
        self.proposed: list[Slot] = data.get("proposed", [])
        self.zone = ZoneInfo(booking.equipment.lab.zone)
        self.shows_zone = booking.equipment.lab.zone != desk.zone
        self.fields = self._fields()

    def say(self, message: str) -> str:
        return translate(self.lang, message, **self.fields)

    def paragraphs(self, wording: Wording) -> list[str]:
        booking, is_holder = self.booking, self.audience == Audience.HOLDER
        out = [self.say(wording.lead)]
        if self.kind in ("request_received", "request_with_owner") and booking.voucher_fen:
            out.append(self.say(N_("%(voucher_fen)s of your vouchers is held for it until the booking ends.")))
        if self.kind == "booking_moved" and booking.awaiting is Awaiting.OWNER:
            out.append(self.say(N_("The new time waits for the startup's owner until %(decide_by_at)s.")))
        elif self.kind == "booking_moved" and booking.state == State.REQUESTED:
            out.append(self.say(N_("The new time waits for the lab's decision until %(decide_by_at)s.")))
        if self.kind in ("booking_approved", "reminder_24h") and is_holder and self.is_free_still:
            out.append(
                self.say(N_("If you cannot come, cancel until %(free_until_at)s, so that others can use the time."))
            )
        if self.kind in _RELEASING and is_holder and booking.voucher_fen:
            out.append(self.say(N_("The %(voucher_fen)s held from your vouchers is available again.")))
        return out

    def facts(self) -> list[Fact]:
        booking = self.booking
        rows = [
            (N_("Instrument"), equipment_name(booking, self.lang)),
            (N_("Lab"), place_name(booking, self.lang)),
            (N_("Address"), booking.equipment.lab.address),
        ]
        if self.before:
            rows += [(N_("Old time"), self._slot_text(self.before)), (N_("New time"), self._slot_text(booking.slot))]
        else:
            rows.append((N_("Booked time"), self._slot_text(booking.slot)))
        if self.audience != Audience.HOLDER:
            rows.append((N_("Booked by"), f"{booking.person.name} · {localised(booking.organisation, self.lang)}"))
        rows += [(N_("Proposed instead"), self._slot_text(slot)) for slot in self.proposed]
        rows += self._visit_rows() + self._money_rows()
        rows.append((_NOTE_LABELS.get(self.kind, N_("Note")), self.note))
        return [Fact(translate(self.lang, label), value) for label, value in rows if value]

    def _visit_rows(self) -> list[tuple[str, str]]:
        visit = self.booking.visit
        if self.kind != "booking_completed" or visit is None or visit.checked_out_at is None:
            return []
        if visit.checked_in_at >= visit.checked_out_at:
            return []
        used = Slot(visit.checked_in_at, visit.checked_out_at)
        length = format_length(used.minutes, self.lang)
        text = translate(self.lang, N_("%(slot)s (%(length)s)"), slot=self._slot_text(used), length=length)
        return [(N_("Actual use"), text)]

    def _money_rows(self) -> list[tuple[str, str]]:
        """What was quoted; for a receipt what was really charged. Reminders and overdue visits are about time only."""
        booking, visit = self.booking, self.booking.visit
        if self.kind in _RELEASING or self.kind in _WITHOUT_MONEY or self.kind.startswith("reminder"):
            return []
        price, voucher, own = booking.price_fen, booking.voucher_fen, booking.own_fen
        if self.kind == "booking_completed" and visit is not None and visit.price_fen is not None:
            price, voucher, own = visit.price_fen, visit.voucher_fen or 0, visit.own_fen or 0
        rows = [(N_("Price"), format_money(price))]
        if voucher:
            rows += [(N_("Paid by vouchers"), format_money(voucher)), (N_("Own share"), format_money(own))]
        if self.kind == "booking_completed":
            rows.append((N_("Paid to"), localised(booking.payee, self.lang)))
        return rows

    def _slot_text(self, slot: Slot) -> str:
        text = format_slot(slot, self.lang, self.zone, year=True)
        return f"{text} ({self.zone.key})" if self.shows_zone else text

    def _fields(self) -> dict[str, str]:
        booking = self.booking
        values = {
            "equipment": equipment_name(booking, self.lang),
            "lab": place_name(booking, self.lang),
            "slot": booking.slot,
            "starts_at": booking.starts_at,
            "person": booking.person.name,
            "organisation": localised(booking.organisation, self.lang),
            "voucher_fen": booking.voucher_fen,
            "price_fen": booking.price_fen,
            "patience_minutes": booking.equipment.no_show_minutes,
            "free_until_at": self.free_until_at,
            "hours_left": self.hours_left,
        }
        decide_by_at = booking.decide_by or booking.starts_at
        return format_fields(values, self.lang, self.zone) | {
            "decide_by_at": format_instant(decide_by_at, self.lang, self.zone)
        }
