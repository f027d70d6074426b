"""A row in every table of a database of any age, made from what the database says of itself.

Models are of today; a database of an earlier version has other columns. So the tables are reflected, and every column
that must have a value gets one of its type; the few whose value has a meaning stand in `MEANINGS`.
"""

import itertools
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, MetaData, Table

ROWS = 2
#: 24 November 2026, 02:00 UTC, in microseconds: how SQLite keeps instants.
AT = 1_795_485_600_000_000
HOUR = 3_600_000_000
#: Written by triggers or by the migrations themselves.
LEFT_OUT = ("alembic_version", "equipment_grams", "equipment_search", "unit_days", "calendar_years", "calendar_days")
MEANINGS: dict[str, Any] = {
    "kind": "company", "transfers.kind": "issue", "occupancies.kind": "booking", "closures.kind": "closed",
    "ledger_accounts.kind": "fund", "role": "zone_admin", "name_zh": "透射电子显微镜", "name_en": "Électron Microscope",
    "model": "JEM-2100 Plus", "zone": "Asia/Shanghai", "category": "electron-microscope", "exclusive": True,
    "tier": "startup", "charge_unit": "hour", "state": "requested", "source": "web", "service_mode": "self",
    "approval_mode": "lab", "price_unit": "hour", "opens_minute": 0, "closes_minute": 60, "from_minute": 0,
    "to_minute": 60, "length_minutes_min": 30, "length_minutes_max": 240, "step_minutes": 30, "rush_bp": 10_000,
    "share_bp": 3000, "verb": "requested", "to_state": "requested", "credit_code": None, "bookings_max": 3,
    "may_be_negative": True, "qualifications.category": "", "released_fen": 0, "subject": "company", "period": "week",
    "answer": "open",
}  # fmt: skip
#: Nullable columns that get a value: of two scopes exactly one.
SCOPES = {
    "opening_hours": "equipment_id", "rule_sets": "lab_id", "closures": "equipment_id", "tariffs": "equipment_id",
    "terms": "equipment_id", "booking_limits": "lab_id", "deputies": "lab_id", "occupancies": "booking_id",
}  # fmt: skip
ALSO = {"bookings_max", "granted_at"}
#: A transfer has two ends: always from the first account to the second.
BETWEEN = {"from_account_id": 1, "to_account_id": 2}
_numbers = itertools.count(1)


def fill(connection: Connection) -> dict[str, int]:
    """Write ROWS rows into every table that has none; says how many each one has then."""
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [t for t in metadata.sorted_tables if not t.name.startswith(LEFT_OUT)]
    for table in tables:
        have = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for number in range(have + 1, ROWS + 1):
            connection.execute(table.insert().values(_row(connection, table, number)))
    return {t.name: connection.scalar(sa.select(sa.func.count()).select_from(t)) or 0 for t in tables}


def _row(connection: Connection, table: Table, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.primary_key and column.name == "id":
            row["id"] = number
            continue
        wanted = not column.nullable or column.name in ALSO or SCOPES.get(table.name) == column.name
        if wanted and (column.server_default is None or column.name in MEANINGS):
            row[column.name] = _value(connection, column, number)
    return row


def _value(connection: Connection, column: "sa.Column[Any]", number: int) -> Any:
    table = column.table.name  # type: ignore[attr-defined]
    for name in (f"{table}.{column.name}", column.name):
        if name in MEANINGS:
            return MEANINGS[name]
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        if column.name in BETWEEN:
            number = BETWEEN[column.name]
        return connection.scalar(sa.select(target).order_by(target).offset(number - 1).limit(1))
    return _plain(connection.dialect.name, column, number)


def _plain(dialect: str, column: "sa.Column[Any]", number: int) -> Any:
    kind, name = column.type, column.name
    if name.endswith(("at", "until", "_by")) and isinstance(kind, sa.BigInteger):
        return AT + number * 48 * HOUR + (HOUR if name.startswith("ends") else 0)
    if isinstance(kind, sa.DateTime):
        hour = 3 if name.startswith("ends") else 2
        return sa.text(f"timestamptz '2026-11-{23 + number} {hour:02}:00Z'")
    if isinstance(kind, sa.Date):
        return (
            sa.text(f"date '2026-11-{23 + number}'") if dialect == "postgresql" else sa.text(f"'2026-11-{23 + number}'")
        )
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.LargeBinary):
        return next(_numbers).to_bytes(16, "big")
    if isinstance(kind, sa.Uuid):
        return sa.text(f"'{next(_numbers):032x}'::uuid")
    return f"{name[:4]}{next(_numbers)}"[: getattr(kind, "length", None) or 99]
