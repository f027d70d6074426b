"""The waiting list: who wishes for time on an instrument, and the slots that were offered."""

import sqlalchemy as sa
from alembic import op

from core.db import Instant, PublicId

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def key(column: str, table: str, name: str, *, nullable: bool) -> sa.Column[int]:
    return sa.Column(column, KEY, sa.ForeignKey(f"{table}.id", name=op.f(name)), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "wishes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", PublicId(), nullable=False),
        key("equipment_id", "equipment", "fk_wishes_equipment_id", nullable=False),
        sa.Column(
            "organisation_id",
            KEY,
            sa.ForeignKey("organisations.id", name=op.f("fk_wishes_organisation_id")),
            nullable=False,
        ),
        key("person_id", "persons", "fk_wishes_person_id", nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("day_from", sa.BigInteger(), nullable=False),
        sa.Column("day_to", sa.BigInteger(), nullable=False),
        sa.Column("weekdays", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wishes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_wishes_public_id")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_wishes_window")),
    )
    op.create_index("ix_wishes_open", "wishes", ["state", "equipment_id", "asked_at"])
    op.create_index("ix_wishes_person", "wishes", ["person_id", "state"])
    op.create_table(
        "offers",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", PublicId(), nullable=False),
        key("wish_id", "wishes", "fk_offers_wish_id", nullable=False),
        key("unit_id", "units", "fk_offers_unit_id", nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("claimed_from", Instant(), nullable=False),
        sa.Column("offered_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("answer", sa.String(10), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        key("booking_id", "bookings", "fk_offers_booking_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_offers_public_id")),
        sa.UniqueConstraint("wish_id", "starts_at", "ends_at", name=op.f("uq_offers_wish_id_starts_at_ends_at")),
    )
    op.create_index("ix_offers_due", "offers", ["answer", "expires_at"])
    # One open offer to a wish, whoever makes it.
    op.execute("CREATE UNIQUE INDEX ix_offers_open ON offers (wish_id) WHERE answer = 'open'")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """
            CREATE FUNCTION tell_wish_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              PERFORM pg_notify('yixiang_changes', new.equipment_id::text);
              RETURN NULL;
            END $$
            """
        )
        op.execute(
            "CREATE TRIGGER wishes_told AFTER INSERT OR UPDATE ON wishes "
            "FOR EACH ROW EXECUTE FUNCTION tell_wish_changed()"
        )


def downgrade() -> None:
    raise NotImplementedError("Somebody waits; restore a backup instead.")
