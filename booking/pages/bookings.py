"""The startup's desk, one booking, and the forms that change it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import acceptance, deciding, deputies, permissions, queries, rechecking, service, visits
from booking.errors import RuleBroken, SlotInvalid
from booking.models import Awaiting, Booking, Source, State
from booking.pages import views
from booking.pages.exceptions import choices_from, choices_of, read_override
from booking.pages.instrument import Asked, instrument_page, read_mode
from booking.pages.training import own_qualifications
from booking.pages.weights import declines_early, proposals_of, read_proposed, weigh_for
from booking.papers import messages
from booking.papers.sides import Side
from booking.papers.views import read_papers
from booking.queries import BookingFilter
from booking.states import LIVE
from core.errors import NotFound, Refusal
from core.forms import Form, FormIn, KeptFormIn
from core.http import status_of
from core.i18n import N_
from core.shapes import read_cursor, read_uuid, read_wall_time, write_cursor
from core.slot import Slot
from equipment import queries as catalogue
from members.access import Caller, SignedIn
from members.models import Role
from members.suspensions import suspension_notices
from vouchers import queries as voucher_queries

router = APIRouter(include_in_schema=False)
ENDED = BookingFilter(states=frozenset(State) - LIVE, newest_first=True)
#: Ended bookings on the desk, and on each page of all of them.
PAST_SHOWN, PAGE = 10, 40


@router.get("/bookings")
def show_desk(caller: SignedIn) -> Response:
    """Coming up, waiting, and what is left on the vouchers."""
    actor = caller.actor
    with caller.read() as session:
        visible = queries.visible_to(actor, frozenset())
        live = queries.find_bookings(session, BookingFilter(states=LIVE), visible=visible, limit=100)
        past = queries.find_bookings(session, ENDED, visible=visible, limit=PAST_SHOWN)
        ended = queries.count_bookings(session, ENDED, visible=visible)
        startups = actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
        balance = voucher_queries.sum_balances(session, startups) if startups else None
        shown = [booking.id for booking in live + past]
        unread = messages.count_unread(session, shown, Side.STARTUP, actor.person_id)
        qualifications = own_qualifications(session, caller)
    cards = [views.card_of(booking, lang=caller.lang, now=caller.now) for booking in live]
    return caller.render(
        "pages/booking/desk.html",
        running=[card for card in cards if card.booking.state is State.IN_USE],
        coming=[card for card in cards if card.booking.state is State.APPROVED],
        waiting=[card for card in cards if card.booking.state is State.REQUESTED],
        past=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in past],
        ended=ended,
        balance=balance,
        unread=unread,
        qualifications=qualifications,
        suspensions=suspension_notices(caller),
    )


@router.get("/bookings/ended")
def show_ended(caller: SignedIn, before: str = "") -> Response:
    """All that is done, cancelled or declined, newest first, from a position on."""
    position = _read_position(before)
    with caller.read() as session:
        visible = queries.visible_to(caller.actor, frozenset())
        rows = queries.find_bookings(session, ENDED, visible=visible, limit=PAGE + 1, after=position)
        total = queries.count_bookings(session, ENDED, visible=visible)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return caller.render(
        "pages/booking/ended.html",
        cards=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in rows[:PAGE]],
        total=total,
        newest_href="/bookings/ended" if position else "",
        older_href=f"/bookings/ended?before={write_cursor(last.starts_at, last.id)}" if last else "",
    )


def _read_position(text: str) -> tuple[datetime, int] | None:
    """Where the list goes on; what is no position of ours begins at the top."""
    try:
        starts_at, key = read_cursor(text, (datetime, int)) if text else (None, 0)
    except ValueError:
        return None
    return (starts_at, key) if starts_at is not None and starts_at.tzinfo is not None else None


@router.get("/bookings/{booking_id}")
def show_booking(booking_id: UUID, caller: SignedIn, thread: str = "") -> Response:
    """One booking: where it stands, its money, its story, its papers, and what one may do with it."""
    return _page(caller, booking_id, all_messages=thread == "all")


@router.post("/bookings")
def request_booking(form: KeptFormIn, caller: SignedIn) -> Response:
    equipment_id = read_id(form["equipment_id"])

    def act(session: Session) -> str:
        form.require_storable()
        zone = catalogue.get_zone(session, equipment_id)
        booking, *_ = service.request_booking(
            session, caller.actor, equipment_id=equipment_id, slot=read_slot(form, zone),
            quantities=read_quantities(form), voucher=read_voucher(form), mode=read_mode(form["mode"]),
            purpose=form["purpose"], source=Source.WEB, terms_version=read_uuid(form["terms_version"]),
            now=caller.now,
        )  # fmt: skip
        return f"/bookings/{booking.public_id}"

    try:
        return caller.redirect_once(form, act, flash=N_("Requested. You will be told as soon as it is decided."))
    except NotFound:
        raise
    except Refusal as refusal:
        asked = Asked(
            form["starts_at"],
            form["ends_at"],
            read_quantities(form),
            form["voucher"] or "auto",
            form["purpose"],
            form["mode"],
            form["terms_version"],
        )
        return instrument_page(caller, equipment_id, asked, refusal=refusal)


@router.post("/bookings/{booking_id}/move")
def move_booking(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        keys = queries.get_keys(session, booking_id)
        slot = read_slot(form, catalogue.get_zone(session, keys.equipment_id))
        version = int(form["version"]) if form["version"].isdecimal() else 0
        service.move_booking(
            session, caller.actor, booking_id, slot=slot, version=version, override=read_override(form), now=caller.now
        )
        return read_next(form, booking_id)

    return _try(caller, form, booking_id, act, N_("Moved."), tried="move")


@router.post("/bookings/{booking_id}/approval")
def approve_booking(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        deciding.approve_booking(
            session,
            caller.actor,
            booking_id,
            word=form["word"],
            override=read_override(form),
            version=_version(form),
            now=caller.now,
        )
        return read_next(form, booking_id)

    return _try(caller, form, booking_id, act, N_("Your word is given. The person has been told."), tried="approval")


@router.post("/bookings/{booking_id}/refusal")
def decline_booking(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        deciding.decline_booking(
            session, caller.actor, booking_id, reason=form["reason"], proposed=read_proposed(form),
            version=_version(form), now=caller.now,
        )  # fmt: skip
        return read_next(form, booking_id)

    return _try(caller, form, booking_id, act, N_("Declined. Slot and voucher money are free again."))


@router.post("/bookings/{booking_id}/cancellation")
def cancel_booking(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        service.cancel_booking(session, caller.actor, booking_id, reason=form["reason"], now=caller.now)
        return f"/bookings/{booking_id}"

    return _try(caller, form, booking_id, act, N_("Cancelled. Slot and voucher money are free again."))


@router.post("/bookings/{booking_id}/check-in")
def check_in(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        visits.check_in(session, caller.actor, booking_id, now=caller.now)
        return read_next(form, booking_id)

    return _try(caller, form, booking_id, act, N_("Checked in."))


@router.post("/bookings/{booking_id}/check-out")
def check_out(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        keys = queries.get_keys(session, booking_id)
        zone = catalogue.get_zone(session, keys.equipment_id)
        visits.check_out(
            session, caller.actor, booking_id, quantities=read_quantities(form), note=form["note"], now=caller.now,
            ended_at=read_wall_time(form["ended_at"], zone, field="ended_at") if form["ended_at"] else None,
        )  # fmt: skip
        return f"/bookings/{booking_id}"

    return _try(caller, form, booking_id, act, N_("Checked out and charged for the actual use."))


def answer_or_show(
    caller: Caller, form: Form, booking_id: UUID, act: Callable[[Session], object], flash: str = "", part: str = ""
) -> Response:
    """Do it once and go back to the booking, to a part of its page; a refusal is shown there."""

    def once(session: Session) -> str:
        act(session)
        return f"/bookings/{booking_id}{part}"

    return _try(caller, form, booking_id, once, flash)


def _try(caller: Caller, form: Form, booking_id: UUID, act: Any, flash: str, tried: str = "") -> Response:
    """Do it once; a refusal is shown on the booking's own page, with what was typed."""
    try:
        return caller.redirect_once(form, act, flash=flash)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(caller, booking_id, refusal=refusal, form=form, tried=tried)


