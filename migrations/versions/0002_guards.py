"""What the database itself refuses: overlap on a unit, claims over blocks, and changes of what is written once."""

from alembic import op

from migrations import ledger_guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_OVERLAP = """
CREATE TRIGGER occupancies_no_overlap_{event} BEFORE {when} ON occupancies WHEN new.exclusive
BEGIN
  SELECT raise(ABORT, 'occupancies_no_overlap') WHERE EXISTS (
    SELECT 1 FROM occupancies o WHERE o.unit_id = new.unit_id AND o.exclusive {others}
    AND o.starts_at < new.ends_at AND o.ends_at > new.starts_at);
  SELECT raise(ABORT, 'unit_blocked') WHERE EXISTS (
    SELECT 1 FROM occupancies o WHERE o.unit_id = new.unit_id AND NOT o.exclusive
    AND o.starts_at < new.ends_at AND o.ends_at > new.starts_at);
END
"""

POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    ALTER TABLE occupancies ADD CONSTRAINT occupancies_no_overlap
    EXCLUDE USING gist (unit_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (exclusive)
    """,
    "ALTER TABLE occupancies ADD CONSTRAINT occupancies_finite CHECK (isfinite(starts_at) AND isfinite(ends_at))",
    """
    CREATE FUNCTION refuse_blocked_unit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT 1 FROM occupancies o WHERE o.unit_id = new.unit_id AND NOT o.exclusive
                 AND o.starts_at < new.ends_at AND o.ends_at > new.starts_at) THEN
        RAISE EXCEPTION 'unit_blocked' USING ERRCODE = '23P01', CONSTRAINT = 'unit_blocked';
      END IF;
      RETURN new;
    END $$
    """,
    """
    CREATE TRIGGER occupancies_unit_blocked BEFORE INSERT OR UPDATE OF unit_id, starts_at, ends_at, exclusive
    ON occupancies FOR EACH ROW WHEN (new.exclusive) EXECUTE FUNCTION refuse_blocked_unit()
    """,
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(statement)
        ledger_guards.upgrade_postgresql(op)
        return
    op.execute(SQLITE_OVERLAP.format(event="insert", when="INSERT", others=""))
    op.execute(
        SQLITE_OVERLAP.format(
            event="update", when="UPDATE OF unit_id, starts_at, ends_at, exclusive", others="AND o.id <> new.id"
        )
    )
    ledger_guards.upgrade_sqlite(op)


def downgrade() -> None:
    raise NotImplementedError("Guards are not taken away; restore a backup instead.")
