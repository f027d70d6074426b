"""Every SELECT of the package. A balance is the sum of transfers, never a column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, Date, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from vouchers.errors import ProgrammeNotFound, VoucherNotFound
from vouchers.ledger import Accounts, Usable
from vouchers.models import Hold, HoldEnd, LedgerAccount, Programme, Transfer, Voucher


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


def find_spendable(session: Session, organisation_id: int, *, on: date, back: Mapping[int, int]) -> list[Usable]:
    """A holder's vouchers that can be used on a day with what is left of each, first expiring first. One statement.

    `back`: fen by voucher id that count as left again.
    """
    rows = session.connection().execute(_SPENDABLE, {"holder": organisation_id, "on": on})
    return [
        Usable(
            voucher_id=row.id, public_id=row.public_id, number=row.number, programme_id=row.programme_id,
            holder_id=organisation_id, accounts=Accounts(row.available_account_id, row.held_account_id),
            available_fen=int(row.given - row.taken) + back.get(row.id, 0), share_bp=row.share_bp,
            cap_per_booking_fen=row.cap_per_booking_fen, paid_to=row.paid_to, name_zh=row.name_zh, name_en=row.name_en,
        )
        for row in rows
    ]  # fmt: skip


def _spendable() -> Select[*tuple[Any, ...]]:
    def total(side: InstrumentedAttribute[int]) -> ScalarSelect[int]:
        amount = func.coalesce(func.sum(Transfer.amount_fen), 0)
        return select(amount).where(side == Voucher.available_account_id).correlate(Voucher).scalar_subquery()

    on = bindparam("on", type_=Date)
    return (
        select(
            Voucher.id, Voucher.public_id, Voucher.number, Voucher.programme_id, Voucher.available_account_id,
            Voucher.held_account_id, Programme.share_bp, Programme.cap_per_booking_fen, Programme.paid_to,
            Programme.name_zh, Programme.name_en, total(Transfer.to_account_id).label("given"),
            total(Transfer.from_account_id).label("taken"),
        )
        .join(Programme, Programme.id == Voucher.programme_id)
        .where(
            Voucher.organisation_id == bindparam("holder"), Voucher.valid_from_on <= on, Voucher.last_use_on >= on,
            Voucher.lapsed_at.is_(None),
        )
        .order_by(Voucher.last_use_on, Voucher.id)
    )  # fmt: skip


#: Built once: every quote asks it.
_SPENDABLE = _spendable()


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
    found = find_holds_of(session, [reference]).get(reference, [])
    return [row for row in found if not row.is_ended or row.captured_fen] or found[-1:]


def find_holds_of(session: Session, references: Sequence[str]) -> dict[str, list[HoldRow]]:
    """All holds of many references, each in order."""
    rows = session.execute(
        select(Hold.reference, Hold.id, Voucher.number, Hold.amount_fen, HoldEnd.captured_fen, HoldEnd.released_fen)
        .join(Voucher, Voucher.id == Hold.voucher_id)
        .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.reference.in_(references))
        .order_by(Hold.id)
    )
    found: dict[str, list[HoldRow]] = {}
    for reference, key, number, amount, captured, released in rows:
        found.setdefault(reference, []).append(HoldRow(key, number, amount, captured, released))
    return found


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


def _with_programme() -> Select[Voucher]:
    return select(Voucher).options(joinedload(Voucher.programme), joinedload(Voucher.organisation))
