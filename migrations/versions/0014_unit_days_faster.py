"""The trigger that sums up claimed time works in whole half hours: a third of the time of a claim was spent in it."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Half hours since 1970 that lie wholly in a claim run from `first` up to `after`; each turn does those of one UTC day.
POSTGRESQL = """
CREATE OR REPLACE FUNCTION keep_unit_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE first bigint; after bigint; today bigint; upto bigint; bits bigint;
BEGIN
  IF TG_OP <> 'INSERT' AND old.exclusive THEN
    first := ceil(date_part('epoch', old.starts_at) / 1800)::bigint;
    after := floor(date_part('epoch', old.ends_at) / 1800)::bigint;
    WHILE first < after LOOP
      today := floor(first / 48.0)::bigint;
      upto := least(after, (today + 1) * 48);
      bits := ((1::bigint << (upto - first)::int) - 1) << (first - today * 48)::int;
      UPDATE unit_days u SET claimed = u.claimed - bits WHERE u.unit_id = old.unit_id AND u.day = today;
      DELETE FROM unit_days u WHERE u.unit_id = old.unit_id AND u.day = today AND u.claimed = 0;
      first := upto;
    END LOOP;
  END IF;
  IF TG_OP <> 'DELETE' AND new.exclusive THEN
    first := ceil(date_part('epoch', new.starts_at) / 1800)::bigint;
    after := floor(date_part('epoch', new.ends_at) / 1800)::bigint;
    WHILE first < after LOOP
      today := floor(first / 48.0)::bigint;
      upto := least(after, (today + 1) * 48);
      bits := ((1::bigint << (upto - first)::int) - 1) << (first - today * 48)::int;
      INSERT INTO unit_days (unit_id, day, claimed) VALUES (new.unit_id, today, bits)
      ON CONFLICT (unit_id, day) DO UPDATE SET claimed = unit_days.claimed + excluded.claimed;
      first := upto;
    END LOOP;
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        op.execute("DROP FUNCTION claimed_bits(timestamptz, timestamptz)")


def downgrade() -> None:
    raise NotImplementedError("The summary is part of every version; restore a backup instead.")
