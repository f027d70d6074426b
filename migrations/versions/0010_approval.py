"""Who decides on a request: the owner's word before the lab's, how long each waits, and who stands in for them."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger()


def upgrade() -> None:
    op.add_column("organisations", sa.Column("owner_approval", sa.String(6), nullable=False, server_default="none"))
    op.add_column("organisations", sa.Column("owner_approval_above_fen", NUMBER, nullable=False, server_default="0"))
    op.add_column("equipment", sa.Column("escalate_bp", NUMBER, nullable=False, server_default="7500"))
    op.add_column("bookings", sa.Column("awaiting_since", core.db.Instant(), nullable=True))
    op.add_column("bookings", sa.Column("nudge_at", core.db.Instant(), nullable=True))
    # What waits already waits for the lab, since it was asked; nobody is reminded of the past.
    op.execute("UPDATE bookings SET awaiting_since = requested_at, awaiting = 'lab' WHERE state = 'requested'")
    op.create_index(
        "ix_bookings_nudge", "bookings", ["nudge_at"],
        sqlite_where=sa.text("nudge_at IS NOT NULL"), postgresql_where=sa.text("nudge_at IS NOT NULL"),
    )  # fmt: skip
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE booking_events ADD COLUMN behalf_id {kind} "
        "CONSTRAINT fk_booking_events_behalf_id REFERENCES persons (id)"
    )
    _make_deputies()


def _make_deputies() -> None:
    def refers(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
        key = sa.ForeignKey(f"{table}.id", name=op.f(f"fk_deputies_{name}"))
        return sa.Column(name, KEY, key, nullable=nullable)

    op.create_table(
        "deputies",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        refers("lab_id", "labs", nullable=True),
        refers("organisation_id", "organisations", nullable=True),
        refers("principal_id", "persons"),
        refers("person_id", "persons"),
        sa.Column("starts_at", core.db.Instant(), nullable=False),
        sa.Column("ends_at", core.db.Instant(), nullable=False),
        sa.Column("named_at", core.db.Instant(), nullable=False),
        sa.CheckConstraint("(lab_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_deputies_lab_or_startup")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_deputies_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deputies_public_id")),
    )
    for name, column in (("lab", "lab_id"), ("organisation", "organisation_id"), ("person", "person_id")):
        op.create_index(f"ix_deputies_{name}", "deputies", [column, "ends_at"])


def downgrade() -> None:
    raise NotImplementedError("Decisions were taken by it; restore a backup instead.")
