"""The lab's own list: every instrument with what is missing to it; adding one; and giving the list back as files."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound, Refusal
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from core.rendering import localised
from core.shapes import read_uuid
from equipment import describing, own_list, queries
from equipment.errors import LabNotFound
from equipment.exporting.ministry import write_ministry
from equipment.exporting.national import write_national
from equipment.exporting.report import FINDING_NAMES, Export, group_findings
from equipment.exporting.tables import write_csv_list, write_xlsx_list
from equipment.models import Equipment, Lab
from equipment.own_list import STANDINGS, OwnFilter
from equipment.pages.editing import form_options
from equipment.pages.shared import Manager, errors_of
from equipment.price_lists import ZONE
from equipment.scopes import Level, find_scope
from equipment.words import UNIT_NAMES
from members import queries as members
from members.models import Organisation, Role

router = APIRouter(include_in_schema=False)
PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {
    "csv": (N_("CSV"), "text/csv; charset=utf-8", "csv"),
    "xlsx": (N_("XLSX"), XLSX, "xlsx"),
    "national": (N_("National platform"), XLSX, "xlsx"),
    "sj3": (N_("Ministry table SJ3"), "text/plain; charset=gbk", "txt"),
}


@router.get("/lab/catalogue")
def show_list(
    caller: Manager,
    q: Annotated[str, Query(max_length=100)] = "",
    standing: str = "",
    institution: str = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """All entries that one may edit, with what they lack."""
    with caller.read() as session:
        wanted = OwnFilter(
            _lab_ids(session, caller), q.strip(), standing if standing in STANDINGS else "", read_uuid(institution)
        )
        entries, total = own_list.find_own(session, wanted, offset=(page - 1) * PAGE, limit=PAGE)
        counts = own_list.count_own(session, wanted)
        labs = queries.find_labs(session, wanted.lab_ids)
        owners = own_list.find_owners(session) if wanted.lab_ids is None else []
    ask = f"q={q}&standing={standing}&institution={institution}"
    return caller.render(
        "pages/equipment/list.html",
        q=q,
        standing=standing,
        institution=institution,
        rows=[_row(entry, caller) for entry in entries],
        total=total,
        tabs=[
            {
                "text": f"{gettext(caller.lang, text)} {counts[name]}",
                "href": f"/lab/catalogue?q={q}&standing={name}&institution={institution}",
                "current": name == standing,
            }
            for name, text in STANDINGS.items()
        ],
        labs=labs[:40],
        shared_levels=_institutions_of(labs),
        owners=[("", gettext(caller.lang, "All"))] + [(str(o.public_id), localised(o, caller.lang)) for o in owners],
        previous_href=f"/lab/catalogue?{ask}&page={page - 1}" if page > 1 else "",
        next_href=f"/lab/catalogue?{ask}&page={page + 1}" if page * PAGE < total else "",
        kinds=[(name, gettext(caller.lang, text)) for name, (text, _, _) in KINDS.items()],
    )


@router.get("/lab/catalogue/new")
def show_new(caller: Manager) -> Response:
    return _new_page(caller)


@router.post("/lab/catalogue")
def add(form: FormIn, caller: Manager) -> Response:
    def act(session: Session) -> str:
        lab_id = read_uuid(form["lab"])
        if lab_id is None:
            raise LabNotFound
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        values = describing.read_description(form, form.getlist("service_modes"))
        lab = session.get_one(Lab, scope.id)
        entry = describing.add_entry(session, caller.actor, lab, form["asset_number"], values, now=caller.now)
        return f"/equipment/{entry.public_id}/edit"

    try:
        return caller.redirect_once(form, act, N_("Added. It is listed; enter hours and prices to let people book it."))
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _new_page(caller, form, refusal)


@router.get("/lab/catalogue/export")
def show_export(caller: Manager, kind: str = "xlsx", institution: str = "") -> Response:
    """What a file would hold, and what one should look at before handing it in."""
    export, owner = _export(caller, kind, institution)
    return caller.render(
        "pages/equipment/export.html",
        kind=kind,
        label=gettext(caller.lang, KINDS[kind][0]),
        export=export,
        groups=[
            {
                "column": group.column,
                "text": gettext(caller.lang, FINDING_NAMES[group.code]),
                "count": group.count,
                "first": group.first,
                "more": group.count - len(group.first),
            }
            for group in group_findings(export.findings)
        ],
        owner=owner,
        href=f"/lab/catalogue/export/{kind}?institution={owner.public_id}",
    )


@router.get("/lab/catalogue/export/{kind}")
def send_export(kind: str, caller: Manager, institution: str = "") -> Response:
    export, owner = _export(caller, kind, institution)
    _, media_type, ending = KINDS[kind]
    name = f"SJ3{owner.code}.txt" if kind == "sj3" else f"yixiang-{owner.code}-{kind}.{ending}"
    return Response(
        export.content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _export(caller: Manager, kind: str, institution: str) -> tuple[Export, Organisation]:
    """Raises NotFound for a kind or an institution that is none of one's own."""
    if kind not in KINDS:
        raise NotFound
    with caller.read() as session:
        owner = _owner(session, caller, institution)
        entries = own_list.find_entries_of_owner(session, owner.id)
        if kind == "sj3":
            return write_ministry(entries, school=owner.code[:5].ljust(5, "0")), owner
        if kind == "national":
            base_url, today = caller.settings.base_url, caller.now.astimezone(ZONE).date()
            return write_national(entries, unit_code=owner.code, base_url=base_url, today=today), owner
        content = (write_csv_list if kind == "csv" else write_xlsx_list)(entries, caller.lang)
        return Export(content, len(entries), 0, []), owner


