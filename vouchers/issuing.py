"""Programmes, their money, and vouchers: created, funded, issued, lapsed."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import lock_rows
from core.ids import new_public_id
from core.money import FEN_MAX
from members import audit
from members.actor import Actor
from members.models import Organisation, OrganisationKind
from vouchers import ledger, posting, queries
from vouchers.errors import (
    AmountInvalid,
    BudgetExhausted,
    CompanyCapReached,
    HolderNotStartup,
    ProgrammeWindowInvalid,
)
from vouchers.models import AccountClass, PaidTo, Programme, Voucher

STARTUPS = (OrganisationKind.COMPANY, OrganisationKind.TEAM)


def create_programme(
    session: Session,
    actor: Actor | None,
    *,
    code: str,
    name_zh: str,
    name_en: str = "",
    share_bp: int,
    paid_to: PaidTo,
    budget_fen: int,
    cap_per_company_fen: int,
    cap_per_booking_fen: int | None = None,
    valid_from_on: date,
    last_use_on: date,
    redeem_by_on: date,
    fund: str = "zone",
    is_demonstration: bool = False,
    now: datetime,
) -> Programme:
    """A programme with its rule and its budget; the budget's money goes from the source into the pot at once.

    Raises AmountInvalid, ProgrammeWindowInvalid.
    """
    if not (0 < budget_fen <= FEN_MAX and 0 < cap_per_company_fen <= FEN_MAX):
        raise AmountInvalid(field="budget_fen")
    if not valid_from_on <= last_use_on <= redeem_by_on:
        raise ProgrammeWindowInvalid(field="last_use_on")
    programme = Programme(
        code=code, name_zh=name_zh, name_en=name_en, share_bp=share_bp, paid_to=paid_to, fund=fund,
        budget_fen=budget_fen, cap_per_company_fen=cap_per_company_fen, cap_per_booking_fen=cap_per_booking_fen,
        valid_from_on=valid_from_on, last_use_on=last_use_on, redeem_by_on=redeem_by_on,
        is_demonstration=is_demonstration,
    )  # fmt: skip
    session.add(programme)
    session.flush()
    source = posting.open_account(session, ledger.source_code(fund), AccountClass.SOURCE)
    pot = posting.open_account(session, ledger.pot_code(code), AccountClass.POT, programme_id=programme.id)
    posting.post(
        session, source=source.id, target=pot.id, amount_fen=budget_fen, cause=f"fund:{programme.public_id}",
        entry=posting.new_entry(), now=now,
    )  # fmt: skip
    audit.record(
        session, actor=actor, action="programme_created", object=f"programme:{programme.public_id}", now=now,
        data={"budget_fen": budget_fen, "share_bp": share_bp, "paid_to": paid_to},
    )  # fmt: skip
    return programme


def issue_voucher(
    session: Session, actor: Actor | None, programme: Programme, holder: Organisation, *, amount_fen: int, now: datetime
) -> Voucher:
    """Give a startup a voucher. Caps and budget are used up here, so that bookings touch no hot row.

    Locks the holder, the pot, then the programme. Raises AmountInvalid, HolderNotStartup, CompanyCapReached,
    BudgetExhausted.
    """
    if not 0 < amount_fen <= FEN_MAX:
        raise AmountInvalid(field="amount_fen")
    if holder.kind not in STARTUPS:
        raise HolderNotStartup(field="organisation")
    lock_rows(session, Organisation, [holder.id])
    pot = posting.open_account(session, ledger.pot_code(programme.code), AccountClass.POT)
    lock_rows(session, type(pot), [pot.id])
    lock_rows(session, Programme, [programme.id])
    left = programme.cap_per_company_fen - queries.sum_issued(session, programme.id, holder.id)
    if amount_fen > left:
        raise CompanyCapReached(field="amount_fen", cap_fen=programme.cap_per_company_fen, left_fen=max(left, 0))
    left = min(
        programme.budget_fen - queries.sum_issued(session, programme.id),
        queries.sum_accounts(session, [pot.id])[pot.id],
    )
    if amount_fen > left:
        raise BudgetExhausted(field="amount_fen", left_fen=max(left, 0))
    public_id = new_public_id()
    accounts = {
        part: posting.open_account(
            session, ledger.voucher_code(public_id, part), part, programme_id=programme.id, organisation_id=holder.id
        )
        for part in (AccountClass.AVAILABLE, AccountClass.HELD)
    }
    number = (session.scalar(select(func.count()).where(Voucher.programme_id == programme.id)) or 0) + 1
    voucher = Voucher(
        public_id=public_id, number=f"{programme.code}-{number:05d}", programme_id=programme.id,
        organisation_id=holder.id, amount_fen=amount_fen, valid_from_on=programme.valid_from_on,
        last_use_on=programme.last_use_on, redeem_by_on=programme.redeem_by_on, issued_at=now,
        available_account_id=accounts[AccountClass.AVAILABLE].id, held_account_id=accounts[AccountClass.HELD].id,
    )  # fmt: skip
    session.add(voucher)
    session.flush()
    posting.post(
        session, source=pot.id, target=voucher.available_account_id, amount_fen=amount_fen,
        cause=f"issue:{public_id}", entry=posting.new_entry(), now=now,
    )  # fmt: skip
    audit.record(
        session, actor=actor, action="voucher_issued", object=f"voucher:{public_id}", now=now,
        organisation_id=holder.id, data={"amount_fen": amount_fen, "number": voucher.number},
    )  # fmt: skip
    return voucher


def lapse_vouchers(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find vouchers whose last day of use is over; 2. lock their accounts; 3. give what is still available
    back to the pot; 4. mark them. Held money stays until its booking ends."""
    # A day later than the last one anywhere, so that nothing lapses while a slot may still end.
    on = (now - timedelta(hours=12)).date()
    found = queries.find_lapsing(session, on=on, limit=limit)
    if not found:
        return 0
    pots = {
        v.programme.code: posting.open_account(session, ledger.pot_code(v.programme.code), AccountClass.POT)
        for v in found
    }
    keys = [v.available_account_id for v in found] + [pot.id for pot in pots.values()]
    lock_rows(session, type(next(iter(pots.values()))), keys)
    sums = queries.sum_accounts(session, keys)
    for voucher in found:
        left = sums[voucher.available_account_id]
        posting.post(
            session, source=voucher.available_account_id, target=pots[voucher.programme.code].id, amount_fen=left,
            cause=f"lapse:{voucher.public_id}", entry=posting.new_entry(), now=now,
        )  # fmt: skip
        voucher.lapsed_at = now
        audit.record(
            session, actor=None, action="voucher_lapsed", object=f"voucher:{voucher.public_id}", now=now,
            organisation_id=voucher.organisation_id, data={"amount_fen": left},
        )  # fmt: skip
    return len(found)
