"""What the pages of one instrument, lab or institution have in common: who may, the head, the tabs, the errors."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound, Refusal
from core.forms import Form
from core.i18n import N_, gettext
from core.rendering import localised
from equipment.errors import SavedMeanwhile
from equipment.scopes import Level, Scope, find_scope
from members.access import Caller, allowed
from members.models import Role

Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.ZONE_ADMIN))]
_LIMITS = ("limits", N_("Limits"))
_SET = (("rules", N_("Rules")), ("hours", N_("Hours")), ("closures", N_("Closures")), ("prices", N_("Prices")),
        ("terms", N_("Terms")))  # fmt: skip
_TABS: dict[Level, tuple[tuple[str, str], ...]] = {
    Level.EQUIPMENT: (
        ("edit", N_("Description")), *_SET, _LIMITS, ("files", N_("Pictures and documents")),
        ("units", N_("Machines and seats")), ("history", N_("History")),
    ),
    Level.LAB: (("edit", N_("Description")), *_SET, _LIMITS, ("people", N_("People and qualifications")),
                ("exceptions", N_("Rules set aside"))),
    Level.INSTITUTION: _SET,
}  # fmt: skip
_SUBTITLES = {
    Level.EQUIPMENT: N_("What is set here counts for this instrument alone."),
    Level.LAB: N_("What is set here counts for all instruments of the lab that set nothing themselves."),
    Level.INSTITUTION: N_("What is set here counts for all instruments of the institution, unless they or a lab do."),
}


def read_level(text: str) -> Level:
    """The level named in an address. Raises NotFound."""
    if text not in set(Level):
        raise NotFound
    return Level(text)


def around(caller: Caller, scope: Scope, here: str) -> dict[str, Any]:
    """Head and tabs of a page."""
    return {
        "scope": scope,
        "scope_name": localised(scope, caller.lang),
        "scope_text": gettext(caller.lang, _SUBTITLES[scope.level]),
        "back_href": "/lab/catalogue",
        "tabs": [
            {"text": gettext(caller.lang, label), "href": f"{scope.href}/{name}", "current": name == here}
            for name, label in _TABS[scope.level]
        ],
    }


def errors_of(caller: Caller, refusal: Refusal | None) -> list[dict[str, str]]:
    return [{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else []


def is_shown(refusal: Refusal) -> bool:
    """Whether a refusal is said on the form itself, with what was typed."""
    return bool(refusal.field) or isinstance(refusal, SavedMeanwhile)


def status_of(refusal: Refusal | None) -> int:
    return 200 if refusal is None else 409 if isinstance(refusal, SavedMeanwhile) else 422


def seen_of(form: Form | None, refusal: Refusal | None, current: str) -> str:
    """The fingerprint that a form carries: of what its reader was shown last."""
    if refusal is not None and "seen" in refusal.details:
        return str(refusal.details["seen"])
    return form["seen"] if form else current


def save(
    caller: Caller,
    form: Form,
    level: Level,
    public_id: UUID,
    here: str,
    act: Callable[[Session, Scope], object],
    flash: str = N_("Saved."),
) -> Response:
    """One write about a level; then back to the same page. Raises the refusals of `act`."""

    def once(session: Session) -> str:
        scope = find_scope(session, caller.actor, level, public_id)
        act(session, scope)
        return f"{scope.href}/{here}"

    return caller.redirect_once(form, once, flash)
