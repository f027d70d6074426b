"""Pages that exist in the demonstration only: sign in as somebody, move the clock, read the mail, see the parts."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from core import clock
from core.forms import FormIn
from core.i18n import N_, gettext
from core.middleware import SafeRoute
from core.shapes import In, Out
from members import queries, service
from members.access import Visit, Visitor, safe_next
from members.errors import PersonNotFound
from members.pages import set_session_cookie
from members.words import ROLE_WORDS
from web.demo import mailbox
from web.demo.people import CAST, PASSWORD

router = APIRouter(include_in_schema=False, route_class=SafeRoute)
router.include_router(mailbox.router)

MINUTES_MAX = int(clock.ADVANCE_MAX.total_seconds() // 60)


class AdvanceIn(In):
    advance_minutes: Annotated[int, Field(ge=0, le=MINUTES_MAX, strict=True)]


class NowOut(Out):
    now: str


@router.get("/demo/people")
def show_people(caller: Visitor) -> Response:
    parts = [
        {
            "email": part.email,
            "name": part.name,
            "role": gettext(caller.lang, ROLE_WORDS[part.role]),
            "shows": gettext(caller.lang, part.shows),
        }
        for part in CAST
    ]
    return caller.render("pages/demo/people.html", parts=parts, password=PASSWORD)


@router.post("/demo/people")
def sign_in_as(form: FormIn, caller: Visitor) -> Response:
    """Sign in as one of the cast with one click."""
    if form["email"] not in {part.email for part in CAST}:
        raise PersonNotFound(field="email")

    def act(session: Session) -> str:
        person = queries.find_person_by_email(session, form["email"])
        if person is None:
            raise PersonNotFound(field="email")
        return service.start_session(session, person, now=caller.now)

    token = caller.write(act)
    response = caller.see_other("/")
    set_session_cookie(caller, response, token)
    return response


@router.post("/demo/clock")
def advance_by_form(form: FormIn, caller: Visitor) -> Response:
    minutes = int(form["advance_minutes"]) if form["advance_minutes"].isdigit() else 0
    _advance(caller, min(minutes, MINUTES_MAX))
    referer = caller.request.headers.get("referer", "")
    origin = str(caller.request.base_url).rstrip("/")
    back = referer.removeprefix(origin) if referer.startswith(origin + "/") else "/"
    return caller.see_other(safe_next(back), N_("The demonstration's clock was moved forward."))


@router.post("/api/v1/demo/clock")
def advance_by_json(body: AdvanceIn, caller: Visitor) -> NowOut:
    """Move the clock of all processes forward; what is due happens within seconds."""
    _advance(caller, body.advance_minutes)
    return NowOut(now=caller.site.clock.now().isoformat())


@router.get("/styleguide")
def show_styleguide(caller: Visitor) -> Response:
    return caller.render("pages/styleguide.html")


def _advance(caller: Visit, minutes: int) -> None:
    caller.write(lambda session: clock.advance(session, timedelta(minutes=minutes)))
