"""What stands around every page: navigation by role, and the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from booking import deputies
from booking import queries as bookings
from booking.models import Awaiting, State
from booking.papers import questions
from booking.queries import BookingFilter
from core.http import Web
from core.i18n import N_, translate
from core.rendering import localised
from equipment import queries as catalogue
from members.actor import Actor
from members.models import Role

STARTUP = (
    ("/equipment", N_("Find instruments"), "search"),
    ("/bookings", N_("My bookings"), "calendar"),
    ("/vouchers", N_("Vouchers"), "voucher"),
    ("/company", N_("Our startup"), "people"),
)
RESEARCHER = STARTUP[:2]
LAB = (
    ("/lab", N_("Today"), "today"),
    ("/lab/requests", N_("Requests"), "inbox"),
    ("/lab/questions", N_("Questions"), "help"),
    ("/lab/catalogue", N_("Instruments"), "instrument"),
    ("/lab/people", N_("People"), "people"),
    ("/lab/reports", N_("Reports"), "report"),
)
FINANCE = (
    ("/finance", N_("Funds"), "fund"),
    ("/finance/vouchers", N_("Vouchers"), "voucher"),
    ("/finance/spend", N_("Spend"), "report"),
    ("/finance/ledger", N_("Ledger"), "ledger"),
)
ZONE = (
    ("/zone/organisations", N_("Organisations"), "institution"),
    ("/lab/catalogue", N_("Instruments"), "instrument"),
    ("/zone/calendar", N_("Calendar"), "calendar"),
    ("/lab/reports", N_("Reports"), "report"),
    ("/finance", N_("Funds"), "fund"),
    ("/zone/audit", N_("Audit"), "audit"),
)
#: Pages that belong to an item of the navigation without standing below it.
PARTS_OF = {"/lab/imports": "/lab/catalogue", "/lab/deputies": "/lab/requests",
            "/approvals": "/lab/requests", "/labs/": "/lab/catalogue", "/institutions/": "/lab/catalogue",
            "/equipment/": "/lab/catalogue", "/vouchers/": "/finance/vouchers"}  # fmt: skip
OUTSIDE = (("/equipment", N_("Find instruments"), "search"),)


@dataclass(frozen=True)
class Item:
    href: str
    label: str
    icon: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Shown:
    """The signed-in person as the header shows one."""

    name: str
    organisation_name: str
    initials: str
    can_book: bool


def home_of(actor: Actor | None) -> str:
    return _rows(actor)[0][0]


def page_context(web: Web) -> Mapping[str, Any]:
    """Navigation and person; at most four statements, for the counts of what waits."""
    actor: Actor | None = getattr(web.request.state, "actor", None)
    rows = _rows(actor)
    path = web.request.url.path
    hrefs = {row[0] for row in rows}
    for begin, target in PARTS_OF.items():
        if path.startswith(begin) and target in hrefs:
            path = target
    here = max((row[0] for row in rows if path == row[0] or path.startswith(row[0] + "/")), key=len, default="")
    counts = _counts(web, actor) if actor else {}
    nav = [Item(href, translate(web.lang, label), icon, href == here, counts.get(href)) for href, label, icon in rows]
    return {"nav": nav, "actor": _shown(actor, web) if actor else None}


def _rows(actor: Actor | None) -> tuple[tuple[str, str, str], ...]:
    if actor is None:
        return OUTSIDE
    if actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR):
        return LAB
    if actor.has(Role.FINANCE_OFFICER):
        return FINANCE
    if actor.has(Role.ZONE_ADMIN, Role.AUDITOR):
        return ZONE
    return RESEARCHER if actor.has(Role.RESEARCHER) else STARTUP


def _counts(web: Web, actor: Actor) -> dict[str, int | None]:
    """What waits for this person: requests and questions for a lab, one's own waiting bookings for a startup."""
    waiting = frozenset({State.REQUESTED})
    with web.read() as session:
        if actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR):
            lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
            acting = deputies.find_acting(session, actor.person_id, now=web.now)
            wanted = BookingFilter(states=waiting, awaiting=Awaiting.LAB, lab_ids=lab_ids | acting.labs.keys())
            return {
                "/lab/requests": bookings.count_bookings(session, wanted) or None,
                "/lab/questions": questions.count_open(session, lab_ids) or None,
            }
        if actor.has(Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER):
            visible = bookings.visible_to(actor, frozenset())
            own = bookings.count_bookings(session, BookingFilter(states=waiting), visible=visible)
            return {"/bookings": own or None, **_owner_count(session, web, actor)}
    return {}


def _owner_count(session: Session, web: Web, actor: Actor) -> dict[str, int | None]:
    """What waits for the word of an owner, or of who stands in for one."""
    if not actor.has(Role.STARTUP_OWNER, Role.STARTUP_MEMBER):
        return {}
    acting = deputies.find_acting(session, actor.person_id, now=web.now)
    if not actor.has(Role.STARTUP_OWNER) and not acting.startups:
        return {}
    waits = bookings.waits_for(actor, frozenset(), acting)
    return {"/company": bookings.count_bookings(session, BookingFilter(), visible=waits) or None}


def _shown(actor: Actor, web: Web) -> Shown:
    grant = actor.grants[0] if actor.grants else None
    name = localised(grant, web.lang) if grant else ""
    can_book = actor.has(Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER)
    return Shown(actor.name, name, actor.name[:1], can_book)
