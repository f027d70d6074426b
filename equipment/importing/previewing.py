"""Rows of a preview: what each row of a file would do to the catalogue, and what a whole list leaves out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from core.i18n import N_
from equipment.importing import queries
from equipment.importing.comparing import find_changes, index_columns, reindexed, to_json
from equipment.importing.fixed import as_written
from equipment.importing.reach import Reach, find_reach
from equipment.importing.rows import CatalogueRow, Problem, ReadFile
from equipment.models import AssetState, Equipment, RowKind

#: In these states nothing can be booked.
OUT_OF_USE = frozenset(
    {AssetState.AWAITING_DISPOSAL, AssetState.LOST, AssetState.SCRAPPED, AssetState.TRANSFERRED}
)  # fmt: skip
LEAVES_BOOKING = N_("It is taken out of booking. Its coming bookings stay: move or cancel them.")
OTHER_LAB = N_("This instrument belongs to a lab that you do not run.")
LAB_NOT_YOURS = N_("You do not run a lab of this name. The zone office can import for the whole institution.")
LAB_MISSING = N_("Say in a column which lab it belongs to: you run %(labs)s labs.")


@dataclass(frozen=True)
class Ground:
    """Whose import it is, and which labs it may touch. `labs`: names of these."""

    run_id: int
    owner_id: int
    reach: Reach
    labs: frozenset[str] = frozenset()


def find_ground(session: Session, run_id: int, owner_id: int, person_id: int | None) -> Ground:
    reach = find_reach(session, [person_id])
    if reach is None:
        return Ground(run_id, owner_id, None)
    labs = queries.find_labs_of(session, owner_id)
    return Ground(run_id, owner_id, reach, frozenset(name for name, lab in labs.items() if lab.id in reach))


def with_whole_numbers(session: Session, owner_id: int, file: ReadFile) -> ReadFile:
    """A format that holds a number's first bytes only means the one entry whose number is cut to them."""
    width = next((row.widths["asset_number"] for row in file.rows if "asset_number" in row.widths), 0)
    if not width:
        return file
    numbers = queries.find_numbers(session, owner_id)
    whole: dict[str, list[str]] = {}
    for number in numbers:
        whole.setdefault(as_written(number, width), []).append(number)

    def of(number: str) -> str:
        found = whole.get(number, [])
        return found[0] if len(found) == 1 and number not in numbers else number

    rows = [replace(row, asset_number=of(row.asset_number)) for row in file.rows]
    refused = [replace(problem, asset_number=of(problem.asset_number)) for problem in file.refused]
    return replace(file, rows=rows, refused=refused)


def compare(session: Session, ground: Ground, rows: Sequence[CatalogueRow]) -> Iterator[dict[str, Any]]:
    """One staged row for each; the index of search is worked out here, so that applying need not."""
    existing = queries.find_entries(session, ground.owner_id, [row.asset_number for row in rows])
    for row in rows:
        entry = existing.get(row.asset_number)
        lab = _find_lab(ground, row, entry)
        if isinstance(lab, Problem):
            yield refused_row(ground.run_id, lab)
        elif entry is None:
            yield _staged(ground, row, RowKind.NEW, _new_values(row, lab), {}, row.warnings)
        else:
            new, old = find_changes(entry, row)
            warnings = row.warnings + _leave_booking(entry, row, new, old)
            kind = RowKind.CHANGED if new else RowKind.SAME
            yield _staged(ground, row, kind, new | reindexed(entry, new), old, warnings, entry)


def find_gone(session: Session, ground: Ground, file: ReadFile) -> list[dict[str, Any]]:
    """Entries that a full file does not name, not even in a row that was refused."""
    named = {row.asset_number for row in file.rows} | {problem.asset_number for problem in file.refused}
    return [
        _row(ground.run_id, RowKind.GONE, asset_number=number, name_zh=name_zh, equipment_id=key, version=version)
        for key, number, name_zh, version in queries.find_listed(session, ground.owner_id, ground.reach)
        if number not in named
    ]


def refused_row(run_id: int, problem: Problem) -> dict[str, Any]:
    number = problem.asset_number[:60]
    return _row(run_id, RowKind.REFUSED, number=problem.row, asset_number=number, problems=[_as_json(problem)])


def _find_lab(ground: Ground, row: CatalogueRow, entry: Equipment | None) -> str | Problem:
    """The name of the lab of a new entry; why the row is refused, where it lies outside the reach."""
    if ground.reach is None:
        return row.lab
    if entry is not None:
        return row.lab if entry.lab_id in ground.reach else _outside(row, "other_lab", OTHER_LAB)
    if row.lab:
        return row.lab if row.lab in ground.labs else _outside(row, "lab_not_yours", LAB_NOT_YOURS)
    if len(ground.labs) == 1:
        return next(iter(ground.labs))
    return _outside(row, "lab_missing", LAB_MISSING, labs=len(ground.labs))


def _outside(row: CatalogueRow, code: str, reason: str, **fields: Any) -> Problem:
    return Problem(row.number, row.lab or "lab", code, reason, fields, row.asset_number)


def _new_values(row: CatalogueRow, lab: str) -> dict[str, Any]:
    place = {"lab": lab, "lab_address": row.lab_address}
    return {**row.guessed, **row.values} | index_columns(row.values) | place


def _leave_booking(
    entry: Equipment, row: CatalogueRow, new: dict[str, Any], old: dict[str, Any]
) -> tuple[Problem, ...]:
    """What is scrapped, lost or given away is not booked any more."""
    if new.get("asset_state") not in OUT_OF_USE or not entry.is_bookable:
        return ()
    new["is_bookable"], old["is_bookable"] = False, True
    return (Problem(row.number, "asset_state", "leaves_booking", LEAVES_BOOKING),)


def _staged(
    ground: Ground,
    row: CatalogueRow,
    kind: RowKind,
    new: Mapping[str, Any],
    old: Mapping[str, Any],
    warnings: Sequence[Problem],
    entry: Equipment | None = None,
) -> dict[str, Any]:
    return _row(
        ground.run_id, kind, number=row.number, asset_number=row.asset_number, name_zh=row.values["name_zh"],
        equipment_id=entry.id if entry else None, version=entry.version if entry else None, values=to_json(new),
        before=to_json(old), problems=[_as_json(problem) for problem in warnings],
    )  # fmt: skip


def _row(run_id: int, kind: RowKind, **known: Any) -> dict[str, Any]:
    """All columns of a staged row: rows of one statement hold the same."""
    plain = {
        "run_id": run_id, "kind": kind, "number": 0, "asset_number": "", "name_zh": "", "equipment_id": None,
        "version": None, "values": {}, "before": {}, "problems": [],
    }  # fmt: skip
    return plain | known


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "column": problem.column, "code": problem.code, "reason": problem.reason, "fields": dict(problem.fields),
    }  # fmt: skip
