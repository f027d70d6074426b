"""JSON under `/api/v1`: bearer tokens and who one is."""

from fastapi import APIRouter
from starlette.responses import Response

from core.middleware import SafeRoute
from core.rendering import localised
from members import service
from members.access import SignedIn, Visitor
from members.schemas import FeedOut, GrantOut, MeOut, SignInIn, TokenOut
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


@router.post("/me/feed", status_code=201)
def renew_feed(caller: SignedIn) -> FeedOut:
    """A new private address for one's calendar feed; the old one ends. It is told only this once."""
    token = caller.write(lambda session: service.renew_feed_token(session, caller.actor, now=caller.now))
    return FeedOut(url=f"{caller.settings.base_url.rstrip('/')}/feeds/{token}.ics")


@router.delete("/me/feed", status_code=204)
def revoke_feed(caller: SignedIn) -> Response:
    caller.write(lambda session: service.revoke_feed_token(session, caller.actor, now=caller.now))
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
