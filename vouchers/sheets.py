"""The finance desk's tables as files, with their totals."""

from sqlalchemy.orm import Session

from core.i18n import N_, gettext
from core.rendering import localised
from members.access import Caller
from members.words import KIND_WORDS
from vouchers import overviews, queries
from vouchers.exports import Cell, Sheet, yuan
from vouchers.overviews import Spend
from vouchers.words import CLASS_WORDS


def spend_sheet(rows: list[Spend], caller: Caller) -> Sheet:
    """What was paid and owed, one row for each payer or institution."""
    heads = _words(
        caller, N_("Name"), N_("Kind"), N_("Bookings"), N_("Voucher, yuan"), N_("Own share, yuan"), N_("Together, yuan")
    )
    cells: list[list[Cell]] = [
        [
            localised(row, caller.lang), gettext(caller.lang, KIND_WORDS[row.kind]), row.bookings,
            yuan(row.voucher_fen), yuan(row.own_fen), yuan(row.total_fen),
        ]
        for row in rows
    ]  # fmt: skip
    voucher, own = sum(row.voucher_fen for row in rows), sum(row.own_fen for row in rows)
    total = sum(row.bookings for row in rows)
    cells.append([gettext(caller.lang, N_("Total")), "", total, yuan(voucher), yuan(own), yuan(voucher + own)])
    return Sheet("spend", heads, cells, caller.now)


def voucher_sheet(session: Session, caller: Caller) -> Sheet:
    """Every voucher with its balances."""
    heads = _words(
        caller, N_("Number"), N_("Holder"), N_("Programme"), N_("Valid until"), N_("Amount, yuan"),
        N_("Available, yuan"), N_("Held, yuan"), N_("Used, yuan"),
    )  # fmt: skip
    rows = queries.find_balances(session, limit=100_000)
    cells: list[list[Cell]] = [
        [
            row.number, localised(row.voucher.organisation, caller.lang), localised(row.voucher.programme, caller.lang),
            row.voucher.last_use_on.isoformat(), yuan(row.voucher.amount_fen), yuan(row.available_fen),
            yuan(row.held_fen), yuan(row.spent_fen),
        ]
        for row in rows
    ]  # fmt: skip
    sums = [
        yuan(sum(values))
        for values in zip(
            *((row.voucher.amount_fen, row.available_fen, row.held_fen, row.spent_fen) for row in rows), strict=True
        )
    ]
    cells.append([gettext(caller.lang, "Total"), "", "", "", *sums])
    return Sheet("vouchers", heads, cells, caller.now)


def ledger_sheet(session: Session, caller: Caller) -> Sheet:
    """The trial balance."""
    heads = _words(caller, N_("Class of account"), N_("Accounts"), N_("In, yuan"), N_("Out, yuan"), N_("Balance, yuan"))
    lines = overviews.trial_balance(session)
    cells: list[list[Cell]] = [
        [
            gettext(caller.lang, CLASS_WORDS[line.account_class]), line.accounts, yuan(line.in_fen), yuan(line.out_fen),
            yuan(line.balance_fen),
        ]
        for line in lines
    ]  # fmt: skip
    into, out = sum(line.in_fen for line in lines), sum(line.out_fen for line in lines)
    accounts = sum(line.accounts for line in lines)
    cells.append([gettext(caller.lang, "Total"), accounts, yuan(into), yuan(out), yuan(into - out)])
    return Sheet("ledger", heads, cells, caller.now)


def _words(caller: Caller, *texts: str) -> list[str]:
    return [gettext(caller.lang, text) for text in texts]
