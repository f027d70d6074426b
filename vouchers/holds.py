"""Money set aside for a booking, and how it ends: captured up to the actual price, the rest released. Once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.db import lock_rows, table_of
from members import audit
from vouchers import ledger, posting, queries
from vouchers.errors import VoucherBalanceTooLow, VoucherEndsBeforeSlot, VoucherNotFound, VoucherNotYetValid
from vouchers.ledger import NOTHING, Accounts, SharePlan
from vouchers.models import AccountClass, Hold, HoldEnd, LedgerAccount, Voucher

#: The funds' calendar is China's: days end at midnight there.
ZONE = timedelta(hours=8)


def plan_share(
    session: Session,
    *,
    organisation_id: int,
    eligible_fen: int,
    ends_on: date,
    choice: str | UUID = "auto",
    now: datetime,
    returning: str | None = None,
) -> SharePlan:
    """What vouchers would pay. `ends_on` is the local day of the slot's last instant; `returning` names a reference
    whose held money counts as available again.

    "auto": the programme of the first-expiring voucher, as far as its vouchers reach. "none": nothing. An id: that
    voucher for the whole share, else VoucherNotFound (also where nothing is eligible), VoucherNotYetValid,
    VoucherEndsBeforeSlot, VoucherBalanceTooLow.
    """
    voucher = _require_own(session, organisation_id, choice) if isinstance(choice, UUID) else None
    if choice == "none" or eligible_fen <= 0:
        return NOTHING
    back = queries.sum_held(session, returning) if returning else {}
    if voucher is None:
        return ledger.plan_parts(eligible_fen, queries.find_spendable(session, organisation_id, on=ends_on, back=back))
    if ends_on < voucher.valid_from_on:
        raise VoucherNotYetValid(field="voucher", valid_from_on=voucher.valid_from_on)
    if ends_on > voucher.last_use_on:
        raise VoucherEndsBeforeSlot(field="voucher", last_use_on=voucher.last_use_on)
    usable = next(
        each
        for each in queries.find_spendable(session, organisation_id, on=ends_on, back=back)
        if each.voucher_id == voucher.id
    )
    needed = ledger.wanted_fen(eligible_fen, usable)
    if usable.available_fen < needed:
        raise VoucherBalanceTooLow(
            field="voucher",
            available_fen=usable.available_fen,
            needed_fen=needed,
            details={"available_fen": usable.available_fen, "needed_fen": needed},
        )
    return ledger.plan_parts(eligible_fen, [usable])


def place_holds(session: Session, plan: SharePlan, *, reference: str, now: datetime) -> int:
    """Set the planned money aside; returns how much. The database locks each voucher's account and refuses what is not
    there. Raises MoneyMovedMeanwhile."""
    if not plan.parts:
        return 0
    holds = [
        {"voucher_id": part.voucher_id, "reference": reference, "amount_fen": part.amount_fen, "placed_at": now}
        for part in plan.parts
    ]
    session.flush()
    keys = dict(session.connection().execute(_HOLD, holds).tuples().all())
    moved = [
        posting.Posting(part.accounts.available, part.accounts.held, part.amount_fen, f"hold:{keys[part.voucher_id]}")
        for part in plan.parts
    ]
    posting.post_all(session, moved, entry=posting.new_entry(), now=now, reference=reference)
    for part in plan.parts:
        _record(session, "hold_placed", part.number, part.holder_id, reference, part.amount_fen, now)
    return plan.share_fen


_HOLD = insert(table_of(Hold)).returning(Hold.voucher_id, Hold.id)


def capture_holds(session: Session, *, reference: str, amount_fen: int, payee_id: int, now: datetime) -> int:
    """End the holds of a reference: capture up to the amount for the payee, release the rest. Returns what was
    captured, at most what was held; of a voucher whose day of redemption is over nothing is."""
    return _end_holds(session, reference=reference, amount_fen=amount_fen, payee_id=payee_id, now=now)


def release_holds(session: Session, *, reference: str, now: datetime) -> int:
    """End the holds of a reference without capturing; returns what came free."""
    held = sum(queries.sum_held(session, reference).values())
    _end_holds(session, reference=reference, amount_fen=0, payee_id=None, now=now)
    return held


def held_fen(session: Session, reference: str) -> int:
    """What is held for a reference now."""
    return sum(queries.sum_held(session, reference).values())


def charge_own_share(
    session: Session,
    *,
    organisation_id: int,
    payee_id: int,
    amount_fen: int,
    cause: str,
    reference: str,
    now: datetime,
) -> None:
    """Write down what the company itself owes the payee. Nothing for zero."""
    if amount_fen == 0:
        return
    due = posting.open_account(
        session, ledger.own_due_code(organisation_id), AccountClass.OWN_DUE, organisation_id=organisation_id
    )
    earned = posting.open_account(
        session, ledger.own_earned_code(payee_id), AccountClass.OWN_EARNED, organisation_id=payee_id
    )
    posting.post(
        session, source=due.id, target=earned.id, amount_fen=amount_fen, cause=cause, entry=posting.new_entry(),
        now=now, reference=reference,
    )  # fmt: skip
    audit.record(
        session, actor=None, action="own_share_charged", object=reference, now=now, organisation_id=organisation_id,
        data={"amount_fen": amount_fen},
    )  # fmt: skip


def _require_own(session: Session, organisation_id: int, public_id: UUID) -> Voucher:
    """Raises VoucherNotFound for a voucher that is unknown, of another company, or lapsed."""
    try:
        voucher = queries.get_voucher(session, public_id)
    except VoucherNotFound as error:
        raise VoucherNotFound(field="voucher") from error
    if voucher.organisation_id != organisation_id or voucher.lapsed_at is not None:
        raise VoucherNotFound(field="voucher")
    return voucher


def _end_holds(session: Session, *, reference: str, amount_fen: int, payee_id: int | None, now: datetime) -> int:
    holds = queries.find_open_holds(session, reference)
    if not holds:
        return 0
    _lock_accounts(session, [_accounts_of(hold.voucher) for hold in holds])
    entry = posting.new_entry()
    total = 0
    on = (now + ZONE).date()
    divided = ledger.divide_capture(
        amount_fen, [hold.amount_fen if on <= hold.voucher.redeem_by_on else 0 for hold in holds]
    )
    for hold, (captured, _) in zip(holds, divided, strict=True):
        released = hold.amount_fen - captured
        session.add(HoldEnd(hold_id=hold.id, captured_fen=captured, released_fen=released, ended_at=now))
        session.flush()
        if captured:
            assert payee_id is not None
            _capture(session, hold, captured, payee_id, entry, now)
        if released:
            _release(session, hold, released, entry, now)
        total += captured
    return total


def _capture(session: Session, hold: Hold, amount_fen: int, payee_id: int, entry: UUID, now: datetime) -> None:
    programme = hold.voucher.programme
    earned = posting.open_account(
        session, ledger.earned_code(programme.code, payee_id), AccountClass.EARNED, programme_id=programme.id,
        organisation_id=payee_id,
    )  # fmt: skip
    posting.post(
        session, source=hold.voucher.held_account_id, target=earned.id, amount_fen=amount_fen,
        cause=f"capture:{hold.id}", entry=entry, now=now, reference=hold.reference,
    )  # fmt: skip
    voucher = hold.voucher
    _record(session, "hold_captured", voucher.number, voucher.organisation_id, hold.reference, amount_fen, now)


def _release(session: Session, hold: Hold, amount_fen: int, entry: UUID, now: datetime) -> None:
    """Back to the voucher; from there to the pot where the voucher has lapsed meanwhile."""
    voucher = hold.voucher
    posting.post(
        session, source=voucher.held_account_id, target=voucher.available_account_id, amount_fen=amount_fen,
        cause=f"release:{hold.id}", entry=entry, now=now, reference=hold.reference,
    )  # fmt: skip
    if voucher.lapsed_at is not None:
        pot = posting.open_account(session, ledger.pot_code(voucher.programme.code), AccountClass.POT)
        posting.post(
            session, source=voucher.available_account_id, target=pot.id, amount_fen=amount_fen,
            cause=f"lapse:hold:{hold.id}", entry=entry, now=now, reference=hold.reference,
        )  # fmt: skip
    _record(session, "hold_released", voucher.number, voucher.organisation_id, hold.reference, amount_fen, now)


def _lock_accounts(session: Session, accounts: Sequence[Accounts]) -> None:
    lock_rows(session, LedgerAccount, [key for each in accounts for key in (each.available, each.held)])


def _accounts_of(voucher: Voucher) -> Accounts:
    return Accounts(voucher.available_account_id, voucher.held_account_id)


def _record(
    session: Session, action: str, number: str, organisation_id: int, reference: str, amount_fen: int, now: datetime
) -> None:
    audit.record(
        session, actor=None, action=action, object=reference, now=now, organisation_id=organisation_id,
        data={"amount_fen": amount_fen, "voucher": number},
    )  # fmt: skip