def _page(
    caller: Caller, booking_id: UUID, *, refusal: Refusal | None = None, form: Form | None = None,
    all_messages: bool = False, tried: str = "",
) -> Response:  # fmt: skip
    with caller.read() as session:
        booking = queries.get_booking(session, booking_id)
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        acting = deputies.find_acting(session, caller.actor.person_id, now=caller.now)
        decides = permissions.may_decide(caller.actor, booking, lab_ids, acting)
        if not decides:
            permissions.require_seen(caller.actor, booking, lab_ids)
        weight = weigh_for(session, caller, booking) if decides else {"weights": [], "proposals": []}
        story = queries.find_story(session, booking.id)
        words = queries.find_notes(session, [booking.purpose_note_id])
        holds = voucher_queries.find_holds(session, booking.reference)
        broken = _find_broken(session, caller, booking, lab_ids) if tried != "move" else []
        agreed = acceptance.find_agreed(session, booking)
        papers = read_papers(session, caller, booking, lab_ids, all_messages=all_messages)
    if papers.unread_to is not None:
        seen, person_id = papers.unread_to, caller.actor.person_id
        caller.write(lambda session: messages.mark_read(session, person_id, booking.id, seen))
    zone = caller.site.renderer.zone
    with_owner = booking.awaiting is Awaiting.OWNER or any(row.event.verb == "owner_agreed" for row in story)
    visit = booking.visit
    settled = visit is not None and visit.price_fen is not None
    lines = visit.lines if visit and settled else booking.lines
    card = views.card_of(booking, lang=caller.lang, now=caller.now)
    return caller.render(
        "pages/booking/booking.html",
        status=status_of(refusal) if refusal else 200,
        booking=booking,
        card=card,
        steps=views.step_rows(booking, caller.lang, with_owner=with_owner),
        waiting_words=views.waiting_words(booking, caller.lang, zone),
        proposed=proposals_of(story, booking) if booking.state is State.DECLINED else [],
        lines=views.price_rows(lines, voucher_fen=card.voucher_fen, paid_to=booking.paid_to, lang=caller.lang),
        settled=settled,
        story=views.story_rows(story, lang=caller.lang, zone=zone),
        purpose=words.get(booking.purpose_note_id or 0, ""),
        holds=holds,
        agreed=agreed,
        can_accept=acceptance.may_accept(caller.actor, booking),
        errors=[{"field": _field_of(refusal), "message": caller.explain(refusal)}] if refusal else [],
        wrong=_field_of(refusal) if refusal else "",
        alternatives=views.slots_of(refusal),
        typed=form or Form([]),
        tried=tried,
        broken=[caller.explain(rule) for rule in broken] if refusal is None else [],
        exceptions=choices_of(refusal, caller) if tried == "move" else choices_from(broken, caller),
        set_aside=form.getlist("override") if form else [],
        why=form["override_reason"] if form else "",
        local_start=_wall(booking, booking.starts_at),
        local_end=_wall(booking, booking.ends_at),
        visit_end=_wall(booking, visits.suggested_end(booking, caller.now)),
        **papers.context,
        **_cancelling(caller, booking, lab_ids),
        **_abilities(caller, booking, lab_ids, card),
        can_decide=decides,
        can_decline_early=declines_early(caller, booking, lab_ids),
        **weight,
    )


