"""Proofs over the ledger. Each finding is a sentence for an accountant."""

from collections import defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from vouchers import overviews
from vouchers.models import AccountClass, Hold, HoldEnd, LedgerAccount, Transfer, Voucher

#: Where issued money may stand; what lapsed has left it again.
ISSUED = (
    AccountClass.AVAILABLE,
    AccountClass.HELD,
    AccountClass.EARNED,
    AccountClass.CLAIMED,
    AccountClass.PAYABLE,
    AccountClass.BANK,
)


def check_ledger(session: Session) -> list[str]:
    """What does not add up; empty when all does."""
    return [*_check_sum(session), *_check_floors(session), *_check_holds(session), *_check_issued(session)]


def _check_sum(session: Session) -> list[str]:
    total = sum(line.balance_fen for line in overviews.trial_balance(session))
    return [] if total == 0 else [f"the trial balance is {total} fen, not zero"]


def _check_floors(session: Session) -> list[str]:
    floors = select(LedgerAccount.id, LedgerAccount.code).where(LedgerAccount.may_be_negative.is_(False))
    codes = {key: code for key, code in session.execute(floors)}  # noqa: C416 - rows, not pairs
    into = dict(_sums(session, Transfer.to_account_id))
    out = dict(_sums(session, Transfer.from_account_id))
    return [
        f"account {code} stands at {into.get(key, 0) - out.get(key, 0)} fen"
        for key, code in codes.items()
        if into.get(key, 0) < out.get(key, 0)
    ]


def _sums(session: Session, column: InstrumentedAttribute[int]) -> list[tuple[int, int]]:
    rows = session.execute(select(column, func.sum(Transfer.amount_fen)).group_by(column))
    return [(key, int(amount)) for key, amount in rows]


def _check_holds(session: Session) -> list[str]:
    wrong = session.execute(
        select(Hold.id, Hold.amount_fen, HoldEnd.captured_fen, HoldEnd.released_fen)
        .join(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.amount_fen != HoldEnd.captured_fen + HoldEnd.released_fen)
    )
    return [f"hold {key}: {amount} fen held, {a} captured + {b} released" for key, amount, a, b in wrong]


def _check_issued(session: Session) -> list[str]:
    """Per programme: issued = available + held + earned + claimed + payable + paid + lapsed."""
    issued = {
        key: int(amount)
        for key, amount in session.execute(
            select(Voucher.programme_id, func.sum(Voucher.amount_fen)).group_by(Voucher.programme_id)
        )
    }
    accounts = {
        key: (programme, kind)
        for key, programme, kind in session.execute(
            select(LedgerAccount.id, LedgerAccount.programme_id, LedgerAccount.account_class)
        )
    }
    stands: dict[int, int] = defaultdict(int)
    for source, target, cause, amount in session.execute(
        select(Transfer.from_account_id, Transfer.to_account_id, Transfer.cause, Transfer.amount_fen)
    ):
        programme, kind = accounts[target]
        if programme is not None and kind in ISSUED:
            stands[programme] += amount
        programme, kind = accounts[source]
        if programme is not None and kind in ISSUED:
            stands[programme] -= amount
            if cause.startswith("lapse:"):
                stands[programme] += amount
    return [
        f"programme {key}: {amount} fen issued, {stands[key]} fen accounted for"
        for key, amount in issued.items()
        if stands[key] != amount
    ]