def _owner(session: Session, caller: Manager, institution: str) -> Organisation:
    wanted = read_uuid(institution)
    if caller.actor.has(Role.ZONE_ADMIN):
        owners = own_list.find_owners(session)
    else:
        owners = members.find_organisations_by_ids(session, caller.actor.organisation_ids(Role.LAB_MANAGER))
    found = next((owner for owner in owners if wanted is None or owner.public_id == wanted), None)
    if found is None:
        raise NotFound
    return found


def _lab_ids(session: Session, caller: Manager) -> frozenset[int] | None:
    """Labs whose entries one may edit; None: all."""
    if caller.actor.has(Role.ZONE_ADMIN):
        return None
    return queries.find_lab_ids_run_by(session, caller.actor.person_id)


def _institutions_of(labs: list[Lab]) -> list[Organisation]:
    found = {lab.organisation_id: lab.organisation for lab in labs}
    return list(found.values()) if len(found) <= 3 else []


def _row(entry: Equipment, caller: Manager) -> dict[str, Any]:
    return {
        "entry": entry,
        "name": localised(entry, caller.lang),
        "place": localised(entry.lab, caller.lang),
        "href": f"/equipment/{entry.public_id}/edit",
        "unit": gettext(caller.lang, UNIT_NAMES[entry.price_unit]) if entry.price_unit else "",
    }


def _new_page(caller: Manager, form: Form | None = None, refusal: Refusal | None = None) -> Response:
    with caller.read() as session:
        labs = queries.find_labs(session, _lab_ids(session, caller))
    names = (*describing.EDITABLE, "lab", "asset_number")
    return caller.render(
        "pages/equipment/new.html",
        status=422 if refusal else 200,
        labs=[
            (str(lab.public_id), f"{localised(lab, caller.lang)} · {localised(lab.organisation, caller.lang)}")
            for lab in labs
        ],
        typed={name: form[name] if form else "" for name in names},
        modes=form.getlist("service_modes") if form else ["operated"],
        options=form_options(caller.lang),
        errors=errors_of(caller, refusal),
    )
