"""The finance desk: funds, vouchers, spend, ledger, exports."""

from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound, Refusal
from core.forms import Form, FormIn
from core.i18n import N_, gettext, translate
from core.money import parse_yuan
from core.rendering import localised
from core.slot import local_day
from members import queries as members
from members.access import Caller, allowed
from members.models import Role
from vouchers import movements, overviews, queries, service, sheets
from vouchers.errors import AmountInvalid
from vouchers.exports import TYPES, file_answer
from vouchers.models import AccountClass, PaidTo
from vouchers.overviews import Spend
from vouchers.words import CLASS_WORDS

router = APIRouter(include_in_schema=False)
Overseer = Annotated[Caller, Depends(allowed(Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR))]
Finance = Annotated[Caller, Depends(allowed(Role.FINANCE_OFFICER))]
PAGE = 50


@router.get("/finance")
def show_funds(caller: Overseer) -> Response:
    """Programmes: budget against what is issued, held and used."""
    with caller.read() as session:
        figures = overviews.find_programme_figures(session)
        latest = movements.ledger_rows(session, overviews.find_movements(session, limit=8), caller)
    return caller.render(
        "pages/finance/funds.html",
        figures=[
            {
                "name": localised(row.programme, caller.lang),
                "rule": _rule(row.programme, caller),
                "row": row,
                "used": row.spent_fen / row.issued_fen if row.issued_fen else 0.0,
            }
            for row in figures
        ],
        budget_fen=sum(row.programme.budget_fen for row in figures),
        issued_fen=sum(row.issued_fen for row in figures),
        held_fen=sum(row.held_fen for row in figures),
        spent_fen=sum(row.spent_fen for row in figures),
        movements=latest,
        can_issue=caller.actor.has(Role.FINANCE_OFFICER),
    )


@router.get("/finance/vouchers")
def list_vouchers(caller: Overseer, after: int = Query(0, ge=0, le=2**62)) -> Response:
    return _voucher_page(caller, after=after)


@router.post("/finance/vouchers")
def issue_voucher(form: FormIn, caller: Finance) -> Response:
    def act(session: Session) -> str:
        programme = queries.get_programme(session, _read_id(form["programme"]))
        holder = members.get_organisation(session, _read_id(form["organisation"]))
        service.issue_voucher(
            session, caller.actor, programme, holder, amount_fen=_read_amount(form["amount"]), now=caller.now
        )
        return "/finance/vouchers"

    try:
        return caller.redirect_once(form, act, flash=N_("Issued. The startup can use it at once."))
    except NotFound:
        raise
    except Refusal as refusal:
        return _voucher_page(caller, refusal=refusal, form=form)


@router.get("/finance/spend")
def show_spend(
    caller: Overseer, by: str = "startup", first: Annotated[str, Query(alias="from")] = "", to: str = ""
) -> Response:
    """What vouchers paid and what payers owe, by payer or by institution, totals first."""
    by = by if by in ("startup", "institution") else "startup"
    start, end = _read_months(caller, first, to)
    with caller.read() as session:
        rows = _find_spend(session, caller, by, start, end)
    query = {"from": f"{start:%Y-%m}", "to": f"{end:%Y-%m}"}
    return caller.render(
        "pages/finance/spend.html",
        rows=[{"spend": row, "note": _researchers(row, by, caller)} for row in rows],
        chart=[{"label": localised(row, caller.lang), "values": [row.voucher_fen, row.own_fen]} for row in rows[:12]],
        by=by,
        tabs=[
            {
                "text": gettext(caller.lang, text),
                "href": f"/finance/spend?{urlencode({'by': name} | query)}",
                "current": by == name,
            }
            for name, text in (("startup", N_("By payer")), ("institution", N_("By institution")))
        ],
        first=query["from"],
        last=query["to"],
        voucher_fen=sum(row.voucher_fen for row in rows),
        own_fen=sum(row.own_fen for row in rows),
        startups_fen=sum(row.own_fen for row in rows if row.is_startup) if by == "startup" else None,
        researchers_fen=sum(row.own_fen for row in rows if not row.is_startup) if by == "startup" else None,
        total_fen=sum(row.total_fen for row in rows),
        bookings=sum(row.bookings for row in rows),
        export=urlencode({"by": by} | query),
    )


