"""JSON under `/api/v1`: instruments side by side."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from booking.comparison import MOST, Job, compare
from booking.free_schemas import ComparedOut, ComparisonOut
from booking.permissions import tier_for
from core.middleware import SafeRoute
from members.access import Visitor

router = APIRouter(prefix="/api/v1", tags=["availability"], route_class=SafeRoute)


@router.get("/equipment/comparison")
def compare_equipment(
    caller: Visitor,
    public_ids: Annotated[list[UUID], Query(alias="id", min_length=1, max_length=MOST)],
    minutes: Annotated[int, Query(ge=1, le=62 * 1440)] = 120,
    amount: Annotated[int, Query(ge=0, le=10_000)] = 1,
) -> ComparisonOut:
    """What the same job costs on each of up to four instruments, and when each is next free for it.

    `amount` counts for whatever is charged besides time: samples, runs, grams.
    """
    with caller.read() as session:
        found = compare(
            session, public_ids, Job(minutes, amount), lambda entry: tier_for(caller.actor, entry), now=caller.now
        )
        return ComparisonOut(items=[ComparedOut.of(one, caller.lang) for one in found])
