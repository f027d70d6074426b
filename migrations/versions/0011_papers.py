"""Service orders, files and messages of bookings, and questions to labs."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger()
SQLITE_ONCE = """
CREATE TRIGGER service_orders_written_once_{event} BEFORE {event} ON service_orders
BEGIN SELECT raise(ABORT, 'service_orders_written_once'); END
"""
POSTGRESQL_ONCE = (
    "CREATE TRIGGER service_orders_written_once BEFORE UPDATE OR DELETE ON service_orders "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
)


def refers(table: str, name: str, to: str, *, nullable: bool = False) -> sa.Column[int]:
    foreign = sa.ForeignKey(f"{to}.id", name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, KEY, foreign, nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, core.db.Instant(), nullable=nullable)


def upgrade() -> None:
    _add_orders()
    _add_files()
    _add_messages()
    _add_questions()


def _add_orders() -> None:
    op.create_table(
        "service_orders",
        refers("service_orders", "booking_id", "bookings"),
        refers("service_orders", "organisation_id", "organisations"),
        sa.Column("year", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        instant("issued_at"),
        refers("service_orders", "issued_by_id", "persons"),
        instant("starts_at"),
        instant("ends_at"),
        sa.Column("price_fen", NUMBER, nullable=False),
        sa.Column("voucher_fen", NUMBER, nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_service_orders_number")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_service_orders")),
        sa.UniqueConstraint(
            "organisation_id", "year", "number", name=op.f("uq_service_orders_organisation_id_year_number")
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_ONCE)
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(SQLITE_ONCE.format(event=event))


def _add_files() -> None:
    op.create_table(
        "booking_files",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        refers("booking_files", "booking_id", "bookings"),
        refers("booking_files", "person_id", "persons"),
        sa.Column("by_lab", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", NUMBER, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        instant("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_files")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_files_public_id")),
    )
    op.create_index(op.f("ix_booking_files_booking_id"), "booking_files", ["booking_id"])


def _add_messages() -> None:
    op.create_table(
        "booking_messages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        refers("booking_messages", "booking_id", "bookings"),
        refers("booking_messages", "person_id", "persons"),
        sa.Column("by_lab", sa.Boolean(), nullable=False),
        instant("at"),
        instant("bundle_at"),
        refers("booking_messages", "note_id", "notes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_messages_public_id")),
    )
    op.create_index("ix_booking_messages_booking", "booking_messages", ["booking_id", "by_lab", "id"])
    op.create_index("ix_booking_messages_at", "booking_messages", ["at"])
    op.create_table(
        "booking_readings",
        refers("booking_readings", "booking_id", "bookings"),
        refers("booking_readings", "person_id", "persons"),
        sa.Column("message_id", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("booking_id", "person_id", name=op.f("pk_booking_readings")),
    )


def _add_questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        refers("questions", "equipment_id", "equipment"),
        refers("questions", "person_id", "persons"),
        instant("asked_at"),
        refers("questions", "note_id", "notes"),
        instant("answered_at", nullable=True),
        refers("questions", "answered_by_id", "persons", nullable=True),
        refers("questions", "answer_note_id", "notes", nullable=True),
        instant("published_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_questions_public_id")),
    )
    op.create_index("ix_questions_equipment", "questions", ["equipment_id", "published_at"])
    waits = sa.text("answered_at IS NULL")
    op.create_index(
        "uq_questions_open", "questions", ["equipment_id", "person_id"], unique=True,
        postgresql_where=waits, sqlite_where=waits,
    )  # fmt: skip
    op.create_index("ix_questions_person", "questions", ["person_id"])


def downgrade() -> None:
    raise NotImplementedError("Papers are not taken away; restore a backup instead.")
