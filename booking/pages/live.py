"""Streams that tell a page when what it shows has changed (server-sent events)."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from booking import queries
from core.errors import Unavailable
from core.live import Hub, Keys
from equipment import queries as catalogue
from members.access import Caller, SignedIn, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
#: How long ago the page was read, in milliseconds: what changed since is told at once.
Age = Annotated[int, Query(ge=0, le=86_400_000)]


def keys_of_labs(caller: Staff) -> Keys:
    """The instruments of the labs that the caller runs."""
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        return queries.find_equipment_ids_of_labs(session, lab_ids)


def key_of_instrument(equipment_id: UUID, caller: SignedIn) -> Keys:
    with caller.read() as session:
        return frozenset({catalogue.get_equipment_id(session, equipment_id)})


def hub_of(caller: SignedIn) -> Hub:
    if caller.site.live is None:
        raise Unavailable
    return caller.site.live


@router.get("/lab/live", response_class=EventSourceResponse)
async def follow_labs(
    caller: Staff, keys: Annotated[Keys, Depends(keys_of_labs)], hub: Annotated[Hub, Depends(hub_of)], age: Age = 0
) -> AsyncIterator[ServerSentEvent]:
    """Tells when something on the boards of one's labs changed."""
    async for event in hub.follow(caller.actor.person_id, keys, age_s=age / 1000):
        yield event


@router.get("/equipment/{equipment_id}/live", response_class=EventSourceResponse)
async def follow_instrument(
    caller: SignedIn,
    keys: Annotated[Keys, Depends(key_of_instrument)],
    hub: Annotated[Hub, Depends(hub_of)],
    age: Age = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Tells when something in an instrument's calendar changed."""
    async for event in hub.follow(caller.actor.person_id, keys, age_s=age / 1000):
        yield event
