"""Write what a preview shows: set-based, all or nothing, in one short unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from core.db import lock_rows
from core.ids import new_public_id
from equipment.districts import read_district
from equipment.errors import ImportNotReady, ImportNotYours, ImportStale
from equipment.importing import queries, statements
from equipment.importing.reach import Reach, find_reach
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

#: Under which an instrument stands until somebody says where it is.
NO_LAB = "目录（待分配实验室）"
TEXTS = (
    "name_en", "maker", "model", "specification", "capability_zh", "capability_en", "service_content", "user_notice",
    "safety", "accessories", "contact_name", "contact_phone", "contact_email", "country", "class_code", "notes",
    "certainty", "assignment",
)  # fmt: skip
INDEX = ("grams", "sort_key", "name_zh_key", "name_en_key", "model_key")


def apply_rows(session: Session, run: ImportRun, *, actor: Actor | None, now: datetime) -> None:
    """Apply a preview whole: some statements for all rows together. Locks the institution.

    Raises ImportNotReady, ImportStale when the catalogue is not any more what the preview was made from, and
    ImportNotYours when it would touch entries of labs that its author, or who applies it, does not run.
    """
    lock_rows(session, Organisation, [run.organisation_id])
    session.execute(select(ImportRun.id).where(ImportRun.id == run.id).with_for_update())
    session.refresh(run, ["state"])
    if run.state is not ImportState.PREVIEW:
        raise ImportNotReady(state=run.state)
    _require_fresh(session, run)
    person_id = actor.person_id if actor else None
    reach = find_reach(session, [run.person_id, person_id])
    _require_reach(session, run, reach)
    _add_labs(session, run, reach)
    plain = _plain(run.organisation_id, run.format, now)
    last_id = session.scalar(select(func.max(Equipment.id))) or 0
    statements.insert_new(session, run.id, run.organisation_id, plain, no_lab=NO_LAB, now=now)
    statements.update_changed(session, run.id, now=now)
    statements.retire_gone(session, run.id, now=now)
    statements.write_history(
        session, run.id, run.organisation_id, last_id=last_id, source=run.format, person_id=person_id, now=now
    )
    session.expire_all()
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
    plain = _plain(owner_id, source, now)
    values = [
        plain | {name: value for name, value in row.items() if name not in ("lab", "lab_address")}
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


def _plain(owner_id: int, source: str, now: datetime) -> dict[str, Any]:
    """What a new entry is where nothing is said: the house's rules, its institution in all roles, listed only."""
    house = {rule.name: rule.house for rule in RULES.values()} | {"approval_mode": ApprovalMode.LAB}
    return house | dict.fromkeys(TEXTS, "") | {
        "owner_id": owner_id, "operator_id": owner_id, "supervisor_id": owner_id, "payee_id": owner_id,
        "category": "generic", "specs": [], "reported": {}, "own_rules": [], "acquired_on": None, "started_on": None,
        "asset_state": AssetState.IN_USE, "asset_source": None, "use_direction": None, "original_value_fen": None,
        "service_modes": (ServiceMode.OPERATED,), "voucher_eligible": True, "is_bookable": False, "is_example": False,
        "source": source, "version": 1, "updated_at": now,
    }  # fmt: skip


def _require_reach(session: Session, run: ImportRun, reach: Reach) -> None:
    """Raises ImportNotYours when an entry that is changed or retired is in a lab outside."""
    if reach is None:
        return
    outside = (
        select(ImportRow.id)
        .join(Equipment, Equipment.id == ImportRow.equipment_id)
        .where(ImportRow.run_id == run.id, ImportRow.kind.in_((RowKind.CHANGED, RowKind.GONE)))
        .where(Equipment.lab_id.not_in(reach))
    )
    if session.scalars(outside.limit(1)).first() is not None:
        raise ImportNotYours


def _add_labs(session: Session, run: ImportRun, reach: Reach) -> None:
    """Labs of new entries that the institution does not have yet. Raises ImportNotYours for one outside."""
    rows = statements.staged(session, run.id, RowKind.NEW)
    wanted = session.execute(select(rows.c.lab, func.max(rows.c.lab_address)).group_by(rows.c.lab)).all()
    known = _labs(session, run.organisation_id, [{"lab": lab, "lab_address": place} for lab, place in wanted])
    if reach is not None and any(known[lab or NO_LAB] not in reach for lab, _ in wanted):
        raise ImportNotYours


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
