"""Every SELECT of the package. A balance is the sum of transfers, never a column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from members.models import Organisation, OrganisationKind
from vouchers.errors import ProgrammeNotFound, VoucherNotFound
from vouchers.models import AccountClass, Hold, HoldEnd, LedgerAccount, Programme, Transfer, Voucher


@dataclass(frozen=True)
class Balances:
    """Where the money of one voucher, or of several together, stands."""

    amount_fen: int
    available_fen: int
    held_fen: int
    spent_fen: int
    lapsed_fen: int


class Balance(NamedTuple):
    """A voucher with its balances."""

    voucher: Voucher
    available_fen: int
    held_fen: int
    spent_fen: int

    @property
    def public_id(self) -> UUID:
        return self.voucher.public_id

    @property
    def number(self) -> str:
        return self.voucher.number

    @property
    def lapsed_fen(self) -> int:
        return self.voucher.amount_fen - self.available_fen - self.held_fen - self.spent_fen


def sum_accounts(session: Session, account_ids: Iterable[int]) -> dict[int, int]:
    """Balances of accounts by id: in minus out. Two index scans per account, one statement."""
    keys = sorted(set(account_ids))
    if not keys:
        return {}
    found = dict.fromkeys(keys, 0)
    for account, amount in session.execute(_SUMS, {"keys": keys}):
        found[account] = int(amount)
    return found


def _both_ways() -> Select[int, int]:
    keys: BindParameter[list[int]] = bindparam("keys", expanding=True)
    into = select(Transfer.to_account_id.label("account"), Transfer.amount_fen.label("amount")).where(
        Transfer.to_account_id.in_(keys)
    )
    out = select(Transfer.from_account_id, -Transfer.amount_fen).where(Transfer.from_account_id.in_(keys))
    both = into.union_all(out).subquery()
    return select(both.c.account, func.sum(both.c.amount)).group_by(both.c.account)


#: Built once: every quote asks it.
_SUMS = _both_ways()


def get_voucher(session: Session, public_id: UUID) -> Voucher:
    voucher = session.scalars(_with_programme().where(Voucher.public_id == public_id)).one_or_none()
    if voucher is None:
        raise VoucherNotFound
    return voucher


def get_programme(session: Session, public_id: UUID) -> Programme:
    programme = session.scalars(select(Programme).where(Programme.public_id == public_id)).one_or_none()
    if programme is None:
        raise ProgrammeNotFound
    return programme


def find_programmes(session: Session) -> list[Programme]:
    return list(session.scalars(select(Programme).order_by(Programme.valid_from_on.desc(), Programme.id)))


def find_valid(session: Session, organisation_id: int, *, on: date) -> list[Voucher]:
    """A holder's vouchers that can be used on a day, first expiring first."""
    return list(
        session.scalars(
            _with_programme()
            .where(
                Voucher.organisation_id == organisation_id,
                Voucher.valid_from_on <= on,
                Voucher.last_use_on >= on,
                Voucher.lapsed_at.is_(None),
            )
            .order_by(Voucher.last_use_on, Voucher.id)
        )
    )


def find_balances(
    session: Session,
    *,
    organisation_ids: frozenset[int] | None = None,
    programme_id: int | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Balance]:
    """Vouchers with their balances, in order of id."""
    statement = _with_programme().where(Voucher.id > after).order_by(Voucher.id).limit(limit)
    if organisation_ids is not None:
        statement = statement.where(Voucher.organisation_id.in_(organisation_ids))
    if programme_id is not None:
        statement = statement.where(Voucher.programme_id == programme_id)
    return with_balances(session, list(session.scalars(statement)))


def count_vouchers(session: Session, *, organisation_ids: frozenset[int] | None = None) -> int:
    statement = select(func.count()).select_from(Voucher)
    if organisation_ids is not None:
        statement = statement.where(Voucher.organisation_id.in_(organisation_ids))
    return session.scalar(statement) or 0


def with_balances(session: Session, vouchers: Sequence[Voucher]) -> list[Balance]:
    keys = [key for voucher in vouchers for key in (voucher.available_account_id, voucher.held_account_id)]
    sums = sum_accounts(session, keys)
    spent = sum_captured(session, [voucher.id for voucher in vouchers])
    return [
        Balance(voucher, sums[voucher.available_account_id], sums[voucher.held_account_id], spent.get(voucher.id, 0))
        for voucher in vouchers
    ]


