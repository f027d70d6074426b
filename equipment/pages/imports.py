"""Take in an institution's own file: upload, progress, what the columns mean, what it would change, what it did."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound, Refusal
from core.forms import FormIn, UploadIn
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from core.shapes import read_uuid
from equipment import own_list
from equipment.errors import FieldMissing, RetirementNotConfirmed
from equipment.importing import queries, service
from equipment.importing.applying import INDEX
from equipment.importing.headings import FIELDS
from equipment.importing.words import problem_column, problem_text, refusal_text
from equipment.importing.workbooks import ROWS_MOST
from equipment.models import SHARING_VALUE_FEN, ImportRow, ImportRun, ImportState, RowKind
from equipment.pages.shared import Manager, errors_of
from equipment.words import FIELD_NAMES, IMPORT_STATE_BADGES, IMPORT_STATE_NAMES, ROW_KIND_NAMES, value_text
from members import queries as members
from members.models import Role

router = APIRouter(include_in_schema=False)
PAGE = 100
RUNS = 30
#: An id that both databases take.
After = Annotated[int, Query(ge=0, le=2**62)]
#: Columns of a table that are shown for mapping.
COLUMNS_MOST = 60
NAMES_MOST = 20


@router.get("/lab/imports")
def show_imports(caller: Manager, before: After = 0) -> Response:
    return _list_page(caller, before=before)


@router.post("/lab/imports")
def upload(form: UploadIn, caller: Manager) -> Response:
    file = form.files.get("file")

    def act(session: Session) -> str:
        if file is None:
            raise FieldMissing(field="file")
        run = service.start_import(
            session, caller.actor, _institution(session, caller, form["institution"]), name=file.name,
            content=file.content, is_full=bool(form["full"]), now=caller.now,
        )  # fmt: skip
        return f"/lab/imports/{run.public_id}"

    try:
        return caller.redirect_once(form, act)
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _list_page(caller, refusal)


@router.get("/lab/imports/{import_id}")
def show_import(import_id: UUID, caller: Manager, kind: str = "", after: After = 0) -> Response:
    return _run_page(caller, import_id, kind=kind, after=after)


@router.post("/lab/imports/{import_id}/mapping")
def map_columns(import_id: UUID, form: FormIn, caller: Manager) -> Response:
    mapping = {name.removeprefix("column_"): form[name] for name in form if name.startswith("column_") and form[name]}

    def act(session: Session) -> str:
        run = queries.get_run(session, import_id, _mine(caller))
        service.map_columns(session, caller.actor, run, mapping, now=caller.now)
        return f"/lab/imports/{import_id}"

    try:
        return caller.redirect_once(form, act)
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _run_page(caller, import_id, refusal=refusal)


@router.post("/lab/imports/{import_id}/application")
def apply(import_id: UUID, form: FormIn, caller: Manager) -> Response:
    def act(session: Session) -> str:
        run = queries.get_run(session, import_id, _mine(caller))
        if run.rows_gone and form["retire"] != str(run.rows_gone):
            raise RetirementNotConfirmed(field="retire", number=run.rows_gone)
        service.apply_import(session, caller.actor, run, now=caller.now)
        return f"/lab/imports/{import_id}"

    try:
        return caller.redirect_once(form, act, N_("Applied. The catalogue is as the file says."))
    except RetirementNotConfirmed as refusal:
        return _run_page(caller, import_id, refusal=refusal)


@router.post("/lab/imports/{import_id}/renewal")
def compare_again(import_id: UUID, form: FormIn, caller: Manager) -> Response:
    """After the catalogue was changed meanwhile, or to treat the file as whole or as a part."""

    def act(session: Session) -> str:
        run = queries.get_run(session, import_id, _mine(caller))
        service.compare_again(session, caller.actor, run, is_full=bool(form["full"]), now=caller.now)
        return f"/lab/imports/{import_id}"

    return caller.redirect_once(form, act)


@router.post("/lab/imports/{import_id}/drop")
def drop(import_id: UUID, form: FormIn, caller: Manager) -> Response:
    def act(session: Session) -> str:
        run = queries.get_run(session, import_id, _mine(caller))
        service.drop_import(session, caller.actor, run, now=caller.now)
        return "/lab/imports"

    return caller.redirect_once(form, act, N_("Put aside. Nothing was changed."))


def _mine(caller: Manager) -> frozenset[int] | None:
    """Institutions whose imports one may see; None: all."""
    return None if caller.actor.has(Role.ZONE_ADMIN) else caller.actor.organisation_ids(Role.LAB_MANAGER)


def _institution(session: Session, caller: Manager, text: str) -> int:
    """The institution of an upload: one's own; the zone says which. Raises NotFound."""
    mine = _mine(caller)
    if mine is not None:
        return min(mine)
    public_id = read_uuid(text)
    if public_id is None:
        raise FieldMissing(field="institution")
    found = members.find_organisation(session, public_id)
    if found is None:
        raise NotFound
    return found.id


