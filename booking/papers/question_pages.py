"""Questions on the instrument's page, all published ones on a page of their own, and the lab's list of open ones."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking.papers import questions
from booking.papers.questions import QuestionRow
from core.errors import NotFound, Refusal
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_
from core.rendering import localised
from equipment import queries as catalogue
from equipment.models import Equipment
from members.access import Caller, SignedIn, Visit, Visitor, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
#: On the instrument's page, on the page of all of them, and on the lab's list.
BESIDE, ALL, LISTED = 5, 200, 50


def read_questions(session: Session, caller: Visit, equipment_id: int) -> dict[str, Any]:
    """What the instrument's page shows: the published ones, and one's own that are not."""
    public = questions.find_public(session, equipment_id, limit=BESIDE + 1)
    own = questions.find_own(session, equipment_id, caller.actor.person_id, limit=BESIDE) if caller.actor else []
    return {
        "questions": public[:BESIDE],
        "more_questions": len(public) > BESIDE,
        "own_questions": [row for row in own if not row.is_public],
        "question_waits": any(row.question.answered_at is None for row in own),
        "can_ask": caller.actor is not None and not caller.actor.only_reads,
        "question_longest": questions.QUESTION_LONGEST,
    }


@router.get("/equipment/{equipment_id}/questions")
def show_questions(equipment_id: UUID, caller: Visitor) -> Response:
    return _questions_page(caller, equipment_id)


@router.post("/equipment/{equipment_id}/questions")
def ask_question(equipment_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        questions.ask_question(session, caller.actor, equipment_id, form["words"], now=caller.now)
        return f"/equipment/{equipment_id}#questions"

    try:
        return caller.redirect_once(form, act, N_("Asked. The lab has been told; you get its answer by mail."))
    except NotFound:
        raise
    except Refusal as refusal:
        return _questions_page(caller, equipment_id, form, refusal)


def _questions_page(
    caller: Visit, equipment_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        entry = catalogue.get_equipment(session, equipment_id)
        shown = read_questions(session, caller, entry.id)
        rows = questions.find_public(session, entry.id, limit=ALL)
    return caller.render(
        "pages/catalogue/questions.html",
        status=status_of(refusal) if refusal else 200,
        entry=entry,
        name=localised(entry, caller.lang),
        typed=form["words"] if form else "",
        errors=_errors(caller, refusal),
        **shown | {"questions": rows, "more_questions": False},
    )


@router.get("/lab/questions")
def show_open(caller: Staff) -> Response:
    return _lab_page(caller)


@router.post("/lab/questions/{question_id}/answer")
def answer_question(question_id: UUID, form: FormIn, caller: Staff) -> Response:
    def act(session: Session) -> str:
        questions.answer_question(
            session, caller.actor, question_id, form["words"], publish=bool(form["publish"]), now=caller.now
        )
        return "/lab/questions"

    try:
        return caller.redirect_once(form, act, N_("Answered. Who asked has been told."))
    except NotFound:
        raise
    except Refusal as refusal:
        return _lab_page(caller, question_id, form, refusal)


@router.post("/lab/questions/{question_id}/publication")
def publish_question(question_id: UUID, form: FormIn, caller: Staff) -> Response:
    public = form["public"] == "1"

    def act(session: Session) -> str:
        questions.publish_question(session, caller.actor, question_id, public=public, now=caller.now)
        return "/lab/questions"

    return caller.redirect_once(form, act, N_("Published.") if public else N_("No longer public."))


def _lab_page(
    caller: Caller, answering: UUID | None = None, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        waiting = questions.find_of_labs(session, lab_ids, is_open=True, limit=LISTED)
        answered = questions.find_of_labs(session, lab_ids, is_open=False, limit=LISTED)
    return caller.render(
        "pages/lab/questions.html",
        status=status_of(refusal) if refusal else 200,
        waiting=[_row(caller, row, entry) for row, entry in waiting],
        answered=[_row(caller, row, entry) for row, entry in answered],
        answering=answering,
        typed=form["words"] if form else "",
        publishes=bool(form["publish"]) if form else False,
        longest=questions.ANSWER_LONGEST,
        errors=_errors(caller, refusal),
    )


def _row(caller: Caller, row: QuestionRow, entry: Equipment) -> dict[str, Any]:
    return {
        "id": row.question.public_id,
        "row": row,
        "name": localised(entry, caller.lang),
        "model": f"{entry.maker} {entry.model}".strip(),
        "href": f"/equipment/{entry.public_id}#questions",
    }


def _errors(caller: Visit, refusal: Refusal | None) -> list[dict[str, str]]:
    return [{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else []
