"""Import a file: read it, compare it with the catalogue, write the difference in one unit of work, report."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.db import unit_of_work
from equipment.errors import FileTooLarge, InstitutionNotFound
from equipment.importing.lists import read_list
from equipment.importing.rows import CatalogueRow, ReadFile, RefusedRow
from equipment.importing.sj3 import looks_like_sj3, read_sj3
from equipment.models import Equipment, ImportRun, Lab
from equipment.search import write_grams
from members import audit
from members import service as members
from members.actor import Actor
from members.models import Organisation

MEGABYTES_MAX = 20
Progress = Callable[[int, int], None]
#: What a file decides about an entry; everything else is the lab's.
FIELDS = (
    "name_zh", "name_en", "maker", "model", "specification", "category", "class_code", "notes", "certainty",
    "assignment", "original_value_fen",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What an import did."""

    read: int
    new: int
    changed: int
    unchanged: int
    refused: Sequence[RefusedRow]


def import_file(
    engine: Engine, path: Path, *, institution_code: str, actor: Actor | None, now: datetime, progress: Progress
) -> Report:
    """Take in a file for one institution; the same file again changes nothing.

    Raises FileTooLarge, FileNotKnown, FileNotReadable, RecordCut, WrongSchool, InstitutionNotFound: then nothing is
    written. Rows that cannot be used are reported and left out.
    """
    if path.stat().st_size > MEGABYTES_MAX * 1_000_000:
        raise FileTooLarge(megabytes=MEGABYTES_MAX)
    data = path.read_bytes()
    with unit_of_work(engine) as session:
        owner = session.scalars(select(Organisation).where(Organisation.code == institution_code)).one_or_none()
        if owner is None:
            raise InstitutionNotFound(institution=institution_code)
        file = read_sj3(data, institution_code) if looks_like_sj3(data) else read_list(data, institution=owner.name_zh)
        report = apply_rows(session, owner, file, now=now, progress=progress)
        run = ImportRun(
            organisation_id=owner.id, person_id=actor.person_id if actor else None, file_name=path.name[:200],
            file_sha256=hashlib.sha256(data).hexdigest(), format=file.format, at=now, rows_read=report.read,
            rows_new=report.new, rows_changed=report.changed, rows_refused=len(report.refused),
        )  # fmt: skip
        session.add(run)
        session.flush()
        audit.record(
            session, actor=actor, action="catalogue_imported", object=f"import:{run.public_id}", now=now,
            organisation_id=owner.id,
            data={"new": report.new, "changed": report.changed, "refused": len(report.refused)},
        )  # fmt: skip
    return report


def apply_rows(
    session: Session, owner: Organisation, file: ReadFile, *, now: datetime, progress: Progress = lambda _d, _t: None
) -> Report:
    """Write what is new or changed; keyed by owner and asset number."""
    existing = {
        entry.asset_number: entry for entry in session.scalars(select(Equipment).where(Equipment.owner_id == owner.id))
    }
    labs = {lab.name_zh: lab for lab in session.scalars(select(Lab).where(Lab.organisation_id == owner.id))}
    new = changed = 0
    for done, row in enumerate(file.rows, 1):
        entry = existing.get(row.asset_number)
        if entry is None:
            existing[row.asset_number] = _add(session, owner, _lab(session, owner, labs, row.lab), row, file, now)
            new += 1
        elif _update(entry, row, now):
            changed += 1
        progress(done, len(file.rows))
    session.flush()
    return Report(file.read, new, changed, len(file.rows) - new - changed, file.refused)


def _add(
    session: Session, owner: Organisation, lab: Lab, row: CatalogueRow, file: ReadFile, now: datetime
) -> Equipment:
    entry = Equipment(
        owner_id=owner.id, operator_id=owner.id, supervisor_id=owner.id, payee_id=owner.id, lab_id=lab.id,
        asset_number=row.asset_number, source=file.format, updated_at=now, **_described(row),
    )  # fmt: skip
    index(entry)
    session.add(entry)
    return entry


def _update(entry: Equipment, row: CatalogueRow, now: datetime) -> bool:
    """Take over what differs; False when nothing does."""
    different = {name: value for name, value in _described(row).items() if getattr(entry, name) != value}
    for name, value in different.items():
        setattr(entry, name, value)
    if different:
        entry.updated_at = now
        index(entry)
    return bool(different)


def index(entry: Equipment) -> None:
    """Write what search and sorting go by."""
    names = f"{entry.name_zh} {entry.name_en} {entry.model}"
    entry.grams = write_grams(names=names, others=f"{entry.maker} {entry.specification} {entry.notes}")
    entry.sort_key = members.sort_key(entry.name_zh)


def _described(row: CatalogueRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}


def _lab(session: Session, owner: Organisation, labs: dict[str, Lab], name: str) -> Lab:
    if name not in labs:
        labs[name] = Lab(organisation_id=owner.id, name_zh=name)
        session.add(labs[name])
        session.flush()
    return labs[name]
