"""Files of a booking: samples' data sheets from the startup, results from the lab."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from booking import permissions, queries
from booking.models import Booking
from booking.papers import sides
from booking.papers.errors import FileKindNotAllowed, FileNotFound, FilesTooLarge, TooManyFiles
from booking.papers.models import BookingFile
from core.errors import Forbidden
from equipment import papers
from equipment import queries as catalogue
from equipment.errors import DocumentKindNotAllowed
from members import audit
from members.actor import Actor
from members.models import Person

FILES_MOST = 20
MEGABYTES_TOGETHER = 50


class FileRow(NamedTuple):
    """A file in a list, with who brought it; without its content."""

    file: BookingFile
    person_name: str


def add_file(session: Session, actor: Actor, booking_id: UUID, data: bytes, name: str, *, now: datetime) -> BookingFile:
    """Locks the booking, so that the limits hold. Raises BookingNotFound, Forbidden for others than the two sides,
    UploadTooLarge, FileKindNotAllowed, TooManyFiles, FilesTooLarge."""
    booking = sides.lock_seen(session, actor, booking_id)
    side = sides.require_side(session, actor, booking)
    try:
        paper = papers.check_document(data, name, papers.RESULT_KINDS)
    except DocumentKindNotAllowed as refusal:
        raise FileKindNotAllowed(field="file") from refusal
    number, size = session.execute(
        select(func.count(), func.coalesce(func.sum(BookingFile.size_bytes), 0)).where(
            BookingFile.booking_id == booking.id
        )
    ).one()
    if number >= FILES_MOST:
        raise TooManyFiles(field="file", most=FILES_MOST)
    if size + len(data) > MEGABYTES_TOGETHER * 1_000_000:
        raise FilesTooLarge(field="file", megabytes=MEGABYTES_TOGETHER)
    file = BookingFile(
        booking_id=booking.id, person_id=actor.person_id, by_lab=side.is_lab, file_name=paper.file_name,
        media_type=paper.media_type, size_bytes=len(data), content=data, at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    _record(session, actor, booking, "booking_file_added", file, now)
    return file


def remove_file(session: Session, actor: Actor, booking_id: UUID, file_id: UUID, *, now: datetime) -> None:
    """Whoever brought it, or the lab; the content is gone for good. Raises BookingNotFound, FileNotFound, Forbidden."""
    booking = sides.lock_seen(session, actor, booking_id)
    file = _get(session, booking, file_id)
    if not may_remove(session, actor, booking, file):
        raise Forbidden
    session.delete(file)
    session.flush()
    _record(session, actor, booking, "booking_file_removed", file, now)


def may_remove(session: Session, actor: Actor, booking: Booking, file: BookingFile) -> bool:
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    return file.person_id == actor.person_id or permissions.runs(actor, lab_ids, booking.equipment.lab_id)


def get_file(session: Session, actor: Actor, booking_id: UUID, file_id: UUID) -> BookingFile:
    """With its content, for all who see the booking. Raises BookingNotFound, FileNotFound."""
    booking = queries.get_booking(session, booking_id)
    permissions.require_seen(actor, booking, catalogue.find_lab_ids_run_by(session, actor.person_id))
    return _get(session, booking, file_id, whole=True)


def find_files(session: Session, booking_id: int) -> list[FileRow]:
    """In the order in which they came."""
    statement = (
        select(BookingFile, Person.name)
        .join(Person, Person.id == BookingFile.person_id)
        .where(BookingFile.booking_id == booking_id)
        .order_by(BookingFile.id)
    )
    return [FileRow(*row) for row in session.execute(statement)]


def _get(session: Session, booking: Booking, file_id: UUID, *, whole: bool = False) -> BookingFile:
    statement = select(BookingFile).where(BookingFile.public_id == file_id, BookingFile.booking_id == booking.id)
    if whole:
        statement = statement.options(undefer(BookingFile.content))
    file = session.scalars(statement).one_or_none()
    if file is None:
        raise FileNotFound
    return file


def _record(session: Session, actor: Actor, booking: Booking, action: str, file: BookingFile, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, object=booking.reference, now=now,
        organisation_id=booking.organisation_id, data={"file": file.public_id, "size_bytes": file.size_bytes},
    )  # fmt: skip
