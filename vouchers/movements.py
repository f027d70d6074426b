"""Movements of money as rows of pages and files: what for, from where to where, and with which sign."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.i18n import N_, gettext
from core.rendering import localised
from core.shapes import read_cursor, write_cursor
from members.access import Caller
from vouchers import overviews
from vouchers.exports import Cell, Sheet, yuan
from vouchers.models import Voucher
from vouchers.overviews import AccountName, Movement, Position
from vouchers.words import CAUSE_WORDS, CLASS_WORDS


def ledger_rows(
    session: Session, movements: list[Movement], caller: Caller, *, of_class: str = ""
) -> list[dict[str, Any]]:
    """With the accounts by name; signed as seen from a class of account, if one is chosen."""
    keys = [key for row in movements for key in (row.transfer.from_account_id, row.transfer.to_account_id)]
    names = overviews.find_account_names(session, keys)
    rows = _rows(session, movements, caller)
    for row, movement in zip(rows, movements, strict=True):
        transfer = movement.transfer
        row["from_name"] = _account(names, transfer.from_account_id, caller)
        row["to_name"] = _account(names, transfer.to_account_id, caller)
        row["change_fen"] = _change(names, movement, of_class)
    return rows


def voucher_rows(
    session: Session, movements: list[Movement], caller: Caller, vouchers: Iterable[Voucher]
) -> list[dict[str, Any]]:
    """As the holder sees them: what each changed of the money available and of the money held."""
    available = {voucher.available_account_id: voucher for voucher in vouchers}
    held = {voucher.held_account_id: voucher for voucher in available.values()}
    rows = _rows(session, movements, caller)
    for row, movement in zip(rows, movements, strict=True):
        transfer = movement.transfer
        ends = (transfer.from_account_id, transfer.to_account_id)
        row["voucher"] = next(voucher for key in ends if (voucher := available.get(key) or held.get(key)))
        row["available_fen"] = transfer.amount_fen * ((ends[1] in available) - (ends[0] in available))
        row["held_fen"] = transfer.amount_fen * ((ends[1] in held) - (ends[0] in held))
    return rows


def voucher_sheet(session: Session, movements: list[Movement], caller: Caller, voucher: Voucher) -> Sheet:
    """All movements of a voucher, newest first; the totals are its balances."""
    zone = caller.site.renderer.zone
    heads = (
        N_("When"), N_("What"), N_("For"), N_("Starts"), N_("Ends"), N_("Available, yuan"), N_("Held, yuan"),
        N_("Reference"),
    )  # fmt: skip
    cells: list[list[Cell]] = []
    rows = voucher_rows(session, movements, caller, [voucher])
    for row in rows:
        named = row["named"]
        slot = named.slot if named else None
        times = [f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (slot.starts_at, slot.ends_at)] if slot else ["", ""]
        cells.append(
            [
                f"{row['at'].astimezone(zone):%Y-%m-%d %H:%M:%S}", row["what"], named.name if named else "", *times,
                yuan(row["available_fen"]), yuan(row["held_fen"]), row["reference"],
            ]
        )  # fmt: skip
    sums = [yuan(sum(row[key] for row in rows)) for key in ("available_fen", "held_fen")]
    cells.append([gettext(caller.lang, N_("Total")), "", "", "", "", *sums, ""])
    return Sheet("movements", [gettext(caller.lang, head) for head in heads], cells, caller.now)


def read_position(text: str) -> Position | None:
    """Where a list goes on; what is no position of ours begins at the top."""
    try:
        at, key = read_cursor(text, (datetime, int)) if text else (None, 0)
    except ValueError:
        return None
    return (at, key) if at is not None and at.tzinfo is not None else None


def write_position(movement: Movement) -> str:
    return write_cursor(movement.transfer.at, movement.transfer.id)


def _rows(session: Session, movements: list[Movement], caller: Caller) -> list[dict[str, Any]]:
    references = [movement.transfer.reference for movement in movements]
    named = caller.site.name_references(session, references, caller.lang)
    rows = []
    for movement in movements:
        transfer = movement.transfer
        kind = transfer.cause.split(":", 1)[0]
        rows.append(
            {
                "at": transfer.at,
                "what": gettext(caller.lang, CAUSE_WORDS.get(kind, kind)),
                "amount_fen": transfer.amount_fen,
                "reference": transfer.reference,
                "named": named.get(transfer.reference),
            }
        )
    return rows


def _account(names: dict[int, AccountName], key: int, caller: Caller) -> str:
    found = names.get(key)
    return (
        f"{gettext(caller.lang, CLASS_WORDS[found.account_class])} · {localised(found, caller.lang)}" if found else ""
    )


def _change(names: dict[int, AccountName], movement: Movement, of_class: str) -> int | None:
    """The amount with its sign for a class; none where no class is chosen or money moves inside it."""
    transfer = movement.transfer
    into = names[transfer.to_account_id].account_class == of_class
    out = names[transfer.from_account_id].account_class == of_class
    return transfer.amount_fen * (into - out) if of_class and into != out else None
