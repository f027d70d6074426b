"""Rules that a lab set aside: on its page, and as choices in the forms that may do so."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from booking import overrides, queries
from booking.overrides import Override
from booking.pages import views
from core.errors import Refusal
from core.forms import Form
from core.i18n import gettext
from core.rendering import localised
from equipment.pages.shared import Manager, around
from equipment.scopes import Level, find_scope
from members.access import Caller

router = APIRouter(include_in_schema=False)
PAGE = 50


@router.get("/labs/{lab_id}/exceptions")
def show_exceptions(lab_id: UUID, caller: Manager, before: int | None = Query(None, ge=1, le=2**62)) -> Response:
    """Who set which rules aside for which booking, and why; the newest first."""
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        rows = queries.find_overridden(session, scope.id, before=before, limit=PAGE + 1)
    older = rows[PAGE - 1].event.id if len(rows) > PAGE else None
    return caller.render(
        "pages/booking/exceptions.html",
        rows=[
            {
                "at": row.event.at,
                "who": row.actor_name or "",
                "rules": views.rule_names(row.event.data["override"], caller.lang),
                "href": f"/bookings/{row.booking_public_id}",
                "slot": row.slot,
                "entry": localised(row, caller.lang),
                "company": localised(row, caller.lang, "company"),
                "words": row.words or "",
            }
            for row in rows[:PAGE]
        ],
        next_href=f"/labs/{lab_id}/exceptions?before={older}" if older else "",
        **around(caller, scope, "exceptions") | {"scope_text": ""},
    )


def read_override(form: Form) -> Override:
    """What a form asks to set aside: `override` once for each rule, and `override_reason`."""
    return Override.of(form.getlist("override"), form["override_reason"])


def choices_of(refusal: Refusal | None, web: Caller) -> list[dict[str, str]]:
    """The reasons of a refusal that may be set aside, for the `choices` macro."""
    codes = refusal.details.get("overridable", []) if refusal else []
    reasons = [reason for reason in refusal.reasons if reason.code in codes] if refusal else []
    return choices_from(reasons, web)


def choices_from(reasons: Iterable[Refusal], web: Caller) -> list[dict[str, Any]]:
    """Those of some broken rules that a manager may set aside, for the `choices` macro."""
    allowed = overrides.allow(overrides.NONE, web.actor, manages=True).allowed
    found: dict[str, dict[str, Any]] = {}
    for reason in reasons:
        if reason.code not in allowed:
            continue
        text = gettext(web.lang, overrides.WORDS[reason.code])
        found.setdefault(reason.code, {"value": reason.code, "text": text, "note": web.explain(reason)})
    return list(found.values())
