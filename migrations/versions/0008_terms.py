"""Terms of use in versions, which of them counts for an entry, and who accepted which for a booking."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SCOPES = (("equipment_id", "equipment"), ("lab_id", "labs"), ("organisation_id", "organisations"))
PARTS = ("content", "intellectual_property", "confidentiality", "damage")
ONE_SCOPE = (
    "(CASE WHEN equipment_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN lab_id IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) = 1"
)
SQLITE_ONCE = """
CREATE TRIGGER terms_written_once_{event} BEFORE {event} ON terms
BEGIN SELECT raise(ABORT, 'terms_written_once'); END
"""
POSTGRESQL_ONCE = (
    "CREATE TRIGGER terms_written_once BEFORE UPDATE OR DELETE ON terms FOR EACH ROW EXECUTE FUNCTION refuse_change()"
)


def upgrade() -> None:
    op.create_table(
        "terms",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        *(
            sa.Column(name, KEY, sa.ForeignKey(f"{table}.id", name=op.f(f"fk_terms_{name}")), nullable=True)
            for name, table in SCOPES
        ),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in PARTS),
        sa.Column("asks_nothing", sa.Boolean(), nullable=False),
        sa.Column("person_id", KEY, sa.ForeignKey("persons.id", name=op.f("fk_terms_person_id")), nullable=True),
        sa.Column("written_at", core.db.Instant(), nullable=False),
        sa.CheckConstraint(ONE_SCOPE, name=op.f("ck_terms_one_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("public_id", name=op.f("uq_terms_public_id")),
        *(sa.UniqueConstraint(name, "number", name=op.f(f"uq_terms_{name}_number")) for name, _table in SCOPES),
    )
    op.add_column("equipment", sa.Column("terms_version", core.db.PublicId(), nullable=True))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    id_kind, key_kind = ("UUID", "BIGINT") if is_postgresql else ("BLOB", "INTEGER")
    op.execute(
        f"ALTER TABLE bookings ADD COLUMN terms_version {id_kind} "
        "CONSTRAINT fk_bookings_terms_version REFERENCES terms (public_id)"
    )
    op.execute(
        f"ALTER TABLE bookings ADD COLUMN terms_accepted_by_id {key_kind} "
        "CONSTRAINT fk_bookings_terms_accepted_by_id REFERENCES persons (id)"
    )
    op.add_column("bookings", sa.Column("terms_accepted_at", core.db.Instant(), nullable=True))
    asked = sa.text("terms_version IS NOT NULL")
    op.create_index(
        "ix_bookings_terms", "bookings", ["terms_version", "id"], postgresql_where=asked, sqlite_where=asked
    )
    if is_postgresql:
        op.execute(POSTGRESQL_ONCE)
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(SQLITE_ONCE.format(event=event))


def downgrade() -> None:
    raise NotImplementedError("What was agreed is not taken away; restore a backup instead.")
