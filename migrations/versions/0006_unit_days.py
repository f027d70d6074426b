"""The summary of claimed time by unit and day, kept by the database with every claim, and a covering index of time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# `claimed` holds the half hours of a UTC day that lie wholly within one claim, as bits, the first the lowest. Claims of
# a unit never overlap, so the bits of several add up and can be taken away again, without reading the others.

#: Days of the longest claim: slots of 62 days with buffers of two on each side, and the edges.
SQLITE_DAYS = "(VALUES " + ", ".join(f"({number})" for number in range(75)) + ")"
SQLITE_HALF = 1_800_000_000
SQLITE_DAY = 86_400_000_000


def sqlite_rows(row: str, source: str = "", where: str = "") -> str:
    """SELECT of unit, day and bits of an occupancy; `row` is `new`, `old` or a table's name."""
    day = f"({row}.starts_at / {SQLITE_DAY} + n.column1)"
    low = f"((max({row}.starts_at, {day} * {SQLITE_DAY}) - {day} * {SQLITE_DAY} + {SQLITE_HALF - 1}) / {SQLITE_HALF})"
    high = f"((min({row}.ends_at, ({day} + 1) * {SQLITE_DAY}) - {day} * {SQLITE_DAY}) / {SQLITE_HALF})"
    bits = f"CASE WHEN {high} > {low} THEN ((1 << ({high} - {low})) - 1) << {low} ELSE 0 END"
    return (
        f"SELECT {row}.unit_id AS unit_id, {day} AS day, {bits} AS bits FROM {source}{SQLITE_DAYS} n "
        f"WHERE {day} * {SQLITE_DAY} < {row}.ends_at {where}"
    )


def sqlite_add(row: str) -> str:
    return (
        f"INSERT INTO unit_days (unit_id, day, claimed) SELECT unit_id, day, bits FROM ({sqlite_rows(row)}) "
        "WHERE bits <> 0 ON CONFLICT (unit_id, day) DO UPDATE SET claimed = claimed + excluded.claimed;"
    )


def sqlite_take(row: str) -> str:
    return (
        f"UPDATE unit_days SET claimed = claimed - gone.bits FROM ({sqlite_rows(row)}) AS gone "
        "WHERE unit_days.unit_id = gone.unit_id AND unit_days.day = gone.day AND gone.bits <> 0;"
        f"DELETE FROM unit_days WHERE unit_id = {row}.unit_id AND claimed = 0 "
        f"AND day BETWEEN {row}.starts_at / {SQLITE_DAY} AND {row}.ends_at / {SQLITE_DAY};"
    )


POSTGRESQL = (
    # Rows are changed in place many times; room on the page keeps the index out of it.
    "ALTER TABLE unit_days SET (fillfactor = 70)",
    """
    CREATE FUNCTION claimed_bits(starts_at timestamptz, ends_at timestamptz)
    RETURNS TABLE (day bigint, bits bigint) LANGUAGE sql IMMUTABLE AS $$
      SELECT d, CASE WHEN hi > lo THEN ((1::bigint << (hi - lo)::int) - 1) << lo::int ELSE 0 END
      FROM (
        SELECT d, ceil((greatest(s, d * 86400) - d * 86400) / 1800)::bigint AS lo,
               floor((least(e, (d + 1) * 86400) - d * 86400) / 1800)::bigint AS hi
        FROM (SELECT extract(epoch FROM starts_at) AS s, extract(epoch FROM ends_at) AS e) AS span,
             generate_series(floor(extract(epoch FROM starts_at) / 86400)::bigint,
                             ceil(extract(epoch FROM ends_at) / 86400)::bigint - 1) AS d
      ) AS days
    $$
    """,
    """
    CREATE FUNCTION keep_unit_days() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' AND old.exclusive THEN
        UPDATE unit_days u SET claimed = u.claimed - gone.bits
        FROM claimed_bits(old.starts_at, old.ends_at) AS gone
        WHERE u.unit_id = old.unit_id AND u.day = gone.day AND gone.bits <> 0;
        DELETE FROM unit_days u WHERE u.unit_id = old.unit_id AND u.claimed = 0
        AND u.day BETWEEN floor(extract(epoch FROM old.starts_at) / 86400)::bigint
                      AND floor(extract(epoch FROM old.ends_at) / 86400)::bigint;
      END IF;
      IF TG_OP <> 'DELETE' AND new.exclusive THEN
        INSERT INTO unit_days (unit_id, day, claimed)
        SELECT new.unit_id, day, bits FROM claimed_bits(new.starts_at, new.ends_at) WHERE bits <> 0
        ON CONFLICT (unit_id, day) DO UPDATE SET claimed = unit_days.claimed + excluded.claimed;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER occupancies_unit_days AFTER INSERT OR DELETE OR UPDATE OF unit_id, starts_at, ends_at, exclusive
    ON occupancies FOR EACH ROW EXECUTE FUNCTION keep_unit_days()
    """,
    """
    INSERT INTO unit_days (unit_id, day, claimed)
    SELECT o.unit_id, b.day, sum(b.bits)::bigint FROM occupancies o, claimed_bits(o.starts_at, o.ends_at) b
    WHERE o.exclusive AND b.bits <> 0 GROUP BY o.unit_id, b.day
    """,
)


def upgrade() -> None:
    op.create_table(
        "unit_days",
        sa.Column("unit_id", KEY, sa.ForeignKey("units.id", name=op.f("fk_unit_days_unit_id")), nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "day", name=op.f("pk_unit_days")),
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_occupancies_unit", "occupancies")
    op.create_index("ix_occupancies_unit", "occupancies", ["unit_id", "ends_at", "starts_at", "expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(statement)
        return
    changed = "unit_id, starts_at, ends_at, exclusive"
    for name, event, body, when in (
        ("insert", "INSERT", sqlite_add("new"), "new.exclusive"),
        ("delete", "DELETE", sqlite_take("old"), "old.exclusive"),
        ("update_old", f"UPDATE OF {changed}", sqlite_take("old"), "old.exclusive"),
        ("update_new", f"UPDATE OF {changed}", sqlite_add("new"), "new.exclusive"),
    ):
        op.execute(
            f"CREATE TRIGGER occupancies_unit_days_{name} AFTER {event} ON occupancies WHEN {when} BEGIN {body} END"
        )
    rows = sqlite_rows("o", "occupancies o, ", "AND o.exclusive")
    op.execute(
        f"INSERT INTO unit_days (unit_id, day, claimed) SELECT unit_id, day, sum(bits) FROM ({rows}) "
        "WHERE bits <> 0 GROUP BY unit_id, day"
    )


def downgrade() -> None:
    raise NotImplementedError("The summary is part of every version; restore a backup instead.")
