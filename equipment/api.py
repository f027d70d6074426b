"""JSON under `/api/v1`: the catalogue."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from core.http import JsonAnswer
from core.middleware import SafeRoute
from core.shapes import Limit
from equipment import files, queries, terms
from equipment.lines import find_lines
from equipment.models import ServiceMode
from equipment.schemas import EquipmentOut, EquipmentPage, TermsOut, line_as_json
from equipment.search import CHOICES_MOST, LONGEST, Search, Sort
from members.access import Visitor

router = APIRouter(prefix="/api/v1", tags=["equipment"], route_class=SafeRoute)


@router.get("/equipment", response_model=EquipmentPage)
def list_equipment(
    caller: Visitor,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    category: Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=CHOICES_MOST)] = None,
    institution: Annotated[list[UUID] | None, Query(max_length=CHOICES_MOST)] = None,
    mode: Annotated[list[ServiceMode] | None, Query(max_length=CHOICES_MOST)] = None,
    district: Annotated[list[str] | None, Query(max_length=CHOICES_MOST)] = None,
    voucher: bool = False,
    price_max: Annotated[int | None, Query(ge=0, le=10**11, description="Yuan for one unit.")] = None,
    price_max_fen: Annotated[int | None, Query(ge=0, le=10**13)] = None,
    sort: Sort = Sort.RELEVANCE,
    limit: Limit = 20,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> JsonAnswer:
    """Search in Chinese and English, the best first. A filter that is repeated means any of its values.

    In the order of the next free time: `/api/v1/availability?sort=soonest`.
    """
    wanted = Search(
        q=q.strip(),
        category=tuple(category or ()),
        institution=tuple(institution or ()),
        price_max_fen=price_max * 100 if price_max is not None else price_max_fen,
        limit=limit,
        cursor=cursor,
        modes=tuple(dict.fromkeys(each.value for each in mode or ())),
        districts=tuple(district or ()),
        voucher=voucher,
        sort=sort,
    )
    with caller.read() as session:
        found = find_lines(session, wanted)
    lang = caller.lang
    lines = [line_as_json(row, lang) for row in found.rows]
    return JsonAnswer({"items": lines, "total": found.total, "next_cursor": found.next_cursor})


@router.get("/equipment/{equipment_id}")
def get_equipment(equipment_id: UUID, caller: Visitor) -> EquipmentOut:
    with caller.read() as session:
        entry = queries.get_equipment(session, equipment_id)
        photos, documents = files.find_photos(session, entry.id), files.find_documents(session, entry.id)
        return EquipmentOut.of(entry, caller.lang, photos, documents)


@router.get("/terms/{terms_id}")
def get_terms(terms_id: UUID, caller: Visitor) -> TermsOut:
    """A version of terms of use, for as long as the house stands: what was agreed stays readable."""
    with caller.read() as session:
        return TermsOut.of(terms.get_terms(session, terms_id))
