"""Terms, a thread, a file, an order and questions, so that a visitor of the demonstration finds some."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import queries
from booking.models import Booking, State
from booking.papers import files, messages, orders, questions
from booking.queries import BookingFilter
from core.db import read_session, unit_of_work
from equipment import terms
from equipment.scopes import Level, find_scope
from members import queries as members
from members.actor import Actor
from members.models import Organisation
from web.demo.people import HUST

TERMS = {
    "content": "实验室按预约提供机时或测试服务，交付原始数据；需要报告的，完成后五个工作日内出具。（示例条款）",
    "intellectual_property": "用户独立设计并付费完成的测试数据及成果归用户；实验室人员有实质贡献的另行约定。",
    "confidentiality": "实验室对用户身份、样品与数据保密，未经同意不向第三方提供；依法须报送的统计数据除外。",
    "damage": "因用户违反操作规程造成损坏的，按实际维修费用赔偿；正常使用的故障由实验室承担，所占机时不计费。",
}
SHEET = "样品,材料,数量,备注\nA-1,钛合金断口,1,避免接触表面\nA-2,镀层截面,2,导电胶固定\n".encode()


def publish_terms(engine: Engine, *, now: datetime) -> None:
    """One university asks for terms, the others for none."""
    with unit_of_work(engine) as session:
        owner = session.scalars(select(Organisation).where(Organisation.name_zh == HUST)).one()
        actor = _actor(session, "lab@example.com")
        scope = find_scope(session, actor, Level.INSTITUTION, owner.public_id)
        terms.publish(session, actor, scope, terms.TermsText(terms.today_of(now), TERMS), now=now)


def tell_papers(engine: Engine, *, now: datetime) -> None:
    """About the visitor's next booking at that university, and about its instrument."""
    with read_session(engine) as session:
        startup, lab = _actor(session, "startup@example.com"), _actor(session, "lab@example.com")
        other = _actor(session, "chuli@example.com")
        booking = _next_booking(session, startup, lab)
    if booking is None:
        return
    key, instrument = booking.public_id, booking.equipment.public_id
    with unit_of_work(engine) as session:
        files.add_file(
            session, startup, key, SHEET, "样品清单.csv", now=max(booking.requested_at, now - timedelta(minutes=50))
        )
        _say(session, startup, booking, "样品清单已上传。A-1 断口需要保护，可以自带样品台吗？", now, minutes=48)
        _say(session, lab, booking, "可以，直径不超过 32 mm。请提前 15 分钟到，先抽真空。", now, minutes=21)
        first = questions.ask_question(
            session, other, instrument, "能测磁性粉末吗？样品量最少多少？", now=now - timedelta(days=3)
        )
        questions.answer_question(
            session, lab, first.public_id, "弱磁性粉末可以，须压片固定，约 50 mg；强磁性样品不接收。", publish=True,
            now=now - timedelta(days=2),
        )  # fmt: skip
        questions.ask_question(session, other, instrument, "周末可以连续预约两天吗？", now=now - timedelta(hours=5))
    if booking.state in orders.ISSUABLE:
        with unit_of_work(engine) as session:
            orders.issue_order(session, startup, key, now=now)


def _next_booking(session: Session, startup: Actor, lab: Actor) -> Booking | None:
    """Approved if there is one, at an instrument that the university's manager runs."""
    own = startup.organisation_ids(*(grant.role for grant in startup.grants))
    order = (State.APPROVED, State.REQUESTED, State.COMPLETED)
    wanted = BookingFilter(states=frozenset(order), organisation_ids=own, newest_first=True)
    at = lab.organisation_ids(*(grant.role for grant in lab.grants))
    found = [row for row in queries.find_bookings(session, wanted, limit=100) if row.equipment.owner_id in at]
    return min(found, key=lambda row: order.index(row.state), default=None)


def _say(session: Session, actor: Actor, booking: Booking, words: str, now: datetime, *, minutes: int) -> None:
    at = max(booking.requested_at, now - timedelta(minutes=minutes))
    messages.post_message(session, actor, booking.public_id, words, now=at)


def _actor(session: Session, email: str) -> Actor:
    person = members.find_person_by_email(session, email)
    actor = members.get_actor(session, person.id) if person else None
    assert actor is not None, email
    return actor
