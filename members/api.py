"""JSON under `/api/v1`: bearer tokens and who one is."""

from fastapi import APIRouter
from starlette.responses import Response

from core.middleware import SafeRoute
from core.rendering import localised
from members import service
from members.access import SignedIn, Visitor
from members.schemas import GrantOut, MeOut, SignInIn, TokenOut
from members.sign_in import prove

router = APIRouter(prefix="/api/v1", tags=["members"], route_class=SafeRoute)


@router.post("/tokens", status_code=201)
def create_token(body: SignInIn, caller: Visitor) -> TokenOut:
    """A bearer token for 90 days."""
    person = prove(caller, email=body.email, password=body.password)
    return TokenOut(token=caller.write(lambda session: service.issue_api_token(session, person, now=caller.now)))


@router.delete("/tokens/current", status_code=204)
def revoke_token(caller: SignedIn) -> Response:
    token = caller.request.headers.get("authorization", "").partition(" ")[2].strip()
    caller.write(lambda session: service.revoke_api_token(session, token, now=caller.now))
    return Response(status_code=204)


@router.get("/me")
def get_me(caller: SignedIn) -> MeOut:
    actor = caller.actor
    return MeOut(
        id=actor.public_id,
        name=actor.name,
        email=actor.email,
        grants=[
            GrantOut(
                role=grant.role,
                organisation_id=grant.organisation_public_id,
                organisation_kind=grant.kind,
                organisation_name=localised(grant, caller.lang),
            )
            for grant in actor.grants
        ],
    )
