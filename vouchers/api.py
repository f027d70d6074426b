"""JSON under `/api/v1`: vouchers, programmes and the trial balance."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import InvalidInput
from core.middleware import SafeRoute
from core.shapes import Limit, read_cursor, write_cursor
from members import queries as members
from members.access import Caller, SignedIn, allowed
from members.models import Role
from vouchers import overviews, queries, service
from vouchers.errors import VoucherNotFound
from vouchers.schemas import (
    ClassOut,
    ProgrammeIn,
    ProgrammeOut,
    ProgrammePage,
    TrialBalanceOut,
    VoucherIn,
    VoucherOut,
    VoucherPage,
)

router = APIRouter(prefix="/api/v1", tags=["vouchers"], route_class=SafeRoute)
OVERSEERS = (Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR)
Overseer = Annotated[Caller, Depends(allowed(*OVERSEERS))]
Finance = Annotated[Caller, Depends(allowed(Role.FINANCE_OFFICER))]


class VoucherCursorInvalid(InvalidInput):
    message = "This cursor is not one that we gave."


@router.get("/vouchers")
def list_vouchers(
    caller: SignedIn, limit: Limit = 50, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> VoucherPage:
    """One's startup's vouchers; the zone's offices see all."""
    scope = _scope(caller)
    try:
        after = read_cursor(cursor, (int,))[0] if cursor else 0
    except ValueError as error:
        raise VoucherCursorInvalid(field="cursor") from error
    with caller.read() as session:
        rows = queries.find_balances(session, organisation_ids=scope, after=after, limit=limit + 1)
        total = queries.count_vouchers(session, organisation_ids=scope)
    last = rows[limit - 1].voucher.id if len(rows) > limit else None
    return VoucherPage(
        items=[VoucherOut.of(row, caller.lang) for row in rows[:limit]],
        total=total,
        next_cursor=write_cursor(last) if last else None,
    )


@router.get("/vouchers/{voucher_id}")
def get_voucher(voucher_id: UUID, caller: SignedIn) -> VoucherOut:
    scope = _scope(caller)
    with caller.read() as session:
        voucher = queries.get_voucher(session, voucher_id)
        if scope is not None and voucher.organisation_id not in scope:
            raise VoucherNotFound
        (balance,) = queries.with_balances(session, [voucher])
        return VoucherOut.of(balance, caller.lang)


@router.post("/vouchers", status_code=201, response_model=VoucherOut)
def issue_voucher(body: VoucherIn, caller: Finance) -> Response:
    def act(session: Session) -> VoucherOut:
        programme = queries.get_programme(session, body.programme)
        holder = members.get_organisation(session, body.organisation)
        voucher = service.issue_voucher(
            session, caller.actor, programme, holder, amount_fen=body.amount_fen, now=caller.now
        )
        (balance,) = queries.with_balances(session, [queries.get_voucher(session, voucher.public_id)])
        return VoucherOut.of(balance, caller.lang)

    return caller.answer_once(201, act)


@router.get("/programmes")
def list_programmes(caller: SignedIn) -> ProgrammePage:
    with caller.read() as session:
        rows = queries.find_programmes(session)
    items = [ProgrammeOut.of(row, caller.lang) for row in rows]
    return ProgrammePage(items=items, total=len(items), next_cursor=None)


@router.post("/programmes", status_code=201, response_model=ProgrammeOut)
def create_programme(body: ProgrammeIn, caller: Finance) -> Response:
    return caller.answer_once(
        201,
        lambda session: ProgrammeOut.of(
            service.create_programme(session, caller.actor, now=caller.now, **body.model_dump()), caller.lang
        ),
    )


@router.get("/ledger/trial-balance")
def get_trial_balance(caller: Overseer) -> TrialBalanceOut:
    with caller.read() as session:
        lines = overviews.trial_balance(session)
    return TrialBalanceOut(
        sum_fen=sum(line.balance_fen for line in lines),
        accounts=[
            ClassOut(
                account_class=line.account_class,
                accounts=line.accounts,
                in_fen=line.in_fen,
                out_fen=line.out_fen,
                balance_fen=line.balance_fen,
            )
            for line in lines
        ],
    )


def _scope(caller: Caller) -> frozenset[int] | None:
    """Whose vouchers the caller sees; None: everybody's."""
    if caller.actor.has(*OVERSEERS):
        return None
    return caller.actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
