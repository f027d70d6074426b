"""JSON under `/api/v1`: what waits for one's decision, many decisions at once, the startup's rule, deputies."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import deciding, deputies, queries, weighing
from booking.models import Deputy
from booking.queries import BookingFilter
from booking.schemas import BookingOut, SlotIn
from booking.weighing import Used, Weight
from core.errors import Refusal
from core.middleware import SafeRoute
from core.rendering import localised
from core.shapes import In, LongText, Out, VersionIn
from equipment import queries as catalogue
from members import service
from members.access import Caller, SignedIn, allowed
from members.models import Organisation, OwnerApproval, Role

router = APIRouter(prefix="/api/v1", tags=["booking"], route_class=SafeRoute)
Owner = Annotated[Caller, Depends(allowed(Role.STARTUP_OWNER))]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=100)]


class ApprovalsIn(In):
    ids: Ids
    word: LongText = ""
    #: What was seen of each; an id that is left out is decided as it is now.
    versions: dict[UUID, VersionIn] = {}


class RefusalsIn(In):
    ids: Ids
    reason: LongText
    versions: dict[UUID, VersionIn] = {}


class ResultOut(Out):
    """`code` is empty where it went through."""

    id: UUID
    code: str
    message: str
    state: str | None = None
    awaiting: str | None = None


class ResultsOut(Out):
    done: int
    results: list[ResultOut]


class UsedOut(Out):
    used: int
    limit: int


class HeldOut(Out):
    voucher: str
    amount_fen: int


class WeightOut(Out):
    """What the decision decides beside it."""

    rivals_in_week: int
    week_bookings: UsedOut | None
    week_minutes: UsedOut | None
    held: list[HeldOut]
    missing_qualification: bool


class WaitingOut(Out):
    booking: BookingOut
    weight: WeightOut


class WaitingPage(Out):
    items: list[WaitingOut]


class OwnerRuleIn(In):
    mode: OwnerApproval
    above_fen: Annotated[int, Field(ge=0, le=10**13, strict=True)] = 0
    version: VersionIn


class OwnerRuleOut(Out):
    organisation_id: UUID
    mode: str
    above_fen: int
    version: int


class DeputyIn(SlotIn):
    """Without a lab: for the startup's owner."""

    lab_id: UUID | None = None
    email: Annotated[str, Field(max_length=254)]


class DeputyOut(Out):
    id: UUID
    lab_id: UUID | None
    lab_name: str
    principal: str
    deputy: str
    starts_at: datetime
    ends_at: datetime


class DeputyPage(Out):
    items: list[DeputyOut]


@router.get("/approvals")
def list_waiting(caller: SignedIn) -> WaitingPage:
    """Requests that wait for the caller: a lab's, a startup's, and those of whom one stands in for."""
    actor = caller.actor
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
        acting = deputies.find_acting(session, actor.person_id, now=caller.now)
        waits = queries.waits_for(actor, lab_ids, acting)
        found = queries.find_bookings(session, BookingFilter(), visible=waits, limit=100)
        weights = weighing.weigh(session, found, now=caller.now)
        purposes = queries.find_notes(session, [booking.purpose_note_id for booking in found])
    return WaitingPage(
        items=[
            WaitingOut(
                booking=BookingOut.of(booking, caller.lang, purposes.get(booking.purpose_note_id or 0, "")),
                weight=_weight(weights[booking.id]),
            )
            for booking in found
        ]
    )


@router.post("/approvals", response_model=ResultsOut)
def approve_many(body: ApprovalsIn, caller: SignedIn) -> ResultsOut:
    """Each in a unit of work of its own: one that is refused holds up no other."""

    def act(session: Session, key: UUID) -> Any:
        version = body.versions.get(key)
        return deciding.approve_booking(session, caller.actor, key, word=body.word, version=version, now=caller.now)

    return _each(caller, body.ids, act)


