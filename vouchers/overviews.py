"""SELECTs of what finance looks over: balances by class, programmes, spend, and the movements of accounts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from members.models import Organisation, OrganisationKind
from vouchers.models import AccountClass, LedgerAccount, Programme, Transfer, Voucher
from vouchers.queries import find_programmes


class ClassBalance(NamedTuple):
    """A line of the trial balance."""

    account_class: AccountClass
    accounts: int
    in_fen: int
    out_fen: int

    @property
    def balance_fen(self) -> int:
        return self.in_fen - self.out_fen


def trial_balance(session: Session) -> list[ClassBalance]:
    """What went into and out of each class of account; the balances sum to zero."""
    into = (
        select(LedgerAccount.account_class, func.sum(Transfer.amount_fen))
        .join(Transfer, Transfer.to_account_id == LedgerAccount.id)
        .group_by(LedgerAccount.account_class)
    )
    out = (
        select(LedgerAccount.account_class, func.sum(Transfer.amount_fen))
        .join(Transfer, Transfer.from_account_id == LedgerAccount.id)
        .group_by(LedgerAccount.account_class)
    )
    count = select(LedgerAccount.account_class, func.count()).group_by(LedgerAccount.account_class)
    received = {name: int(amount) for name, amount in session.execute(into)}
    paid = {name: int(amount) for name, amount in session.execute(out)}
    numbers = {name: number for name, number in session.execute(count)}  # noqa: C416 - rows, not pairs
    return [ClassBalance(kind, numbers.get(kind, 0), received.get(kind, 0), paid.get(kind, 0)) for kind in AccountClass]


@dataclass(frozen=True)
class ProgrammeFigures:
    """Where the money of a programme stands."""

    programme: Programme
    funded_fen: int
    issued_fen: int
    available_fen: int
    held_fen: int
    spent_fen: int
    vouchers: int

    @property
    def budget_left_fen(self) -> int:
        return max(self.programme.budget_fen - self.issued_fen, 0)


def find_programme_figures(session: Session) -> list[ProgrammeFigures]:
    """Every programme with its sums: three statements in all."""
    by_class = (
        select(
            LedgerAccount.programme_id,
            LedgerAccount.account_class,
            func.sum(
                case((Transfer.to_account_id == LedgerAccount.id, Transfer.amount_fen), else_=-Transfer.amount_fen)
            ),
        )
        .join(Transfer, or_(Transfer.to_account_id == LedgerAccount.id, Transfer.from_account_id == LedgerAccount.id))
        .where(LedgerAccount.programme_id.is_not(None))
        .group_by(LedgerAccount.programme_id, LedgerAccount.account_class)
    )
    sums = {(programme, name): int(amount) for programme, name, amount in session.execute(by_class)}
    issued = {
        programme: (int(amount), number)
        for programme, amount, number in session.execute(
            select(Voucher.programme_id, func.sum(Voucher.amount_fen), func.count()).group_by(Voucher.programme_id)
        )
    }
    out = []
    for programme in find_programmes(session):
        amount, number = issued.get(programme.id, (0, 0))
        available = sums.get((programme.id, AccountClass.AVAILABLE), 0)
        held = sums.get((programme.id, AccountClass.HELD), 0)
        spent = sum(sums.get((programme.id, name), 0) for name in SPENT)
        pot = sums.get((programme.id, AccountClass.POT), 0)
        out.append(ProgrammeFigures(programme, pot + available + held + spent, amount, available, held, spent, number))
    return out


#: Where captured money stands on its way to the payee.
SPENT = (AccountClass.EARNED, AccountClass.CLAIMED, AccountClass.PAYABLE)


class Spend(NamedTuple):
    """What was captured and what was owed for one payer or one payee in a range."""

    kind: OrganisationKind
    name_zh: str
    name_en: str
    voucher_fen: int
    own_fen: int
    bookings: int

    @property
    def total_fen(self) -> int:
        return self.voucher_fen + self.own_fen

    @property
    def is_startup(self) -> bool:
        """Not an institution, whose own researchers pay the internal rate."""
        return self.kind in (OrganisationKind.COMPANY, OrganisationKind.TEAM)


def find_spend(session: Session, *, by: str, start: datetime, end: datetime) -> list[Spend]:
    """Voucher money captured and own shares charged in `[start, end)`, by payer or by payee, largest first."""
    source, target = aliased(LedgerAccount), aliased(LedgerAccount)
    side = source if by == "startup" else target
    voucher = and_(source.account_class == AccountClass.HELD, target.account_class == AccountClass.EARNED)
    own = and_(source.account_class == AccountClass.OWN_DUE, target.account_class == AccountClass.OWN_EARNED)
    statement = (
        select(
            Organisation.kind,
            Organisation.name_zh,
            Organisation.name_en,
            func.sum(case((voucher, Transfer.amount_fen), else_=0)).label("voucher_fen"),
            func.sum(case((own, Transfer.amount_fen), else_=0)).label("own_fen"),
            func.count(Transfer.reference.distinct()),
        )
        .select_from(Transfer)
        .join(source, source.id == Transfer.from_account_id)
        .join(target, target.id == Transfer.to_account_id)
        .join(Organisation, Organisation.id == side.organisation_id)
        .where(or_(voucher, own), Transfer.at >= start, Transfer.at < end)
        .group_by(Organisation.id, Organisation.kind, Organisation.name_zh, Organisation.name_en)
        .order_by(func.sum(Transfer.amount_fen).desc(), Organisation.id)
    )
    return [Spend(kind, zh, en, int(v), int(o), n) for kind, zh, en, v, o, n in session.execute(statement)]


class AccountName(NamedTuple):
    """What an account is called for people: its class, and whose or which it is."""

    account_class: AccountClass
    name_zh: str
    name_en: str


def find_account_names(session: Session, account_ids: Iterable[int]) -> dict[int, AccountName]:
    """A voucher's number, a payee's or company's name, or a programme's code; one statement."""
    voucher_of = or_(Voucher.available_account_id == LedgerAccount.id, Voucher.held_account_id == LedgerAccount.id)
    rows = session.execute(
        select(
            LedgerAccount.id, LedgerAccount.account_class, LedgerAccount.code, Voucher.number,
            Organisation.name_zh, Organisation.name_en,
        )
        .outerjoin(Voucher, voucher_of)
        .outerjoin(Organisation, Organisation.id == LedgerAccount.organisation_id)
        .where(LedgerAccount.id.in_(set(account_ids)))
    )  # fmt: skip
    return {
        key: AccountName(kind, number or zh or code.split(":")[1], number or en or zh or code.split(":")[1])
        for key, kind, code, number, zh, en in rows
    }


class Movement(NamedTuple):
    """A transfer with the codes of its accounts."""

    transfer: Transfer
    from_code: str
    to_code: str


#: A place in a list of movements: when, and the transfer's id.
Position = tuple[datetime, int]


def find_movements(
    session: Session,
    *,
    account_class: str = "",
    vouchers: Sequence[Voucher] = (),
    before: Position | None = None,
    limit: int = 50,
) -> list[Movement]:
    """Transfers, newest first; of one class of account or of some vouchers."""
    source, target = aliased(LedgerAccount), aliased(LedgerAccount)
    statement = (
        select(Transfer, source.code, target.code)
        .join(source, source.id == Transfer.from_account_id)
        .join(target, target.id == Transfer.to_account_id)
        .order_by(Transfer.at.desc(), Transfer.id.desc())
        .limit(limit)
    )
    conditions: list[ColumnElement[bool]] = []
    if account_class:
        conditions.append(or_(source.account_class == account_class, target.account_class == account_class))
    if vouchers:
        keys = [key for voucher in vouchers for key in (voucher.available_account_id, voucher.held_account_id)]
        conditions.append(or_(Transfer.from_account_id.in_(keys), Transfer.to_account_id.in_(keys)))
    if before is not None:
        at, key = before
        conditions.append(or_(Transfer.at < at, and_(Transfer.at == at, Transfer.id < key)))
    return [Movement(*row) for row in session.execute(statement.where(*conditions))]
