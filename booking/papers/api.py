"""JSON under `/api/v1`: the service order, files and thread of a booking; questions about an instrument."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from booking import permissions, queries
from booking.models import Booking
from booking.papers import files, messages, orders, questions, sides
from booking.papers.files import FileRow
from booking.papers.messages import MessageRow
from booking.papers.orders import Issued
from booking.papers.questions import QuestionRow
from booking.papers.views import as_download
from core.middleware import SafeRoute
from core.shapes import In, Limit, LongText, Out
from equipment import queries as catalogue
from members.access import Caller, SignedIn, Visitor

router = APIRouter(prefix="/api/v1", tags=["papers"], route_class=SafeRoute)


class MessageIn(In):
    words: LongText = ""


class MessageOut(Out):
    id: UUID
    at: datetime
    #: startup or lab.
    side: str
    name: str
    #: "" once erased.
    words: str

    @classmethod
    def of(cls, row: MessageRow) -> Self:
        side = sides.Side.LAB if row.message.by_lab else sides.Side.STARTUP
        return cls(id=row.message.public_id, at=row.message.at, side=side, name=row.person_name, words=row.words)


class MessagePage(Out):
    """The newest messages, the oldest of them first. `unread`: of the other side, for the caller."""

    items: list[MessageOut]
    total: int
    unread: int


class ReadOut(Out):
    unread: int


class FileOut(Out):
    id: UUID
    file_name: str
    media_type: str
    size_bytes: int
    at: datetime
    side: str
    name: str

    @classmethod
    def of(cls, row: FileRow) -> Self:
        file = row.file
        side = sides.Side.LAB if file.by_lab else sides.Side.STARTUP
        return cls(
            id=file.public_id, file_name=file.file_name, media_type=file.media_type, size_bytes=file.size_bytes,
            at=file.at, side=side, name=row.person_name,
        )  # fmt: skip


class FilePage(Out):
    items: list[FileOut]


class OrderOut(Out):
    number: str
    issued_at: datetime
    starts_at: datetime
    ends_at: datetime
    price_fen: int
    voucher_fen: int

    @classmethod
    def of(cls, issued: Issued) -> Self:
        order = issued.order
        return cls(
            number=issued.number, issued_at=order.issued_at, starts_at=order.starts_at, ends_at=order.ends_at,
            price_fen=order.price_fen, voucher_fen=order.voucher_fen,
        )  # fmt: skip


class QuestionIn(In):
    words: LongText = ""


class AnswerIn(In):
    words: LongText = ""
    #: Whether question and answer are shown to everybody, without names.
    publish: bool = False


class QuestionOut(Out):
    id: UUID
    asked_at: datetime
    question: str
    answered_at: datetime | None
    answer: str | None
    is_public: bool

    @classmethod
    def of(cls, row: QuestionRow) -> Self:
        asked = row.question
        return cls(
            id=asked.public_id, asked_at=asked.asked_at, question=row.words, answered_at=asked.answered_at,
            answer=row.answer, is_public=row.is_public,
        )  # fmt: skip


class QuestionPage(Out):
    items: list[QuestionOut]


@router.get("/bookings/{booking_id}/messages")
def list_messages(booking_id: UUID, caller: SignedIn, limit: Limit = 50) -> MessagePage:
    with caller.read() as session:
        booking, lab_ids = _seen(session, caller, booking_id)
        rows = messages.find_messages(session, booking.id, limit=limit)
        side = sides.side_of(caller.actor, booking, lab_ids)
        person_id = caller.actor.person_id
        unread = messages.count_unread(session, [booking.id], side, person_id).get(booking.id, 0) if side else 0
        total = messages.count_messages(session, booking.id)
        return MessagePage(items=[MessageOut.of(row) for row in rows], total=total, unread=unread)


@router.post("/bookings/{booking_id}/messages", status_code=201, response_model=MessageOut)
def post_message(booking_id: UUID, body: MessageIn, caller: SignedIn) -> Response:
    return caller.answer_once(
        201,
        lambda session: MessageOut.of(
            messages.post_message(session, caller.actor, booking_id, body.words, now=caller.now)
        ),
    )


@router.post("/bookings/{booking_id}/messages/reading", response_model=ReadOut)
def read_messages(booking_id: UUID, caller: SignedIn) -> Response:
    """Say that the thread has been read to its end; pages say so by being opened."""

    def act(session: Session) -> ReadOut:
        booking, _lab_ids = _seen(session, caller, booking_id)
        sides.require_side(session, caller.actor, booking)
        if last := messages.find_messages(session, booking.id, limit=1):
            messages.mark_read(session, caller.actor.person_id, booking.id, last[0].message.id)
        return ReadOut(unread=0)

    return caller.answer_once(200, act)


@router.get("/bookings/{booking_id}/files")
def list_files(booking_id: UUID, caller: SignedIn) -> FilePage:
    with caller.read() as session:
        booking, _lab_ids = _seen(session, caller, booking_id)
        return FilePage(items=[FileOut.of(row) for row in files.find_files(session, booking.id)])


@router.post("/bookings/{booking_id}/files", status_code=201, response_model=FileOut)
async def add_file(
    request: Request, booking_id: UUID, caller: SignedIn, name: Annotated[str, Query(max_length=200)]
) -> Response:
    """Upload a file as the bare body (`application/octet-stream`)."""
    content = await request.body()

    def act(session: Session) -> FileOut:
        file = files.add_file(session, caller.actor, booking_id, content, name, now=caller.now)
        return FileOut.of(FileRow(file, caller.actor.name))

    return await run_in_threadpool(caller.answer_once, 201, act)


@router.get("/bookings/{booking_id}/files/{file_id}", response_class=Response)
def send_file(booking_id: UUID, file_id: UUID, caller: SignedIn) -> Response:
    with caller.read() as session:
        return as_download(files.get_file(session, caller.actor, booking_id, file_id))


@router.delete("/bookings/{booking_id}/files/{file_id}", response_model=FilePage)
def remove_file(booking_id: UUID, file_id: UUID, caller: SignedIn) -> Response:
    """Answers what is left."""

    def act(session: Session) -> FilePage:
        files.remove_file(session, caller.actor, booking_id, file_id, now=caller.now)
        booking = queries.get_booking(session, booking_id)
        return FilePage(items=[FileOut.of(row) for row in files.find_files(session, booking.id)])

    return caller.answer_once(200, act)


@router.get("/bookings/{booking_id}/order")
def get_order(booking_id: UUID, caller: SignedIn) -> OrderOut:
    with caller.read() as session:
        issued, _booking = orders.get_order(session, caller.actor, booking_id)
        return OrderOut.of(issued)


@router.post("/bookings/{booking_id}/order", response_model=OrderOut)
def issue_order(booking_id: UUID, caller: SignedIn) -> Response:
    """Give the booking's service order its number; asked again, the same one."""
    return caller.answer_once(
        200, lambda session: OrderOut.of(orders.issue_order(session, caller.actor, booking_id, now=caller.now))
    )


