"""What rules, hours, prices and closures belong to: an instrument, a lab or an institution; and who may set them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from core.errors import Forbidden
from equipment import queries
from equipment.errors import EquipmentNotFound, InstitutionUnknown, LabNotFound
from equipment.models import Equipment, Lab
from members.actor import Actor
from members.models import Organisation, Role


class Level(StrEnum):
    """As it stands in addresses."""

    EQUIPMENT = "equipment"
    LAB = "labs"
    INSTITUTION = "institutions"


@dataclass(frozen=True)
class Scope:
    """One instrument, lab or institution, found for somebody who may set its rules."""

    level: Level
    id: int
    public_id: UUID
    name_zh: str
    name_en: str
    owner_id: int
    lab_id: int | None = None

    @property
    def columns(self) -> dict[str, int]:
        """The column that names it in tables of levels."""
        name = {Level.EQUIPMENT: "equipment_id", Level.LAB: "lab_id", Level.INSTITUTION: "organisation_id"}[self.level]
        return {name: self.id}

    @property
    def entries(self) -> ColumnElement[bool]:
        """Which entries it covers."""
        column = {Level.EQUIPMENT: Equipment.id, Level.LAB: Equipment.lab_id, Level.INSTITUTION: Equipment.owner_id}
        return column[self.level] == self.id

    @property
    def href(self) -> str:
        return f"/{self.level}/{self.public_id}"

    @property
    def object(self) -> str:
        """How the trail names it."""
        return f"{self.level.value.removesuffix('s')}:{self.public_id}"


def find_scope(session: Session, actor: Actor, level: Level, public_id: UUID) -> Scope:
    """Raises EquipmentNotFound, LabNotFound, InstitutionUnknown; Forbidden for those who do not run it.

    Managers run their labs; an institution's defaults are set by any of its managers, everything by the zone.
    """
    scope = _find(session, level, public_id)
    if actor.has(Role.ZONE_ADMIN):
        return scope
    if scope.level is Level.INSTITUTION:
        allowed = scope.id in actor.organisation_ids(Role.LAB_MANAGER)
    else:
        allowed = actor.has(Role.LAB_MANAGER) and scope.lab_id in queries.find_lab_ids_run_by(session, actor.person_id)
    if not allowed:
        raise Forbidden
    return scope


def _find(session: Session, level: Level, public_id: UUID) -> Scope:
    if level is Level.EQUIPMENT:
        entry = session.scalars(select(Equipment).where(Equipment.public_id == public_id)).one_or_none()
        if entry is None:
            raise EquipmentNotFound
        return Scope(level, entry.id, public_id, entry.name_zh, entry.name_en, entry.owner_id, entry.lab_id)
    if level is Level.LAB:
        lab = session.scalars(
            select(Lab).options(joinedload(Lab.organisation)).where(Lab.public_id == public_id)
        ).one_or_none()
        if lab is None:
            raise LabNotFound
        return Scope(level, lab.id, public_id, lab.name_zh, lab.name_en, lab.organisation_id, lab.id)
    owner = session.scalars(select(Organisation).where(Organisation.public_id == public_id)).one_or_none()
    if owner is None:
        raise InstitutionUnknown
    return Scope(level, owner.id, public_id, owner.name_zh, owner.name_en, owner.id)
