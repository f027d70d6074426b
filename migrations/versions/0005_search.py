"""A narrow table that searches read, kept by triggers; keys of names and models; districts of labs."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger()
EMPTY = sa.text("''")
KEYS = ("name_zh_key", "name_en_key", "model_key")
SORT_KEY = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")
#: Copied as they are; `is_retired` and `words` are made.
COPIED = (
    "id", "is_bookable", "voucher_eligible", "owner_id", "lab_id", "price_fen", "category", "service_modes",
    "sort_key", "model_key", "name_zh_key", "name_en_key",
)  # fmt: skip
WATCHED = ", ".join([*COPIED[1:], "retired_at", "grams"])
LEXEMES = (
    "array_to_tsvector(ARRAY(SELECT DISTINCT left(w, 60) FROM unnest(string_to_array({0}.grams, ' ')) w WHERE w <> ''))"
)


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column("labs", sa.Column("district", sa.String(20), nullable=False, server_default=EMPTY))
    for name in KEYS:
        op.add_column("equipment", sa.Column(name, sa.String(300), nullable=False, server_default=EMPTY))
    if is_postgresql:
        op.execute("DROP INDEX ix_equipment_grams")
        op.execute('ALTER TABLE equipment ALTER COLUMN sort_key TYPE varchar(400) COLLATE "C"')
    _write_keys()
    op.create_table(
        "equipment_search",
        sa.Column("id", KEY, nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.Column("is_bookable", sa.Boolean(), nullable=False),
        sa.Column("voucher_eligible", sa.Boolean(), nullable=False),
        sa.Column("owner_id", NUMBER, nullable=False),
        sa.Column("lab_id", NUMBER, nullable=False),
        sa.Column("price_fen", NUMBER, nullable=True),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("service_modes", sa.String(40), nullable=False),
        sa.Column("sort_key", SORT_KEY, nullable=False),
        sa.Column("model_key", sa.String(300), nullable=False),
        sa.Column("name_zh_key", sa.String(300), nullable=False),
        sa.Column("name_en_key", sa.String(300), nullable=False),
        sa.Column("words", sa.Text().with_variant(postgresql.TSVECTOR, "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["equipment.id"], name="fk_equipment_search_id_equipment", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_equipment_search"),
    )
    words = LEXEMES.format("e") if is_postgresql else "e.grams"
    op.execute(_insert(words, "e") + " FROM equipment e")
    for statement in _triggers_postgresql() if is_postgresql else _triggers_sqlite():
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The index is part of every version; restore a backup instead.")


def _insert(words: str, row: str) -> str:
    columns = ", ".join(f"{row}.{name}" for name in COPIED)
    return (
        f"INSERT INTO equipment_search ({', '.join(COPIED)}, is_retired, words) "
        f"SELECT {columns}, {row}.retired_at IS NOT NULL, {words}"
    )


def _triggers_postgresql() -> tuple[str, ...]:
    again = ", ".join(f"{name} = excluded.{name}" for name in (*COPIED[1:], "is_retired", "words"))
    return (
        "CREATE INDEX ix_equipment_grams ON equipment_search USING gin (words)",
        "CREATE FUNCTION write_equipment_search() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{_insert(LEXEMES.format('new'), 'new')} ON CONFLICT (id) DO UPDATE SET {again}; RETURN NULL; END $$",
        "CREATE TRIGGER equipment_search_insert AFTER INSERT ON equipment "
        "FOR EACH ROW EXECUTE FUNCTION write_equipment_search()",
        f"CREATE TRIGGER equipment_search_update AFTER UPDATE OF {WATCHED} ON equipment "
        "FOR EACH ROW EXECUTE FUNCTION write_equipment_search()",
    )


def _triggers_sqlite() -> tuple[str, ...]:
    remove = "DELETE FROM equipment_search WHERE id = new.id"
    insert = _insert("new.grams", "new")
    return (
        f"CREATE TRIGGER equipment_search_insert AFTER INSERT ON equipment BEGIN {insert}; END",
        f"CREATE TRIGGER equipment_search_update AFTER UPDATE OF {WATCHED} ON equipment BEGIN {remove}; {insert}; END",
    )


def _write_keys() -> None:
    """Of entries that are there already, as `equipment.search.index_columns` writes them."""
    entries = sa.table("equipment", *(sa.column(name) for name in ("id", "name_zh", "name_en", "model", *KEYS)))
    connection = op.get_bind()
    rows = connection.execute(sa.select(entries.c.id, entries.c.name_zh, entries.c.name_en, entries.c.model)).all()
    values = [
        {
            "of_id": key,
            "new_zh": f" {' '.join(_split(zh))} "[:300],
            "new_en": f" {' '.join(_split(en))} "[:300],
            "new_model": "".join(_split(model))[:300],
        }
        for key, zh, en, model in rows
    ]
    if values:
        connection.execute(
            sa.update(entries)
            .where(entries.c.id == sa.bindparam("of_id"))
            .values(
                name_zh_key=sa.bindparam("new_zh"),
                name_en_key=sa.bindparam("new_en"),
                model_key=sa.bindparam("new_model"),
            ),
            values,
        )


def _split(words: str) -> list[str]:
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words)).lower()
    folded = unicodedata.normalize("NFKC", "".join(c for c in flat if not unicodedata.combining(c)))
    return re.findall(r"[㐀-鿿]+|[a-z0-9]+", folded)
