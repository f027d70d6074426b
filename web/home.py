"""Where one arrives: the desk of one's role, or the catalogue."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from members.access import Visitor
from web.navigation import home_of

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(caller: Visitor) -> Response:
    return RedirectResponse(home_of(caller.actor), 303)
