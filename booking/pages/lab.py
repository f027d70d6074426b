"""The lab's desk: what waits, booking for someone, and outages."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import outages, service, visits
from booking.pages.bookings import read_id, read_quantities, read_slot, read_voucher
from booking.pages.exceptions import choices_of, read_override
from booking.pricing import quantity_step, quantity_units, rates_for
from core.errors import Refusal
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_, gettext
from core.rendering import localised
from equipment import queries as catalogue
from equipment.models import Equipment, Tier
from equipment.tariffs import tariff_on
from equipment.words import UNIT_NAMES
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER))]


@router.get("/lab/bookings/new")
def show_new(caller: Manager, equipment: str = "", past: str = "") -> Response:
    return _new_page(caller, equipment, past=bool(past))


@router.post("/lab/bookings")
def book_for_someone(form: FormIn, caller: Manager) -> Response:
    """For someone who phones, or use that is past (with its reason)."""
    equipment_id = read_id(form["equipment_id"])

    def act(session: Session) -> str:
        zone = catalogue.get_zone(session, equipment_id)
        common: dict[str, Any] = {
            "equipment_id": equipment_id,
            "email": form["email"],
            "slot": read_slot(form, zone),
            "quantities": read_quantities(form),
            "voucher": read_voucher(form),
            "now": caller.now,
        }
        if form["past"]:
            booking = visits.enter_past_use(session, caller.actor, reason=form["reason"], **common)
        else:
            booking, *_ = service.book_for_someone(
                session, caller.actor, purpose=form["purpose"], override=read_override(form), **common
            )
        return f"/bookings/{booking.public_id}"

    try:
        return caller.redirect_once(form, act, flash=N_("Entered. The person has been told."))
    except Refusal as refusal:
        return _new_page(caller, form["equipment_id"], past=bool(form["past"]), refusal=refusal, form=form)


@router.post("/lab/outages")
def add_outage(form: FormIn, caller: Manager) -> Response:
    """Take a unit out of service; bookings that lie there stay and are listed."""
    unit_id = read_id(form["unit_id"])

    def act(session: Session) -> str:
        zone = caller.site.renderer.zone
        outages.block_unit(
            session, caller.actor, unit_id, slot=read_slot(form, zone), reason=form["reason"], now=caller.now
        )
        return "/lab"

    return caller.redirect_once(
        form, act, flash=N_("Entered. Bookings that lie in this time stay until you move them.")
    )


def _new_page(
    caller: Caller, equipment_id: str, *, past: bool, refusal: Refusal | None = None, form: Form | None = None
) -> Response:
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        entries = catalogue.find_equipment_of_labs(session, lab_ids)
        chosen = next((entry for entry in entries if str(entry.public_id) == equipment_id), None)
        entry = catalogue.get_equipment(session, chosen.public_id) if chosen else None
    return caller.render(
        "pages/lab/new.html",
        status=status_of(refusal) if refusal else 200,
        entries=[(str(row.public_id), f"{localised(row, caller.lang)} · {row.model}") for row in entries],
        entry=entry,
        units=_quantity_fields(caller, entry),
        past=past,
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
        typed=form or Form([]),
        exceptions=choices_of(refusal, caller),
        set_aside=form.getlist("override") if form else [],
        why=form["override_reason"] if form else "",
    )


def _quantity_fields(caller: Caller, entry: Equipment | None) -> list[dict[str, str]]:
    if entry is None:
        return []
    today = caller.now.astimezone(ZoneInfo(entry.lab.zone)).date()
    units = quantity_units(rates_for(tariff_on(entry.tariffs, today), Tier.STARTUP))
    return [
        {"name": f"quantity_{unit}", "label": gettext(caller.lang, UNIT_NAMES[unit]), "step": quantity_step(unit)}
        for unit in units
    ]
