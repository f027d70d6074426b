"""Tables of what pays. Transfers, holds and their ends are immutable: triggers refuse UPDATE and DELETE."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from members.models import Organisation


class PaidTo(StrEnum):
    INSTITUTION = "institution"
    """The voucher's share goes to the instrument's payee; the company pays its own share only."""
    COMPANY = "company"
    """The company pays the full price and is refunded afterwards."""


class AccountClass(StrEnum):
    SOURCE = "source"
    POT = "pot"
    AVAILABLE = "available"
    HELD = "held"
    EARNED = "earned"
    CLAIMED = "claimed"
    PAYABLE = "payable"
    BANK = "bank"
    OWN_DUE = "own_due"
    OWN_EARNED = "own_earned"
    RECOVER = "recover"


#: These may fall below zero: money comes from them or is owed by them. The database refuses it for all others.
MAY_BE_NEGATIVE = (AccountClass.SOURCE, AccountClass.BANK, AccountClass.OWN_DUE, AccountClass.RECOVER)


class Programme(Base):
    """A voucher programme and its rule. The rule at the time of issue applies, so a change is a new programme."""

    __tablename__ = "programmes"
    __table_args__ = (
        CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share"),
        CheckConstraint("valid_from_on <= last_use_on AND last_use_on <= redeem_by_on", name="window"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    #: Public share of the eligible price in basis points: 3000 = 30 %.
    share_bp: Mapped[int]
    paid_to: Mapped[PaidTo] = mapped_column(Code(PaidTo, 12), default=PaidTo.INSTITUTION)
    #: Whose money: national, province, city, zone.
    fund: Mapped[str] = mapped_column(String(20), default="zone")
    budget_fen: Mapped[int]
    cap_per_company_fen: Mapped[int]
    cap_per_booking_fen: Mapped[int | None]
    valid_from_on: Mapped[date]
    #: A slot must end by the end of this day.
    last_use_on: Mapped[date]
    #: What was held in time may be captured until the end of this day.
    redeem_by_on: Mapped[date]
    is_demonstration: Mapped[bool] = mapped_column(default=False)


class Voucher(Base):
    """Money of a programme that one startup (the holder) may spend. Its balance is the sum of its transfers."""

    __tablename__ = "vouchers"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_vouchers_holder", "organisation_id", "last_use_on"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    #: As printed: programme, year, serial.
    number: Mapped[str] = mapped_column(String(40), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    amount_fen: Mapped[int]
    valid_from_on: Mapped[date]
    last_use_on: Mapped[date]
    redeem_by_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(Instant)
    lapsed_at: Mapped[datetime | None] = mapped_column(Instant)
    available_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"), unique=True)
    held_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"), unique=True)

    programme: Mapped[Programme] = relationship(lazy="raise_on_sql")
    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")


class LedgerAccount(Base):
    """A place where money stands. Codes: `pot:<programme>`, `voucher:<id>:available`, `earned:<payee id>` ..."""

    __tablename__ = "ledger_accounts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    account_class: Mapped[AccountClass] = mapped_column(Code(AccountClass, 12), index=True)
    may_be_negative: Mapped[bool]
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("programmes.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)


class Transfer(Base):
    """Money moved once from one account to another. Immutable; sums to zero by construction."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("from_account_id <> to_account_id", name="two_accounts"),
        Index("ix_transfers_from", "from_account_id"),
        Index("ix_transfers_to", "to_account_id"),
        Index("ix_transfers_at", "at"),
        Index("ix_transfers_reference", "reference"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    from_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    to_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    amount_fen: Mapped[int]
    #: Why, as a key that can happen once: `hold:17`, `capture:17`, `own:booking:<id>` ...
    cause: Mapped[str] = mapped_column(String(120), unique=True)
    #: Transfers of one business event share it.
    entry_id: Mapped[UUID] = mapped_column(PublicId, index=True)
    #: What it is for, opaque here: `booking:<public id>`; empty for issues and lapses.
    reference: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(Instant)


class Hold(Base):
    """Voucher money set aside for a reference (`booking:<public id>`). Immutable; ends once, in `hold_ends`."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_holds_reference", "reference"),
        Index("ix_holds_voucher", "voucher_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"))
    reference: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[int]
    placed_at: Mapped[datetime] = mapped_column(Instant)

    voucher: Mapped[Voucher] = relationship(lazy="raise_on_sql")


class HoldEnd(Base):
    """How a hold ended: captured + released = held (a trigger proves it)."""

    __tablename__ = "hold_ends"
    __table_args__ = (CheckConstraint("captured_fen >= 0 AND released_fen >= 0", name="parts"),)

    hold_id: Mapped[int] = mapped_column(ForeignKey("holds.id"), primary_key=True)
    captured_fen: Mapped[int]
    released_fen: Mapped[int]
    ended_at: Mapped[datetime] = mapped_column(Instant)