@router.get("/finance/ledger")
def show_ledger(caller: Overseer, account_class: str = "", before: str = "") -> Response:
    """The trial balance by class of account; behind each class its transfers."""
    chosen = account_class if account_class in {kind.value for kind in AccountClass} else ""
    with caller.read() as session:
        lines = overviews.trial_balance(session)
        position = movements.read_position(before)
        found = overviews.find_movements(session, account_class=chosen, before=position, limit=PAGE + 1)
        rows = movements.ledger_rows(session, found[:PAGE], caller, of_class=chosen)
    older = movements.write_position(found[PAGE - 1]) if len(found) > PAGE else ""
    query = urlencode({"account_class": chosen, "before": older})
    return caller.render(
        "pages/finance/ledger.html",
        lines=[
            {
                "line": line,
                "name": gettext(caller.lang, CLASS_WORDS[line.account_class]),
                "current": line.account_class == chosen,
            }
            for line in lines
        ],
        in_fen=sum(line.in_fen for line in lines),
        out_fen=sum(line.out_fen for line in lines),
        sum_fen=sum(line.balance_fen for line in lines),
        chosen=gettext(caller.lang, CLASS_WORDS[AccountClass(chosen)]) if chosen else "",
        movements=rows,
        newest_href=f"/finance/ledger?{urlencode({'account_class': chosen})}" if position else "",
        older_href=f"/finance/ledger?{query}#movements" if older else "",
    )


@router.get("/finance/exports/{name}.{kind}")
def export(
    name: str,
    kind: str,
    caller: Overseer,
    by: str = "startup",
    first: Annotated[str, Query(alias="from")] = "",
    to: str = "",
) -> Response:
    """A table as CSV or XLSX, with its totals."""
    if name not in ("spend", "vouchers", "ledger") or kind not in TYPES:
        raise NotFound
    start, end = _read_months(caller, first, to)
    with caller.read() as session:
        if name == "spend":
            rows = _find_spend(session, caller, by if by == "institution" else "startup", start, end)
            sheet = sheets.spend_sheet(rows, caller)
        elif name == "vouchers":
            sheet = sheets.voucher_sheet(session, caller)
        else:
            sheet = sheets.ledger_sheet(session, caller)
    return file_answer(sheet, kind, name=f"yixiang-{name}", zone=caller.site.renderer.zone)


def _voucher_page(
    caller: Caller, *, after: int = 0, refusal: Refusal | None = None, form: Form | None = None
) -> Response:
    with caller.read() as session:
        balances = queries.find_balances(session, after=after, limit=PAGE + 1)
        programmes = queries.find_programmes(session)
        startups = members.find_startups(session)
    last = balances[PAGE - 1].voucher.id if len(balances) > PAGE else None
    return caller.render(
        "pages/finance/vouchers.html",
        status=422 if refusal else 200,
        balances=[balance_row(balance, caller) for balance in balances[:PAGE]],
        programmes=[(str(row.public_id), localised(row, caller.lang)) for row in programmes],
        startups=[(str(row.public_id), localised(row, caller.lang)) for row in startups],
        next_href=f"/finance/vouchers?after={last}" if last else "",
        can_issue=caller.actor.has(Role.FINANCE_OFFICER),
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
        typed=form or Form([]),
    )


def balance_row(balance: queries.Balance, caller: Caller) -> dict[str, Any]:
    voucher = balance.voucher
    return {
        "voucher": voucher,
        "href": f"/vouchers/{voucher.public_id}",
        "holder": localised(voucher.organisation, caller.lang),
        "programme": localised(voucher.programme, caller.lang),
        "rule": _rule(voucher.programme, caller),
        "available_fen": balance.available_fen,
        "held_fen": balance.held_fen,
        "spent_fen": balance.spent_fen,
        "lapsed_fen": balance.lapsed_fen,
    }


def _rule(programme: Any, caller: Caller) -> str:
    """The programme's rule as one sentence."""
    text = (
        N_("Pays %(share)s%% of the price to the institution; the startup pays the rest.")
        if programme.paid_to == PaidTo.INSTITUTION
        else N_("The startup pays the full price and gets %(share)s%% back afterwards.")
    )
    return translate(caller.lang, text, share=f"{programme.share_bp / 100:g}")


def _find_spend(session: Session, caller: Caller, by: str, start: date, end: date) -> list[Spend]:
    zone = caller.site.renderer.zone
    after = date(end.year + end.month // 12, end.month % 12 + 1, 1)
    rows = overviews.find_spend(
        session, by=by, start=local_day(start, zone).starts_at, end=local_day(after, zone).starts_at
    )
    return sorted(rows, key=lambda row: not row.is_startup)


def _researchers(row: Spend, by: str, caller: Caller) -> str:
    """An institution among those who pay is there for its own researchers."""
    return gettext(caller.lang, N_("own researchers")) if by == "startup" and not row.is_startup else ""


def _read_months(caller: Caller, first: str, to: str) -> tuple[date, date]:
    """First days of the first and last month; this year so far where the address does not say."""
    today = caller.now.astimezone(caller.site.renderer.zone).date()
    start = _read_month(first) or date(today.year, 1, 1)
    end = _read_month(to) or date(today.year, today.month, 1)
    return (start, end) if start <= end else (end, start)


def _read_month(text: str) -> date | None:
    try:
        found = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _read_amount(text: str) -> int:
    try:
        return parse_yuan(text)
    except ValueError as error:
        raise AmountInvalid(field="amount") from error


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error