@router.get("/equipment/{equipment_id}/questions")
def list_questions(equipment_id: UUID, caller: Visitor, limit: Limit = 50) -> QuestionPage:
    """Published questions with their answers, the newest first, without names."""
    with caller.read() as session:
        entry = catalogue.get_equipment(session, equipment_id)
        return QuestionPage(
            items=[QuestionOut.of(row) for row in questions.find_public(session, entry.id, limit=limit)]
        )


@router.post("/equipment/{equipment_id}/questions", status_code=201, response_model=QuestionOut)
def ask_question(equipment_id: UUID, body: QuestionIn, caller: SignedIn) -> Response:
    def act(session: Session) -> QuestionOut:
        asked = questions.ask_question(session, caller.actor, equipment_id, body.words, now=caller.now)
        return QuestionOut.of(questions.get_row(session, asked.public_id)[0])

    return caller.answer_once(201, act)


@router.post("/questions/{question_id}/answer", response_model=QuestionOut)
def answer_question(question_id: UUID, body: AnswerIn, caller: SignedIn) -> Response:
    """By those who run the lab; to others the question does not exist."""

    def act(session: Session) -> QuestionOut:
        questions.answer_question(session, caller.actor, question_id, body.words, publish=body.publish, now=caller.now)
        return QuestionOut.of(questions.get_row(session, question_id)[0])

    return caller.answer_once(200, act)


def _seen(session: Session, caller: Caller, booking_id: UUID) -> tuple[Booking, frozenset[int]]:
    booking = queries.get_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
    permissions.require_seen(caller.actor, booking, lab_ids)
    return booking, lab_ids
