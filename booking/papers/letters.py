"""The words of mails about messages, questions and answers. Read when sent, so that what is erased stays erased."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking import queries
from booking.letters import WHY, Audience, Desk, Fact, Letter, equipment_name, place_name
from booking.models import Booking
from booking.papers import messages, notices, questions
from booking.papers.models import Message
from booking.papers.questions import QuestionRow
from booking.papers.sides import Side
from core.formats import format_slot, format_time
from core.i18n import N_, Lang, translate
from core.outbox import OutboxMessage
from core.rendering import localised
from equipment.models import Equipment

KINDS = frozenset({notices.MESSAGE, notices.ASKED, notices.ANSWERED})


def write_letter(session: Session, row: OutboxMessage, lang: Lang, desk: Desk) -> Letter | None:
    """The letter of a row; None where it has nothing to say any more: read on the page, answered, or erased."""
    if row.kind == notices.MESSAGE:
        return _message_letter(session, row, lang, desk)
    found, entry = questions.get_row(session, UUID(row.data["question"]))
    if not found.words:
        return None
    if row.kind == notices.ASKED:
        return None if found.question.answered_at else _asked_letter(found, entry, lang, desk)
    return _answered_letter(found, entry, lang, desk)


def _message_letter(session: Session, row: OutboxMessage, lang: Lang, desk: Desk) -> Letter | None:
    booking = queries.get_booking(session, UUID(row.data["booking"]))
    by_lab, bundle_at = bool(row.data["by_lab"]), datetime.fromisoformat(row.data["bundle_at"])
    side = Side.STARTUP if by_lab else Side.LAB
    if row.person_id is None or not _is_news(session, booking, side, row.person_id, bundle_at):
        return None
    bundle = messages.find_bundle(session, booking.id, by_lab=by_lab, bundle_at=bundle_at)
    zone = ZoneInfo(booking.equipment.lab.zone)
    facts = [Fact(f"{one.person_name}, {format_time(one.message.at, zone)}", one.words) for one in bundle if one.words]
    if not facts:
        return None
    fields = {
        "equipment": equipment_name(booking, lang),
        "slot": format_slot(booking.slot, lang, zone, year=True),
        "lab": place_name(booking, lang),
        "organisation": localised(booking.organisation, lang),
    }
    lead = N_("%(lab)s wrote about your booking of %(equipment)s, %(slot)s.")
    if not by_lab:
        lead = N_("%(organisation)s wrote about its booking of %(equipment)s, %(slot)s.")
    heading = N_("New messages about a booking") if len(facts) > 1 else N_("A message about a booking")
    return Letter(
        subject=translate(lang, N_("Message: %(equipment)s, %(slot)s"), **fields),
        heading=translate(lang, heading),
        paragraphs=(translate(lang, lead, **fields),),
        facts=tuple(facts),
        action_text=translate(lang, N_("Read and answer")),
        action_url=f"{desk.base_url.rstrip('/')}/bookings/{booking.public_id}#messages",
        why=translate(lang, _why(row, booking), **fields),
    )


def _why(row: OutboxMessage, booking: Booking) -> str:
    if row.data["audience"] == Audience.LAB or row.person_id == booking.person_id:
        return WHY[Audience(row.data["audience"])]
    return N_("You get this mail because you have written in the thread of this booking.")


def _is_news(session: Session, booking: Booking, side: Side, person_id: int, bundle_at: datetime) -> bool:
    """Whether something of a bundle is unread for a person."""
    which = Message.booking_id == booking.id, Message.bundle_at == bundle_at, messages.is_unread(side, person_id)
    return bool(session.scalar(select(exists().where(*which))))


def _asked_letter(found: QuestionRow, entry: Equipment, lang: Lang, desk: Desk) -> Letter:
    fields = {"equipment": localised(entry, lang), "lab": localised(entry.lab, lang), "person": found.asker}
    return Letter(
        subject=translate(lang, N_("Question: %(equipment)s"), **fields),
        heading=translate(lang, N_("A question about an instrument")),
        paragraphs=(translate(lang, N_("%(person)s asks about %(equipment)s."), **fields),),
        facts=(Fact(translate(lang, N_("Question")), found.words),),
        action_text=translate(lang, N_("Answer")),
        action_url=f"{desk.base_url.rstrip('/')}/lab/questions",
        why=translate(lang, WHY[Audience.LAB], **fields),
    )


def _answered_letter(found: QuestionRow, entry: Equipment, lang: Lang, desk: Desk) -> Letter:
    fields = {"equipment": localised(entry, lang), "lab": localised(entry.lab, lang)}
    return Letter(
        subject=translate(lang, N_("Answer: %(equipment)s"), **fields),
        heading=translate(lang, N_("The lab has answered your question")),
        paragraphs=(translate(lang, N_("%(lab)s answers your question about %(equipment)s."), **fields),),
        facts=(
            Fact(translate(lang, N_("Your question")), found.words),
            Fact(translate(lang, N_("Answer")), found.answer or ""),
        ),
        action_text=translate(lang, N_("See the instrument")),
        action_url=f"{desk.base_url.rstrip('/')}/equipment/{entry.public_id}#questions",
        why=translate(lang, N_("You get this mail because you asked this question on Yixiang.")),
    )
