"""The one module that writes transfers. A mistake is undone by a new transfer, never by a change."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.db import broken_constraint
from core.ids import new_public_id
from vouchers import queries
from vouchers.errors import CauseReused, MoneyMovedMeanwhile
from vouchers.models import MAY_BE_NEGATIVE, AccountClass, LedgerAccount, Transfer


def new_entry() -> UUID:
    """The name that all transfers of one business event share."""
    return new_public_id()


def open_account(
    session: Session,
    code: str,
    account_class: AccountClass,
    *,
    programme_id: int | None = None,
    organisation_id: int | None = None,
) -> LedgerAccount:
    """The account with this code, opened if it is new; two who open it at once get the same one."""
    found = queries.find_account(session, code)
    if found is not None:
        return found
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "code": code,
        "account_class": account_class,
        "may_be_negative": account_class in MAY_BE_NEGATIVE,
        "programme_id": programme_id,
        "organisation_id": organisation_id,
    }
    session.execute(dialect.insert(LedgerAccount).values(values).on_conflict_do_nothing(index_elements=["code"]))
    return session.scalars(select(LedgerAccount).where(LedgerAccount.code == code)).one()


class Posting(NamedTuple):
    """Money to be moved once: from and to by account id, how much, and why as a key that can happen once."""

    source: int
    target: int
    amount_fen: int
    cause: str


def post(
    session: Session,
    *,
    source: int,
    target: int,
    amount_fen: int,
    cause: str,
    entry: UUID,
    now: datetime,
    reference: str = "",
) -> None:
    """Move money once. The same cause again with the same amount is a no-op; with another it is CauseReused."""
    if amount_fen:
        post_all(session, [Posting(source, target, amount_fen, cause)], entry=entry, now=now, reference=reference)


def post_all(session: Session, postings: Sequence[Posting], *, entry: UUID, now: datetime, reference: str = "") -> None:
    """Several of one business event, in order of the account that gives, so that two writers never wait for each other
    in a circle. Else as `post`; raises MoneyMovedMeanwhile, after which the unit of work is lost."""
    if not postings:
        return
    assert all(each.amount_fen > 0 for each in postings), "money moves forward; to give back, post the other way"
    shared = {"entry_id": entry, "reference": reference, "at": now}
    rows = [
        {
            "from_account_id": each.source, "to_account_id": each.target, "amount_fen": each.amount_fen,
            "cause": each.cause, **shared,
        }
        for each in sorted(postings)
    ]  # fmt: skip
    session.flush()
    connection = session.connection()
    try:
        done = set(connection.execute(_INSERT[connection.dialect.name], rows).scalars())
    except DBAPIError as error:
        if "ledger_negative_balance" in broken_constraint(error):
            raise MoneyMovedMeanwhile from error
        raise
    if len(done) < len(rows):
        _require_same(session, [each for each in postings if each.cause not in done])


def _require_same(session: Session, postings: Sequence[Posting]) -> None:
    """Raises CauseReused unless each was posted before with the same amount."""
    for each in postings:
        if session.scalar(select(Transfer.amount_fen).where(Transfer.cause == each.cause)) != each.amount_fen:
            raise CauseReused(details={"cause": each.cause})


_INSERT = {
    name: dialect.insert(Transfer.__table__)
    .on_conflict_do_nothing(index_elements=["cause"])
    .returning(Transfer.__table__.c.cause)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
