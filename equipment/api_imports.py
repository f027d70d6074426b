"""JSON under `/api/v1/imports`: what the pages of imports do. A file is sent as the bare body."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from core.i18n import Lang
from core.middleware import SafeRoute
from core.shapes import In, Out
from equipment.errors import InstitutionNotFound
from equipment.importing import queries, service
from equipment.importing.applying import INDEX
from equipment.importing.words import problem_column, problem_text, refusal_text
from equipment.models import ImportRow, ImportRun, RowKind
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(prefix="/api/v1/imports", tags=["imports"], route_class=SafeRoute)
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.ZONE_ADMIN))]
PAGE = 200


class ImportOut(Out):
    """`state`: waiting, mapping, preview, applied, refused, dropped. Counts are known from preview on."""

    id: UUID
    institution: str
    file_name: str
    file_sha256: str
    format: str
    at: datetime
    state: str
    is_full: bool
    headings: list[str]
    mapping: dict[str, str]
    refusal: str
    rows_total: int
    rows_done: int
    new: int
    changed: int
    same: int
    gone: int
    refused: int
    applied_at: datetime | None

    @classmethod
    def of(cls, run: ImportRun, lang: Lang) -> Self:
        refusal = refusal_text(run, lang)
        return cls(
            id=run.public_id, institution=run.organisation.code, file_name=run.file_name,
            file_sha256=run.file_sha256, format=run.format, at=run.at, state=run.state, is_full=run.is_full,
            headings=run.headings, mapping=run.mapping, refusal=refusal, rows_total=run.rows_total,
            rows_done=run.rows_done, new=run.rows_new, changed=run.rows_changed, same=run.rows_same,
            gone=run.rows_gone, refused=run.rows_refused, applied_at=run.applied_at,
        )  # fmt: skip


class ImportPage(Out):
    items: list[ImportOut]


class RowOut(Out):
    number: int
    kind: str
    asset_number: str
    name_zh: str
    values: dict[str, Any]
    before: dict[str, Any]
    problems: list[dict[str, Any]]

    @classmethod
    def of(cls, row: ImportRow, lang: Lang) -> Self:
        values = {name: value for name, value in row.values.items() if name not in INDEX}
        problems = [_problem(each, lang) for each in row.problems]
        return cls(
            number=row.number, kind=row.kind, asset_number=row.asset_number, name_zh=row.name_zh, values=values,
            before=row.before, problems=problems,
        )  # fmt: skip


class RowPage(Out):
    items: list[RowOut]
    next_after: int | None


class MappingIn(In):
    """Column number from 0, as text, to a field."""

    mapping: dict[str, str]


@router.get("")
def list_imports(caller: Manager) -> ImportPage:
    with caller.read() as session:
        return ImportPage(items=[ImportOut.of(run, caller.lang) for run in queries.find_runs(session, _mine(caller))])


@router.post("", status_code=201, response_model=ImportOut)
async def start_import(
    request: Request,
    caller: Manager,
    name: Annotated[str, Query(max_length=200)],
    institution: Annotated[str, Query(max_length=40)],
    full: bool = False,
) -> Response:
    """Upload a file as the bare body (`application/octet-stream`); it is read and compared within seconds."""
    content = await request.body()

    def act(session: Session) -> ImportOut:
        owner = queries.get_institution(session, institution)
        if (mine := _mine(caller)) is not None and owner.id not in mine:
            raise InstitutionNotFound(institution=institution)
        run = service.start_import(
            session, caller.actor, owner.id, name=name, content=content, is_full=full, now=caller.now
        )
        return ImportOut.of(queries.get_run(session, run.public_id), caller.lang)

    return await run_in_threadpool(caller.answer_once, 201, act)


@router.get("/{import_id}")
def get_import(import_id: UUID, caller: Manager) -> ImportOut:
    with caller.read() as session:
        return ImportOut.of(queries.get_run(session, import_id, _mine(caller)), caller.lang)


@router.get("/{import_id}/rows")
def list_rows(
    import_id: UUID, caller: Manager, kind: RowKind | None = None, after: Annotated[int, Query(ge=0, le=2**53)] = 0
) -> RowPage:
    with caller.read() as session:
        run = queries.get_run(session, import_id, _mine(caller))
        rows = queries.find_rows(session, run.id, kind, after=after, limit=PAGE + 1)
        items = [RowOut.of(row, caller.lang) for row in rows[:PAGE]]
        return RowPage(items=items, next_after=rows[PAGE - 1].id if len(rows) > PAGE else None)


@router.post("/{import_id}/mapping", response_model=ImportOut)
def map_columns(import_id: UUID, body: MappingIn, caller: Manager) -> Response:
    def act(session: Session) -> ImportOut:
        run = queries.get_run(session, import_id, _mine(caller))
        return ImportOut.of(service.map_columns(session, caller.actor, run, body.mapping, now=caller.now), caller.lang)

    return caller.answer_once(200, act)


@router.post("/{import_id}/application", response_model=ImportOut)
def apply_import(import_id: UUID, caller: Manager) -> Response:
    """Change the catalogue as the preview shows."""

    def act(session: Session) -> ImportOut:
        run = queries.get_run(session, import_id, _mine(caller))
        return ImportOut.of(service.apply_import(session, caller.actor, run, now=caller.now), caller.lang)

    return caller.answer_once(200, act)


@router.delete("/{import_id}", response_model=ImportOut)
def drop_import(import_id: UUID, caller: Manager) -> Response:
    """Put it aside; nothing is taken in."""

    def act(session: Session) -> ImportOut:
        run = queries.get_run(session, import_id, _mine(caller))
        return ImportOut.of(service.drop_import(session, caller.actor, run, now=caller.now), caller.lang)

    return caller.answer_once(200, act)


def _mine(caller: Caller) -> frozenset[int] | None:
    """Institutions whose imports one may see; None: all."""
    return None if caller.actor.has(Role.ZONE_ADMIN) else caller.actor.organisation_ids(Role.LAB_MANAGER)


def _problem(problem: dict[str, Any], lang: Lang) -> dict[str, Any]:
    return {"column": problem_column(problem, lang), "code": problem["code"], "message": problem_text(problem, lang)}
