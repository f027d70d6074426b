"""The same write asked twice is done once: keys of writes with the first answer.

The key is claimed inside the write's own unit of work, so key and effect are kept or lost together. Two of the same
at once: the second waits for the first to end (PostgreSQL's unique index, SQLite's writer's turn) and then reads its
answer. Refusals change nothing and are not kept.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, UniqueConstraint, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant, Key
from core.errors import Conflict, InvalidInput

KEPT_FOR = timedelta(days=3)
KEY_LENGTH_MAX = 255


class IdempotencyKeyReused(Conflict):
    message = "This Idempotency-Key was used for another request. Use a new key for a new request."


class IdempotencyKeyInvalid(InvalidInput):
    message = "An Idempotency-Key is 1 to 255 visible ASCII characters."


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("person_id", "key"), Index("ix_idempotency_keys_at", "at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH_MAX))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


def claim_key(
    session: Session, *, person_id: int, key: str, fingerprint: bytes, now: datetime
) -> tuple[int, dict[str, Any]] | None:
    """Claim a key, or return the status and answer that the same request got before.

    Raises IdempotencyKeyReused when the key stands for another request.
    """
    if not (0 < len(key) <= KEY_LENGTH_MAX and all("!" <= c <= "~" for c in key)):
        raise IdempotencyKeyInvalid
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"person_id": person_id, "key": key, "fingerprint": fingerprint, "at": now, "status": 0, "answer": {}}
    claimed = session.execute(
        dialect.insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(IdempotencyKey.id)
    ).scalar()
    if claimed is not None:
        return None
    earlier = session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.answer).where(
            IdempotencyKey.person_id == person_id, IdempotencyKey.key == key
        )
    ).one()
    if earlier.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    return earlier.status, earlier.answer


def keep_answer(session: Session, *, person_id: int, key: str, status: int, answer: dict[str, Any]) -> None:
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.person_id == person_id, IdempotencyKey.key == key)
        .values(status=status, answer=answer)
    )


def forget_old_keys(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find keys older than KEPT_FOR; 2. delete at most `limit`; 3. say how many."""
    old = select(IdempotencyKey.id).where(IdempotencyKey.at < now - KEPT_FOR).limit(limit)
    return session.execute(delete(IdempotencyKey).where(IdempotencyKey.id.in_(old))).rowcount  # type: ignore[attr-defined, no-any-return]
