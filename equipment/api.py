"""JSON under `/api/v1`: the catalogue."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from core.middleware import SafeRoute
from core.shapes import Limit
from equipment import files, queries
from equipment.schemas import EquipmentLine, EquipmentOut, EquipmentPage
from equipment.search import LONGEST, Search
from members.access import Visitor

router = APIRouter(prefix="/api/v1", tags=["equipment"], route_class=SafeRoute)


@router.get("/equipment")
def list_equipment(
    caller: Visitor,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    category: Annotated[str | None, Query(max_length=40)] = None,
    institution: UUID | None = None,
    price_max_fen: Annotated[int | None, Query(ge=0, le=10**13)] = None,
    limit: Limit = 20,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> EquipmentPage:
    """Search in Chinese and English, the best first."""
    wanted = Search(q.strip(), category, institution, price_max_fen, limit, cursor)
    with caller.read() as session:
        found = queries.search_equipment(session, wanted)
    return EquipmentPage(
        items=[EquipmentLine.of(entry, caller.lang) for entry in found.items],
        total=found.total,
        next_cursor=found.next_cursor,
    )


@router.get("/equipment/{equipment_id}")
def get_equipment(equipment_id: UUID, caller: Visitor) -> EquipmentOut:
    with caller.read() as session:
        entry = queries.get_equipment(session, equipment_id)
        photos, documents = files.find_photos(session, entry.id), files.find_documents(session, entry.id)
        return EquipmentOut.of(entry, caller.lang, photos, documents)
