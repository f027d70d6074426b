"""On PostgreSQL what changes on a board is told to who listens, once for each instrument and unit of work."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# SQLite needs nothing: its listeners poll a counter of commits. The same payload twice in a transaction is one message.
POSTGRESQL = (
    """
    CREATE FUNCTION tell_booking_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('yixiang_changes', (SELECT equipment_id::text FROM bookings WHERE id = new.booking_id));
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER booking_events_told AFTER INSERT ON booking_events
    FOR EACH ROW EXECUTE FUNCTION tell_booking_changed()
    """,
    """
    CREATE FUNCTION tell_unit_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE row occupancies%ROWTYPE := CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
    BEGIN
      PERFORM pg_notify('yixiang_changes', (SELECT equipment_id::text FROM units WHERE id = row.unit_id));
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER occupancies_told_insert AFTER INSERT ON occupancies
    FOR EACH ROW WHEN (new.booking_id IS NULL) EXECUTE FUNCTION tell_unit_changed()
    """,
    """
    CREATE TRIGGER occupancies_told_delete AFTER DELETE ON occupancies
    FOR EACH ROW WHEN (old.booking_id IS NULL) EXECUTE FUNCTION tell_unit_changed()
    """,
    """
    CREATE FUNCTION tell_everything_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('yixiang_changes', '');
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER closures_told AFTER INSERT OR UPDATE OR DELETE ON closures
    FOR EACH STATEMENT EXECUTE FUNCTION tell_everything_changed()
    """,
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Whoever looks at a board relies on it; restore a backup instead.")