def _field_of(refusal: Refusal) -> str:
    """Fields that stand once on the page; the others are named in words."""
    return refusal.field if refusal.field in ("words", "file", "terms_version") else ""


def _find_broken(session: Session, caller: Caller, booking: Booking, lab_ids: frozenset[int]) -> list[RuleBroken]:
    """What a request breaks by now, for those who decide on it."""
    manages = permissions.manages(caller.actor, lab_ids, booking.equipment.lab_id)
    if not manages or booking.state is not State.REQUESTED:
        return []
    return rechecking.find_broken_now(session, booking, now=caller.now)


def _cancelling(caller: Caller, booking: Booking, lab_ids: frozenset[int]) -> dict[str, Any]:
    """What it costs this person now, as a number and in words."""
    by_lab = _cancels_for_lab(caller, booking, lab_ids)
    fee_fen = 0 if by_lab else service.late_fee_fen(booking, caller.now)
    words = views.cancel_words(
        booking, fee_fen=fee_fen, by_lab=by_lab, now=caller.now, lang=caller.lang, zone=caller.site.renderer.zone
    )
    return {"late_fee_fen": fee_fen, "cancel_words": words}


def _cancels_for_lab(caller: Caller, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """A manager of the lab speaks for it, except of a booking of one's own."""
    manages = permissions.manages(caller.actor, lab_ids, booking.equipment.lab_id)
    return manages and booking.person_id != caller.actor.person_id


def _abilities(caller: Caller, booking: Booking, lab_ids: frozenset[int], card: views.Card) -> dict[str, bool]:
    changes = permissions.may_change(caller.actor, booking, lab_ids)
    visits_it = permissions.may_check_in(caller.actor, booking, lab_ids)
    checks_out = visits_it and card.can_check_out
    says_end = permissions.may_shorten_visit(caller.actor, booking, lab_ids)
    is_late = not says_end and visits.is_end_doubtful(booking, caller.now)
    open_states = (State.REQUESTED, State.APPROVED)
    return {
        "can_move": changes and booking.state in open_states,
        "can_cancel": changes and booking.state in open_states,
        "must_say_why": _cancels_for_lab(caller, booking, lab_ids),
        "can_check_in": visits_it and card.can_check_in,
        "can_check_out": checks_out and not is_late,
        "must_ask_lab": checks_out and is_late,
        "can_say_end": says_end,
    }


def _wall(booking: Booking, at: datetime) -> str:
    return at.astimezone(ZoneInfo(booking.equipment.lab.zone)).strftime("%Y-%m-%dT%H:%M")


def _version(form: Form) -> int | None:
    """What the decider saw, where the form says it."""
    text = form["version"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def read_id(text: str) -> UUID:
    """An id from a form. Raises NotFound: a form of ours holds a good one."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def read_slot(form: Form, zone: ZoneInfo) -> Slot:
    """Wall times of a form in the lab's zone. Raises WallTimeInvalid, SlotInvalid."""
    starts_at = read_wall_time(form["starts_at"], zone, field="starts_at")
    ends_at = read_wall_time(form["ends_at"], zone, field="ends_at")
    if starts_at >= ends_at:
        raise SlotInvalid(field="ends_at")
    return Slot(starts_at, ends_at)


def read_quantities(form: Form) -> dict[str, str]:
    """Fields `quantity_<unit>` that were filled in."""
    return {name.removeprefix("quantity_"): form[name] for name in form if name.startswith("quantity_") and form[name]}


def read_voucher(form: Form) -> str | UUID:
    choice = form["voucher"] or "auto"
    return choice if choice in ("auto", "none") else read_id(choice)


def read_next(form: Form, booking_id: UUID) -> str:
    """Back to the list from which a form was sent, if it is one of ours."""
    path = form["next"].partition("?")[0]
    return form["next"] if path in ("/lab", "/lab/week", "/lab/requests", "/company") else f"/bookings/{booking_id}"
