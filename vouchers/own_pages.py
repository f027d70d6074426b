"""The startup's vouchers, and the page of one voucher with all its movements."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound
from members.access import Caller, SignedIn, allowed
from members.models import Role
from vouchers import movements, overviews, queries
from vouchers.errors import VoucherNotFound
from vouchers.exports import file_answer
from vouchers.models import Voucher
from vouchers.pages import balance_row

router = APIRouter(include_in_schema=False)
Startup = Annotated[Caller, Depends(allowed(Role.STARTUP_OWNER, Role.STARTUP_MEMBER))]
OVERSEERS = (Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR)
#: Movements on the page of all vouchers, and on each page of one.
LATEST, PAGE = 12, 50
EXPORTED_MOST = 100_000


@router.get("/vouchers")
def show_vouchers(caller: Startup) -> Response:
    """What one's startup has, what it is held for, and what moved last."""
    mine = caller.actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
    with caller.read() as session:
        balances = queries.find_balances(session, organisation_ids=mine)
        vouchers = [balance.voucher for balance in balances]
        found = overviews.find_movements(session, vouchers=vouchers, limit=LATEST) if vouchers else []
        rows = movements.voucher_rows(session, found, caller, vouchers)
    return caller.render(
        "pages/vouchers/own.html",
        balances=[balance_row(balance, caller) for balance in balances],
        available_fen=sum(balance.available_fen for balance in balances),
        movements=rows,
    )


@router.get("/vouchers/{voucher_id}")
def show_voucher(voucher_id: UUID, caller: SignedIn, before: str = "") -> Response:
    """One voucher: its rule, its money, and every movement of it, newest first."""
    position = movements.read_position(before)
    with caller.read() as session:
        voucher = _get_voucher(session, caller, voucher_id)
        (balance,) = queries.with_balances(session, [voucher])
        found = overviews.find_movements(session, vouchers=[voucher], before=position, limit=PAGE + 1)
        rows = movements.voucher_rows(session, found[:PAGE], caller, [voucher])
    here = f"/vouchers/{voucher_id}"
    oversees = caller.actor.has(*OVERSEERS)
    older = urlencode({"before": movements.write_position(found[PAGE - 1])}) if len(found) > PAGE else ""
    return caller.render(
        "pages/vouchers/voucher.html",
        row=balance_row(balance, caller),
        movements=rows,
        export=f"{here}/movements",
        back_href="/finance/vouchers" if oversees else "/vouchers",
        newest_href=here if position else "",
        older_href=f"{here}?{older}" if older else "",
    )


@router.get("/vouchers/{voucher_id}/movements.{kind}")
def export_movements(voucher_id: UUID, kind: str, caller: SignedIn) -> Response:
    """All movements of a voucher as CSV or XLSX."""
    if kind not in ("csv", "xlsx"):
        raise NotFound
    with caller.read() as session:
        voucher = _get_voucher(session, caller, voucher_id)
        found = overviews.find_movements(session, vouchers=[voucher], limit=EXPORTED_MOST)
        sheet = movements.voucher_sheet(session, found, caller, voucher)
    return file_answer(sheet, kind, name=f"yixiang-{voucher.number}", zone=caller.site.renderer.zone)


def _get_voucher(session: Session, caller: Caller, voucher_id: UUID) -> Voucher:
    """Raises VoucherNotFound, also for a voucher of others."""
    voucher = queries.get_voucher(session, voucher_id)
    mine = caller.actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
    if not caller.actor.has(*OVERSEERS) and voucher.organisation_id not in mine:
        raise VoucherNotFound
    return voucher
