"""Alembic's entry: the metadata of all packages against the connection that `core.migrating` brings."""

from alembic import context

import booking.models
import booking.papers.models
import core.clock
import core.idempotency
import core.outbox
import equipment.models
import members.models
import vouchers.models
from core.db import Base

TABLES = (booking.models, core.clock, core.idempotency, core.outbox, equipment.models, members.models, vouchers.models)


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the search index's own tables out of comparisons."""
    return not (kind == "table" and name is not None and name.startswith("equipment_grams"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=include_name,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
