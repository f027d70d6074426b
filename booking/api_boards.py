"""JSON under `/api/v1/lab`: the boards."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from booking import boards
from booking.boards import Board, Held
from booking.models import OccupancyKind, State
from booking.schemas import SlotOut
from core.errors import NotFound
from core.http import JsonAnswer
from core.i18n import Lang
from core.middleware import SafeRoute
from core.rendering import localised
from core.shapes import Out, read_instant_or_date
from core.slot import Slot
from equipment import queries as catalogue
from equipment.listing import Listed, ListedUnit
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(prefix="/api/v1/lab", tags=["lab"], route_class=SafeRoute)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
DateIn = Annotated[date, BeforeValidator(read_instant_or_date, json_schema_input_type=str)]
Kind = Literal["requested", "approved", "in_use", "completed", "blocked", "offered", "held"]


class HeldOut(Out):
    """Time on a unit that is not free; without its buffers where it is a booking."""

    starts_at: datetime
    ends_at: datetime
    kind: Kind
    booking_id: UUID | None
    version: int | None
    #: The organisation that booked, or why the unit is out of service.
    who: str


class BoardUnitOut(Out):
    unit_id: UUID
    label: str
    held: list[HeldOut]


class BoardItemOut(Out):
    equipment_id: UUID
    name: str
    model: str
    open: list[SlotOut]
    units: list[BoardUnitOut]


class BoardOut(Out):
    on: date
    days: int
    items: list[BoardItemOut]


@router.get("/board", response_model=BoardOut)
def get_board(
    caller: Staff,
    on: DateIn | None = None,
    days: Annotated[int, Query(ge=1, le=7)] = 1,
    lab: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Every unit of the labs that the caller runs: what stands on it and when it is open, over some days."""
    zone = caller.site.renderer.zone
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        if lab is not None:
            lab_ids = frozenset(row.id for row in catalogue.find_labs(session, lab_ids) if row.public_id == lab)
            if not lab_ids:
                raise NotFound
        board = boards.read_board(
            session, lab_ids, first_on=on or caller.now.astimezone(zone).date(), days=days, zone=zone, now=caller.now,
            limit=limit, offset=(page - 1) * limit,
        )  # fmt: skip
    # Written as it is: shapes would check each of a thousand rows that come from our own tables.
    lang = caller.lang
    items = [_item(entry, board, lang) for entry in board.entries]
    return JsonAnswer({"on": board.first_on, "days": days, "items": items})


def _item(entry: Listed, board: Board, lang: Lang) -> dict[str, Any]:
    return {
        "equipment_id": str(entry.public_id),
        "name": localised(entry, lang),
        "model": entry.model,
        "open": [_slot(slot) for slot in board.open[entry.id]],
        "units": [_unit(unit, board.held[unit.id], lang) for unit in entry.units],
    }


def _unit(unit: ListedUnit, held: list[Held], lang: Lang) -> dict[str, Any]:
    return {"unit_id": str(unit.public_id), "label": unit.label, "held": [_held(part, lang) for part in held]}


def _held(part: Held, lang: Lang) -> dict[str, Any]:
    name = (part.organisation_en if lang == "en" else "") or part.organisation_zh or part.words or ""
    booking_id = None if part.public_id is None else str(part.public_id)
    return _slot(part.slot) | {"kind": _kind(part), "booking_id": booking_id, "version": part.version, "who": name}


def _kind(part: Held) -> str:
    if part.kind is OccupancyKind.BLOCK:
        return "blocked"
    if part.kind is OccupancyKind.HOLD:
        return "held"
    return (part.state or State.APPROVED).value if part.public_id else "offered"


def _slot(slot: Slot) -> dict[str, Any]:
    return {"starts_at": _instant(slot.starts_at), "ends_at": _instant(slot.ends_at)}


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
