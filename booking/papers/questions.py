"""Questions to the lab about an instrument: anyone signed in asks, the lab answers and perhaps publishes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, joinedload

from booking import permissions
from booking.papers import notices
from booking.papers.errors import (
    AnswerEmpty,
    QuestionAnswered,
    QuestionEmpty,
    QuestionNotFound,
    QuestionsTooMany,
    QuestionTooLong,
    QuestionUnanswered,
    QuestionWaits,
)
from booking.papers.models import Question
from core.errors import InvalidInput
from equipment import queries as catalogue
from equipment.models import Equipment, Lab
from members import audit, notes
from members.actor import Actor
from members.models import Note, Person

QUESTION_LONGEST = 1000
ANSWER_LONGEST = 2000
#: Of one person, on all instruments together.
OPEN_MOST = 5


class QuestionRow(NamedTuple):
    """A question with its words; "" once erased. `asker` is for the lab and for who asked, never for the public."""

    question: Question
    asker: str
    words: str
    answer: str | None

    @property
    def is_public(self) -> bool:
        return self.question.published_at is not None and bool(self.words)


def ask_question(session: Session, actor: Actor, equipment_id: UUID, words: str, *, now: datetime) -> Question:
    """One that waits per person and instrument (the database sees to it), OPEN_MOST in all. The lab is told by mail.

    Raises EquipmentNotFound, QuestionEmpty, QuestionTooLong, QuestionWaits, QuestionsTooMany.
    """
    entry = catalogue.get_equipment(session, equipment_id)
    words = _read(words, QuestionEmpty(field="words"), QUESTION_LONGEST)
    waiting = list(
        session.scalars(
            select(Question.equipment_id).where(Question.person_id == actor.person_id, Question.answered_at.is_(None))
        )
    )
    if entry.id in waiting:
        raise QuestionWaits(field="words")
    if len(waiting) >= OPEN_MOST:
        raise QuestionsTooMany(field="words", most=OPEN_MOST)
    note = notes.write(session, words, person_id=actor.person_id, now=now, field="words")
    question = Question(equipment_id=entry.id, person_id=actor.person_id, asked_at=now, note_id=note.id)
    session.add(question)
    try:
        session.flush()
    except IntegrityError as error:
        raise QuestionWaits(field="words") from error
    _record(session, actor, question, "question_asked", note, now)
    notices.question_asked(session, question, entry, now=now)
    return question


def answer_question(
    session: Session, actor: Actor, question_id: UUID, words: str, *, publish: bool, now: datetime
) -> Question:
    """Whoever runs the lab; published with the answer, or for the asker alone.

    Raises QuestionNotFound, QuestionAnswered, AnswerEmpty, QuestionTooLong.
    """
    question = _lock_for_lab(session, actor, question_id)
    if question.answered_at is not None:
        raise QuestionAnswered
    words = _read(words, AnswerEmpty(field="words"), ANSWER_LONGEST)
    note = notes.write(session, words, person_id=actor.person_id, now=now, field="words")
    question.answered_at, question.answered_by_id, question.answer_note_id = now, actor.person_id, note.id
    question.published_at = now if publish else None
    session.flush()
    _record(session, actor, question, "question_answered", note, now)
    notices.question_answered(session, question, now=now)
    return question


def publish_question(session: Session, actor: Actor, question_id: UUID, *, public: bool, now: datetime) -> Question:
    """Show question and answer to everybody, or no longer. Raises QuestionNotFound, QuestionUnanswered."""
    question = _lock_for_lab(session, actor, question_id)
    if question.answered_at is None:
        raise QuestionUnanswered
    if public != (question.published_at is not None):
        question.published_at = now if public else None
        session.flush()
        _record(session, actor, question, "question_published" if public else "question_hidden", None, now)
    return question


def find_public(session: Session, equipment_id: int, *, limit: int) -> list[QuestionRow]:
    """Published questions of an instrument, the newest first, without names."""
    statement = _rows().where(
        Question.equipment_id == equipment_id, Question.published_at.is_not(None), Note.body != ""
    )
    rows = session.execute(statement.order_by(Question.published_at.desc()).limit(limit))
    return [QuestionRow(question, "", words, answer) for question, _asker, words, answer in rows]


def find_own(session: Session, equipment_id: int, person_id: int, *, limit: int) -> list[QuestionRow]:
    """What somebody asked about an instrument, the newest first."""
    statement = _rows().where(Question.equipment_id == equipment_id, Question.person_id == person_id)
    return [QuestionRow(*row) for row in session.execute(statement.order_by(Question.id.desc()).limit(limit))]


def find_of_labs(
    session: Session, lab_ids: frozenset[int], *, is_open: bool, limit: int
) -> list[tuple[QuestionRow, Equipment]]:
    """For those who run labs: what waits, the oldest first; or what was answered, the newest first."""
    statement = (
        _rows()
        .add_columns(Equipment)
        .join(Equipment, Equipment.id == Question.equipment_id)
        .options(joinedload(Equipment.lab).joinedload(Lab.organisation))
        .where(Equipment.lab_id.in_(lab_ids))
    )
    if is_open:
        statement = statement.where(Question.answered_at.is_(None)).order_by(Question.id)
    else:
        statement = statement.where(Question.answered_at.is_not(None)).order_by(Question.answered_at.desc())
    return [(QuestionRow(*row[:4]), row[4]) for row in session.execute(statement.limit(limit))]


def count_open(session: Session, lab_ids: frozenset[int]) -> int:
    statement = (
        select(func.count())
        .select_from(Question)
        .join(Equipment, Equipment.id == Question.equipment_id)
        .where(Equipment.lab_id.in_(lab_ids), Question.answered_at.is_(None))
    )
    return session.scalar(statement) or 0


def get_row(session: Session, public_id: UUID) -> tuple[QuestionRow, Equipment]:
    """Raises QuestionNotFound."""
    statement = (
        _rows()
        .add_columns(Equipment)
        .join(Equipment, Equipment.id == Question.equipment_id)
        .options(joinedload(Equipment.lab).joinedload(Lab.organisation))
        .where(Question.public_id == public_id)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise QuestionNotFound
    return QuestionRow(*row[:4]), row[4]


def _rows() -> Select[Question, str, str, str | None]:
    answer = aliased(Note)
    return (
        select(Question, Person.name, Note.body, answer.body)
        .join(Person, Person.id == Question.person_id)
        .join(Note, Note.id == Question.note_id)
        .outerjoin(answer, answer.id == Question.answer_note_id)
    )


def _lock_for_lab(session: Session, actor: Actor, question_id: UUID) -> Question:
    """The question's row, locked, for those who run its lab. Raises QuestionNotFound."""
    question = session.scalars(
        select(Question).where(Question.public_id == question_id).with_for_update(key_share=True)
    ).one_or_none()
    if question is None:
        raise QuestionNotFound
    lab_id = session.get_one(Equipment, question.equipment_id).lab_id
    if not permissions.runs(actor, catalogue.find_lab_ids_run_by(session, actor.person_id), lab_id):
        raise QuestionNotFound
    return question


def _read(words: str, empty: InvalidInput, longest: int) -> str:
    words = words.replace("\r\n", "\n").strip()
    if not words:
        raise empty
    if len(words) > longest:
        raise QuestionTooLong(field="words", longest=longest)
    return words


def _record(session: Session, actor: Actor, question: Question, action: str, note: Note | None, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, object=f"question:{question.public_id}", now=now, note=note
    )  # fmt: skip
