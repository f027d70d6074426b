"""Around every answer: a request id, strict headers, a limit on what is sent, and text that can be stored."""

import json
import logging
import re
import secrets
import time
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import InvalidInput
from core.http import CSRF_COOKIE, MalformedText
from core.trace import request_id

log = logging.getLogger("yixiang.request")

BODY_MAX = 1_000_000
#: Forms with a file and bare files.
UPLOAD_MAX = 25_000_000
_UPLOADS = (b"multipart/form-data", b"application/octet-stream")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Surroundings:
    """Pure ASGI. Gives each request an id and a CSRF seed; sets headers; refuses what is too large or unreadable."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        token = request_id.set(number)
        started = time.perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        fresh_seed = self._seed(scope, state)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = number
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
                if fresh_seed:
                    headers.append("Set-Cookie", f"{CSRF_COOKIE}={fresh_seed}; Path=/; HttpOnly; SameSite=Lax")
            await send(message)

        try:
            await self.app(scope, _Limited(receive, _most(scope)), send_with_headers)
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            # The address of a feed is a secret, so the log does not hold it.
            path = "/feeds/..." if scope["path"].startswith("/feeds/") else scope["path"]
            log.info("%s %s %s %.1fms %s", scope["method"], path, status, took_ms, number)
            request_id.reset(token)

    @staticmethod
    def _seed(scope: Scope, state: dict[str, Any]) -> str:
        """A new CSRF seed for a browser that brings none; JSON and static files need none."""
        path: str = scope["path"]
        if path.startswith(("/api/", "/static/", "/feeds/", "/healthz", "/readyz", "/metrics")):
            return ""
        cookies = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
        if f"{CSRF_COOKIE}=".encode() in cookies:
            return ""
        state["csrf_seed"] = secrets.token_urlsafe(18)
        return str(state["csrf_seed"])


class BodyTooLarge(InvalidInput):
    message = "What was sent is too large."


def _most(scope: Scope) -> int:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return UPLOAD_MAX if kind.startswith(_UPLOADS) else BODY_MAX


class _Limited:
    """Counts what comes in and stops reading at `most` bytes."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise BodyTooLarge
        return message


class SafeRequest(Request):
    """JSON without NaN, NUL and lone surrogates; anything else is a refusal, not an accident in the database."""

    async def json(self) -> Any:
        if not hasattr(self, "_safe_json"):
            body = await self.body()
            try:
                value = json.loads(body, parse_constant=_refuse_constant)
            except (UnicodeDecodeError, RecursionError) as error:
                raise MalformedText from error
            written = json.dumps(value, ensure_ascii=False)
            if "\\u0000" in written or _LONE_SURROGATE.search(written):
                raise MalformedText
            self._safe_json = value
        return self._safe_json


class SafeRoute(APIRoute):
    """A route whose JSON body is read by SafeRequest and whose address holds no NUL."""

    def get_route_handler(self) -> Any:
        handle = super().get_route_handler()

        async def handle_safely(request: Request) -> Response:
            if "%00" in request.url.query or "\x00" in request.url.path:
                raise MalformedText
            return await handle(SafeRequest(request.scope, request.receive))

        return handle_safely


def _refuse_constant(name: str) -> Any:
    raise MalformedText
