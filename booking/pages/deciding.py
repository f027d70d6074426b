"""Where people decide: the lab's requests, and many requests at once."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import deciding, deputies, permissions, queries, weighing
from booking.models import Awaiting, Booking, Deputy, State
from booking.pages import views
from booking.pages.bookings import read_id
from booking.permissions import Acting
from booking.queries import BookingFilter
from booking.weighing import Weight
from core.errors import Refusal
from core.forms import FormIn
from core.i18n import N_, gettext
from core.rendering import localised
from core.shapes import read_uuid
from core.slot import Slot
from equipment import queries as catalogue
from members.access import Caller, SignedIn, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
WAITING_MOST = 100
BACK = ("/lab/requests", "/company")


@dataclass(frozen=True)
class Ask:
    """A request in a list of those that wait, with what a decision on it decides beside it."""

    card: views.Card
    weights: list[str]
    purpose: str
    may_decide: bool


@router.get("/lab/requests")
def show_requests(caller: Staff) -> Response:
    """What waits for the lab's decision, the most urgent first; and what waits for a startup's owner before it."""
    actor = caller.actor
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
        acting = deputies.find_acting(session, actor.person_id, now=caller.now)
        wanted = BookingFilter(states=frozenset({State.REQUESTED}), lab_ids=lab_ids | acting.labs.keys())
        found = queries.find_bookings(session, wanted, limit=WAITING_MOST)
        waiting = [booking for booking in found if booking.awaiting is not Awaiting.OWNER]
        asks = asks_of(session, caller, waiting, lab_ids, acting)
        named = deputies.find_deputies(session, actor, now=caller.now)
    before = [booking for booking in found if booking.awaiting is Awaiting.OWNER]
    return caller.render(
        "pages/lab/requests.html",
        asks=asks,
        before=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in before],
        manages=any(ask.may_decide for ask in asks),
        deputies=[row for row in deputy_rows(caller, named, lab_ids) if row["lab"]],
        may_name=actor.has(Role.LAB_MANAGER),
    )


@router.get("/approvals/confirmation")
def confirm(
    caller: SignedIn, decision: str = "approve", id: Annotated[list[str] | None, Query()] = None, back: str = ""
) -> Response:
    """What will be decided, before it is: all chosen requests that wait for this person, with their weight."""
    wanted = [key for text in (id or [])[:WAITING_MOST] if (key := read_uuid(text))]
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        acting = deputies.find_acting(session, caller.actor.person_id, now=caller.now)
        found = queries.find_by_ids(session, wanted)
        asks = asks_of(
            session,
            caller,
            [one for one in found if permissions.may_decide(caller.actor, one, lab_ids, acting)],
            lab_ids,
            acting,
        )
    back = back if back in BACK else BACK[0]
    if not asks:
        return caller.see_other(back, N_("Choose at least one request that waits for you."), "wait")
    return caller.render(
        "pages/lab/confirmation.html",
        asks=asks,
        declines=decision == "decline",
        decision="decline" if decision == "decline" else "approve",
        back=back,
        price_fen=sum(ask.card.price_fen for ask in asks),
        voucher_fen=sum(ask.card.voucher_fen for ask in asks),
        left_out=len(set(wanted)) - len(asks),
    )


@router.post("/approvals")
def decide_many(form: FormIn, caller: SignedIn) -> Response:
    """Each in a unit of work of its own; the answer says which went through and why the others did not."""
    declines = form["decision"] == "decline"
    versions = {name.removeprefix("version_"): int(form[name]) for name in form if _is_version(name, form[name])}

    def act(session: Session, *, name: str) -> dict[str, Any]:
        key, version = read_id(name), versions.get(name)
        if declines:
            deciding.decline_booking(session, caller.actor, key, reason=form["reason"], version=version, now=caller.now)
        else:
            deciding.approve_booking(session, caller.actor, key, word=form["word"], version=version, now=caller.now)
        return {}

    answers = caller.try_each(form.getlist("id")[:WAITING_MOST], act, key=form.key, body=form.body)
    back = form["back"] if form["back"] in BACK else BACK[0]
    asked = [found for text in answers if (found := read_uuid(text))]
    with caller.read() as session:
        known = {str(one.public_id): one for one in queries.find_by_ids(session, asked)}
    return caller.render(
        "pages/lab/decided.html",
        rows=[_result_row(caller, known.get(name), answer, declines=declines) for name, answer in answers.items()],
        done=sum(not isinstance(answer, Refusal) for answer in answers.values()),
        declines=declines,
        back=back,
    )


def asks_of(
    session: Session, caller: Caller, bookings: list[Booking], lab_ids: frozenset[int], acting: Acting
) -> list[Ask]:
    """The most urgent first; a fixed number of statements however many."""
    weights = weighing.weigh(session, bookings, now=caller.now)
    purposes = queries.find_notes(session, [booking.purpose_note_id for booking in bookings])
    urgent = sorted(bookings, key=lambda booking: booking.decide_by or booking.starts_at)
    return [
        Ask(
            card=views.card_of(booking, lang=caller.lang, now=caller.now),
            weights=weight_words(caller, booking, weights[booking.id]),
            purpose=purposes.get(booking.purpose_note_id or 0, ""),
            may_decide=permissions.may_decide(caller.actor, booking, lab_ids, acting),
        )
        for booking in urgent
    ]


def weight_words(caller: Caller, booking: Booking, weight: Weight) -> list[str]:
    return views.weight_rows(booking, weight, lang=caller.lang, zone=caller.site.renderer.zone)


def _result_row(
    caller: Caller, booking: Booking | None, answer: dict[str, Any] | Refusal, *, declines: bool
) -> dict[str, Any]:
    card = views.card_of(booking, lang=caller.lang, now=caller.now) if booking else None
    if isinstance(answer, Refusal):
        return {"card": card, "done": False, "text": caller.explain(answer)}
    if declines:
        text = N_("Declined; slot and voucher money are free again.")
    elif booking is not None and booking.awaiting is Awaiting.LAB:
        text = N_("Agreed; the lab decides now.")
    else:
        text = N_("Approved; the person has been told.")
    return {"card": card, "done": True, "text": gettext(caller.lang, text)}


def deputy_rows(caller: Caller, named: list[Deputy], lab_ids: frozenset[int]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(one.public_id),
            "lab": localised(one.lab, caller.lang) if one.lab else "",
            "principal": one.principal.name,
            "person": one.person.name,
            "is_me": one.person_id == caller.actor.person_id,
            "period": Slot(one.starts_at, one.ends_at),
            "is_now": one.starts_at <= caller.now < one.ends_at,
            "may_end": deputies.may_end(caller.actor, one, lab_ids),
        }
        for one in named
    ]


def _is_version(name: str, value: str) -> bool:
    return name.startswith("version_") and value.isascii() and value.isdecimal() and len(value) < 10
