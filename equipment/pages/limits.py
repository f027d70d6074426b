"""Limits of booking on an instrument, on a lab's instruments together, and in the zone."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Forbidden, Refusal
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from equipment import limiting
from equipment.errors import LimitInvalid, SavedMeanwhile
from equipment.lengths import read_length, write_length
from equipment.limiting import LABELS, ZONE, Place
from equipment.limits import Limit, Reach
from equipment.models import LimitSubject, Period
from equipment.pages.shared import Manager, around, errors_of, is_shown, read_level, seen_of, status_of
from equipment.scopes import find_scope
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]
SAVED = N_("Saved. It counts for new bookings; what is booked stays.")
_NOTES = {
    Reach.EQUIPMENT: N_("Counted on this instrument alone, beside the limits of its lab and of the zone."),
    Reach.LAB: N_("Counted on all instruments of the lab together, beside the limits of each instrument."),
    Reach.ZONE: N_("Counted on all instruments of the zone together, beside those of labs and instruments."),
}  # fmt: skip


@router.get("/zone/limits")
def show_zone(caller: Zone) -> Response:
    return _page(caller)


@router.post("/zone/limits")
def save_zone(form: FormIn, caller: Zone) -> Response:
    if not caller.actor.has(Role.ZONE_ADMIN):
        raise Forbidden
    return _save(caller, form)


@router.get("/{level}/{public_id}/limits")
def show_limits(level: str, public_id: UUID, caller: Manager) -> Response:
    return _page(caller, (level, public_id))


@router.post("/{level}/{public_id}/limits")
def save_limits(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    return _save(caller, form, (level, public_id))


Address = tuple[str, UUID] | None


def _place(session: Session, caller: Caller, address: Address) -> Place:
    if address is None:
        return ZONE
    return limiting.place_of(find_scope(session, caller.actor, read_level(address[0]), address[1]))


def _save(caller: Caller, form: Form, address: Address = None) -> Response:
    def act(session: Session) -> str:
        place = _place(session, caller, address)
        limits = _read(form, place)
        limiting.set_limits(session, caller.actor, place, limits, now=caller.now, seen=form["seen"])
        return f"{place.scope.href}/limits" if place.scope else "/zone/limits"

    try:
        return caller.redirect_once(form, act, SAVED)
    except Refusal as refusal:
        if not is_shown(refusal):
            raise
        return _page(caller, address, form, refusal)


def _read(form: Form, place: Place) -> list[Limit]:
    """Raises LimitInvalid at the field that cannot be read."""
    return [
        Limit(
            place.reach, subject, period, _read_count(form, f"{subject}_{period}_bookings"),
            _read_minutes(form, f"{subject}_{period}_minutes"),
        )
        for subject, period in limiting.keys_of(place)
    ]  # fmt: skip


def _read_count(form: Form, name: str) -> int | None:
    text = form[name]
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise LimitInvalid(field=name)
    return int(text)


def _read_minutes(form: Form, name: str) -> int | None:
    """A bare number counts hours here: nobody limits a month in minutes."""
    if not form[name]:
        return None
    try:
        return read_length(form[name], bare=60)
    except ValueError as error:
        raise LimitInvalid(field=name) from error


def _page(
    caller: Caller, address: Address = None, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        place = _place(session, caller, address)
        own = limiting.find_own_limits(session, place)
    here = (
        around(caller, place.scope, "limits")
        if place.scope
        else {"scope": None, "scope_name": gettext(caller.lang, "Limits of the zone"), "scope_text": "", "tabs": [],
              "back_href": "/zone/organisations", "back_text": gettext(caller.lang, "Organisations")}
    )  # fmt: skip
    saved = _typed(own, caller)
    return caller.render(
        "pages/equipment/limits.html",
        status=status_of(refusal),
        note=gettext(caller.lang, _NOTES[place.reach]),
        rows=[_row(caller, key, dict(form) if form else saved, refusal) for key in limiting.keys_of(place)],
        rules_href=f"{place.scope.href}/rules" if place.scope and place.reach is Reach.EQUIPMENT else "",
        action=f"{place.scope.href}/limits" if place.scope else "/zone/limits",
        may_save=caller.actor.has(Role.ZONE_ADMIN, Role.LAB_MANAGER),
        seen=seen_of(form, refusal, limiting.mark_of(own)),
        differences=_differences(caller, saved, form) if isinstance(refusal, SavedMeanwhile) else [],
        errors=errors_of(caller, refusal),
        **here | {"scope_text": ""},
    )


def _typed(own: Sequence[Limit], caller: Caller) -> dict[str, str]:
    typed: dict[str, str] = {}
    for limit in own:
        name = f"{limit.subject}_{limit.period}"
        typed[f"{name}_bookings"] = "" if limit.bookings_max is None else str(limit.bookings_max)
        typed[f"{name}_minutes"] = "" if limit.minutes_max is None else write_length(limit.minutes_max, caller.lang)
    return typed


def _row(
    caller: Caller, key: tuple[LimitSubject, Period], typed: Mapping[str, str], refusal: Refusal | None
) -> dict[str, Any]:
    name = f"{key[0]}_{key[1]}"
    wrong = caller.explain(refusal) if refusal else ""
    return {
        "label": gettext(caller.lang, LABELS[key]),
        "fields": [
            {
                "name": f"{name}_{part}",
                "label": gettext(caller.lang, label),
                "value": typed.get(f"{name}_{part}", ""),
                "error": wrong if refusal and refusal.field == f"{name}_{part}" else "",
            }
            for part, label in (("bookings", N_("Bookings at most")), ("minutes", N_("Time at most")))
        ],
    }


def _differences(caller: Caller, saved: Mapping[str, str], form: Form | None) -> list[tuple[str, str]]:
    """What somebody else saved meanwhile, where it is not what was typed."""
    rows = []
    for key, label in LABELS.items():
        for part, word in (("bookings", N_("Bookings at most")), ("minutes", N_("Time at most"))):
            name = f"{key[0]}_{key[1]}_{part}"
            if form is not None and form[name] != saved.get(name, ""):
                said = saved.get(name) or gettext(caller.lang, "no limit")
                rows.append((f"{gettext(caller.lang, label)}: {gettext(caller.lang, word)}", said))
    return rows