def sum_captured(session: Session, voucher_ids: Sequence[int]) -> dict[int, int]:
    """What was captured of each voucher."""
    rows = session.execute(
        select(Hold.voucher_id, func.sum(HoldEnd.captured_fen))
        .join(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.voucher_id.in_(voucher_ids))
        .group_by(Hold.voucher_id)
    )
    return {voucher_id: int(amount) for voucher_id, amount in rows}


def find_usable(session: Session, organisation_ids: frozenset[int], *, on: date) -> list[Balance]:
    """Vouchers of some holders that have money left and can be used on a day, first expiring first."""
    vouchers = [voucher for key in sorted(organisation_ids) for voucher in find_valid(session, key, on=on)]
    return [balance for balance in with_balances(session, vouchers) if balance.available_fen > 0]


def sum_balances(session: Session, organisation_ids: frozenset[int]) -> Balances:
    """All vouchers of some holders together."""
    found = find_balances(session, organisation_ids=organisation_ids, limit=1000)
    return Balances(
        amount_fen=sum(balance.voucher.amount_fen for balance in found),
        available_fen=sum(balance.available_fen for balance in found),
        held_fen=sum(balance.held_fen for balance in found),
        spent_fen=sum(balance.spent_fen for balance in found),
        lapsed_fen=sum(balance.lapsed_fen for balance in found),
    )


class HoldRow(NamedTuple):
    """A hold, and how it ended if it has."""

    id: int
    number: str
    amount_fen: int
    captured_fen: int | None
    released_fen: int | None

    @property
    def is_ended(self) -> bool:
        return self.captured_fen is not None


def find_holds(session: Session, reference: str) -> list[HoldRow]:
    """The holds of a reference that are open or captured something, in order; released ones only if none is left."""
    rows = session.execute(
        select(Hold.id, Voucher.number, Hold.amount_fen, HoldEnd.captured_fen, HoldEnd.released_fen)
        .join(Voucher, Voucher.id == Hold.voucher_id)
        .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.reference == reference)
        .order_by(Hold.id)
    )
    found = [HoldRow(*row) for row in rows]
    return [row for row in found if not row.is_ended or row.captured_fen] or found[-1:]


def find_open_holds(session: Session, reference: str) -> list[Hold]:
    """Holds that have not ended, first expiring voucher first, with their vouchers."""
    return list(
        session.scalars(
            select(Hold)
            .join(Voucher)
            .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
            .options(joinedload(Hold.voucher).joinedload(Voucher.programme))
            .where(Hold.reference == reference, HoldEnd.hold_id.is_(None))
            .order_by(Voucher.last_use_on, Hold.id)
        )
    )


def sum_held(session: Session, reference: str) -> dict[int, int]:
    """Open holds of a reference by voucher id."""
    rows = session.execute(
        select(Hold.voucher_id, func.sum(Hold.amount_fen))
        .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.reference == reference, HoldEnd.hold_id.is_(None))
        .group_by(Hold.voucher_id)
    )
    return {voucher_id: int(amount) for voucher_id, amount in rows}


def sum_issued(session: Session, programme_id: int, organisation_id: int | None = None) -> int:
    statement = select(func.coalesce(func.sum(Voucher.amount_fen), 0)).where(Voucher.programme_id == programme_id)
    if organisation_id is not None:
        statement = statement.where(Voucher.organisation_id == organisation_id)
    return int(session.scalar(statement) or 0)


def find_account(session: Session, code: str) -> LedgerAccount | None:
    return session.scalars(select(LedgerAccount).where(LedgerAccount.code == code)).one_or_none()


def find_lapsing(session: Session, *, on: date, limit: int) -> list[Voucher]:
    """Vouchers whose last day of use is over and that have not lapsed."""
    return list(
        session.scalars(
            _with_programme()
            .where(Voucher.last_use_on < on, Voucher.lapsed_at.is_(None))
            .order_by(Voucher.last_use_on, Voucher.id)
            .limit(limit)
        )
    )


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


def _with_programme() -> Select[Voucher]:
    return select(Voucher).options(joinedload(Voucher.programme), joinedload(Voucher.organisation))
