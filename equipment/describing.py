"""Describe entries, labs and units: what a manager types and saves."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import lock_rows
from equipment import queries
from equipment.categories import CATEGORIES
from equipment.classes import class_name
from equipment.districts import DISTRICTS, read_district
from equipment.errors import (
    AssetNumberTaken,
    ClassUnknown,
    DateInvalid,
    EmailInvalid,
    FieldMissing,
    FieldTooLong,
    LastUnit,
    NoPricesYet,
    PriceInvalid,
    SavedMeanwhile,
    UnitNotFound,
)
from equipment.freshness import last_saver
from equipment.history import record_for
from equipment.importing.applying import insert_entries
from equipment.importing.comparing import FIELDS, index, index_columns
from equipment.importing.lists import read_day, read_price
from equipment.models import AssetSource, AssetState, Equipment, Lab, ServiceMode, Unit, UseDirection
from equipment.scopes import Scope
from members.actor import Actor
from members.models import Organisation

#: Columns that a manager edits, beside those that a file may decide.
EDITABLE = (*(name for name in FIELDS if name not in ("reported", "certainty", "assignment")), "voucher_eligible")
LAB_FIELDS = ("name_zh", "name_en", "address", "district", "zone", "contact_name", "contact_phone", "contact_email")
#: Zones that a lab may choose; more by import of data.
ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Europe/Berlin", "America/New_York", "UTC")
SPECS_MOST = 60
_EMAIL = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+\.[^\s@<>\"',;:().]{2,}")
LONG = 10_000
_ENUMS: dict[str, Any] = {"asset_state": AssetState, "asset_source": AssetSource, "use_direction": UseDirection}


def read_description(form: Mapping[str, str], modes: list[str]) -> dict[str, Any]:
    """Values by column from a form of texts. `specs` is one line per pair, `name: value`.

    Raises FieldMissing, FieldTooLong, DateInvalid, PriceInvalid, ClassUnknown, EmailInvalid at the field.
    """
    values: dict[str, Any] = {}
    for name in EDITABLE:
        text = form.get(name, "").strip()
        if name in ("acquired_on", "started_on"):
            values[name] = read_day(text) if text else None
            if text and values[name] is None:
                raise DateInvalid(field=name)
        elif name == "original_value_fen":
            try:
                values[name] = read_price(text, 100) if text else None
            except ValueError as error:
                raise PriceInvalid(field=name) from error
        elif name in _ENUMS:
            values[name] = _ENUMS[name](text) if text in list(_ENUMS[name]) else None
        elif name == "specs":
            values[name] = _read_specs(text)
        elif name == "service_modes":
            values[name] = tuple(mode for mode in ServiceMode if mode in modes) or (ServiceMode.OPERATED,)
        elif name == "voucher_eligible":
            values[name] = bool(text)
        else:
            values[name] = _read_text(name, text)
    values["asset_state"] = values["asset_state"] or AssetState.IN_USE
    values["category"] = values["category"] if values["category"] in CATEGORIES else "generic"
    if not values["name_zh"]:
        raise FieldMissing(field="name_zh")
    if values["class_code"] and not class_name(values["class_code"], "zh-CN"):
        raise ClassUnknown(field="class_code", class_code=values["class_code"])
    _check_email(values["contact_email"])
    return values


def describe(
    session: Session, actor: Actor, scope: Scope, values: Mapping[str, Any], *, version: int, now: datetime
) -> Equipment:
    """Save what is typed about an entry. Raises SavedMeanwhile with what somebody else saved since `version`."""
    entry = _lock_entry(session, scope)
    if entry.version != version:
        raise SavedMeanwhile(
            name=last_saver(session, scope),
            details={
                "version": entry.version,
                "theirs": {name: getattr(entry, name) for name in values if getattr(entry, name) != values[name]},
            },
        )
    changed = {name: (getattr(entry, name), value) for name, value in values.items() if getattr(entry, name) != value}
    if not changed:
        return entry
    for name, (_, value) in changed.items():
        setattr(entry, name, value)
    entry.updated_at = now
    index(entry)
    session.flush()
    record_for(session, actor, scope, "described", changed, now=now)
    return entry


def add_entry(
    session: Session, actor: Actor, lab: Lab, asset_number: str, values: Mapping[str, Any], *, now: datetime
) -> Equipment:
    """A new entry of a lab, listed only until it has hours, prices and a unit. Raises AssetNumberTaken."""
    lock_rows(session, Organisation, [lab.organisation_id])
    if not asset_number:
        raise FieldMissing(field="asset_number")
    taken = select(Equipment.id).where(
        Equipment.owner_id == lab.organisation_id, Equipment.asset_number == asset_number
    )
    if session.scalar(taken) is not None:
        raise AssetNumberTaken(field="asset_number")
    row = dict(values) | index_columns(values) | {"asset_number": asset_number, "lab": lab.name_zh, "lab_address": ""}
    insert_entries(session, lab.organisation_id, [row], source="page", person_id=actor.person_id, now=now)
    entry = session.scalars(
        select(Equipment).where(Equipment.owner_id == lab.organisation_id, Equipment.asset_number == asset_number)
    ).one()
    session.add(Unit(equipment_id=entry.id, label=""))
    session.flush()
    return entry


def open_for_booking(session: Session, actor: Actor, scope: Scope, *, is_bookable: bool, now: datetime) -> None:
    """Let people book an entry, or list it only. Raises NoPricesYet while hours, a unit or prices are missing."""
    entry = _lock_entry(session, scope)
    if is_bookable:
        whole = queries.get_equipment_by_id(session, entry.id)
        if not (whole.hours and any(unit.retired_at is None for unit in whole.units) and whole.price_fen is not None):
            raise NoPricesYet
    if entry.is_bookable != is_bookable:
        entry.is_bookable, entry.updated_at = is_bookable, now
        session.flush()
        record_for(session, actor, scope, "described", {"is_bookable": (not is_bookable, is_bookable)}, now=now)


def retire(session: Session, actor: Actor, scope: Scope, *, now: datetime) -> None:
    """Take an entry out of the catalogue; its bookings and its money stay. Done twice, done once."""
    entry = _lock_entry(session, scope)
    if entry.retired_at is None:
        entry.retired_at = entry.updated_at = now
        session.flush()
        record_for(session, actor, scope, "retired", {"retired_at": (None, now)}, now=now)


def bring_back(session: Session, actor: Actor, scope: Scope, *, now: datetime) -> None:
    entry = _lock_entry(session, scope)
    if entry.retired_at is not None:
        before, entry.retired_at, entry.updated_at = entry.retired_at, None, now
        session.flush()
        record_for(session, actor, scope, "returned", {"retired_at": (before, None)}, now=now)


def save_units(
    session: Session, actor: Actor, scope: Scope, labels: Mapping[int, str], retired: set[int], new: list[str],
    *, now: datetime,
) -> None:  # fmt: skip
    """Rename, retire, bring back and add units. Raises LastUnit, UnitNotFound."""
    entry = _lock_entry(session, scope)
    units = {
        unit.id: unit for unit in session.scalars(select(Unit).where(Unit.equipment_id == entry.id).order_by(Unit.id))
    }
    if not set(labels) <= set(units):
        raise UnitNotFound
    before = [[unit.label, "retired" if unit.retired_at else ""] for unit in units.values()]
    for key, label in labels.items():
        units[key].label = label[:80]
        if (key in retired) != (units[key].retired_at is not None):
            units[key].retired_at = now if key in retired else None
    added = [Unit(equipment_id=entry.id, label=label[:80]) for label in new if label]
    left = [*added, *(unit for unit in units.values() if unit.retired_at is None)]
    if entry.is_bookable and not left:
        raise LastUnit
    session.add_all(added)
    session.flush()
    after = [[unit.label, "retired" if unit.retired_at else ""] for unit in [*units.values(), *added]]
    if before != after:
        record_for(session, actor, scope, "units", {"units": (before, after)}, now=now)


def save_lab(
    session: Session, actor: Actor, scope: Scope, values: Mapping[str, str], *, version: int, now: datetime
) -> Lab:
    """Save a lab's names, address, zone and contact. Raises SavedMeanwhile."""
    lab = session.scalars(select(Lab).where(Lab.id == scope.id).with_for_update()).one()
    if lab.version != version:
        raise SavedMeanwhile(name=last_saver(session, scope), details={"version": lab.version, "theirs": {}})
    changed = {name: (getattr(lab, name), value) for name, value in values.items() if getattr(lab, name) != value}
    for name, (_, value) in changed.items():
        setattr(lab, name, value)
    session.flush()
    if changed:
        record_for(session, actor, scope, "lab", changed, now=now)
    return lab


