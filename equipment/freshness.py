"""Whether somebody typed upon what stands there now: a fingerprint of what a level sets travels in its form."""

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import lock_rows
from equipment.errors import SavedMeanwhile
from equipment.scopes import Scope
from members.models import AuditEntry, Organisation, Person


def fingerprint(*parts: Any) -> str:
    """The same for the same values, whatever the order of their names. Pure."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def lock_level(session: Session, scope: Scope) -> None:
    """Nobody else saves a level of the same institution until the unit of work ends: what counts depends on all."""
    lock_rows(session, Organisation, [scope.owner_id])


def refuse_stale(session: Session, scope: Scope, *, seen: str, current: str) -> None:
    """Raises SavedMeanwhile where the level is not any more what was `seen`; "": nobody looked, as a program does."""
    if seen and seen != current:
        raise SavedMeanwhile(name=last_saver(session, scope), details={"seen": current})


def last_saver(session: Session, scope: Scope) -> str:
    """Who wrote about a level last, as the trail says; "" where it was no person."""
    statement = (
        select(Person.name)
        .join(AuditEntry, AuditEntry.actor_id == Person.id)
        .where(AuditEntry.object == scope.object)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return session.scalars(statement).one_or_none() or ""
