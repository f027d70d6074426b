"""Guards of money and trail: written once, never below zero, ended in full. For 0002_guards."""

from typing import Any

WRITTEN_ONCE = ("transfers", "holds", "hold_ends", "audit_entries", "booking_events")

SQLITE_ONCE = """
CREATE TRIGGER {table}_written_once_{event} BEFORE {event} ON {table}
BEGIN SELECT raise(ABORT, '{table}_written_once'); END
"""
SQLITE_FLOOR = """
CREATE TRIGGER transfers_floor AFTER INSERT ON transfers
WHEN (SELECT NOT may_be_negative FROM ledger_accounts WHERE id = new.from_account_id)
BEGIN
  SELECT raise(ABORT, 'ledger_negative_balance') WHERE
    (SELECT coalesce(sum(amount_fen), 0) FROM transfers WHERE to_account_id = new.from_account_id) <
    (SELECT coalesce(sum(amount_fen), 0) FROM transfers WHERE from_account_id = new.from_account_id);
END
"""
SQLITE_HOLD_END = """
CREATE TRIGGER hold_ends_whole BEFORE INSERT ON hold_ends
WHEN new.captured_fen + new.released_fen <> (SELECT amount_fen FROM holds WHERE id = new.hold_id)
BEGIN SELECT raise(ABORT, 'hold_ends_whole'); END
"""

POSTGRESQL = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%_written_once', TG_TABLE_NAME USING ERRCODE = '23514'; END $$
    """,
    """
    CREATE FUNCTION refuse_negative_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE balance bigint; floored boolean;
    BEGIN
      SELECT NOT may_be_negative INTO floored FROM ledger_accounts WHERE id = new.from_account_id FOR NO KEY UPDATE;
      IF floored THEN
        SELECT coalesce((SELECT sum(amount_fen) FROM transfers WHERE to_account_id = new.from_account_id), 0)
             - coalesce((SELECT sum(amount_fen) FROM transfers WHERE from_account_id = new.from_account_id), 0)
          INTO balance;
        IF balance < 0 THEN
          RAISE EXCEPTION 'ledger_negative_balance' USING ERRCODE = '23514', CONSTRAINT = 'ledger_negative_balance';
        END IF;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER transfers_floor AFTER INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION refuse_negative_balance()
    """,
    """
    CREATE FUNCTION refuse_partial_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF new.captured_fen + new.released_fen <> (SELECT amount_fen FROM holds WHERE id = new.hold_id) THEN
        RAISE EXCEPTION 'hold_ends_whole' USING ERRCODE = '23514', CONSTRAINT = 'hold_ends_whole';
      END IF;
      RETURN new;
    END $$
    """,
    "CREATE TRIGGER hold_ends_whole BEFORE INSERT ON hold_ends FOR EACH ROW EXECUTE FUNCTION refuse_partial_end()",
)


def upgrade_sqlite(op: Any) -> None:
    for table in WRITTEN_ONCE:
        for event in ("UPDATE", "DELETE"):
            op.execute(SQLITE_ONCE.format(table=table, event=event))
    op.execute(SQLITE_FLOOR)
    op.execute(SQLITE_HOLD_END)


def upgrade_postgresql(op: Any) -> None:
    for statement in POSTGRESQL:
        op.execute(statement)
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
