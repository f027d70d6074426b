"""The index of grams: FTS5 over the gram text on SQLite, GIN over its words on PostgreSQL."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQLITE = (
    "CREATE VIRTUAL TABLE equipment_grams USING fts5(grams, content='equipment', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 0')",
    """
    CREATE TRIGGER equipment_grams_insert AFTER INSERT ON equipment
    BEGIN INSERT INTO equipment_grams(rowid, grams) VALUES (new.id, new.grams); END
    """,
    """
    CREATE TRIGGER equipment_grams_delete AFTER DELETE ON equipment
    BEGIN INSERT INTO equipment_grams(equipment_grams, rowid, grams) VALUES ('delete', old.id, old.grams); END
    """,
    """
    CREATE TRIGGER equipment_grams_update AFTER UPDATE OF grams ON equipment WHEN old.grams <> new.grams
    BEGIN
      INSERT INTO equipment_grams(equipment_grams, rowid, grams) VALUES ('delete', old.id, old.grams);
      INSERT INTO equipment_grams(rowid, grams) VALUES (new.id, new.grams);
    END
    """,
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_equipment_grams ON equipment USING gin (string_to_array(grams, ' '))")
        return
    for statement in SQLITE:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The index is part of every version; restore a backup instead.")
