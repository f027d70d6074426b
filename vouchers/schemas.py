"""Shapes in and out of the JSON routes."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from core.i18n import Lang
from core.rendering import localised
from core.shapes import FenIn, In, Out
from vouchers.models import PaidTo, Programme
from vouchers.queries import Balance


class VoucherOut(Out):
    id: UUID
    number: str
    programme: str
    organisation: str
    amount_fen: int
    available_fen: int
    held_fen: int
    spent_fen: int
    valid_from: date
    valid_until: date

    @classmethod
    def of(cls, balance: Balance, lang: Lang) -> Self:
        voucher = balance.voucher
        return cls(
            id=voucher.public_id,
            number=voucher.number,
            programme=localised(voucher.programme, lang),
            organisation=localised(voucher.organisation, lang),
            amount_fen=voucher.amount_fen,
            available_fen=balance.available_fen,
            held_fen=balance.held_fen,
            spent_fen=balance.spent_fen,
            valid_from=voucher.valid_from_on,
            valid_until=voucher.last_use_on,
        )


class VoucherPage(Out):
    items: list[VoucherOut]
    total: int
    next_cursor: str | None


class VoucherIn(In):
    programme: UUID
    organisation: UUID
    amount_fen: FenIn


class ProgrammeIn(In):
    code: Annotated[str, Field(min_length=2, max_length=20, pattern=r"^[A-Z0-9-]+$")]
    name_zh: Annotated[str, Field(min_length=1, max_length=200)]
    name_en: Annotated[str, Field(max_length=200)] = ""
    share_bp: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    paid_to: PaidTo = PaidTo.INSTITUTION
    budget_fen: FenIn
    cap_per_company_fen: FenIn
    cap_per_booking_fen: FenIn | None = None
    valid_from_on: date
    last_use_on: date
    redeem_by_on: date


class ProgrammeOut(Out):
    id: UUID
    code: str
    name: str
    share_bp: int
    paid_to: str
    budget_fen: int
    cap_per_company_fen: int
    cap_per_booking_fen: int | None
    valid_from_on: date
    last_use_on: date
    redeem_by_on: date

    @classmethod
    def of(cls, programme: Programme, lang: Lang) -> Self:
        return cls(
            id=programme.public_id,
            name=localised(programme, lang),
            **{name: getattr(programme, name) for name in cls.model_fields if name not in ("id", "name")},
        )


class ProgrammePage(Out):
    items: list[ProgrammeOut]
    total: int
    next_cursor: str | None


class ClassOut(Out):
    account_class: str
    accounts: int
    in_fen: int
    out_fen: int
    balance_fen: int


class TrialBalanceOut(Out):
    sum_fen: int
    accounts: list[ClassOut]
