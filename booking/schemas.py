"""Shapes in and out of the JSON routes."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from booking.errors import SlotInvalid
from booking.models import Booking
from booking.overrides import Override
from booking.quotes import Assessment, Quote
from booking.service import Placed
from core.http import Web
from core.i18n import N_, Lang
from core.rendering import localised
from core.shapes import In, InstantIn, LongText, Out, VersionIn, read_uuid
from core.slot import Slot
from equipment.bookable import Bookable
from equipment.models import ServiceMode


def _read_quantity(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("quantity_invalid", N_("Write a number."))
    return value


def _read_voucher(value: Any) -> Any:
    """`auto`, `none` or the id of a voucher, refused in one sentence."""
    if isinstance(value, str) and value in ("auto", "none"):
        return value
    found = read_uuid(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("voucher_invalid", N_("Write auto, none, or the id of a voucher."))
    return found


QuantityIn = Annotated[int | float | str, BeforeValidator(_read_quantity)]
Quantities = Annotated[dict[Annotated[str, Field(max_length=40)], QuantityIn], Field(max_length=20)]
VoucherChoice = Annotated[
    str | UUID, BeforeValidator(_read_voucher, json_schema_input_type=Literal["auto", "none"] | UUID)
]


class SlotIn(In):
    starts_at: InstantIn
    ends_at: InstantIn

    @property
    def slot(self) -> Slot:
        """Raises SlotInvalid for an empty or inverted interval."""
        if self.starts_at >= self.ends_at:
            raise SlotInvalid(field="ends_at")
        return Slot(self.starts_at, self.ends_at)


class QuoteIn(SlotIn):
    equipment_id: UUID
    quantities: Quantities = {}
    voucher: VoucherChoice = "auto"
    #: How the instrument is used; left out: its first way.
    mode: ServiceMode | None = None


class BookingIn(QuoteIn):
    purpose: LongText = ""
    #: The version of the instrument's terms of use that is accepted (`terms_version` of the instrument).
    terms_version: UUID | None = None


class OverrideIn(In):
    """Codes of rules that the lab sets aside for once, and why; the reason is kept."""

    override: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] = []
    reason: LongText = ""

    @property
    def wanted(self) -> Override:
        return Override.of(self.override, self.reason)


class MoveIn(SlotIn, OverrideIn):
    version: VersionIn


class ApprovalIn(OverrideIn):
    word: LongText = ""
    #: What was seen; left out: as it is now.
    version: VersionIn | None = None


class RefusalIn(In):
    reason: LongText = ""
    version: VersionIn | None = None
    #: Other times that would do.
    proposed: Annotated[list[SlotIn], Field(max_length=5)] = []


class TermsIn(In):
    terms_version: UUID


class ReasonIn(In):
    reason: LongText = ""


class CheckOutIn(In):
    #: When the use really ended; left out: now. Only the lab may name another time.
    ended_at: InstantIn | None = None
    quantities: Quantities = {}
    note: LongText = ""


class SlotOut(Out):
    starts_at: datetime
    ends_at: datetime


class LineOut(Out):
    unit: str
    quantity: str
    unit_price_fen: int
    amount_fen: int
    is_example: bool
    #: rate, operator, setup, minimum, rush.
    kind: str
    #: The band of time for which the price counts.
    name: str


class PayeeOut(Out):
    id: UUID
    name: str

    @classmethod
    def of_entry(cls, entry: Bookable, lang: Lang) -> Self:
        return cls(id=entry.payee_public_id, name=localised(entry, lang, "payee_name"))


class ProblemOut(Out):
    """`message` says all; `help` is its last part, what would help, where there is one."""

    code: str
    field: str
    message: str
    help: str = ""


class QuoteOut(Out):
    """`own_fen` is what one pays; `voucher_fen` what the voucher pays, or refunds later where it pays the company."""

    price_fen: int
    voucher_fen: int
    own_fen: int
    paid_to: str | None
    payee: PayeeOut
    lines: list[LineOut]
    mode: str
    is_rush: bool
    #: The holidays of the slot's year are not announced yet.
    is_provisional: bool
    problems: list[ProblemOut] = []
    taken: list[SlotOut] = []
    alternatives: list[SlotOut] = []

    @classmethod
    def of(
        cls, quote: Quote, found: Assessment, entry: Bookable, problems: list[ProblemOut], lang: Lang, *,
        is_provisional: bool,
    ) -> Self:  # fmt: skip
        return cls(
            price_fen=quote.price_fen,
            voucher_fen=quote.voucher_fen,
            own_fen=quote.own_fen,
            paid_to=quote.plan.paid_to,
            payee=PayeeOut.of_entry(entry, lang),
            lines=[LineOut.model_validate(line) for line in quote.lines],
            mode=quote.mode,
            is_rush=quote.is_rush,
            is_provisional=is_provisional,
            problems=problems,
            taken=[SlotOut.model_validate(slot) for slot in found.place.taken],
            alternatives=[SlotOut.model_validate(slot) for slot in found.alternatives or []],
        )


class VisitOut(Out):
    checked_in_at: datetime
    checked_out_at: datetime | None
    quantities: dict[str, str]
    price_fen: int | None
    voucher_fen: int | None
    own_fen: int | None


class BookingOut(Out):
    id: UUID
    version: int
    state: str
    #: What a late cancellation or a no-show cost.
    fee_fen: int
    awaiting: str | None
    equipment_id: UUID
    equipment_name: str
    unit_id: UUID
    units: list[UUID]
    organisation_id: UUID
    starts_at: datetime
    ends_at: datetime
    requested_at: datetime
    decide_by: datetime | None
    quantities: dict[str, str]
    lines: list[LineOut]
    price_fen: int
    voucher_fen: int
    own_fen: int
    payee: PayeeOut
    #: The terms of use that count for it (`/api/v1/terms/...`), and when they were accepted; null: not yet.
    terms_version: UUID | None
    terms_accepted_at: datetime | None
    #: What it is for, as it was written; empty once erased.
    purpose: str
    visit: VisitOut | None = None

    @classmethod
    def of(cls, booking: Booking, lang: Lang, purpose: str) -> Self:
        """A booking that was read whole."""
        return cls._of(
            booking, purpose, equipment_id=booking.equipment.public_id,
            equipment_name=localised(booking.equipment, lang), unit_id=booking.unit.public_id,
            organisation_id=booking.organisation.public_id,
            payee=PayeeOut(id=booking.payee.public_id, name=localised(booking.payee, lang)),
            visit=VisitOut.model_validate(booking.visit) if booking.visit else None,
        )  # fmt: skip

    @classmethod
    def of_placed(cls, placed: Placed, lang: Lang, purpose: str) -> Self:
        """A new booking, from what it was made of."""
        entry = placed.entry
        return cls._of(
            placed.booking, purpose, equipment_id=entry.public_id, equipment_name=localised(entry, lang),
            unit_id=placed.unit.public_id, organisation_id=placed.payer.organisation_public_id,
            payee=PayeeOut.of_entry(entry, lang), visit=None,
        )  # fmt: skip

    @classmethod
    def _of(cls, booking: Booking, purpose: str, *, unit_id: UUID, **around: Any) -> Self:
        return cls(
            id=booking.public_id,
            version=booking.version,
            state=booking.state,
            fee_fen=booking.fee_fen,
            awaiting=booking.awaiting,
            unit_id=unit_id,
            units=[unit_id],
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            requested_at=booking.requested_at,
            decide_by=booking.decide_by,
            quantities=booking.quantities,
            lines=[LineOut(**line) for line in booking.lines],
            price_fen=booking.price_fen,
            voucher_fen=booking.voucher_fen,
            own_fen=booking.own_fen,
            terms_version=booking.terms_version,
            terms_accepted_at=booking.terms_accepted_at,
            purpose=purpose,
            **around,
        )


class BookingPage(Out):
    items: list[BookingOut]
    total: int
    next_cursor: str | None


class BusyOut(Out):
    """Taken time: no names. `mine`: one's own or one's startup's."""

    unit_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str
    mine: bool


class CalendarOut(Out):
    busy: list[BusyOut]
    open: list[SlotOut]


def problems_of(found: Assessment, web: Web) -> list[ProblemOut]:
    """What stands in the way, with its words; `web` explains a refusal in the reader's language."""
    return [
        ProblemOut(code=rule.code, field=rule.field, message=web.explain(rule), help=web.explain_help(rule))
        for rule in found.reasons
    ]
