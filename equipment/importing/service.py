"""The verbs of an import: upload, say what the columns mean, apply, or put aside."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from core.db import unit_of_work
from core.errors import Refusal
from equipment.errors import ColumnsNotKnown, FileEmpty, FileTooLarge, HeadingUnknown, ImportNotReady
from equipment.importing import queries
from equipment.importing.applying import apply_rows
from equipment.importing.headings import FIELDS, fold_heading, is_enough
from equipment.importing.reading import headings_key
from equipment.importing.staging import Progress, stage
from equipment.models import ColumnMapping, ImportFile, ImportRun, ImportState
from members import audit
from members.actor import Actor

MEGABYTES_MAX = 20


def start_import(
    session: Session,
    actor: Actor | None,
    organisation_id: int,
    *,
    name: str,
    content: bytes,
    is_full: bool,
    now: datetime,
) -> ImportRun:
    """Keep a file to be read and compared; the clock does it. Raises FileTooLarge, FileEmpty."""
    if len(content) > MEGABYTES_MAX * 1_000_000:
        raise FileTooLarge(field="file", megabytes=MEGABYTES_MAX)
    if not content.strip():
        raise FileEmpty(field="file")
    run = ImportRun(
        organisation_id=organisation_id, person_id=actor.person_id if actor else None, file_name=name[:200],
        file_sha256=hashlib.sha256(content).hexdigest(), at=now, is_full=is_full, state=ImportState.WAITING,
    )  # fmt: skip
    session.add(run)
    session.flush()
    session.add(ImportFile(run_id=run.id, content=content))
    audit.record(
        session, actor=actor, action="import_started", object=f"import:{run.public_id}", now=now,
        organisation_id=organisation_id, data={"sha256": run.file_sha256, "full": is_full},
    )  # fmt: skip
    session.flush()
    return run


def map_columns(
    session: Session, actor: Actor | None, run: ImportRun, mapping: Mapping[str, str], *, now: datetime
) -> ImportRun:
    """Say which column (number from 0, as text) holds which field; kept for the next file with the same headings.

    Raises ImportNotReady, ColumnsNotKnown when asset number or name is missing.
    """
    if run.state not in (ImportState.MAPPING, ImportState.PREVIEW):
        raise ImportNotReady(state=run.state)
    chosen = {column: field for column, field in mapping.items() if column.isdigit() and field in FIELDS}
    if not is_enough({int(column): field for column, field in chosen.items()}):
        raise ColumnsNotKnown(field="mapping")
    if run.headings:
        key = headings_key(run.headings)
        session.execute(
            delete(ColumnMapping).where(
                ColumnMapping.organisation_id == run.organisation_id, ColumnMapping.headings_sha256 == key
            )
        )
        session.add(ColumnMapping(organisation_id=run.organisation_id, headings_sha256=key, mapping=chosen, at=now))
    run.mapping, run.state = chosen, ImportState.WAITING
    audit.record(
        session, actor=actor, action="import_mapped", object=f"import:{run.public_id}", now=now,
        organisation_id=run.organisation_id, data={"columns": len(chosen)},
    )  # fmt: skip
    return run


def apply_import(session: Session, actor: Actor | None, run: ImportRun, *, now: datetime) -> ImportRun:
    """Change the catalogue as the preview shows. Raises ImportNotReady, ImportStale."""
    apply_rows(session, run, actor=actor, now=now)
    return run


def compare_again(session: Session, actor: Actor, run: ImportRun, *, is_full: bool, now: datetime) -> ImportRun:
    """Read the file once more against the catalogue as it is now. Raises ImportNotReady."""
    if run.state not in (ImportState.PREVIEW, ImportState.WAITING):
        raise ImportNotReady(state=run.state)
    run.state, run.is_full, run.claimed_until = ImportState.WAITING, is_full, None
    audit.record(
        session, actor=actor, action="import_started", object=f"import:{run.public_id}", now=now,
        organisation_id=run.organisation_id, data={"sha256": run.file_sha256, "full": is_full},
    )  # fmt: skip
    return run


def drop_import(session: Session, actor: Actor, run: ImportRun, *, now: datetime) -> ImportRun:
    """Put an import aside; nothing of it is taken in. Raises ImportNotReady once it is applied."""
    if run.state is ImportState.APPLIED:
        raise ImportNotReady(state=run.state)
    run.state = ImportState.DROPPED
    session.execute(delete(ImportFile).where(ImportFile.run_id == run.id))
    audit.record(
        session, actor=actor, action="import_dropped", object=f"import:{run.public_id}", now=now,
        organisation_id=run.organisation_id,
    )  # fmt: skip
    return run


def import_file(
    engine: Engine,
    path: Path,
    *,
    institution_code: str,
    is_full: bool = False,
    apply: bool = True,
    names: Mapping[str, str] | None = None,
    now: datetime,
    progress: Progress = lambda _done, _all: None,
) -> UUID:
    """Upload, compare and, unless told otherwise, apply, as the command does it; answers the import's id. `names`:
    headings to fields.

    Raises the refusals of the file; then nothing is changed.
    """
    if path.stat().st_size > MEGABYTES_MAX * 1_000_000:
        raise FileTooLarge(megabytes=MEGABYTES_MAX)
    content = path.read_bytes()
    with unit_of_work(engine) as session:
        owner = queries.get_institution(session, institution_code)
        run = start_import(session, None, owner.id, name=path.name, content=content, is_full=is_full, now=now)
        run_id, public_id = run.id, run.public_id
    stage(engine, run_id, now=now, progress=progress)
    if names:
        _name_columns(engine, public_id, names, now=now, progress=progress)
    with unit_of_work(engine) as session:
        run = queries.get_run(session, public_id)
        if run.state in (ImportState.REFUSED, ImportState.MAPPING):
            raise _refusal_of(run)
        if apply:
            apply_import(session, None, run, now=now)
    return public_id


def _name_columns(
    engine: Engine, public_id: UUID, names: Mapping[str, str], *, now: datetime, progress: Progress
) -> None:
    """Say what headings mean and compare again. Raises HeadingUnknown, and the refusals of `map_columns`."""
    with unit_of_work(engine) as session:
        run = queries.get_run(session, public_id)
        if run.state is ImportState.REFUSED:
            return
        places = {fold_heading(heading): place for place, heading in reversed(list(enumerate(run.headings)))}
        for heading, field in names.items():
            if fold_heading(heading) not in places or field not in FIELDS:
                raise HeadingUnknown(heading=heading, field_name=field)
        said = {str(places[fold_heading(heading)]): field for heading, field in names.items()}
        kept = {place: field for place, field in run.mapping.items() if field not in said.values()}
        map_columns(session, None, run, kept | said, now=now)
        run_id = run.id
    stage(engine, run_id, now=now, progress=progress)


def apply_previewed(engine: Engine, public_id: UUID, *, now: datetime) -> None:
    """Apply what the command compared before. Raises ImportNotFound, ImportNotReady, ImportStale."""
    with unit_of_work(engine) as session:
        apply_import(session, None, queries.get_run(session, public_id), now=now)


def _refusal_of(run: ImportRun) -> Refusal:
    """The refusal that staging wrote down, to be told to who waits for it."""
    kinds = {kind.__name__: kind for kind in _all_kinds(Refusal)}
    found = next((kind for kind in kinds.values() if kind.code == run.refusal["code"]), Refusal)
    return found(**run.refusal["fields"])


def _all_kinds(kind: type[Refusal]) -> list[type[Refusal]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _all_kinds(sub))]
