"""Write what a preview shows: set-based, all or nothing, in one short unit of work."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from core.db import lock_rows
from core.ids import new_public_id
from equipment.districts import read_district
from equipment.errors import ImportNotReady, ImportStale
from equipment.importing import queries
from equipment.importing.comparing import from_json, without_personal
from equipment.models import (
    ApprovalMode,
    AssetState,
    Equipment,
    EquipmentChange,
    ImportFile,
    ImportRow,
    ImportRun,
    ImportState,
    Lab,
    RowKind,
    ServiceMode,
)
from equipment.rules import RULES
from members import audit
from members.actor import Actor
from members.models import Organisation

#: Rows of one statement.
CHUNK = 1_000
#: Under which an instrument stands until somebody says where it is.
NO_LAB = "目录（待分配实验室）"
TEXTS = (
    "name_en", "maker", "model", "specification", "capability_zh", "capability_en", "service_content", "user_notice",
    "safety", "accessories", "contact_name", "contact_phone", "contact_email", "country", "class_code", "notes",
    "certainty", "assignment",
)  # fmt: skip
INDEX = ("grams", "sort_key", "name_zh_key", "name_en_key", "model_key")


def apply_rows(session: Session, run: ImportRun, *, actor: Actor | None, now: datetime) -> None:
    """Apply a preview whole. Locks the institution. Raises ImportNotReady, and ImportStale when the catalogue is not
    any more what the preview was made from."""
    lock_rows(session, Organisation, [run.organisation_id])
    session.execute(select(ImportRun.id).where(ImportRun.id == run.id).with_for_update())
    session.refresh(run, ["state"])
    if run.state is not ImportState.PREVIEW:
        raise ImportNotReady(state=run.state)
    _require_fresh(session, run)
    person_id = actor.person_id if actor else None
    for rows in _chunks(session, run, RowKind.NEW):
        new = [_whole(row) for row in rows]
        insert_entries(session, run.organisation_id, new, source=run.format, person_id=person_id, now=now)
    for rows in _chunks(session, run, RowKind.CHANGED):
        _update(session, rows, person_id, now)
    for rows in _chunks(session, run, RowKind.GONE):
        _retire(session, rows, person_id, now)
    session.execute(delete(ImportFile).where(ImportFile.run_id == run.id))
    run.state, run.applied_at, run.applied_by_id = ImportState.APPLIED, now, person_id
    audit.record(
        session, actor=actor, action="catalogue_imported", object=f"import:{run.public_id}", now=now,
        organisation_id=run.organisation_id,
        data={"new": run.rows_new, "changed": run.rows_changed, "gone": run.rows_gone, "refused": run.rows_refused},
    )  # fmt: skip


def insert_entries(
    session: Session,
    owner_id: int,
    rows: Sequence[Mapping[str, Any]],
    *,
    source: str,
    person_id: int | None,
    now: datetime,
) -> None:
    """Add entries of an institution, and labs that it does not have yet. Each row: `asset_number`, `name_zh`, `lab`,
    the index of search, and whatever else is known of the entry."""
    if not rows:
        return
    labs = _labs(session, owner_id, rows)
    house = {rule.name: rule.house for rule in RULES.values()} | {"approval_mode": ApprovalMode.LAB}
    plain: dict[str, Any] = dict.fromkeys(TEXTS, "") | {
        "owner_id": owner_id, "operator_id": owner_id, "supervisor_id": owner_id, "payee_id": owner_id,
        "category": "generic", "specs": [], "reported": {}, "own_rules": [], "acquired_on": None, "started_on": None,
        "asset_state": AssetState.IN_USE, "asset_source": None, "use_direction": None, "original_value_fen": None,
        "service_modes": (ServiceMode.OPERATED,), "voucher_eligible": True, "is_bookable": False, "is_example": False,
        "source": source, "version": 1, "updated_at": now,
    }  # fmt: skip
    values = [
        house | plain | {name: value for name, value in row.items() if name not in ("lab", "lab_address")}
        | {"public_id": new_public_id(), "lab_id": labs[row["lab"] or NO_LAB]}
        for row in rows
    ]  # fmt: skip
    session.execute(insert(Equipment), values)
    numbers = [row["asset_number"] for row in rows]
    known = select(Equipment.asset_number, Equipment.id).where(
        Equipment.owner_id == owner_id, Equipment.asset_number.in_(numbers)
    )
    ids = {number: key for number, key in session.execute(known)}  # noqa: C416 - rows are not pairs to mypy
    added = {"at": now, "person_id": person_id, "kind": "imported", "fields": {"added": [None, source]}}
    session.execute(insert(EquipmentChange), [{"equipment_id": ids[row["asset_number"]], **added} for row in rows])


def _labs(session: Session, owner_id: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Ids by name; what is missing is added."""
    wanted = {row["lab"] or NO_LAB: row.get("lab_address") or "" for row in rows}
    known = {name: lab.id for name, lab in queries.find_labs_of(session, owner_id).items()}
    for name, address in wanted.items():
        if name not in known:
            lab = Lab(organisation_id=owner_id, name_zh=name, address=address, district=read_district(address))
            session.add(lab)
            session.flush()
            known[name] = lab.id
    return known


