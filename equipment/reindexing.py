"""Write anew what entries are found by, after the words that mean the same, or the grams, have changed."""

from typing import Any, cast

from sqlalchemy import Engine, Table, bindparam, select, update

from core.db import read_session, unit_of_work
from equipment.models import Equipment
from equipment.search import SEARCHED, index_columns

BATCH = 500


def reindex(engine: Engine) -> int:
    """In batches by id, each a unit of work of its own; only entries whose index is another are written. How many.

    An entry that somebody saves meanwhile is written with the new words by that.
    """
    own: Any = Equipment.__table__.c
    changed, last = 0, 0
    columns = [own[name] for name in SEARCHED]
    keys = tuple(index_columns({}))
    new_values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in keys}
    write = update(cast(Table, Equipment.__table__)).where(own.id == bindparam("key")).values(new_values)
    while True:
        with read_session(engine) as session:
            asked = select(own.id, *columns, *(own[key] for key in keys)).where(own.id > last)
            rows = session.execute(asked.order_by(own.id).limit(BATCH)).mappings().all()
        if not rows:
            return changed
        last = rows[-1]["id"]
        indexed = [(row, index_columns(row)) for row in rows]  # type: ignore[arg-type]
        stale = [(row["id"], new) for row, new in indexed if any(row[name] != new[name] for name in keys)]
        if stale:
            with unit_of_work(engine) as session:
                values = [{"key": key} | {f"new_{name}": new[name] for name in keys} for key, new in stale]
                session.connection().execute(write, values)
        changed += len(stale)
