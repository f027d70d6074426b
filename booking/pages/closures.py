"""Close an instrument, a lab or an institution for a time, and see which bookings that meets."""

from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import outages, queries
from booking.pages import views
from booking.pages.bookings import read_id, read_slot
from core.errors import Refusal
from core.forms import FormIn
from core.i18n import N_
from core.slot import Slot
from equipment import timetables
from equipment.models import Lab
from equipment.pages.shared import around, read_level
from equipment.scopes import Scope, find_scope
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.ZONE_ADMIN))]


@router.get("/{level}/{public_id}/closures")
def show_closures(level: str, public_id: UUID, caller: Manager) -> Response:
    return _page(caller, level, public_id)


@router.post("/{level}/{public_id}/closures")
def close(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    def act(session: Session) -> str:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        slot = read_slot(form, _zone(session, scope))
        outages.close(session, caller.actor, scope.level, public_id, slot=slot, reason=form["reason"], now=caller.now)
        return f"{scope.href}/closures"

    try:
        return caller.redirect_once(
            form, act, N_("Entered. Bookings that lie in this time stay; they are listed here.")
        )
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _page(caller, level, public_id, form=dict(form), refusal=refusal)


@router.post("/{level}/{public_id}/closures/removal")
def open_again(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    def act(session: Session) -> str:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        timetables.drop_closure(session, caller.actor, scope, read_id(form["closure"]), now=caller.now)
        return f"{scope.href}/closures"

    return caller.redirect_once(form, act, N_("Removed. The time can be booked again."))


def _page(
    caller: Caller, level: str, public_id: UUID, *, form: dict[str, str] | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        closures = timetables.find_closures(session, scope, now=caller.now)
        met = {
            closure.id: queries.find_live_bookings_of(session, scope.entries, Slot(closure.starts_at, closure.ends_at))
            for closure in closures
        }
    typed = form or {}
    return caller.render(
        "pages/booking/closures.html",
        status=422 if refusal else 200,
        closures=[
            {
                "closure": closure,
                "slot": Slot(closure.starts_at, closure.ends_at),
                "cards": [views.card_of(one, lang=caller.lang, now=caller.now) for one in met[closure.id]],
            }
            for closure in closures
        ],
        typed={name: typed.get(name, "") for name in ("starts_at", "ends_at", "reason")},
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
        **around(caller, scope, "closures"),
    )


def _zone(session: Session, scope: Scope) -> ZoneInfo:
    """Wall time of the lab; an institution's is China's."""
    return ZoneInfo(session.get_one(Lab, scope.lab_id).zone if scope.lab_id else "Asia/Shanghai")
