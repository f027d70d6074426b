"""Facts, rules, hours, prices and imports of the catalogue as data: levels, seasons, versions, history."""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

import core.db
from core.ids import new_public_id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger()
EMPTY = sa.text("''")
EQUIPMENT_TEXTS = (
    "capability_zh", "capability_en", "service_content", "user_notice", "safety", "accessories",
)  # fmt: skip
CONTACT = (("contact_name", 60), ("contact_phone", 40), ("contact_email", 120))
COUNTS = ("total", "done", "same", "gone")


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    _widen_entries()
    _add_levels()
    _version_prices()
    _stage_imports()
    _add_story(is_postgresql=is_postgresql)
    kind = "BIGINT" if is_postgresql else "INTEGER"
    op.execute(
        f"ALTER TABLE bookings ADD COLUMN tariff_id {kind} CONSTRAINT fk_bookings_tariff_id REFERENCES tariffs (id)"
    )
    op.add_column("bookings", sa.Column("service_mode", sa.String(10), nullable=True))
    op.add_column("bookings", sa.Column("is_rush", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("bookings", sa.Column("fee_fen", NUMBER, nullable=False, server_default="0"))
    op.execute(
        "UPDATE bookings SET tariff_id = (SELECT max(t.id) FROM tariffs t WHERE t.equipment_id = bookings.equipment_id)"
    )


def _widen_entries() -> None:
    for name in EQUIPMENT_TEXTS:
        op.add_column("equipment", sa.Column(name, sa.Text(), nullable=False, server_default=EMPTY))
    for table in ("equipment", "labs"):
        for name, length in CONTACT:
            op.add_column(table, sa.Column(name, sa.String(length), nullable=False, server_default=EMPTY))
    op.add_column("labs", sa.Column("version", NUMBER, nullable=False, server_default="1"))
    for column in (
        sa.Column("specs", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("own_rules", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("reported", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("country", sa.String(60), nullable=False, server_default=EMPTY),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("asset_state", sa.String(20), nullable=False, server_default="in_use"),
        sa.Column("asset_source", sa.String(12), nullable=True),
        sa.Column("use_direction", sa.String(10), nullable=True),
        sa.Column("cancel_fee_bp", NUMBER, nullable=False, server_default="0"),
        sa.Column("no_show_fee_bp", NUMBER, nullable=False, server_default="0"),
        sa.Column("company_week_minutes_max", NUMBER, nullable=True),
        sa.Column("company_week_bookings_max", NUMBER, nullable=True),
    ):
        op.add_column("equipment", column)
    op.add_column("equipment", sa.Column("service_modes", sa.String(40), nullable=False, server_default=EMPTY))
    op.execute("UPDATE equipment SET service_modes = ',' || service_mode || ','")
    op.drop_column("equipment", "service_mode")
    # What stands in an entry today was set for it.
    op.execute(
        'UPDATE equipment SET own_rules = \'["approval_mode","step_minutes","length_minutes_min",'
        '"length_minutes_max","lead_minutes","horizon_days","buffer_before_minutes","buffer_after_minutes",'
        '"cancel_free_minutes","no_show_minutes","decide_minutes"]\' WHERE is_bookable'
    )
    op.create_table(
        "rule_sets",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lab_id", KEY, sa.ForeignKey("labs.id", name=op.f("fk_rule_sets_lab_id")), nullable=True),
        sa.Column(
            "organisation_id",
            KEY,
            sa.ForeignKey("organisations.id", name=op.f("fk_rule_sets_organisation_id")),
            nullable=True,
        ),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.CheckConstraint("(lab_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_rule_sets_one_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_sets")),
        sa.UniqueConstraint("lab_id", name=op.f("uq_rule_sets_lab_id")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_rule_sets_organisation_id")),
    )


ONE_SCOPE = (
    "(CASE WHEN equipment_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN lab_id IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) = 1"
)


def _scope(table: str) -> list[sa.Column[int]]:
    return [
        sa.Column(f"{name}_id", KEY, sa.ForeignKey(f"{target}.id", name=op.f(f"fk_{table}_{name}_id")), nullable=True)
        for name, target in (("equipment", "equipment"), ("lab", "labs"), ("organisation", "organisations"))
    ]


def _index_scope(table: str, names: tuple[str, ...] = ("equipment_id", "lab_id", "organisation_id")) -> None:
    for name in names:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _add_levels() -> None:
    with op.batch_alter_table("opening_hours") as batch:
        batch.alter_column("equipment_id", existing_type=KEY, nullable=True)
        batch.add_column(sa.Column("lab_id", KEY, nullable=True))
        batch.add_column(sa.Column("organisation_id", KEY, nullable=True))
        batch.add_column(sa.Column("season_first", NUMBER, nullable=True))
        batch.add_column(sa.Column("season_last", NUMBER, nullable=True))
        batch.create_foreign_key(op.f("fk_opening_hours_lab_id"), "labs", ["lab_id"], ["id"])
        batch.create_foreign_key(op.f("fk_opening_hours_organisation_id"), "organisations", ["organisation_id"], ["id"])
        batch.create_check_constraint(op.f("ck_opening_hours_season"), "(season_first IS NULL) = (season_last IS NULL)")
        batch.create_check_constraint(op.f("ck_opening_hours_one_scope"), ONE_SCOPE)
    _index_scope("opening_hours", ("lab_id", "organisation_id"))
    op.create_table(
        "closures",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        *_scope("closures"),
        sa.Column("starts_at", core.db.Instant(), nullable=False),
        sa.Column("ends_at", core.db.Instant(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_closures_slot")),
        sa.CheckConstraint(ONE_SCOPE, name=op.f("ck_closures_one_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closures")),
        sa.UniqueConstraint("public_id", name=op.f("uq_closures_public_id")),
    )
    _index_scope("closures")
    op.create_table(
        "calendar_years",
        sa.Column("year", NUMBER, autoincrement=False, nullable=False),
        sa.Column("is_official", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_years")),
    )
    year = "CAST(substr(CAST(on_date AS varchar), 1, 4) AS integer)"
    op.execute(
        f"INSERT INTO calendar_years (year, is_official, source, version) SELECT {year}, "
        f"max(CASE WHEN is_provisional THEN 1 ELSE 0 END) = 0, '', 1 FROM calendar_days GROUP BY {year}"
    )


def _version_prices() -> None:
    op.create_table(
        "tariffs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        *_scope("tariffs"),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("minimum_fen", NUMBER, nullable=False),
        sa.Column("setup_fen", NUMBER, nullable=False),
        sa.Column("operator_fen", NUMBER, nullable=False),
        sa.Column("rush_bp", NUMBER, nullable=False),
        sa.Column("rush_within_minutes", NUMBER, nullable=False),
        sa.Column("is_example", sa.Boolean(), nullable=False),
        sa.Column("person_id", KEY, sa.ForeignKey("persons.id", name=op.f("fk_tariffs_person_id")), nullable=True),
        sa.Column("written_at", core.db.Instant(), nullable=False),
        sa.CheckConstraint(ONE_SCOPE, name=op.f("ck_tariffs_one_scope")),
        sa.CheckConstraint(
            "minimum_fen >= 0 AND setup_fen >= 0 AND operator_fen >= 0", name=op.f("ck_tariffs_amounts")
        ),
        sa.CheckConstraint("rush_bp >= 10000 AND rush_within_minutes >= 0", name=op.f("ck_tariffs_rush")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariffs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tariffs_public_id")),
    )
    _index_scope("tariffs")
    op.create_table(
        "price_bands",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tariff_id", KEY, sa.ForeignKey("tariffs.id", name=op.f("fk_price_bands_tariff_id")), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("weekdays", sa.String(7), nullable=False),
        sa.Column("from_minute", NUMBER, nullable=False),
        sa.Column("to_minute", NUMBER, nullable=False),
        sa.Column("factor_bp", NUMBER, nullable=False),
        sa.CheckConstraint(
            "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name=op.f("ck_price_bands_stretch")
        ),
        sa.CheckConstraint("factor_bp BETWEEN 0 AND 100000", name=op.f("ck_price_bands_factor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_bands")),
    )
    op.create_index("ix_price_bands_tariff", "price_bands", ["tariff_id", "id"])
    old = _take_old_rates()
    op.drop_table("rates")
    op.create_table(
        "rates",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tariff_id", KEY, sa.ForeignKey("tariffs.id", name=op.f("fk_rates_tariff_id")), nullable=False),
        sa.Column("tier", sa.String(10), nullable=False),
        sa.Column("charge_unit", sa.String(20), nullable=False),
        sa.Column("price_fen", NUMBER, nullable=False),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_rates_price")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rates")),
        sa.UniqueConstraint("tariff_id", "tier", "charge_unit", name=op.f("uq_rates_tariff_id_tier_charge_unit")),
    )
    _write_rates(old)


Old = dict[tuple[int, object], list[tuple[str, str, int, bool]]]


def _take_old_rates() -> Old:
    """Rates by instrument and first day: each group is one version."""
    found: Old = {}
    rows = op.get_bind().execute(
        sa.text("SELECT equipment_id, effective_on, tier, charge_unit, price_fen, is_example FROM rates ORDER BY id")
    )
    for equipment_id, on, tier, unit, price, example in rows:
        found.setdefault((equipment_id, on), []).append((tier, unit, price, bool(example)))
    return found


def _write_rates(old: Old) -> None:
    tariffs = sa.table(
        "tariffs", sa.column("id", KEY), sa.column("public_id", core.db.PublicId()), sa.column("equipment_id"),
        sa.column("effective_on", sa.Date()), sa.column("minimum_fen"), sa.column("setup_fen"),
        sa.column("operator_fen"), sa.column("rush_bp"), sa.column("rush_within_minutes"),
        sa.column("is_example", sa.Boolean()), sa.column("written_at", core.db.Instant()),
    )  # fmt: skip
    rates = sa.table(
        "rates", sa.column("tariff_id"), sa.column("tier"), sa.column("charge_unit"), sa.column("price_fen")
    )
    bind = op.get_bind()
    for (equipment_id, on), rows in old.items():
        day = date.fromisoformat(on) if isinstance(on, str) else on
        tariff_id = bind.execute(
            tariffs.insert().returning(tariffs.c.id),
            {
                "public_id": new_public_id(), "equipment_id": equipment_id, "effective_on": day, "minimum_fen": 0,
                "setup_fen": 0, "operator_fen": 0, "rush_bp": 10_000, "rush_within_minutes": 0,
                "is_example": any(row[3] for row in rows), "written_at": datetime(2026, 1, 1, tzinfo=UTC),
            },
        ).scalar_one()  # fmt: skip
        bind.execute(
            rates.insert(),
            [
                {"tariff_id": tariff_id, "tier": tier, "charge_unit": unit, "price_fen": price}
                for tier, unit, price, _ in rows
            ],
        )


def _stage_imports() -> None:
    # A run could stand without its institution: then it is that of who ran it, else the first one's.
    op.execute(
        "UPDATE import_runs SET organisation_id = coalesce("
        "(SELECT min(m.organisation_id) FROM memberships m WHERE m.person_id = import_runs.person_id), "
        "(SELECT min(id) FROM organisations)) WHERE organisation_id IS NULL"
    )
    with op.batch_alter_table("import_runs") as batch:
        batch.alter_column("organisation_id", existing_type=KEY, nullable=False)
        batch.add_column(sa.Column("state", sa.String(10), nullable=False, server_default="applied"))
        batch.add_column(sa.Column("is_full", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("headings", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("mapping", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("refusal", sa.JSON(), nullable=False, server_default="{}"))
        for name in COUNTS:
            batch.add_column(sa.Column(f"rows_{name}", NUMBER, nullable=False, server_default="0"))
        batch.add_column(sa.Column("applied_at", core.db.Instant(), nullable=True))
        batch.add_column(sa.Column("applied_by_id", KEY, nullable=True))
        batch.add_column(sa.Column("claimed_until", core.db.Instant(), nullable=True))
        batch.create_foreign_key(op.f("fk_import_runs_applied_by_id"), "persons", ["applied_by_id"], ["id"])
    op.execute("UPDATE import_runs SET applied_at = at, rows_done = rows_read, rows_total = rows_read")
    op.create_index(op.f("ix_import_runs_organisation_id"), "import_runs", ["organisation_id"])
    op.create_index("ix_import_runs_due", "import_runs", ["state", "claimed_until"])
    op.create_table(
        "import_files",
        sa.Column("run_id", KEY, sa.ForeignKey("import_runs.id", name=op.f("fk_import_files_run_id")), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_import_files")),
    )
    op.create_table(
        "import_rows",
        sa.Column("id", KEY, nullable=False),
        sa.Column("run_id", KEY, sa.ForeignKey("import_runs.id", name=op.f("fk_import_rows_run_id")), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("asset_number", sa.String(60), nullable=False),
        sa.Column("name_zh", sa.String(200), nullable=False),
        sa.Column(
            "equipment_id", KEY, sa.ForeignKey("equipment.id", name=op.f("fk_import_rows_equipment_id")), nullable=True
        ),
        sa.Column("version", NUMBER, nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_run", "import_rows", ["run_id", "kind", "id"])
    op.create_table(
        "column_mappings",
        sa.Column("id", KEY, nullable=False),
        sa.Column(
            "organisation_id",
            KEY,
            sa.ForeignKey("organisations.id", name=op.f("fk_column_mappings_organisation_id")),
            nullable=False,
        ),
        sa.Column("headings_sha256", sa.String(64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("at", core.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mappings")),
        sa.UniqueConstraint(
            "organisation_id", "headings_sha256", name=op.f("uq_column_mappings_organisation_id_headings_sha256")
        ),
    )


def _add_story(*, is_postgresql: bool) -> None:
    op.create_table(
        "equipment_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column(
            "equipment_id",
            KEY,
            sa.ForeignKey("equipment.id", name=op.f("fk_equipment_changes_equipment_id")),
            nullable=False,
        ),
        sa.Column("at", core.db.Instant(), nullable=False),
        sa.Column(
            "person_id", KEY, sa.ForeignKey("persons.id", name=op.f("fk_equipment_changes_person_id")), nullable=True
        ),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_changes")),
    )
    op.create_index("ix_equipment_changes_entry", "equipment_changes", ["equipment_id", "id"])
    op.create_table(
        "photos",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column(
            "equipment_id", KEY, sa.ForeignKey("equipment.id", name=op.f("fk_photos_equipment_id")), nullable=False
        ),
        sa.Column("caption", sa.String(200), nullable=False),
        sa.Column("width", NUMBER, nullable=False),
        sa.Column("height", NUMBER, nullable=False),
        sa.Column("large", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("at", core.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("name", name=op.f("uq_photos_name")),
    )
    op.create_index(op.f("ix_photos_equipment_id"), "photos", ["equipment_id"])
    op.create_table(
        "documents",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", core.db.PublicId(), nullable=False),
        sa.Column(
            "equipment_id", KEY, sa.ForeignKey("equipment.id", name=op.f("fk_documents_equipment_id")), nullable=False
        ),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", NUMBER, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", core.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("public_id", name=op.f("uq_documents_public_id")),
    )
    op.create_index(op.f("ix_documents_equipment_id"), "documents", ["equipment_id"])
    if is_postgresql:
        op.execute(
            "CREATE FUNCTION refuse_change_of_story() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'append_only' USING ERRCODE = '23514', CONSTRAINT = 'append_only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER equipment_changes_append_only BEFORE UPDATE OR DELETE ON equipment_changes "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_story()"
        )
        op.execute(
            "CREATE TRIGGER tariffs_append_only BEFORE UPDATE OR DELETE ON tariffs "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_story()"
        )
        return
    for table in ("equipment_changes", "tariffs"):
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                "BEGIN SELECT raise(ABORT, 'append_only'); END"
            )


def downgrade() -> None:
    raise NotImplementedError("Versions of prices cannot be folded back; restore a backup instead.")
