"""Terms of use of an instrument, a lab or an institution: a form for a new version, the versions, who accepted them."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from booking import acceptance, queries
from booking.pages.bookings import answer_or_show
from booking.queries import Accepted
from core.errors import Refusal
from core.forms import Form, FormIn
from core.i18n import N_
from core.rendering import localised
from core.shapes import read_uuid
from equipment import terms
from equipment.models import Terms
from equipment.models.terms import PARTS
from equipment.pages.shared import Manager, around, errors_of, is_shown, read_level, save, seen_of, status_of
from equipment.pages.terms import PART_NAMES
from equipment.scopes import find_scope
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)
ACCEPTANCES_SHOWN = 30


@router.post("/bookings/{booking_id}/terms")
def accept_terms(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    """The startup accepts what the lab entered for it. Stands first: the address of a level would take it."""
    return answer_or_show(
        caller, form, booking_id,
        lambda session: acceptance.accept_terms(
            session, caller.actor, booking_id, shown=read_uuid(form["terms_version"]), now=caller.now
        ),
        N_("Accepted. The version stays with the booking."),
    )  # fmt: skip


@router.get("/{level}/{public_id}/terms")
def show_versions(level: str, public_id: UUID, caller: Manager) -> Response:
    return _page(caller, level, public_id)


@router.post("/{level}/{public_id}/terms")
def publish_version(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    try:
        text = terms.read_terms(form, today=terms.today_of(caller.now))
        return save(
            caller, form, read_level(level), public_id, "terms",
            lambda session, scope: terms.publish(
                session, caller.actor, scope, text, now=caller.now, seen=form["seen"]
            ),
            N_("Published. Requests accept it from that day on; what was agreed keeps its version."),
        )  # fmt: skip
    except Refusal as refusal:
        if not is_shown(refusal):
            raise
        return _page(caller, level, public_id, form, refusal)


@router.post("/{level}/{public_id}/terms/end")
def end_terms(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    return save(
        caller, form, read_level(level), public_id, "terms",
        lambda session, scope: terms.end(session, caller.actor, scope, now=caller.now, seen=form["seen"]),
        N_("Ended. Requests are not asked for these terms any more."),
    )  # fmt: skip


def _page(
    caller: Caller, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    today = terms.today_of(caller.now)
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        versions = terms.find_versions(session, scope)
        keys = [version.public_id for version in versions]
        counts = queries.count_acceptances(session, keys)
        accepted = queries.find_acceptances(session, keys, limit=ACCEPTANCES_SHOWN)
    current = terms.version_on(versions, today)
    begin = next((version for version in versions if not version.asks_nothing), None)
    typed = dict(form) if form else {name: getattr(begin, name) for name in PARTS} if begin else {}
    wrong = refusal.field if refusal else ""
    numbers = {version.public_id: version.number for version in versions}
    return caller.render(
        "pages/equipment/terms.html",
        status=status_of(refusal),
        parts=[
            {"name": name, "label": label, "value": typed.get(name, ""),
             "error": caller.explain(refusal) if refusal and wrong == name else ""}
            for name, label in PART_NAMES.items()
        ],
        longest=terms.PART_LONGEST,
        effective_on=typed.get("effective_on") or today.isoformat(),
        today=today,
        versions=[_version_row(version, versions, current, counts) for version in versions],
        in_force=bool(current and not current.asks_nothing),
        accepted=[_accepted_row(row, numbers, caller) for row in accepted],
        accepted_most=ACCEPTANCES_SHOWN,
        seen=seen_of(form, refusal, terms.versions_mark(versions)),
        differences=[],
        errors=errors_of(caller, refusal),
        wrong=wrong,
        **around(caller, scope, "terms"),
    )  # fmt: skip


def _version_row(
    version: Terms, versions: list[Terms], current: Terms | None, counts: dict[UUID, tuple[int, int]]
) -> dict[str, Any]:
    done, waiting = counts.get(version.public_id, (0, 0))
    is_replaced = any(
        other.effective_on == version.effective_on and other.number > version.number for other in versions
    )
    begins_later = current is None or version.effective_on > current.effective_on
    return {
        "version": version,
        "href": f"/terms/{version.public_id}",
        "is_current": version is current,
        "is_replaced": is_replaced,
        "is_coming": begins_later and not is_replaced,
        "accepted": done,
        "waiting": waiting,
    }


def _accepted_row(row: Accepted, numbers: dict[UUID, int], caller: Caller) -> dict[str, Any]:
    return {
        "href": f"/bookings/{row.public_id}",
        "slot": row.slot,
        "who": f"{localised(row.organisation, caller.lang)} · {row.person_name}",
        "number": numbers[row.terms_version],
        "by": row.accepted_by,
        "at": row.accepted_at,
    }
