"""The events by which rules were set aside, found without looking through all others."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OVERRIDDEN = sa.text("verb = 'overridden'")


def upgrade() -> None:
    op.create_index(
        "ix_booking_events_overridden", "booking_events", ["id"], sqlite_where=OVERRIDDEN,
        postgresql_where=OVERRIDDEN,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_booking_events_overridden", "booking_events")
