"""What a route needs, and how a refusal becomes an answer. The only place that maps kinds of refusal to status."""

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from markupsafe import Markup
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core import errors, signing
from core.clock import Clock
from core.config import Settings
from core.db import read_session
from core.errors import Refusal
from core.formats import format_fields
from core.i18n import N_, Lang, choose_language, translate
from core.live import Hub
from core.pydantic_texts import PYDANTIC_TEXTS
from core.references import Namer, name_none
from core.rendering import Renderer
from core.trace import request_id

STATUS: dict[type[Refusal], int] = {
    errors.NotSignedIn: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.InvalidInput: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
CSRF_COOKIE, SESSION_COOKIE, LANG_COOKIE, FLASH_COOKIE = "yx_csrf", "yx_session", "yx_lang", "yx_flash"


class CsrfRefused(errors.Forbidden):
    message = "The form is too old. Load its page again; your browser's back button still shows what you typed."


class MalformedText(errors.InvalidInput):
    message = "The text holds characters that cannot be stored."


@dataclass
class Site:
    """What one process serves with; made once by the roof."""

    engine: Engine
    settings: Settings
    clock: Clock
    renderer: Renderer
    secret: bytes
    #: What every page shows around its content (navigation, the person); given by the roof.
    page_context: Callable[["Web"], Mapping[str, Any]] = field(default=lambda _web: {})
    #: What references of lower floors are called; given by the roof.
    name_references: Namer = name_none
    #: Tells open pages what changed; None where nobody serves.
    live: Hub | None = None


class Web:
    """One request: its time, its reader's language, short reads and pages."""

    def __init__(self, request: Request, now: datetime | None = None) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.now = now or self.site.clock.now()

    @property
    def engine(self) -> Engine:
        return self.site.engine

    @property
    def settings(self) -> Settings:
        return self.site.settings

    @property
    def lang(self) -> Lang:
        return reader_language(self.request)

    @property
    def csrf(self) -> str:
        return csrf_token(self.request)

    def read(self) -> AbstractContextManager[Session]:
        return read_session(self.engine)

    def render(self, template: str, /, status: int = 200, **context: Any) -> HTMLResponse:
        around = {
            "request": self.request,
            "status": status,
            "csrf": self.csrf,
            "form_fields": self._form_fields,
            "flash": read_flash(self.request),
            "now": self.now,
            "demo": self.settings.demo,
            **self.site.page_context(self),
        }
        html = self.site.renderer.render(self.lang, template, around | context)
        response = HTMLResponse(html, status)
        if FLASH_COOKIE in self.request.cookies:
            response.delete_cookie(FLASH_COOKIE)
        return response

    def see_other(self, url: str, flash: str = "", kind: str = "ok", **fields: Any) -> Response:
        """303 to a page of ours; `flash` is a message id shown there once."""
        response = RedirectResponse(url, 303)
        if flash:
            text = translate(self.lang, flash, **format_fields(fields, self.lang, self.site.renderer.zone))
            response.set_cookie(
                FLASH_COOKIE, signing.pack(self.site.secret, [kind, text]), max_age=60, httponly=True, samesite="lax"
            )
        return response

    def explain(self, refusal: Refusal) -> str:
        """A refusal as a sentence in the reader's language."""
        return explain(refusal, self.lang, self.site.renderer)

    def explain_help(self, refusal: Refusal) -> str:
        """What would help against a refusal, alone."""
        return explain_help(refusal, self.lang, self.site.renderer)

    def _form_fields(self) -> Markup:
        """Hidden fields of every form: proof that it is ours, and the key that makes it happen once."""
        inputs = '<input type="hidden" name="csrf" value="{}"><input type="hidden" name="_key" value="{}">'
        return Markup(inputs).format(self.csrf, secrets.token_urlsafe(16))


def get_web(request: Request) -> Web:
    return Web(request)


WebIn = Annotated[Web, Depends(get_web)]


def csrf_token(request: Request) -> str:
    """Bound to the browser and, once signed in, to the session; new after signing in."""
    site: Site = request.app.state.site
    seed = getattr(request.state, "csrf_seed", "") or request.cookies.get(CSRF_COOKIE, "")
    return signing.mark(site.secret, f"csrf|{seed}|{request.cookies.get(SESSION_COOKIE, '')}")


def reader_language(request: Request) -> Lang:
    chosen = getattr(request.state, "locale", "") or request.cookies.get(LANG_COOKIE)
    return choose_language(chosen, request.headers.get("accept-language", ""))


def read_flash(request: Request) -> tuple[str, str] | None:
    packed = request.cookies.get(FLASH_COOKIE)
    found = signing.unpack(request.app.state.site.secret, packed) if packed else None
    return (str(found[0]), str(found[1])) if isinstance(found, list) and len(found) == 2 else None


def status_of(refusal: Refusal) -> int:
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def explain(refusal: Refusal, lang: Lang, renderer: Renderer) -> str:
    fields = format_fields(refusal.fields, lang, renderer.zone)
    sentence = translate(lang, refusal.message, **fields)
    if refusal.help:
        sentence += ("" if lang == "zh-CN" else " ") + translate(lang, refusal.help, **fields)
    if not refusal.reasons:
        return sentence
    return " ".join([sentence, *(explain(reason, lang, renderer) for reason in refusal.reasons)])


def explain_help(refusal: Refusal, lang: Lang, renderer: Renderer) -> str:
    """What would help, alone; empty where the sentence says it."""
    return translate(lang, refusal.help, **format_fields(refusal.fields, lang, renderer.zone)) if refusal.help else ""


def wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def install_error_answers(app: FastAPI) -> None:
    """Refusals, invalid input, unknown addresses and our own mistakes: each a clear word and a stable code."""
    app.add_exception_handler(Refusal, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_mistake)


def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    status = status_of(error)
    if status == 401 and not wants_json(request) and request.method in ("GET", "HEAD"):
        return RedirectResponse(f"/sign-in?next={_quoted_path(request)}", 303)
    site: Site = request.app.state.site
    lang = reader_language(request)
    sentence = translate(lang, error.message, **format_fields(error.fields, lang, site.renderer.zone))
    reasons = [
        {
            "code": reason.code,
            "field": reason.field,
            "message": explain(reason, lang, site.renderer),
            "help": explain_help(reason, lang, site.renderer),
            **reason.details,
        }
        for reason in error.reasons
    ]
    extra = error.details | ({"reasons": reasons} if reasons else {}) | ({"field": error.field} if error.field else {})
    response = answer_problem(request, status, error.code, sentence, **extra)
    if retry_after := error.details.get("retry_after") or (status == 503 and 2):
        response.headers["Retry-After"] = str(retry_after)
    return response


def _quoted_path(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return signing.quote(request.url.path + query)


def _answer_invalid(request: Request, error: Exception) -> Response:
    """Pydantic's findings, each at its field, in the reader's language."""
    assert isinstance(error, RequestValidationError)
    lang = reader_language(request)
    if any(finding["loc"][:1] == ("path",) for finding in error.errors()):
        return _answer_refusal(request, errors.NotFound())
    reasons: dict[str, dict[str, str]] = {}
    for finding in error.errors()[:50]:
        field = field_of(finding, error.body)
        reason = {"code": finding["type"], "field": field, "message": describe_finding(finding, lang)}
        reasons.setdefault(field, reason)
    message = translate(lang, errors.InvalidInput.message)
    return answer_problem(request, 422, "invalid_input", message, reasons=list(reasons.values()))


def field_of(finding: Mapping[str, Any], body: Any) -> str:
    """The name of the field that a finding is about, as it was written; empty for the body itself.

    Pydantic's path also names the kinds that it tried; those lie in nothing that was sent.
    """
    kind, *path = finding["loc"]
    if kind != "body":
        return str(path[0]) if path else ""
    names: list[str] = []
    value = body
    for part in path:
        if isinstance(value, Mapping) and (part in value or finding["type"] == "missing"):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
        names.append(str(part))
    return ".".join(names)


def describe_finding(finding: Mapping[str, Any], lang: Lang) -> str:
    """One finding of Pydantic, or of a shape of our own, as a sentence."""
    text = PYDANTIC_TEXTS.get(finding["type"]) or str(finding["msg"])
    context = {name: str(value) for name, value in (finding.get("ctx") or {}).items()}
    return translate(lang, text, **context)


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Refusal):
        return _answer_refusal(request, error.__cause__)
    known: dict[int, tuple[str, str]] = {
        400: ("malformed", N_("The request could not be read.")),
        404: ("not_found", errors.NotFound.message),
        405: ("method_not_allowed", N_("This address does not take this kind of request.")),
        413: ("too_large", N_("What was sent is too large.")),
    }
    code, message = known.get(error.status_code, (f"http_{error.status_code}", str(error.detail)))
    response = answer_problem(request, error.status_code, code, translate(reader_language(request), message))
    response.headers.update(error.headers or {})
    return response


def _answer_mistake(request: Request, _error: Exception) -> Response:
    """The last resort: our own mistake, logged by the server with the same request id."""
    message = N_("Something went wrong on our side and was recorded. Try again; if it stays, tell us the number below.")
    return answer_problem(request, 500, "internal_error", translate(reader_language(request), message))


def answer_problem(request: Request, status: int, code: str, detail: str, **extra: Any) -> Response:
    """RFC 9457 for JSON; a page with the same words for a browser."""
    if wants_json(request):
        body = {"type": "about:blank", "status": status, "code": code, "title": detail, "detail": detail}
        return JsonAnswer(
            body | {"request_id": request_id.get()} | extra, status, media_type="application/problem+json"
        )
    web = Web(request)
    return web.render(
        "pages/error.html", status=status, code=code, detail=detail, problem=extra, number=request_id.get(),
        back=read_referer(request),
    )  # fmt: skip


def read_referer(request: Request) -> str:
    """The page of ours from which one came, as a path; empty for any other."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    ours = parts.netloc == request.url.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return path if ours and path.isprintable() and "\\" not in path else ""


class JsonAnswer(Response):
    """JSON with aware instants in UTC (`...Z`), UUIDs as text; text that cannot be UTF-8 is escaped, not fatal."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case _ if hasattr(value, "isoformat"):
            return value.isoformat()
        case _:
            raise TypeError(type(value).__name__)