@router.post("/refusals", response_model=ResultsOut)
def decline_many(body: RefusalsIn, caller: SignedIn) -> ResultsOut:
    """One reason for all of them."""

    def act(session: Session, key: UUID) -> Any:
        version = body.versions.get(key)
        return deciding.decline_booking(session, caller.actor, key, reason=body.reason, version=version, now=caller.now)

    return _each(caller, body.ids, act)


@router.get("/company/approval-rule")
def get_rule(caller: Owner) -> OwnerRuleOut:
    with caller.read() as session:
        grant = caller.actor.grant_for(Role.STARTUP_OWNER)
        assert grant is not None, "the route lets only owners in"
        return _rule(session.get_one(Organisation, grant.organisation_id))


@router.put("/company/approval-rule", response_model=OwnerRuleOut)
def set_rule(body: OwnerRuleIn, caller: Owner) -> Response:
    return caller.answer_once(
        200,
        lambda session: _rule(
            service.set_owner_approval(
                session, caller.actor, body.mode, above_fen=body.above_fen, version=body.version, now=caller.now
            )
        ),
    )


@router.get("/deputies")
def list_deputies(caller: SignedIn) -> DeputyPage:
    with caller.read() as session:
        found = deputies.find_deputies(session, caller.actor, now=caller.now)
    return DeputyPage(items=[_deputy(one, caller) for one in found])


@router.post("/deputies", status_code=201, response_model=DeputyOut)
def name_deputy(body: DeputyIn, caller: SignedIn) -> Response:
    def act(session: Session) -> DeputyOut:
        email = body.email.strip().lower()
        if body.lab_id is None:
            named = deputies.name_for_startup(session, caller.actor, person=email, period=body.slot, now=caller.now)
        else:
            named = deputies.name_for_lab(
                session, caller.actor, lab_id=body.lab_id, person=email, period=body.slot, now=caller.now
            )
        return _deputy(named, caller)

    return caller.answer_once(201, act)


@router.delete("/deputies/{deputy_id}", status_code=204)
def end_deputy(deputy_id: UUID, caller: SignedIn) -> Response:
    caller.write(lambda session: deputies.end_deputy(session, caller.actor, deputy_id, now=caller.now))
    return Response(status_code=204)


def _each(caller: Caller, ids: list[UUID], decide: Any) -> ResultsOut:
    def act(session: Session, *, name: str) -> dict[str, Any]:
        booking = decide(session, UUID(name))
        return {"state": booking.state.value, "awaiting": booking.awaiting and booking.awaiting.value}

    body: bytes = getattr(caller.request.state, "body", b"")
    key = caller.request.headers.get("idempotency-key", "")
    answers = caller.try_each([str(one) for one in ids], act, key=key, body=body)
    results = [
        ResultOut(id=UUID(name), code=answer.code, message=caller.explain(answer))
        if isinstance(answer, Refusal)
        else ResultOut(id=UUID(name), code="", message="", **answer)
        for name, answer in answers.items()
    ]
    return ResultsOut(done=sum(not one.code for one in results), results=results)


def _weight(weight: Weight) -> WeightOut:
    def used(one: Used | None) -> UsedOut | None:
        return UsedOut(used=one.used, limit=one.limit) if one else None

    return WeightOut(
        rivals_in_week=weight.rivals,
        week_bookings=used(weight.bookings),
        week_minutes=used(weight.minutes),
        held=[HeldOut(voucher=hold.number, amount_fen=hold.amount_fen) for hold in weight.holds],
        missing_qualification=weight.lacks_qualification,
    )


def _rule(company: Organisation) -> OwnerRuleOut:
    return OwnerRuleOut(
        organisation_id=company.public_id,
        mode=company.owner_approval,
        above_fen=company.owner_approval_above_fen,
        version=company.version,
    )


def _deputy(one: Deputy, caller: Caller) -> DeputyOut:
    return DeputyOut(
        id=one.public_id,
        lab_id=one.lab.public_id if one.lab else None,
        lab_name=localised(one.lab, caller.lang) if one.lab else "",
        principal=one.principal.name,
        deputy=one.person.name,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
    )
