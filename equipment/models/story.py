"""What belongs to an entry beside its facts: pictures, documents, and who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant, Key, PublicId
from core.ids import new_public_id


class EquipmentChange(Base):
    """One change of an entry, its hours, prices, files or units. Append-only; holds no personal values."""

    __tablename__ = "equipment_changes"
    __table_args__ = (Index("ix_equipment_changes_entry", "equipment_id", "id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    #: None: an import by command, or the clock.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    #: described, rules, hours, prices, files, units, imported, retired, returned.
    kind: Mapped[str] = mapped_column(String(12))
    #: Field to [before, after]; of personal fields only their names.
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Photo(Base):
    """A picture of an entry, re-encoded by us in two sizes. Its address is `name`, which nobody can guess."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    caption: Mapped[str] = mapped_column(String(200), default="")
    width: Mapped[int]
    height: Mapped[int]
    #: WebP, at most 1600 and 320 pixels wide or high.
    large: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    small: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Document(Base):
    """A manual, a safety sheet, a form: sent as a download only."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    at: Mapped[datetime] = mapped_column(Instant)
