"""The trail: one row for every write. Ids, codes, amounts and times; no name, no address, no free text."""

from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.db import table_of, write_last
from core.trace import request_id
from members import notes
from members.actor import Actor
from members.models import AuditEntry, Note, Person


def record(
    session: Session,
    *,
    actor: Actor | Person | None,
    action: str,
    object: str,
    now: datetime,
    organisation_id: int | None = None,
    data: dict[str, Any] | None = None,
    note: Note | None = None,
) -> None:
    """Add a row at the end of the unit of work. `actor` None: the clock or the command line; a person: who signs in."""
    row = {
        "at": now,
        "actor_id": actor.id if isinstance(actor, Person) else actor.person_id if actor else None,
        "action": action,
        "object": object,
        "organisation_id": organisation_id,
        "data": {name: _plain(value) for name, value in (data or {}).items()},
        "request_id": request_id.get(),
        "note_id": note.id if note else None,
        "note_hash": notes.digest(note) if note else None,
    }
    write_last(session, _INSERT, [row])


_INSERT = insert(table_of(AuditEntry))


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
