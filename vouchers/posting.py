"""The one module that writes transfers. A mistake is undone by a new transfer, never by a change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.ids import new_public_id
from vouchers import queries
from vouchers.errors import CauseReused
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
    if amount_fen == 0:
        return
    assert amount_fen > 0, "money moves forward; to give back, post the other way"
    values = {
        "from_account_id": source,
        "to_account_id": target,
        "amount_fen": amount_fen,
        "cause": cause,
        "entry_id": entry,
        "reference": reference,
        "at": now,
    }
    session.flush()
    if session.execute(_INSERT[session.get_bind().dialect.name], values).scalar() is not None:
        return
    earlier = session.scalar(select(Transfer.amount_fen).where(Transfer.cause == cause))
    if earlier != amount_fen:
        raise CauseReused(details={"cause": cause})


_INSERT = {
    name: dialect.insert(Transfer).on_conflict_do_nothing(index_elements=["cause"]).returning(Transfer.id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
