"""Free text that people write: a purpose, a reason. It can be erased; the trail keeps a salted hash."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from members.models import Note

LONGEST = 2000


class NoteTooLong(InvalidInput):
    message = "At most %(longest)s characters."


def write(session: Session, body: str, *, person_id: int | None, now: datetime, field: str = "") -> Note:
    """Keep a text. Raises NoteTooLong, at the field if one is named."""
    body = body.strip()
    if len(body) > LONGEST:
        raise NoteTooLong(field=field, longest=LONGEST)
    note = Note(body=body, salt=secrets.token_bytes(16), person_id=person_id, written_at=now)
    session.add(note)
    session.flush()
    return note


def erase(note: Note, *, now: datetime) -> None:
    """Blank the text; whoever knows it can still prove by the hash what it was."""
    note.body = ""
    note.erased_at = now


def digest(note: Note) -> bytes:
    return hashlib.sha256(note.salt + note.body.encode()).digest()
