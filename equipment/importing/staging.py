"""Read an uploaded file and write down what it would change, in short units of work; the catalogue stays as it is."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from core.db import read_session, unit_of_work
from core.errors import Refusal
from equipment.errors import ColumnsNotKnown
from equipment.importing import queries
from equipment.importing.comparing import find_changes, index_columns, reindexed, to_json
from equipment.importing.headings import propose_mapping
from equipment.importing.reading import headings_key, read_file, read_headings
from equipment.importing.rows import CatalogueRow, Problem, ReadFile
from equipment.models import ImportRow, ImportRun, ImportState, RowKind
from members.models import Organisation

#: Rows per unit of work: some hundredths of a second each.
CHUNK = 500
#: Whoever stages says so for this long; should it die, another begins anew afterwards.
LEASE = timedelta(minutes=5)
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
        owner_id, code, owner_name = owner.id, owner.code, owner.name_zh
        content = queries.get_content(session, run_id)
    headings: list[str] | None = None
    mapping: dict[int, str] = {}
    try:
        headings = read_headings(content, name)
        mapping = {int(column): field for column, field in chosen.items()}
        if headings is not None:
            mapping = mapping or _remembered(engine, owner_id, headings) or propose_mapping(headings)
        file = read_file(content, name, code=code, institution=owner_name, mapping=mapping)
    except Refusal as refusal:
        _refuse(engine, run_id, refusal, headings, mapping)
        return True
    counts = _stage_rows(engine, run_id, owner_id, file, progress)
    with unit_of_work(engine) as session:
        counts[RowKind.GONE] = _stage_gone(session, run_id, owner_id, file) if is_full else 0
        run = session.get_one(ImportRun, run_id)
        run.state, run.claimed_until, run.format = ImportState.PREVIEW, None, file.format
        run.rows_read, run.rows_done, run.rows_total = file.read, file.read, file.read
        run.rows_new, run.rows_changed = counts[RowKind.NEW], counts[RowKind.CHANGED]
        run.rows_same, run.rows_gone = counts[RowKind.SAME], counts[RowKind.GONE]
        run.rows_refused = len(file.refused)
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


def _stage_rows(engine: Engine, run_id: int, owner_id: int, file: ReadFile, progress: Progress) -> dict[RowKind, int]:
    counts = dict.fromkeys(RowKind, 0)
    done = 0
    for start in range(0, len(file.rows), CHUNK):
        part = file.rows[start : start + CHUNK]
        with read_session(engine) as session:
            staged = list(_compare(session, run_id, owner_id, part))
        for row in staged:
            counts[row["kind"]] += 1
        done += len(part)
        with unit_of_work(engine) as session:
            session.execute(insert(ImportRow), staged)
            run = session.get_one(ImportRun, run_id)
            run.rows_done, run.rows_total = done, file.read
        progress(done, len(file.rows))
    for start in range(0, len(file.refused), CHUNK):
        problems = file.refused[start : start + CHUNK]
        with unit_of_work(engine) as session:
            session.execute(insert(ImportRow), [_refused(run_id, problem) for problem in problems])
    return counts


def _compare(session: Session, run_id: int, owner_id: int, rows: Sequence[CatalogueRow]) -> Iterator[dict[str, Any]]:
    """One staged row for each; the index of search is worked out here, so that applying need not."""
    existing = queries.find_entries(session, owner_id, [row.asset_number for row in rows])
    for row in rows:
        entry = existing.get(row.asset_number)
        if entry is None:
            new: dict[str, Any] = {**row.guessed, **row.values} | index_columns(row.values)
            new |= {"lab": row.lab, "lab_address": row.lab_address}
            old: dict[str, Any] = {}
            kind = RowKind.NEW
        else:
            new, old = find_changes(entry, row)
            kind = RowKind.CHANGED if new else RowKind.SAME
            new |= reindexed(entry, new)
        yield {
            "run_id": run_id, "number": row.number, "kind": kind, "asset_number": row.asset_number,
            "name_zh": row.values["name_zh"], "equipment_id": entry.id if entry else None,
            "version": entry.version if entry else None, "values": to_json(new), "before": to_json(old),
            "problems": [_as_json(problem) for problem in row.warnings],
        }  # fmt: skip


def _stage_gone(session: Session, run_id: int, owner_id: int, file: ReadFile) -> int:
    """Entries that a full file does not name, not even in a row that was refused."""
    named = {row.asset_number for row in file.rows} | {problem.asset_number for problem in file.refused}
    gone = [
        {
            "run_id": run_id, "number": 0, "kind": RowKind.GONE, "asset_number": entry.asset_number,
            "name_zh": entry.name_zh, "equipment_id": entry.id, "version": entry.version, "values": {}, "before": {},
            "problems": [],
        }
        for entry in queries.find_entries(session, owner_id).values()
        if entry.asset_number not in named and entry.retired_at is None
    ]  # fmt: skip
    if gone:
        session.execute(insert(ImportRow), gone)
    return len(gone)


def _refused(run_id: int, problem: Problem) -> dict[str, Any]:
    return {
        "run_id": run_id, "number": problem.row, "kind": RowKind.REFUSED, "asset_number": problem.asset_number[:60],
        "name_zh": "", "equipment_id": None, "version": None, "values": {}, "before": {},
        "problems": [_as_json(problem)],
    }  # fmt: skip


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "column": problem.column, "code": problem.code, "reason": problem.reason, "fields": dict(problem.fields),
    }  # fmt: skip