def _list_page(caller: Manager, refusal: Refusal | None = None, *, before: int = 0) -> Response:
    with caller.read() as session:
        found = queries.find_runs(session, _mine(caller), before=before, limit=RUNS + 1)
        runs = found[:RUNS]
        owners = own_list.find_owners(session) if _mine(caller) is None else []
        names = members.find_names(session, [run.person_id for run in runs])
    return caller.render(
        "pages/equipment/imports.html",
        status=422 if refusal else 200,
        runs=[_run_view(run, names, caller.lang) for run in runs],
        owners=[(str(owner.public_id), localised(owner, caller.lang)) for owner in owners],
        older_href=f"/lab/imports?before={runs[-1].id}" if len(found) > RUNS else "",
        newest_href="/lab/imports" if before else "",
        megabytes=service.MEGABYTES_MAX,
        rows_most=ROWS_MOST,
        is_whole=_mine(caller) is None,
        errors=errors_of(caller, refusal),
    )


def _run_page(
    caller: Manager, import_id: UUID, *, kind: str = "", after: int = 0, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        run = queries.get_run(session, import_id, _mine(caller))
        counts = {
            RowKind.NEW: run.rows_new, RowKind.CHANGED: run.rows_changed, RowKind.GONE: run.rows_gone,
            RowKind.REFUSED: run.rows_refused, RowKind.SAME: run.rows_same,
        }  # fmt: skip
        first = next((one for one, number in counts.items() if number), RowKind.NEW)
        shown = RowKind(kind) if kind in set(RowKind) else first
        rows = queries.find_rows(session, run.id, shown, after=after, limit=PAGE + 1)
        names = members.find_names(session, [run.person_id, run.applied_by_id])
        sheets = queries.find_sheets_left_out(session, run.id)
    href = f"/lab/imports/{import_id}"
    return caller.render(
        "pages/equipment/import.html",
        status=422 if refusal else 200,
        run=run,
        view=_run_view(run, names, caller.lang),
        applied_by=names.get(run.applied_by_id or 0, ""),
        is_waiting=run.state is ImportState.WAITING,
        refusal_text=refusal_text(run, caller.lang),
        tabs=[
            {
                "text": f"{gettext(caller.lang, ROW_KIND_NAMES[one])} {number}",
                "href": f"{href}?kind={one}",
                "current": one is shown,
            }
            for one, number in counts.items()
        ],
        shown=shown,
        rows=[_row_view(row, caller.lang) for row in rows[:PAGE]],
        next_href=f"{href}?kind={shown}&after={rows[PAGE - 1].id}" if len(rows) > PAGE else "",
        columns=_columns(run, caller.lang),
        left_out=_left_out(run, sheets, caller.lang),
        fields=[("", gettext(caller.lang, "leave out")), *_fields(caller.lang)],
        can_apply=run.state is ImportState.PREVIEW and run.rows_new + run.rows_changed + run.rows_gone > 0,
        errors=errors_of(caller, refusal),
    )


def _fields(lang: Lang) -> list[tuple[str, str]]:
    return [(name, gettext(lang, text)) for name, text in FIELDS.items()]


def _run_view(run: ImportRun, names: dict[int, str], lang: Lang) -> dict[str, Any]:
    return {
        "href": f"/lab/imports/{run.public_id}",
        "run": run,
        "who": names.get(run.person_id or 0, gettext(lang, "by command")),
        "institution": localised(run.organisation, lang),
        "state": gettext(lang, IMPORT_STATE_NAMES[run.state]),
        "badge": IMPORT_STATE_BADGES[run.state],
    }


def _columns(run: ImportRun, lang: Lang) -> list[dict[str, str]]:
    return [
        {"name": f"column_{place}", "heading": heading or f"{place + 1}", "field": run.mapping.get(str(place), "")}
        for place, heading in enumerate(run.headings[:COLUMNS_MOST])
    ]


def _left_out(run: ImportRun, sheets: list[str], lang: Lang) -> list[str]:
    """What of the file is not taken in: further sheets, and columns that nobody has named."""
    unknown = [heading for place, heading in enumerate(run.headings) if heading and str(place) not in run.mapping]
    texts = []
    if sheets:
        texts.append(translate(lang, N_("Sheets that are not read: %(names)s"), names=_listed(sheets)))
    if unknown and run.state is not ImportState.MAPPING:
        texts.append(translate(lang, N_("Columns that are left out: %(names)s"), names=_listed(unknown)))
    return texts


def _listed(names: list[str]) -> str:
    """Some names, and how many more."""
    more = f" +{len(names) - NAMES_MOST}" if len(names) > NAMES_MOST else ""
    return " · ".join(name[:40] for name in names[:NAMES_MOST]) + more


def _row_view(row: ImportRow, lang: Lang) -> dict[str, Any]:
    hidden = {*INDEX, "certainty", "assignment"}
    fields = [
        {
            "name": gettext(lang, FIELD_NAMES.get(name, name)),
            "before": value_text(row.before.get(name), name, lang) if row.kind is RowKind.CHANGED else "",
            "after": value_text(value, name, lang),
        }
        for name, value in row.values.items()
        if (name not in hidden and (row.kind is RowKind.CHANGED or value not in ("", None, [], {}))
        and name not in ("name_zh", "category")) or (name == "name_zh" and row.kind is RowKind.CHANGED)
    ]  # fmt: skip
    value_fen = row.values.get("original_value_fen")
    return {
        "row": row,
        "fields": fields,
        "due": bool(value_fen and value_fen >= SHARING_VALUE_FEN),
        "problems": [
            {"column": problem_column(problem, lang), "text": problem_text(problem, lang)} for problem in row.problems
        ],
    }
