"""Slots that are held for a person for some minutes, and since when in a row."""

import sqlalchemy as sa
from alembic import op

from core.db import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HELD = sa.text("held_for_id IS NOT NULL")


def upgrade() -> None:
    # On SQLite a column with its reference in place: nothing is copied, and the triggers of the table stay.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE occupancies ADD COLUMN held_for_id INTEGER "
            "CONSTRAINT fk_occupancies_held_for_id REFERENCES persons (id)"
        )
    else:
        op.add_column("occupancies", sa.Column("held_for_id", KEY, nullable=True))
        op.create_foreign_key("fk_occupancies_held_for_id", "occupancies", "persons", ["held_for_id"], ["id"])
    op.create_index(
        "ix_occupancies_held", "occupancies", ["held_for_id"], unique=True, sqlite_where=HELD, postgresql_where=HELD
    )
    op.create_table(
        "slot_holds",
        sa.Column("person_id", KEY, sa.ForeignKey("persons.id", name=op.f("fk_slot_holds_person_id")), nullable=False),
        sa.Column(
            "equipment_id", KEY, sa.ForeignKey("equipment.id", name=op.f("fk_slot_holds_equipment_id")), nullable=False
        ),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("held_since", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_slot_holds")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slot_holds_slot")),
    )


def downgrade() -> None:
    raise NotImplementedError("Somebody's slot is held; restore a backup instead.")
