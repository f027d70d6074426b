"""Who calls: FastAPI dependencies that read the person and give routes their way to read and write."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from core import idempotency
from core.db import read_session, unit_of_work
from core.errors import Forbidden, NotSignedIn, Refusal
from core.forms import Form
from core.http import SESSION_COOKIE, CsrfRefused, JsonAnswer, Web, csrf_token, wants_json
from members import queries
from members.actor import Actor
from members.models import Role
from members.service import hash_token

T = TypeVar("T")
SAFE = ("GET", "HEAD", "OPTIONS")


class Visit(Web):
    """A request by somebody who may be nobody."""

    actor: Actor | None = None

    def write(self, act: Callable[[Session], T]) -> T:
        """One unit of work; it ends before the answer is sent."""
        with unit_of_work(self.engine) as session:
            return act(session)


class Caller(Visit):
    """A request by a signed-in person."""

    actor: Actor

    def answer_once(self, status: int, act: Callable[[Session], BaseModel]) -> Response:
        """A JSON write in one unit of work; with an Idempotency-Key the first answer is given again."""
        key = self.request.headers.get("idempotency-key")

        def act_once(session: Session) -> tuple[int, dict[str, Any]]:
            return status, act(session).model_dump(mode="json")

        if key is None:
            return JsonAnswer(*reversed(self.write(act_once)))
        body: bytes = getattr(self.request.state, "body", b"")
        code, answer = self._once(key, body, act_once)
        return JsonAnswer(answer, code)

    def redirect_once(self, form: Form, act: Callable[[Session], str], flash: str = "", **fields: Any) -> Response:
        """A form's write in one unit of work; the same form posted again leads to the same page and does nothing."""

        def act_once(session: Session) -> tuple[int, dict[str, Any]]:
            return 303, {"location": act(session)}

        if form.key:
            _status, answer = self._once(form.key, form.body, act_once)
        else:
            _status, answer = self.write(act_once)
        return self.see_other(answer["location"], flash, **fields)

    def try_each(
        self, names: Iterable[str], act: Callable[..., dict[str, Any]], *, key: str = "", body: bytes = b""
    ) -> dict[str, dict[str, Any] | Refusal]:
        """Several writes that stand or fall alone, each in its own unit of work: what each answered, or its refusal.

        With a key each is done once, however often the whole is asked.
        """
        found: dict[str, dict[str, Any] | Refusal] = {}
        for name in dict.fromkeys(names):
            one = partial(act, name=name)
            try:
                if key:
                    own = hashlib.sha256(f"{key}|{name}".encode()).hexdigest()
                    found[name] = self._once(own, body, partial(_with_status, one))[1]
                else:
                    found[name] = self.write(one)
            except Refusal as refusal:
                found[name] = refusal
        return found

    def _once(
        self, key: str, body: bytes, act: Callable[[Session], tuple[int, dict[str, Any]]]
    ) -> tuple[int, dict[str, Any]]:
        request = self.request
        mark = idempotency.fingerprint(request.method, request.url.path, body)
        person_id = self.actor.person_id

        def act_with_key(session: Session) -> tuple[int, dict[str, Any]]:
            earlier = idempotency.claim_key(session, person_id=person_id, key=key, fingerprint=mark, now=self.now)
            if earlier is not None:
                return earlier
            status, answer = act(session)
            idempotency.keep_answer(session, person_id=person_id, key=key, status=status, answer=answer)
            return status, answer

        return self.write(act_with_key)


def _with_status(act: Callable[[Session], dict[str, Any]], session: Session) -> tuple[int, dict[str, Any]]:
    return 200, act(session)


async def keep_body(request: Request) -> None:
    """Read the body once, in the event loop, so that a write can be told from another with the same key."""
    if "idempotency-key" in request.headers:
        request.state.body = await request.body()


def find_actor(web: Visit) -> Actor | None:
    """Bearer token first, else the session's cookie; one short read session."""
    kind, _, token = web.request.headers.get("authorization", "").partition(" ")
    cookie = web.request.cookies.get(SESSION_COOKIE)
    if kind.lower() == "bearer" and token:
        with read_session(web.engine) as session:
            return queries.get_actor_by_token(session, hash_token(token.strip()), purpose="api", now=web.now)
    if cookie:
        with read_session(web.engine) as session:
            actor = queries.get_actor_by_session(session, hash_token(cookie), now=web.now)
        if actor and wants_json(web.request) and web.request.method not in SAFE:
            _require_own_script(web.request)
        return actor
    return None


def _require_own_script(request: Request) -> None:
    """JSON writes by cookie carry the page's token in a header. Raises CsrfRefused."""
    if request.headers.get("x-csrf-token") != csrf_token(request):
        raise CsrfRefused


def get_visitor(request: Request) -> Visit:
    web = Visit(request)
    _introduce(web, find_actor(web))
    return web


def get_caller(request: Request, _body: Annotated[None, Depends(keep_body)]) -> Caller:
    """Raises NotSignedIn; and Forbidden when somebody who only reads asks to write."""
    caller = Caller(request)
    actor = find_actor(caller)
    if actor is None:
        raise NotSignedIn
    _introduce(caller, actor)
    own_settings = request.url.path in ("/sign-out", "/language") or request.url.path.startswith("/settings")
    if request.method not in SAFE and actor.only_reads and not own_settings:
        raise Forbidden
    return caller


def _introduce(web: Visit, actor: Actor | None) -> None:
    web.actor = actor
    web.request.state.actor = actor
    if actor and actor.locale:
        web.request.state.locale = actor.locale


Visitor = Annotated[Visit, Depends(get_visitor)]
SignedIn = Annotated[Caller, Depends(get_caller)]


def allowed(*roles: Role) -> Callable[[Caller], Caller]:
    """A dependency that lets only these roles pass. Raises Forbidden."""

    def check(caller: SignedIn) -> Caller:
        if not caller.actor.has(*roles):
            raise Forbidden
        return caller

    return check


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of this site, else the start."""
    parts = urlsplit(path)
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return path if good and "\\" not in path and path.isprintable() else "/"
