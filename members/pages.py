"""Sign in, settings, language, and the zone's lists of organisations, people and the trail."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Refusal
from core.forms import FormIn
from core.http import LANG_COOKIE, SESSION_COOKIE
from core.i18n import LANGS, N_, gettext
from core.rendering import localised
from core.shapes import read_uuid
from members import queries, service
from members.access import Caller, SignedIn, Visit, Visitor, allowed, safe_next
from members.errors import SignInRefused, TooManySignIns
from members.models import Role
from members.sign_in import prove
from members.suspensions import is_held, suspension_notices
from members.words import ACTION_WORDS, KIND_WORDS, ROLE_WORDS

router = APIRouter(include_in_schema=False)
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]
PAGE = 50
YEAR_S = 365 * 86400
#: In the place of a kind in the list of organisations.
SUSPENDED = "suspended"


@router.get("/sign-in")
def show_sign_in(caller: Visitor, next: str = "/") -> Response:
    return caller.render("pages/members/sign_in.html", next=safe_next(next), errors=[], email="")


@router.post("/sign-in")
def sign_in(form: FormIn, caller: Visitor) -> Response:
    """A new session, so that whoever knew the old cookie knows nothing."""
    try:
        person = prove(caller, email=form["email"], password=form["password"])
    except (SignInRefused, TooManySignIns) as refusal:
        return caller.render(
            "pages/members/sign_in.html",
            status=401,
            next=safe_next(form["next"] or "/"),
            errors=[{"field": "email", "message": caller.explain(refusal)}],
            email=form["email"],
        )
    token = caller.write(lambda session: service.start_session(session, person, now=caller.now))
    response = caller.see_other(safe_next(form["next"] or "/"))
    set_session_cookie(caller, response, token)
    return response


def set_session_cookie(web: Visit, response: Response, token: str) -> None:
    secure = web.settings.base_url.startswith("https://")
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(service.SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure,
    )


@router.post("/sign-out")
def sign_out(_form: FormIn, caller: Visitor) -> Response:
    token = caller.request.cookies.get(SESSION_COOKIE, "")
    if token:
        caller.write(lambda session: service.end_session(session, caller.actor, token, now=caller.now))
    response = caller.see_other("/", N_("You are signed out."))
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/language")
def choose_language(form: FormIn, caller: Visitor) -> Response:
    """By cookie for anybody, and kept for a person who is signed in."""
    lang = form["lang"] if form["lang"] in LANGS else LANGS[0]
    actor = caller.actor
    if actor:
        caller.write(lambda session: service.set_locale(session, actor, lang, now=caller.now))
    response = caller.see_other(safe_next(_path_of(caller.request.headers.get("referer", ""), caller)))
    response.set_cookie(LANG_COOKIE, lang, max_age=YEAR_S, samesite="lax", httponly=True)
    return response


def _path_of(referer: str, caller: Visit) -> str:
    """The path of our own page from which a form came."""
    origin = str(caller.request.base_url).rstrip("/")
    return referer.removeprefix(origin) if referer.startswith(origin + "/") else "/"


@router.get("/settings")
def show_settings(caller: SignedIn) -> Response:
    return _settings(caller)


@router.post("/settings/profile")
def change_profile(form: FormIn, caller: SignedIn) -> Response:
    locale = form["lang"] if form["lang"] in LANGS else ""
    try:
        caller.write(
            lambda session: service.change_profile(
                session, caller.actor, name=form["name"], locale=locale, now=caller.now
            )
        )
    except Refusal as refusal:
        return _settings(caller, refusal)
    response = caller.see_other("/settings", N_("Saved."))
    response.delete_cookie(LANG_COOKIE)
    return response


@router.post("/settings/password")
def change_password(form: FormIn, caller: SignedIn) -> Response:
    token = caller.request.cookies.get(SESSION_COOKIE, "")
    try:
        caller.write(
            lambda session: service.change_password(
                session,
                caller.actor,
                present=form["present"],
                password=form["password"],
                keep_token=token,
                now=caller.now,
            )
        )
    except Refusal as refusal:
        return _settings(caller, refusal)
    return caller.see_other("/settings", N_("The password is changed. All other sessions have ended."))


@router.post("/settings/feed")
def renew_feed(_form: FormIn, caller: SignedIn) -> Response:
    """Show the new address; it cannot be shown again, because only its hash is kept."""
    token = caller.write(lambda session: service.renew_feed_token(session, caller.actor, now=caller.now))
    return _settings(caller, feed_url=f"{caller.settings.base_url.rstrip('/')}/feeds/{token}.ics")


@router.post("/settings/feed/end")
def revoke_feed(_form: FormIn, caller: SignedIn) -> Response:
    caller.write(lambda session: service.revoke_feed_token(session, caller.actor, now=caller.now))
    return caller.see_other("/settings", N_("The address of the feed no longer works."))


def _settings(caller: Caller, refusal: Refusal | None = None, feed_url: str = "") -> Response:
    with caller.read() as session:
        feed = queries.get_feed_token(session, caller.actor.person_id)
    roles = [
        {"organisation": localised(grant, caller.lang), "role": gettext(caller.lang, ROLE_WORDS[grant.role])}
        for grant in caller.actor.grants
    ]
    return caller.render(
        "pages/members/settings.html",
        status=422 if refusal else 200,
        person=caller.actor,
        roles=roles,
        suspensions=suspension_notices(caller),
        feed_since=feed.created_at if feed else None,
        feed_url=feed_url,
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
    )


@router.get("/zone/organisations")
def list_organisations(
    caller: Zone, q: str = "", kind: str = "", after: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """Every institution, company and team, in order of name."""
    position = _read_position(after)
    only_suspended = kind == SUSPENDED
    with caller.read() as session:
        rows = queries.find_organisations(
            session, q=q[:100], kind="" if only_suspended else kind, after=position, limit=PAGE + 1,
            suspended_at=caller.now if only_suspended else None,
        )  # fmt: skip
        counts = queries.count_organisations(session)
        suspended = queries.count_suspended(session, now=caller.now)
    last = rows[PAGE - 1].organisation if len(rows) > PAGE else None
    return caller.render(
        "pages/members/organisations.html",
        rows=[
            {
                "organisation": row.organisation,
                "kind": gettext(caller.lang, KIND_WORDS[row.organisation.kind]),
                "people": row.people,
                "certainty": gettext(caller.lang, row.organisation.certainty),
                "href": f"/zone/organisations/{row.organisation.public_id}",
                "is_suspended": is_held(row.organisation.suspension, caller.now),
            }
            for row in rows[:PAGE]
        ],
        kinds=_kind_tabs(caller, counts, kind) + _suspended_tab(caller, suspended, current=only_suspended),
        q=q,
        kind=kind,
        next_href=f"/zone/organisations?kind={kind}&q={q}&after={last.id}|{last.sort_key}" if last else "",
    )


@router.get("/zone/people")
def list_people(caller: Zone, q: str = "", after: int = Query(0, ge=0, le=2**62)) -> Response:
    with caller.read() as session:
        rows = queries.find_people(session, q=q[:100], after=after, limit=PAGE + 1)
    older = urlencode({"q": q, "after": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
    return caller.render(
        "pages/members/people.html",
        rows=[
            {
                "name": row.person.name,
                "email": row.person.email,
                "role": gettext(caller.lang, ROLE_WORDS[Role(row.role)]),
                "organisation": localised(row, caller.lang),
            }
            for row in rows[:PAGE]
        ],
        q=q,
        next_href=f"/zone/people?{older}" if older else "",
    )


@router.get("/zone/audit")
def show_trail(
    caller: Zone, action: str = "", object: str = "", before: int | None = Query(None, ge=0, le=2**62)
) -> Response:
    """Who did what, newest first."""
    with caller.read() as session:
        rows = queries.find_trail(session, action=action[:60], object=object[:80], before=before, limit=PAGE + 1)
        names = _object_names(session, [row.entry.object for row in rows], caller)
    last = rows[PAGE - 1].entry.id if len(rows) > PAGE else None
    return caller.render(
        "pages/members/audit.html",
        rows=[_trail_row(row, names, caller) for row in rows[:PAGE]],
        action=action,
        object=object,
        actions=[("", gettext(caller.lang, "Everything"))]
        + [(name, gettext(caller.lang, words)) for name, words in ACTION_WORDS.items()],
        next_href=f"/zone/audit?action={action}&object={object}&before={last}" if last else "",
    )


def _object_names(session: Session, objects: list[str], caller: Caller) -> dict[str, str]:
    """What the objects of a trail are called, where that is known: people here, the rest by the site."""
    people = {text: read_uuid(text.removeprefix("person:")) for text in objects if text.startswith("person:")}
    found = queries.find_person_names(session, [key for key in people.values() if key])
    names = {text: found[key] for text, key in people.items() if key in found}
    named = caller.site.name_references(session, objects, caller.lang)
    return names | {text: one.name for text, one in named.items()}


def _trail_row(row: queries.Trail, names: dict[str, str], caller: Caller) -> dict[str, Any]:
    entry = row.entry
    words = ACTION_WORDS.get(entry.action)
    return {
        "at": entry.at,
        "who": row.actor_name or gettext(caller.lang, "automatically"),
        "what": gettext(caller.lang, words) if words else entry.action,
        "object": entry.object,
        "object_name": names.get(entry.object, ""),
        "href": f"/bookings/{entry.object.removeprefix('booking:')}" if entry.object.startswith("booking:") else "",
        "organisation": (row.organisation_en if caller.lang == "en" else "") or row.organisation_zh or "",
        "data": ", ".join(f"{name} {value}" for name, value in entry.data.items() if value is not None),
        "words": row.words or "",
    }


def _kind_tabs(caller: Caller, counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    tabs = [{"text": gettext(caller.lang, "All"), "href": "/zone/organisations", "current": not chosen}]
    return tabs + [
        {
            "text": gettext(caller.lang, words),
            "href": f"/zone/organisations?kind={kind}",
            "current": kind == chosen,
            "count": counts.get(kind, 0),
        }
        for kind, words in KIND_WORDS.items()
        if counts.get(kind)
    ]


def _suspended_tab(caller: Caller, number: int, *, current: bool) -> list[dict[str, Any]]:
    if not number and not current:
        return []
    text = gettext(caller.lang, "Suspended")
    return [{"text": text, "href": f"/zone/organisations?kind={SUSPENDED}", "current": current, "count": number}]


def _read_position(text: str) -> tuple[str, int] | None:
    number, _, key = text.partition("|")
    return (key, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
