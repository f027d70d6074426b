"""Who decides in a lab and in a startup: deputies, and when the startup's owner has the first word."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import deputies, queries
from booking.errors import DeputyPeriodInvalid, OwnerAmountInvalid
from booking.pages.bookings import read_id
from booking.pages.deciding import WAITING_MOST, asks_of, deputy_rows
from booking.queries import BookingFilter
from core.errors import Refusal
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_, gettext
from core.money import parse_yuan
from core.rendering import localised
from core.shapes import read_date
from core.slot import Slot, local_day
from equipment import queries as catalogue
from members import queries as members
from members import service
from members.access import Caller, SignedIn, allowed
from members.models import Organisation, OwnerApproval, Person, Role
from members.words import OWNER_APPROVAL_WORDS

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
Startup = Annotated[Caller, Depends(allowed(Role.STARTUP_OWNER, Role.STARTUP_MEMBER))]


@router.get("/lab/deputies")
def show_lab_deputies(caller: Staff) -> Response:
    return _lab_deputies(caller)


@router.post("/lab/deputies")
def name_lab_deputy(form: FormIn, caller: Staff) -> Response:
    def act(session: Session) -> str:
        deputies.name_for_lab(
            session, caller.actor, lab_id=read_id(form["lab"]), person=read_id(form["person"]),
            period=_period(caller, form), now=caller.now,
        )  # fmt: skip
        return "/lab/deputies"

    try:
        return caller.redirect_once(form, act, N_("Named. From then on mails go there too."))
    except Refusal as refusal:
        return _lab_deputies(caller, refusal, form)


@router.post("/deputies/removal")
def end_deputy(form: FormIn, caller: SignedIn) -> Response:
    back = form["back"] if form["back"] in ("/lab/deputies", "/company") else "/"

    def act(session: Session) -> str:
        deputies.end_deputy(session, caller.actor, read_id(form["deputy"]), now=caller.now)
        return back

    return caller.redirect_once(form, act, N_("Ended. What was decided stays."))


@router.get("/company")
def show_company(caller: Startup) -> Response:
    return _company(caller)


@router.post("/company/rule")
def save_rule(form: FormIn, caller: Startup) -> Response:
    """When an owner has the first word."""

    def act(session: Session) -> str:
        mode = OwnerApproval(form["mode"]) if form["mode"] in set(OwnerApproval) else OwnerApproval.NONE
        above_fen = _read_above(form["above"]) if mode is OwnerApproval.ABOVE else 0
        version = int(form["version"]) if form["version"].isdecimal() else 0
        service.set_owner_approval(session, caller.actor, mode, above_fen=above_fen, version=version, now=caller.now)
        return "/company"

    try:
        return caller.redirect_once(form, act, N_("Saved. It counts from the next request on."))
    except Refusal as refusal:
        return _company(caller, refusal, form)


@router.post("/company/deputies")
def name_startup_deputy(form: FormIn, caller: Startup) -> Response:
    def act(session: Session) -> str:
        deputies.name_for_startup(
            session, caller.actor, person=read_id(form["person"]), period=_period(caller, form), now=caller.now
        )
        return "/company"

    try:
        return caller.redirect_once(form, act, N_("Named. From then on mails go there too."))
    except Refusal as refusal:
        return _company(caller, refusal, form)


def _lab_deputies(caller: Caller, refusal: Refusal | None = None, form: Form | None = None) -> Response:
    actor = caller.actor
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
        labs = catalogue.find_labs(session, lab_ids)
        people: dict[UUID, Person] = {}
        for lab in labs:
            people |= {person.public_id: person for person in deputies.find_lab_candidates(session, actor, lab)}
        named = deputies.find_deputies(session, actor, now=caller.now)
    return caller.render(
        "pages/lab/deputies.html",
        status=status_of(refusal) if refusal else 200,
        labs=[(str(lab.public_id), localised(lab, caller.lang)) for lab in labs],
        people=_people_options(people.values()),
        rows=deputy_rows(caller, named, lab_ids),
        may_name=actor.has(Role.LAB_MANAGER),
        errors=_errors(caller, refusal),
        typed=form or Form([]),
        today=caller.now.astimezone(caller.site.renderer.zone).date().isoformat(),
    )


def _company(caller: Caller, refusal: Refusal | None = None, form: Form | None = None) -> Response:
    actor = caller.actor
    grant = actor.grant_for(Role.STARTUP_OWNER) or actor.grant_for(Role.STARTUP_MEMBER)
    assert grant is not None, "the route lets only people of startups in"
    with caller.read() as session:
        acting = deputies.find_acting(session, actor.person_id, now=caller.now)
        company = session.get_one(Organisation, grant.organisation_id)
        waits = queries.waits_for(actor, frozenset(), acting)
        found = queries.find_bookings(session, BookingFilter(), visible=waits, limit=WAITING_MOST)
        asks = asks_of(session, caller, found, frozenset(), acting)
        named = deputies.find_deputies(session, actor, now=caller.now)
        owners = members.find_people_with_role(session, company.id, [Role.STARTUP_OWNER])
        people = deputies.find_startup_candidates(session, actor, company.id)
    return caller.render(
        "pages/company/company.html",
        status=status_of(refusal) if refusal else 200,
        company=company,
        is_owner=actor.has(Role.STARTUP_OWNER),
        decides=actor.has(Role.STARTUP_OWNER) or bool(acting.startups),
        asks=asks,
        owners=", ".join(person.name for person in owners),
        modes=[
            {"value": mode.value, "text": gettext(caller.lang, words)} for mode, words in OWNER_APPROVAL_WORDS.items()
        ],
        mode_text=gettext(caller.lang, OWNER_APPROVAL_WORDS[company.owner_approval]),
        above=f"{company.owner_approval_above_fen / 100:g}" if company.owner_approval_above_fen else "",
        people=_people_options(people),
        rows=[row for row in deputy_rows(caller, named, frozenset()) if not row["lab"]],
        errors=_errors(caller, refusal),
        typed=form or Form([]),
        today=caller.now.astimezone(caller.site.renderer.zone).date().isoformat(),
    )


def _people_options(people: Any) -> list[tuple[str, str]]:
    return [(str(person.public_id), f"{person.name} · {person.email}") for person in people]


def _period(caller: Caller, form: Form) -> Slot:
    """Whole days of the site's zone, both ends included. Raises DeputyPeriodInvalid."""
    zone = caller.site.renderer.zone
    first = read_date(form["from_on"], caller.now.astimezone(zone).date())
    last = read_date(form["until_on"], first)
    if last < first:
        raise DeputyPeriodInvalid(field="until_on", days=deputies.LONGEST.days)
    return Slot(local_day(first, zone).starts_at, local_day(last, zone).ends_at)


def _read_above(text: str) -> int:
    """Raises OwnerAmountInvalid."""
    try:
        above_fen = parse_yuan(text)
    except ValueError as error:
        raise OwnerAmountInvalid(field="above") from error
    if above_fen < 0:
        raise OwnerAmountInvalid(field="above")
    return above_fen


def _errors(caller: Caller, refusal: Refusal | None) -> list[dict[str, str]]:
    return [{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else []
