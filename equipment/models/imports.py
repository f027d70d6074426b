"""Imports: the file, what its columns mean, what it would change, what it did."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from members.models import Organisation


class ImportState(StrEnum):
    WAITING = "waiting"
    """Uploaded; to be read and compared."""
    MAPPING = "mapping"
    """The columns are not known; somebody must say what they mean."""
    PREVIEW = "preview"
    """Compared; nothing is changed yet."""
    APPLIED = "applied"
    REFUSED = "refused"
    """The whole file cannot be used."""
    DROPPED = "dropped"
    """Put aside without applying it."""


class RowKind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    GONE = "gone"
    """In the catalogue, not in a full file: will be retired."""
    REFUSED = "refused"


class ImportRun(Base):
    """One import of a file: its hash, who started it and when, what it found and what it did."""

    __tablename__ = "import_runs"
    __table_args__ = (Index("ix_import_runs_due", "state", "claimed_until"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    #: csv, sj1, sj3, table; empty until read.
    format: Mapped[str] = mapped_column(String(20), default="")
    at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[ImportState] = mapped_column(Code(ImportState, 10), default=ImportState.WAITING)
    #: The file is the institution's whole list: what is missing in it is retired.
    is_full: Mapped[bool] = mapped_column(default=False)
    #: Of a table: what stands above its columns, and column number (as text) to field.
    headings: Mapped[list[str]] = mapped_column(JSON, default=list)
    mapping: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    #: Why the file was refused: {"code", "message", "fields"}.
    refusal: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_new: Mapped[int] = mapped_column(default=0)
    rows_changed: Mapped[int] = mapped_column(default=0)
    rows_same: Mapped[int] = mapped_column(default=0)
    rows_gone: Mapped[int] = mapped_column(default=0)
    rows_refused: Mapped[int] = mapped_column(default=0)
    applied_at: Mapped[datetime | None] = mapped_column(Instant)
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    #: Whoever reads it now has it until then; afterwards another may begin anew.
    claimed_until: Mapped[datetime | None] = mapped_column(Instant)

    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")


class ImportFile(Base):
    """The bytes of an import, kept apart so that lists of imports stay light; gone once the import has ended."""

    __tablename__ = "import_files"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """What one row of a file would change. `values` and `before` hold only what differs, for new rows everything."""

    __tablename__ = "import_rows"
    __table_args__ = (Index("ix_import_rows_run", "run_id", "kind", "id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"))
    #: As counted in the file from 1, headings included; 0 for what is gone.
    number: Mapped[int]
    kind: Mapped[RowKind] = mapped_column(Code(RowKind, 8))
    asset_number: Mapped[str] = mapped_column(String(60), default="")
    name_zh: Mapped[str] = mapped_column(String(200), default="")
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    #: The entry's version when it was compared.
    version: Mapped[int | None]
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: For refused rows: {"column", "code", "reason", "fields"}; for others perhaps warnings of the same shape.
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class ColumnMapping(Base):
    """What an institution's columns mean, remembered by their headings."""

    __tablename__ = "column_mappings"
    __table_args__ = (UniqueConstraint("organisation_id", "headings_sha256"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    headings_sha256: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(Instant)
