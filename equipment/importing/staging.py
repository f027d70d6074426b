"""Read an uploaded file and write down what it would change, in short units of work; the catalogue stays as it is."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine, delete, insert

from core.db import read_session, unit_of_work
from core.errors import Refusal
from equipment.errors import ColumnsNotKnown
from equipment.importing import queries
from equipment.importing.headings import propose_mapping
from equipment.importing.previewing import Ground, compare, find_gone, find_ground, refused_row, with_whole_numbers
from equipment.importing.reading import find_table, headings_key, read_file
from equipment.importing.rows import ReadFile
from equipment.models import ImportRow, ImportRun, ImportState, RowKind
from members.models import Organisation

#: Rows per unit of work: some hundredths of a second each.
CHUNK = 500
#: Whoever stages says so for this long; should it die, another begins anew afterwards.
LEASE = timedelta(minutes=5)
Row = TypeVar("Row")
Progress = Callable[[int, int], None]


def stage_waiting(engine: Engine, *, now: datetime, limit: int) -> int:
    """Job: 1. find imports that wait; 2. read and compare each, in short units of work; 3. say how many."""
    with read_session(engine) as session:
        waiting = queries.find_waiting(session, now=now, limit=limit)
    return sum(stage(engine, run_id, now=now) for run_id in waiting)


def stage(engine: Engine, run_id: int, *, now: datetime, progress: Progress = lambda _done, _all: None) -> bool:
    """Compare one file with the catalogue; False when somebody else does it already.

    The run is PREVIEW afterwards; MAPPING when somebody must say what the columns mean; REFUSED, with the reason, when
    the file cannot be used at all.
    """
    with unit_of_work(engine) as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state is not ImportState.WAITING or (run.claimed_until and run.claimed_until > now):
            return False
        run.claimed_until = now + LEASE
        session.execute(delete(ImportRow).where(ImportRow.run_id == run_id))
        owner = session.get_one(Organisation, run.organisation_id)
        name, is_full, chosen = run.file_name, run.is_full, dict(run.mapping)
        owner_id, code, owner_name, person_id = owner.id, owner.code, owner.name_zh, run.person_id
        content = queries.get_content(session, run_id)
    headings: list[str] | None = None
    mapping: dict[int, str] = {}
    try:
        table = find_table(content, name)
        mapping = {int(column): field for column, field in chosen.items()}
        if table is not None:
            headings = table.headings
            mapping = mapping or _remembered(engine, owner_id, headings) or propose_mapping(headings)
        file = read_file(content, name, code=code, institution=owner_name, mapping=mapping, table=table)
    except Refusal as refusal:
        _refuse(engine, run_id, refusal, headings, mapping)
        return True
    del content, table
    with read_session(engine) as session:
        ground = find_ground(session, run_id, owner_id, person_id)
        file = with_whole_numbers(session, owner_id, file)
        gone = find_gone(session, ground, file) if is_full else []
    counts = _stage_rows(engine, ground, file, progress)
    _write(engine, gone)
    with unit_of_work(engine) as session:
        run = session.get_one(ImportRun, run_id)
        run.state, run.claimed_until, run.format = ImportState.PREVIEW, None, file.format
        run.rows_read, run.rows_done, run.rows_total = file.read, file.read, file.read
        run.rows_new, run.rows_changed = counts[RowKind.NEW], counts[RowKind.CHANGED]
        run.rows_same, run.rows_gone = counts[RowKind.SAME], len(gone)
        run.rows_refused = counts[RowKind.REFUSED] + len(file.refused)
        run.headings, run.mapping = headings or [], {str(column): field for column, field in mapping.items()}
    return True


def _remembered(engine: Engine, owner_id: int, headings: list[str]) -> dict[int, str]:
    """What the institution said of the same headings before; empty: nothing."""
    with read_session(engine) as session:
        found = queries.find_mapping(session, owner_id, headings_key(headings))
    return {int(column): field for column, field in (found or {}).items()}


def _refuse(engine: Engine, run_id: int, refusal: Refusal, headings: list[str] | None, mapping: dict[int, str]) -> None:
    with unit_of_work(engine) as session:
        run = session.get_one(ImportRun, run_id)
        run.state = ImportState.MAPPING if isinstance(refusal, ColumnsNotKnown) else ImportState.REFUSED
        run.claimed_until, run.headings = None, headings or []
        run.mapping = {str(column): field for column, field in mapping.items()}
        run.refusal = {"code": refusal.code, "message": refusal.message, "fields": refusal.fields}


def _stage_rows(engine: Engine, ground: Ground, file: ReadFile, progress: Progress) -> dict[RowKind, int]:
    """How many rows of each kind; those that could not be read are not among them."""
    counts = dict.fromkeys(RowKind, 0)
    done = 0
    for part in _parts(file.rows):
        with read_session(engine) as session:
            staged = list(compare(session, ground, part))
        for row in staged:
            counts[row["kind"]] += 1
        done += len(part)
        with unit_of_work(engine) as session:
            session.execute(insert(ImportRow), staged)
            run = session.get_one(ImportRun, ground.run_id)
            run.rows_done, run.rows_total = done, file.read
        progress(done, len(file.rows))
    _write(engine, [refused_row(ground.run_id, problem) for problem in file.refused])
    return counts


def _write(engine: Engine, rows: Sequence[dict[str, Any]]) -> None:
    for part in _parts(rows):
        with unit_of_work(engine) as session:
            session.execute(insert(ImportRow), list(part))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
