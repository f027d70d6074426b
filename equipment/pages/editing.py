"""Describe one instrument or lab: facts, units, history, in and out of the catalogue."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from core.errors import Refusal
from core.forms import Form, FormIn
from core.i18n import Lang, gettext
from core.rendering import localised
from equipment import describing, price_lists, queries
from equipment.categories import CATEGORIES
from equipment.change_words import change_rows
from equipment.classes import class_name, class_names
from equipment.districts import DISTRICTS
from equipment.errors import SavedMeanwhile
from equipment.importing.comparing import to_json
from equipment.models import Equipment, Lab
from equipment.pages.shared import Manager, around, errors_of, save
from equipment.scopes import Level, find_scope
from equipment.words import (
    ASSET_SOURCE_NAMES,
    ASSET_STATE_NAMES,
    FIELD_NAMES,
    MODE_NAMES,
    USE_DIRECTION_NAMES,
)
from members import queries as members

router = APIRouter(include_in_schema=False)


@router.get("/equipment/{equipment_id}/edit")
def show_entry(equipment_id: UUID, caller: Manager) -> Response:
    return _entry_page(caller, equipment_id)


@router.post("/equipment/{equipment_id}/edit")
def save_entry(equipment_id: UUID, form: FormIn, caller: Manager) -> Response:
    try:
        values = describing.read_description(form, form.getlist("service_modes"))
        version = int(form["version"]) if form["version"].isdigit() else 0
        return save(
            caller, form, Level.EQUIPMENT, equipment_id, "edit",
            lambda session, scope: describing.describe(
                session, caller.actor, scope, values, version=version, now=caller.now
            ),
        )  # fmt: skip
    except SavedMeanwhile as refusal:
        return _entry_page(caller, equipment_id, form=form, refusal=refusal, status=409)
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _entry_page(caller, equipment_id, form=form, refusal=refusal, status=422)


@router.post("/equipment/{equipment_id}/standing")
def change_standing(equipment_id: UUID, form: FormIn, caller: Manager) -> Response:
    """Open for booking, list only, retire, bring back."""
    what = form["what"]

    def act(session: Any, scope: Any) -> None:
        if what == "retire":
            describing.retire(session, caller.actor, scope, now=caller.now)
        elif what == "return":
            describing.bring_back(session, caller.actor, scope, now=caller.now)
        else:
            describing.open_for_booking(session, caller.actor, scope, is_bookable=what == "open", now=caller.now)

    try:
        return save(caller, form, Level.EQUIPMENT, equipment_id, "edit", act)
    except Refusal as refusal:
        return _entry_page(caller, equipment_id, refusal=refusal, status=422)


@router.get("/equipment/{equipment_id}/units")
def show_units(equipment_id: UUID, caller: Manager) -> Response:
    return _units_page(caller, equipment_id)


@router.post("/equipment/{equipment_id}/units")
def save_units(equipment_id: UUID, form: FormIn, caller: Manager) -> Response:
    labels = {int(name[5:]): form[name] for name in form if name.startswith("unit_") and name[5:].isdigit()}
    retired = {int(text) for text in form.getlist("retired") if text.isdigit()}
    try:
        return save(
            caller, form, Level.EQUIPMENT, equipment_id, "units",
            lambda session, scope: describing.save_units(
                session, caller.actor, scope, labels, retired, [form["new"]], now=caller.now
            ),
        )  # fmt: skip
    except Refusal as refusal:
        return _units_page(caller, equipment_id, refusal)


@router.get("/equipment/{equipment_id}/history")
def show_history(equipment_id: UUID, caller: Manager) -> Response:
    """Who changed what, the newest first."""
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.EQUIPMENT, equipment_id)
        changes = queries.find_changes(session, scope.id)
        names = members.find_names(session, [change.person_id for change in changes])
        versions = price_lists.find_tariffs(session, scope)
    rows = change_rows(changes, names, versions, caller.lang, ZoneInfo(caller.settings.zone))
    return caller.render("pages/equipment/history.html", changes=rows, **around(caller, scope, "history"))


@router.get("/labs/{lab_id}/edit")
def show_lab(lab_id: UUID, caller: Manager) -> Response:
    return _lab_page(caller, lab_id)


@router.post("/labs/{lab_id}/edit")
def save_lab(lab_id: UUID, form: FormIn, caller: Manager) -> Response:
    try:
        values = describing.read_lab(form)
        version = int(form["version"]) if form["version"].isdigit() else 0
        return save(
            caller, form, Level.LAB, lab_id, "edit",
            lambda session, scope: describing.save_lab(
                session, caller.actor, scope, values, version=version, now=caller.now
            ),
        )  # fmt: skip
    except Refusal as refusal:
        if not (refusal.field or isinstance(refusal, SavedMeanwhile)):
            raise
        return _lab_page(caller, lab_id, form=form, refusal=refusal)


def _entry_page(
    caller: Manager, equipment_id: UUID, *, form: Form | None = None, refusal: Refusal | None = None, status: int = 200
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.EQUIPMENT, equipment_id)
        entry = queries.get_equipment(session, equipment_id)
    saved = _texts(entry)
    typed = {name: form[name] for name in saved} if form else saved
    theirs = refusal.details.get("theirs", {}) if refusal else {}
    return caller.render(
        "pages/equipment/edit.html",
        status=status,
        entry=entry,
        typed=typed,
        modes=form.getlist("service_modes") if form else [mode.value for mode in entry.service_modes],
        version=refusal.details.get("version", entry.version) if refusal else entry.version,
        differences=[
            (gettext(caller.lang, FIELD_NAMES.get(name, name)), saved[name] or "–")
            for name in theirs
            if name in saved and saved[name] != typed[name]
        ],
        errors=errors_of(caller, refusal),
        options=form_options(caller.lang, typed["class_code"]),
        **around(caller, scope, "edit"),
    )


def _texts(entry: Equipment) -> dict[str, str]:
    """The values of an entry as its form shows them."""
    texts = {}
    for name in describing.EDITABLE:
        value = getattr(entry, name)
        if name == "specs":
            texts[name] = "\n".join(f"{key}: {text}" for key, text in value)
        elif name == "original_value_fen":
            texts[name] = "" if value is None else f"{value / 100:.2f}"
        elif name == "voucher_eligible":
            texts[name] = "1" if value else ""
        elif name == "service_modes":
            texts[name] = ",".join(value)
        else:
            texts[name] = str(to_json({name: value})[name] or "")
    return texts


def form_options(lang: Lang, class_code: str = "") -> dict[str, list[tuple[str, str]]]:
    """What the fields of an entry choose from; a class that is finer than the list stays to be chosen."""
    unknown = [("", gettext(lang, "not known"))]
    finer = class_name(class_code, lang)
    classes = dict(class_names(lang)) | ({class_code: finer} if finer else {})
    return {
        "category": [(slug, localised(category, lang)) for slug, category in CATEGORIES.items()],
        "class_code": unknown + [(code, f"{code} {name}") for code, name in sorted(classes.items())],
        "asset_state": [(state.value, gettext(lang, name)) for state, name in ASSET_STATE_NAMES.items()],
        "asset_source": unknown + [(code.value, gettext(lang, name)) for code, name in ASSET_SOURCE_NAMES.items()],
        "use_direction": unknown + [(code.value, gettext(lang, name)) for code, name in USE_DIRECTION_NAMES.items()],
        "service_modes": [(mode.value, gettext(lang, name)) for mode, name in MODE_NAMES.items()],
    }


def _units_page(caller: Manager, equipment_id: UUID, refusal: Refusal | None = None) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.EQUIPMENT, equipment_id)
        entry = queries.get_equipment(session, equipment_id)
    return caller.render(
        "pages/equipment/units.html",
        status=422 if refusal else 200,
        units=entry.units,
        errors=errors_of(caller, refusal),
        **around(caller, scope, "units"),
    )


def _lab_page(caller: Manager, lab_id: UUID, *, form: Form | None = None, refusal: Refusal | None = None) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        lab = session.get_one(Lab, scope.id)
        saved = {name: getattr(lab, name) for name in describing.LAB_FIELDS}
        version = lab.version
    return caller.render(
        "pages/equipment/lab.html",
        status=409 if isinstance(refusal, SavedMeanwhile) else 422 if refusal else 200,
        typed={name: form[name] for name in saved} if form else saved,
        version=version,
        districts=[
            ("", gettext(caller.lang, "As the address says")),
            *((code, localised(place, caller.lang)) for code, place in DISTRICTS.items()),
        ],
        zones=[(zone, zone) for zone in describing.ZONES],
        errors=errors_of(caller, refusal),
        **around(caller, scope, "edit"),
    )