def _whole(row: ImportRow) -> dict[str, Any]:
    return {"asset_number": row.asset_number, **from_json(row.values)}


def _chunks(session: Session, run: ImportRun, kind: RowKind) -> Iterator[list[ImportRow]]:
    """The rows of a kind, so many at a time, so that memory does not grow with the file."""
    after = 0
    while rows := queries.find_rows(session, run.id, kind, after=after, limit=CHUNK):
        after = rows[-1].id
        yield rows
        session.flush()
        for row in rows:
            session.expunge(row)


def _require_fresh(session: Session, run: ImportRun) -> None:
    """Raises ImportStale when an entry was changed, or added, since the comparison."""
    touched = ImportRow.kind.in_((RowKind.CHANGED, RowKind.GONE))
    changed = (
        select(ImportRow.id)
        .outerjoin(Equipment, Equipment.id == ImportRow.equipment_id)
        .where(ImportRow.run_id == run.id, touched)
        .where(or_(Equipment.id.is_(None), Equipment.version != ImportRow.version))
    )
    same_number = and_(Equipment.owner_id == run.organisation_id, Equipment.asset_number == ImportRow.asset_number)
    added = select(ImportRow.id).join(Equipment, same_number)
    added = added.where(ImportRow.run_id == run.id, ImportRow.kind == RowKind.NEW)
    if any(session.scalars(found.limit(1)).first() is not None for found in (changed, added)):
        raise ImportStale


def _update(session: Session, rows: Sequence[ImportRow], person_id: int | None, now: datetime) -> None:
    """One statement for each set of columns that changes together."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    changes = []
    for row in rows:
        values = from_json(row.values)
        columns = tuple(sorted(values))
        by_columns[columns].append({"key": row.equipment_id, **{f"new_{name}": values[name] for name in columns}})
        shown = {name: [row.before.get(name), row.values[name]] for name in columns if name not in INDEX}
        changes.append(
            {
                "equipment_id": row.equipment_id, "at": now, "person_id": person_id, "kind": "imported",
                "fields": without_personal(shown),
            }
        )  # fmt: skip
    table = Equipment.__table__
    for columns, values_of in by_columns.items():
        statement = (
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("key"))
            .values(
                {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
                | {"version": table.c.version + 1, "updated_at": bindparam("at", now, type_=table.c.updated_at.type)}
            )
        )
        session.connection().execute(statement, values_of)
    if changes:
        session.execute(insert(EquipmentChange), changes)


def _retire(session: Session, rows: Sequence[ImportRow], person_id: int | None, now: datetime) -> None:
    keys = [row.equipment_id for row in rows]
    if not keys:
        return
    session.execute(
        update(Equipment)
        .where(Equipment.id.in_(keys))
        .values(retired_at=now, updated_at=now, version=Equipment.version + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        insert(EquipmentChange),
        [{"equipment_id": key, "at": now, "person_id": person_id, "kind": "retired", "fields": {}} for key in keys],
    )
