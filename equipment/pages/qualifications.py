"""People and qualifications of a lab: who asks for a training, who has one, until when."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Refusal
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from core.rendering import localised
from equipment import qualifying, queries
from equipment.categories import CATEGORIES
from equipment.errors import QualificationDateInvalid
from equipment.models import Equipment
from equipment.pages.shared import Manager, around, errors_of
from equipment.qualification_words import qualification_row
from equipment.scopes import Level, Scope, find_scope
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)
PAGE = 50


@router.get("/lab/people")
def show_labs(caller: Manager) -> Response:
    """Who runs one lab goes straight to its people."""
    with caller.read() as session:
        labs = qualifying.find_lab_scopes(session, caller.actor)
        waiting = qualifying.count_asked(session, [lab.id for lab in labs])
    if len(labs) == 1:
        return caller.see_other(f"/labs/{labs[0].public_id}/people")
    return caller.render(
        "pages/equipment/people_of_labs.html",
        rows=[
            {
                "href": f"/labs/{lab.public_id}/people",
                "name": localised(lab, caller.lang),
                "asked": waiting.get(lab.id, 0),
            }
            for lab in labs
        ],
    )  # fmt: skip


@router.get("/labs/{lab_id}/people")
def show_people(
    lab_id: UUID, caller: Manager, q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:  # fmt: skip
    return _page(caller, lab_id, q=q.strip(), after=after)


@router.post("/labs/{lab_id}/people")
def grant(lab_id: UUID, form: FormIn, caller: Manager) -> Response:
    """To somebody by e-mail: for an instrument, a category or the whole lab."""

    def act(session: Session, scope: Scope) -> None:
        qualifying.grant(
            session, caller.actor, scope, email=form["email"], subject=form["subject"],
            expires_on=read_last_day(form["expires_on"]), now=caller.now,
        )  # fmt: skip

    return _save(caller, form, lab_id, act, N_("Granted."))


@router.post("/labs/{lab_id}/people/{qualification_id}/answer")
def answer(lab_id: UUID, qualification_id: UUID, form: FormIn, caller: Manager) -> Response:
    """Grant what was asked for, or renew it."""

    def act(session: Session, scope: Scope) -> None:
        qualifying.answer(
            session, caller.actor, scope, qualification_id, expires_on=read_last_day(form["expires_on"]), now=caller.now
        )

    return _save(caller, form, lab_id, act, N_("Granted."))


@router.post("/labs/{lab_id}/people/{qualification_id}/end")
def end(lab_id: UUID, qualification_id: UUID, form: FormIn, caller: Manager) -> Response:
    def act(session: Session, scope: Scope) -> None:
        qualifying.end(session, caller.actor, scope, qualification_id, now=caller.now)

    return _save(caller, form, lab_id, act, N_("Ended. What is booked stays."))


@router.post("/equipment/{equipment_id}/training")
def ask(equipment_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    """Somebody who may book asks the lab for a training."""

    def act(session: Session) -> str:
        qualifying.ask(session, caller.actor, equipment_id, words=form["words"], now=caller.now)
        return f"/equipment/{equipment_id}"

    return caller.redirect_once(form, act, N_("Asked. The lab sees it on its page of people."))


def read_last_day(text: str) -> date | None:
    """Raises QualificationDateInvalid."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QualificationDateInvalid(field="expires_on") from error


def _save(caller: Caller, form: Form, lab_id: UUID, act: Any, flash: str) -> Response:
    def once(session: Session) -> str:
        act(session, find_scope(session, caller.actor, Level.LAB, lab_id))
        return f"/labs/{lab_id}/people"

    try:
        return caller.redirect_once(form, once, flash)
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _page(caller, lab_id, form=form, refusal=refusal)


def _page(
    caller: Caller, lab_id: UUID, *, q: str = "", after: int | None = None, form: Form | None = None,
    refusal: Refusal | None = None,
) -> Response:  # fmt: skip
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        asked = qualifying.find_asked(session, scope.id)
        rows = qualifying.find_of_lab(session, scope.id, q=q, after=after, limit=PAGE + 1)
        entries = queries.find_equipment_of_labs(session, frozenset({scope.id}))
    older = rows[PAGE - 1].qualification.id if len(rows) > PAGE else None
    return caller.render(
        "pages/equipment/people.html",
        status=422 if refusal else 200,
        asked=[qualification_row(row, caller.lang, caller.now) for row in asked],
        rows=[qualification_row(row, caller.lang, caller.now) for row in rows[:PAGE]],
        subjects=_subjects(caller, entries),
        typed=form or Form([]),
        q=q,
        next_href=f"/labs/{lab_id}/people?q={q}&after={older}" if older else "",
        errors=errors_of(caller, refusal),
        **around(caller, scope, "people") | {"scope_text": ""},
    )


def _subjects(caller: Caller, entries: list[Equipment]) -> list[tuple[str, str]]:
    """All of the lab, a category of which it has instruments, or one instrument."""
    categories = [slug for slug in CATEGORIES if any(entry.category == slug for entry in entries)]
    return [
        ("", gettext(caller.lang, "All instruments of the lab")),
        *((f"category:{slug}", localised(CATEGORIES[slug], caller.lang)) for slug in categories),
        *((str(entry.public_id), f"{localised(entry, caller.lang)} · {entry.model}") for entry in entries),
    ]
