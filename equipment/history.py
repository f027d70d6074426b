"""Who changed what of an entry: one row for each save, names of fields with their values before and after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from equipment.importing.comparing import to_json, without_personal
from equipment.models import EquipmentChange
from equipment.scopes import Scope
from members import audit
from members.actor import Actor


def record_change(
    session: Session,
    actor: Actor | None,
    equipment_id: int,
    kind: str,
    fields: Mapping[str, tuple[Any, Any]],
    *,
    now: datetime,
) -> None:
    """`fields`: name to what it was and what it is. Personal values are left out."""
    before = to_json({name: pair[0] for name, pair in fields.items()})
    after = to_json({name: pair[1] for name, pair in fields.items()})
    session.add(
        EquipmentChange(
            equipment_id=equipment_id, at=now, person_id=actor.person_id if actor else None, kind=kind,
            fields=without_personal({name: [before[name], after[name]] for name in fields}),
        )
    )  # fmt: skip


def record_for(
    session: Session,
    actor: Actor,
    scope: Scope,
    kind: str,
    fields: Mapping[str, tuple[Any, Any]],
    *,
    now: datetime,
) -> None:
    """The trail's row for any level, and the entry's own history where the level is one instrument."""
    if scope.lab_id is not None and "equipment_id" in scope.columns:
        record_change(session, actor, scope.id, kind, fields, now=now)
    audit.record(
        session, actor=actor, action=f"catalogue_{kind}", object=scope.object, now=now,
        organisation_id=scope.owner_id, data={"fields": sorted(fields)},
    )  # fmt: skip
