"""Pictures and documents of an entry, kept in the database: written, saved and lost together with it."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from equipment.errors import PhotoNotFound, TooManyPhotos
from equipment.history import record_for
from equipment.models import Document, Photo
from equipment.papers import check_document
from equipment.pictures import read_picture
from equipment.scopes import Scope
from members.actor import Actor

PHOTOS_MOST = 8


def add_photo(session: Session, actor: Actor, scope: Scope, data: bytes, *, caption: str, now: datetime) -> Photo:
    """Raises PhotoNotReadable, PhotoTooLarge, UploadTooLarge, TooManyPhotos."""
    picture = read_picture(data)
    count = session.scalar(select(func.count()).select_from(Photo).where(Photo.equipment_id == scope.id)) or 0
    if count >= PHOTOS_MOST:
        raise TooManyPhotos(field="file", most=PHOTOS_MOST)
    photo = Photo(
        name=secrets.token_urlsafe(24), equipment_id=scope.id, caption=caption[:200], width=picture.width,
        height=picture.height, large=picture.large, small=picture.small, at=now,
    )  # fmt: skip
    session.add(photo)
    session.flush()
    record_for(session, actor, scope, "files", {"photo": (None, _photo_text(photo))}, now=now)
    return photo


def drop_photo(session: Session, actor: Actor, scope: Scope, name: str, *, now: datetime) -> None:
    """Raises PhotoNotFound."""
    photo = session.scalars(select(Photo).where(Photo.name == name, Photo.equipment_id == scope.id)).one_or_none()
    if photo is None:
        raise PhotoNotFound
    record_for(session, actor, scope, "files", {"photo": (_photo_text(photo), None)}, now=now)
    session.delete(photo)
    session.flush()


def _photo_text(photo: Photo) -> str:
    return photo.caption or f"{photo.width} × {photo.height}"


def add_document(
    session: Session, actor: Actor, scope: Scope, data: bytes, file_name: str, *, title: str, now: datetime
) -> Document:
    """Raises DocumentKindNotAllowed, UploadTooLarge."""
    paper = check_document(data, file_name)
    document = Document(
        equipment_id=scope.id, title=(title.strip() or paper.file_name)[:200], file_name=paper.file_name,
        media_type=paper.media_type, size_bytes=len(data), content=data, at=now,
    )  # fmt: skip
    session.add(document)
    session.flush()
    record_for(session, actor, scope, "files", {"document": (None, document.title)}, now=now)
    return document


def drop_document(session: Session, actor: Actor, scope: Scope, document_id: UUID, *, now: datetime) -> None:
    """Raises PhotoNotFound."""
    document = session.scalars(
        select(Document).where(Document.public_id == document_id, Document.equipment_id == scope.id)
    ).one_or_none()
    if document is None:
        raise PhotoNotFound
    record_for(session, actor, scope, "files", {"document": (document.title, None)}, now=now)
    session.delete(document)
    session.flush()


def get_picture(session: Session, name: str, *, large: bool) -> bytes:
    """WebP by its name. Raises PhotoNotFound."""
    column = Photo.large if large else Photo.small
    content = session.scalars(select(column).where(Photo.name == name)).one_or_none()
    if content is None:
        raise PhotoNotFound
    return content


def get_document(session: Session, document_id: UUID) -> Document:
    """With its content. Raises PhotoNotFound."""
    statement = select(Document).options(undefer(Document.content)).where(Document.public_id == document_id)
    document = session.scalars(statement).one_or_none()
    if document is None:
        raise PhotoNotFound
    return document


def find_photos(session: Session, equipment_id: int) -> list[Photo]:
    return list(session.scalars(select(Photo).where(Photo.equipment_id == equipment_id).order_by(Photo.id)))


def find_documents(session: Session, equipment_id: int) -> list[Document]:
    return list(session.scalars(select(Document).where(Document.equipment_id == equipment_id).order_by(Document.id)))
