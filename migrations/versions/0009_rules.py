"""What rules read beside opening hours: limits of booking, qualifications of people, standing of companies."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger()
OF_THE_ZONE = sa.text("equipment_id IS NULL AND lab_id IS NULL")


def upgrade() -> None:
    _keep_standing()
    op.add_column(
        "equipment", sa.Column("needs_qualification", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _make_limits()
    _make_qualifications()


def _keep_standing() -> None:
    for column in (
        sa.Column("suspended_at", core.db.Instant(), nullable=True),
        sa.Column("suspended_until", core.db.Instant(), nullable=True),
        sa.Column("suspension_code", sa.String(10), nullable=True),
    ):
        op.add_column("organisations", column)
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE organisations ADD COLUMN suspension_note_id {kind} "
        "CONSTRAINT fk_organisations_suspension_note_id REFERENCES notes (id)"
    )


def _make_limits() -> None:
    op.create_table(
        "booking_limits",
        sa.Column("id", KEY, nullable=False),
        _refers("booking_limits", "equipment_id", "equipment", nullable=True),
        _refers("booking_limits", "lab_id", "labs", nullable=True),
        sa.Column("subject", sa.String(7), nullable=False),
        sa.Column("period", sa.String(5), nullable=False),
        sa.Column("bookings_max", NUMBER, nullable=True),
        sa.Column("minutes_max", NUMBER, nullable=True),
        sa.CheckConstraint("equipment_id IS NULL OR lab_id IS NULL", name=op.f("ck_booking_limits_one_scope")),
        sa.CheckConstraint(
            "bookings_max IS NOT NULL OR minutes_max IS NOT NULL", name=op.f("ck_booking_limits_says_something")
        ),
        sa.CheckConstraint("bookings_max > 0", name=op.f("ck_booking_limits_bookings")),
        sa.CheckConstraint("minutes_max > 0", name=op.f("ck_booking_limits_minutes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_limits")),
        sa.UniqueConstraint(
            "equipment_id", "subject", "period", name=op.f("uq_booking_limits_equipment_id_subject_period")
        ),
        sa.UniqueConstraint("lab_id", "subject", "period", name=op.f("uq_booking_limits_lab_id_subject_period")),
    )
    op.create_index(
        "ix_booking_limits_zone", "booking_limits", ["subject", "period"], unique=True, sqlite_where=OF_THE_ZONE,
        postgresql_where=OF_THE_ZONE,
    )  # fmt: skip


def _make_qualifications() -> None:
    op.create_table(
        "qualifications",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        _refers("qualifications", "lab_id", "labs"),
        _refers("qualifications", "equipment_id", "equipment", nullable=True),
        sa.Column("category", sa.String(40), nullable=False),
        _refers("qualifications", "person_id", "persons"),
        sa.Column("requested_at", core.db.Instant(), nullable=True),
        _refers("qualifications", "note_id", "notes", nullable=True),
        _refers("qualifications", "granted_by_id", "persons", nullable=True),
        sa.Column("granted_at", core.db.Instant(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        _refers("qualifications", "ended_by_id", "persons", nullable=True),
        sa.Column("ended_at", core.db.Instant(), nullable=True),
        sa.CheckConstraint("equipment_id IS NULL OR category = ''", name=op.f("ck_qualifications_one_scope")),
        sa.CheckConstraint(
            "requested_at IS NOT NULL OR granted_at IS NOT NULL", name=op.f("ck_qualifications_has_begun")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualifications")),
        sa.UniqueConstraint("public_id", name=op.f("uq_qualifications_public_id")),
    )
    op.create_index("ix_qualifications_person", "qualifications", ["person_id", "lab_id"])
    op.create_index("ix_qualifications_lab", "qualifications", ["lab_id", "id"])


def _refers(table: str, name: str, other: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{other}.id", name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, KEY, key, nullable=nullable)


def downgrade() -> None:
    raise NotImplementedError("Bookings were decided by it; restore a backup instead.")
