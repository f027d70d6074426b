"""One organisation for the zone's office: its people, its standing, and what happened to it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Forbidden, Refusal
from core.formats import format_instant
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from core.slot import local_day
from members import queries, standing
from members.access import Caller, allowed
from members.errors import SuspensionCodeInvalid, SuspensionEndInvalid
from members.models import OrganisationKind, Role, SuspensionCode
from members.suspensions import is_held, until_text
from members.words import ACTION_WORDS, KIND_WORDS, ROLE_WORDS, SUSPENSION_WORDS

router = APIRouter(include_in_schema=False)
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]


@router.get("/zone/organisations/{organisation_id}")
def show_organisation(organisation_id: UUID, caller: Zone) -> Response:
    return _page(caller, organisation_id)


@router.post("/zone/organisations/{organisation_id}/suspension")
def suspend(organisation_id: UUID, form: FormIn, caller: Zone) -> Response:
    def act(session: Session) -> str:
        _require_admin(caller)
        standing.suspend(
            session, caller.actor, organisation_id, code=read_code(form["code"]), words=form["words"],
            until=read_until(form["until"], caller.site.renderer.zone), now=caller.now,
        )  # fmt: skip
        return f"/zone/organisations/{organisation_id}"

    try:
        return caller.redirect_once(form, act, N_("Suspended. Bookings that are approved stay."))
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _page(caller, organisation_id, form=form, refusal=refusal)


@router.post("/zone/organisations/{organisation_id}/reinstatement")
def reinstate(organisation_id: UUID, form: FormIn, caller: Zone) -> Response:
    def act(session: Session) -> str:
        _require_admin(caller)
        standing.reinstate(session, caller.actor, organisation_id, now=caller.now)
        return f"/zone/organisations/{organisation_id}"

    return caller.redirect_once(form, act, N_("Lifted. It may book again."))


def read_code(text: str) -> SuspensionCode:
    """Raises SuspensionCodeInvalid."""
    if text not in set(SuspensionCode):
        raise SuspensionCodeInvalid(field="code")
    return SuspensionCode(text)


def read_until(text: str, zone: ZoneInfo) -> datetime | None:
    """The end of the last day. Raises SuspensionEndInvalid."""
    if not text:
        return None
    try:
        return local_day(date.fromisoformat(text), zone).ends_at
    except (ValueError, OverflowError) as error:
        raise SuspensionEndInvalid(field="until") from error


def _require_admin(caller: Caller) -> None:
    if not caller.actor.has(Role.ZONE_ADMIN):
        raise Forbidden


def _page(
    caller: Caller, organisation_id: UUID, *, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        organisation = queries.get_organisation(session, organisation_id)
        people = queries.find_members(session, organisation.id)
        trail = queries.find_trail(session, object=f"organisation:{organisation_id}", limit=50)
        words = queries.find_note(session, organisation.suspension_note_id)
    suspension = organisation.suspension
    held = suspension if is_held(suspension, caller.now) else None
    is_booker = organisation.is_member and organisation.kind is not OrganisationKind.AUTHORITY
    return caller.render(
        "pages/members/organisation.html",
        status=422 if refusal else 200,
        organisation=organisation,
        kind=gettext(caller.lang, KIND_WORDS[organisation.kind]),
        people=[(person.name, gettext(caller.lang, ROLE_WORDS[role]), person.email) for person, role in people],
        is_booker=is_booker,
        may_change=is_booker and caller.actor.has(Role.ZONE_ADMIN),
        suspension=held and _words_of(caller, held, words),
        codes=[(code.value, gettext(caller.lang, text)) for code, text in SUSPENSION_WORDS.items()],
        story=[_story_row(caller, row) for row in reversed(trail)],
        typed=form or Form([]),
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
    )


def _words_of(caller: Caller, held: Any, words: str) -> dict[str, str]:
    return {
        "reason": gettext(caller.lang, SUSPENSION_WORDS[held.code]),
        "until": until_text(held, caller.lang, caller.site.renderer.zone),
        "words": words,
    }


def _story_row(caller: Caller, row: queries.Trail) -> dict[str, str]:
    code = row.entry.data.get("code")
    said = gettext(caller.lang, SUSPENSION_WORDS[SuspensionCode(code)]) if code else ""
    return {
        "when": format_instant(row.entry.at, caller.lang, caller.site.renderer.zone, year=True),
        "who": row.actor_name or gettext(caller.lang, "automatically"),
        "text": gettext(caller.lang, ACTION_WORDS.get(row.entry.action, row.entry.action)),
        "kind": "stop" if row.entry.action == "organisation_suspended" else "ok",
        "note": " · ".join(part for part in (said, row.words or "") if part),
    }