def read_lab(form: Mapping[str, str]) -> dict[str, str]:
    """Raises FieldMissing, FieldTooLong, EmailInvalid."""
    values = {name: form.get(name, "").strip() for name in LAB_FIELDS}
    for name, text in values.items():
        longest = Lab.__table__.c[name].type.length  # type: ignore[attr-defined]
        if len(text) > longest:
            raise FieldTooLong(field=name, longest=longest)
    if not values["name_zh"]:
        raise FieldMissing(field="name_zh")
    _check_email(values["contact_email"])
    if values["district"] not in DISTRICTS:
        values["district"] = read_district(values["address"])
    values["zone"] = values["zone"] if values["zone"] in ZONES else ZONES[0]
    return values


def _lock_entry(session: Session, scope: Scope) -> Equipment:
    """The entry as it is now; nobody else saves it meanwhile."""
    return session.scalars(
        select(Equipment).where(Equipment.id == scope.id).with_for_update(key_share=True),
        execution_options={"populate_existing": True},
    ).one()


def _read_text(name: str, text: str) -> str:
    longest = getattr(Equipment.__table__.c[name].type, "length", None) or LONG
    if len(text) > longest:
        raise FieldTooLong(field=name, longest=longest)
    return text


def _check_email(text: str) -> None:
    if text and not _EMAIL.fullmatch(text):
        raise EmailInvalid(field="contact_email")


def _read_specs(text: str) -> list[list[str]]:
    pairs = []
    for line in text.splitlines()[:SPECS_MOST]:
        name, _, value = line.replace("：", ":").partition(":")
        if name.strip():
            pairs.append([name.strip()[:100], value.strip()[:500]])
    return pairs
