"""JSON under `/api/v1/organisations`: standing, for the zone's office."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from core.errors import Forbidden
from core.i18n import Lang
from core.middleware import SafeRoute
from core.rendering import localised
from core.shapes import In, InstantIn, LongText, Out
from members import queries, standing
from members.access import Caller, allowed
from members.models import Organisation, Role, SuspensionCode
from members.suspensions import is_held

router = APIRouter(prefix="/api/v1/organisations", tags=["members"], route_class=SafeRoute)
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]


class SuspensionIn(In):
    code: SuspensionCode
    #: Left out: until it is lifted.
    until: InstantIn | None = None
    words: LongText


class StandingOut(Out):
    """`standing`: good or suspended."""

    id: UUID
    name: str
    kind: str
    standing: str
    suspended_at: datetime | None
    suspended_until: datetime | None
    code: str | None

    @classmethod
    def of(cls, found: Organisation, lang: Lang, now: datetime) -> Self:
        held = is_held(found.suspension, now)
        return cls(
            id=found.public_id, name=localised(found, lang), kind=found.kind,
            standing="suspended" if held else "good", suspended_at=found.suspended_at if held else None,
            suspended_until=found.suspended_until if held else None, code=found.suspension_code if held else None,
        )  # fmt: skip


@router.get("/{organisation_id}")
def get_standing(organisation_id: UUID, caller: Zone) -> StandingOut:
    with caller.read() as session:
        return StandingOut.of(queries.get_organisation(session, organisation_id), caller.lang, caller.now)


@router.put("/{organisation_id}/suspension", response_model=StandingOut)
def suspend(organisation_id: UUID, body: SuspensionIn, caller: Zone) -> Response:
    _require_admin(caller)
    return caller.answer_once(
        200,
        lambda session: StandingOut.of(
            standing.suspend(
                session, caller.actor, organisation_id, code=body.code, until=body.until, words=body.words,
                now=caller.now,
            ),
            caller.lang,
            caller.now,
        ),
    )  # fmt: skip


@router.delete("/{organisation_id}/suspension", response_model=StandingOut)
def reinstate(organisation_id: UUID, caller: Zone) -> Response:
    _require_admin(caller)
    return caller.answer_once(
        200,
        lambda session: StandingOut.of(
            standing.reinstate(session, caller.actor, organisation_id, now=caller.now), caller.lang, caller.now
        ),
    )


def _require_admin(caller: Caller) -> None:
    if not caller.actor.has(Role.ZONE_ADMIN):
        raise Forbidden
