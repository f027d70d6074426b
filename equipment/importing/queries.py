"""Every SELECT about imports."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from equipment.errors import ImportNotFound, InstitutionNotFound
from equipment.models import ColumnMapping, Equipment, ImportFile, ImportRow, ImportRun, ImportState, Lab, RowKind
from members.models import Organisation

ROWS_MOST = 200


def get_institution(session: Session, code: str) -> Organisation:
    owner = session.scalars(select(Organisation).where(Organisation.code == code)).one_or_none()
    if owner is None:
        raise InstitutionNotFound(institution=code)
    return owner


def get_run(session: Session, public_id: UUID, organisation_ids: Collection[int] | None = None) -> ImportRun:
    """An import of one of some institutions; None: of any."""
    statement = select(ImportRun).options(joinedload(ImportRun.organisation)).where(ImportRun.public_id == public_id)
    if organisation_ids is not None:
        statement = statement.where(ImportRun.organisation_id.in_(organisation_ids))
    run = session.scalars(statement).one_or_none()
    if run is None:
        raise ImportNotFound
    return run


def find_runs(
    session: Session, organisation_ids: Collection[int] | None, *, before: int = 0, limit: int = 50
) -> list[ImportRun]:
    """The newest first; `before`: those older than the one of this id."""
    statement = select(ImportRun).options(joinedload(ImportRun.organisation)).order_by(ImportRun.id.desc())
    if organisation_ids is not None:
        statement = statement.where(ImportRun.organisation_id.in_(organisation_ids))
    if before:
        statement = statement.where(ImportRun.id < before)
    return list(session.scalars(statement.limit(limit)))


def find_waiting(session: Session, *, now: datetime, limit: int) -> list[int]:
    """Imports that nobody reads now, the oldest first."""
    free = or_(ImportRun.claimed_until.is_(None), ImportRun.claimed_until <= now)
    statement = select(ImportRun.id).where(ImportRun.state == ImportState.WAITING, free)
    return list(session.scalars(statement.order_by(ImportRun.id).limit(limit)))


def get_content(session: Session, run_id: int) -> bytes:
    """The bytes of a file; gone once its import has ended."""
    return session.scalars(select(ImportFile.content).where(ImportFile.run_id == run_id)).one()


def find_mapping(session: Session, organisation_id: int, headings_sha256: str) -> dict[str, str] | None:
    """What the institution said of the same headings before."""
    return session.scalars(
        select(ColumnMapping.mapping).where(
            ColumnMapping.organisation_id == organisation_id, ColumnMapping.headings_sha256 == headings_sha256
        )
    ).one_or_none()


def find_entries(session: Session, owner_id: int, numbers: Sequence[str] | None = None) -> dict[str, Equipment]:
    """Entries of an institution by asset number, retired ones too; without their relations."""
    statement = select(Equipment).where(Equipment.owner_id == owner_id)
    if numbers is not None:
        statement = statement.where(Equipment.asset_number.in_(numbers))
    return {entry.asset_number: entry for entry in session.scalars(statement)}


def find_numbers(session: Session, owner_id: int) -> frozenset[str]:
    """Asset numbers of an institution, those of retired entries too."""
    return frozenset(session.scalars(select(Equipment.asset_number).where(Equipment.owner_id == owner_id)))


def find_listed(
    session: Session, owner_id: int, lab_ids: Collection[int] | None = None
) -> list[tuple[int, str, str, int]]:
    """Id, number, name and version of the entries in the catalogue, of some labs or all."""
    statement = select(Equipment.id, Equipment.asset_number, Equipment.name_zh, Equipment.version).where(
        Equipment.owner_id == owner_id, Equipment.retired_at.is_(None)
    )
    if lab_ids is not None:
        statement = statement.where(Equipment.lab_id.in_(lab_ids))
    return [tuple(row) for row in session.execute(statement.order_by(Equipment.id))]  # type: ignore[misc]


def find_rows(
    session: Session, run_id: int, kind: RowKind | None = None, *, after: int = 0, limit: int | None = ROWS_MOST
) -> list[ImportRow]:
    statement = select(ImportRow).where(ImportRow.run_id == run_id, ImportRow.id > after).order_by(ImportRow.id)
    if kind is not None:
        statement = statement.where(ImportRow.kind == kind)
    return list(session.scalars(statement.limit(limit) if limit else statement))


def find_sheets_left_out(session: Session, run_id: int) -> list[str]:
    """Names of the sheets of a workbook that were not read: refused as a whole, before any row."""
    rows = select(ImportRow).where(ImportRow.run_id == run_id, ImportRow.kind == RowKind.REFUSED, ImportRow.number == 0)
    return [row.problems[0]["column"] for row in session.scalars(rows.order_by(ImportRow.id))]


def find_labs_of(session: Session, owner_id: int) -> dict[str, Lab]:
    return {lab.name_zh: lab for lab in session.scalars(select(Lab).where(Lab.organisation_id == owner_id))}
