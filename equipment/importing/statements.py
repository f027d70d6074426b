"""The statements that apply an import: each one writes all rows of a kind, whatever their number.

What a file says stands in `import_rows.values` as JSON; the database takes it from there, so that no row travels
through the program while the writer's turn is held.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    FromClause,
    Subquery,
    Text,
    and_,
    case,
    column,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from equipment.importing.comparing import PERSONAL
from equipment.models import Equipment, EquipmentChange, ImportRow, Lab, RowKind

#: Columns of an entry that a staged row may hold, by the type that the database reads them as.
SAID: dict[str, TypeEngine[Any]] = {
    **dict.fromkeys(
        (
            "name_zh", "name_en", "maker", "model", "specification", "capability_zh", "capability_en",
            "service_content", "user_notice", "safety", "accessories", "contact_name", "contact_phone",
            "contact_email", "country", "asset_state", "asset_source", "use_direction", "category", "class_code",
            "notes", "certainty", "assignment", "grams", "sort_key", "name_zh_key", "name_en_key", "model_key",
        ),
        Text(),
    ),
    **dict.fromkeys(("acquired_on", "started_on"), Date()),
    **dict.fromkeys(("specs", "reported"), JSON()),
    "original_value_fen": BigInteger(),
    "is_bookable": Boolean(),
}  # fmt: skip
_LAB: dict[str, TypeEngine[Any]] = {"lab": Text(), "lab_address": Text()}
_TABLE = Equipment.__table__


def staged(session: Session, run_id: int, kind: RowKind) -> Subquery:
    """Rows of a kind with what they say as columns; NULL where a row says nothing."""
    wanted = SAID | _LAB
    said: Mapping[str, ColumnElement[Any]]
    origin: FromClause = ImportRow.__table__
    if session.get_bind().dialect.name == "postgresql":
        record = (
            func.json_to_record(ImportRow.values)
            .table_valued(*(column(name, kind_of) for name, kind_of in wanted.items()), name="said")
            .render_derived(with_types=True)
            .lateral()
        )
        said = {name: record.c[name] for name in wanted}
        origin = origin.join(record, true())
    else:
        said = {name: func.json_extract(ImportRow.values, f"$.{name}") for name in wanted}
    return (
        select(
            ImportRow.id, ImportRow.equipment_id, ImportRow.asset_number,
            *(value.label(name) for name, value in said.items()),
        )
        .select_from(origin)
        .where(ImportRow.run_id == run_id, ImportRow.kind == kind)
        .subquery("staged")
    )  # fmt: skip


def insert_new(
    session: Session, run_id: int, owner_id: int, plain: Mapping[str, Any], *, no_lab: str, now: datetime
) -> None:
    """Add all new entries. `plain`: what an entry is where the file does not say; the labs exist."""
    rows = staged(session, run_id, RowKind.NEW)
    values: dict[str, ColumnElement[Any]] = {
        name: literal(value, _TABLE.c[name].type) if value is not None else null() for name, value in plain.items()
    }
    for name in SAID:
        default = values.get(name)
        said: ColumnElement[Any] = rows.c[name]
        values[name] = said if default is None or plain.get(name) is None else func.coalesce(said, default)
    values |= {
        "public_id": _random_id(session), "asset_number": rows.c.asset_number, "lab_id": Lab.__table__.c.id,
        "updated_at": literal(now, _TABLE.c.updated_at.type),
    }  # fmt: skip
    lab_name = func.coalesce(func.nullif(rows.c.lab, ""), no_lab)
    found = select(*values.values()).select_from(
        rows.join(Lab, and_(Lab.organisation_id == owner_id, Lab.name_zh == lab_name))
    )
    session.execute(insert(_TABLE).from_select(list(values), found.order_by(rows.c.id)))  # type: ignore[arg-type]


def update_changed(session: Session, run_id: int, *, now: datetime) -> None:
    """Write what differs; an entry in the list is in the catalogue, so that it is not retired any more."""
    rows = staged(session, run_id, RowKind.CHANGED)
    values: dict[str, Any] = {name: func.coalesce(rows.c[name], _TABLE.c[name]) for name in SAID}
    values |= {
        "retired_at": null(), "version": _TABLE.c.version + 1, "updated_at": literal(now, _TABLE.c.updated_at.type)
    }  # fmt: skip
    statement = update(_TABLE).where(_TABLE.c.id == rows.c.equipment_id).values(values)  # type: ignore[arg-type]
    session.connection().execute(statement)


def retire_gone(session: Session, run_id: int, *, now: datetime) -> None:
    gone = select(ImportRow.equipment_id).where(ImportRow.run_id == run_id, ImportRow.kind == RowKind.GONE)
    session.connection().execute(
        update(_TABLE)  # type: ignore[arg-type]
        .where(_TABLE.c.id.in_(gone))
        .values(
            retired_at=literal(now, _TABLE.c.retired_at.type), version=_TABLE.c.version + 1,
            updated_at=literal(now, _TABLE.c.updated_at.type),
        )
    )  # fmt: skip


def write_history(
    session: Session, run_id: int, owner_id: int, *, last_id: int, source: str, person_id: int | None, now: datetime
) -> None:
    """One line for each entry: added, what changed from what to what (of a person's values only that), or retired.
    `last_id`: of the entries before the new ones."""
    table = EquipmentChange.__table__
    # By id and not by number: the planner knows nothing yet of rows that this unit of work has added, and a join by
    # number would look at each of them for each row.
    new = and_(Equipment.id > last_id, Equipment.owner_id == owner_id, Equipment.updated_at == now)
    changes = (
        (Equipment.id, new, "imported", literal({"added": [None, source]}, JSON())),
        (ImportRow.equipment_id, _of(run_id, RowKind.CHANGED), "imported", _differences(session)),
        (ImportRow.equipment_id, _of(run_id, RowKind.GONE), "retired", literal({}, JSON())),
    )
    for key, on, name, fields in changes:
        found = (
            select(
                key, literal(now, table.c.at.type), literal(person_id, table.c.person_id.type),
                literal(name, table.c.kind.type), fields,
            )
            .where(on)
            .order_by(key)
        )  # fmt: skip
        session.execute(
            insert(table).from_select(["equipment_id", "at", "person_id", "kind", "fields"], found)  # type: ignore[arg-type]
        )


def _of(run_id: int, kind: RowKind) -> ColumnElement[bool]:
    return and_(ImportRow.run_id == run_id, ImportRow.kind == kind)


def _differences(session: Session) -> ColumnElement[Any]:
    """{field: [before, after]} of a changed row, made by the database from the two that are staged."""
    before, after = ImportRow.before, ImportRow.values
    pair: ColumnElement[Any]
    if session.get_bind().dialect.name == "postgresql":
        field = func.json_each(before).table_valued(column("key", Text()), column("value", JSON()), name="field")
        pair = func.json_build_array(field.c.value, after.op("->")(field.c.key))
        pair = case((field.c.key.in_(sorted(PERSONAL)), null()), else_=pair)
        return select(func.json_object_agg(field.c.key, pair)).select_from(field).scalar_subquery()
    field = func.json_each(before).table_valued(column("key", Text()), column("fullkey", Text()), name="field")
    old, new = (_as_json(side, field.c.fullkey) for side in (before, after))
    pair = case((field.c.key.in_(sorted(PERSONAL)), "null"), else_=func.json_array(old, new))
    return select(func.json_group_object(field.c.key, func.json(pair))).select_from(field).scalar_subquery()


def _as_json(said: InstrumentedAttribute[dict[str, Any]], path: ColumnElement[str]) -> ColumnElement[Any]:
    """A value of SQLite's JSON as JSON again: yes and no come out as 1 and 0."""
    kind = func.json_type(said, path)
    return func.json(case((kind.in_(("true", "false")), kind), else_=func.json_quote(func.json_extract(said, path))))


def _random_id(session: Session) -> ColumnElement[Any]:
    """A random public id for each row."""
    return func.gen_random_uuid() if session.get_bind().dialect.name == "postgresql" else func.randomblob(16)
