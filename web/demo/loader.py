"""Fill a new database with the demonstration, through the same verbs as real people use."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.progress import Progress
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core.config import Settings
from core.db import read_session, unit_of_work
from core.i18n import N_, translate
from core.outbox import OutboxMessage
from members import queries as members
from members.models import Person
from vouchers import service as vouchers
from vouchers.models import PaidTo
from web.demo import decisions, papers, people, story
from web.demo.access import load_access
from web.demo.catalogue import load_catalogue

PAST_DAYS = 45
#: Mail that a visitor would have read long ago is not sent again.
OLD_MAIL = timedelta(days=2)


def load(engine: Engine, settings: Settings, progress: Progress) -> None:
    """Go on with what is there, or begin: catalogue, cast, programmes, vouchers, and the story so far."""
    now = datetime.now(UTC)
    with read_session(engine) as session:
        is_new = session.scalar(select(Person.id).limit(1)) is None
    if is_new:
        words = translate("zh-CN", N_("Loading the catalogue"))
        task = progress.add_task(words, total=317)
        load_catalogue(engine, now=now, tick=lambda _name: progress.advance(task))
        with unit_of_work(engine) as session:
            people.load_people(session, now=now - timedelta(days=PAST_DAYS + 10))
            load_money(session, now=now - timedelta(days=PAST_DAYS + 5))
        papers.publish_terms(engine, now=now - timedelta(days=PAST_DAYS + 5))
        task = progress.add_task(translate("zh-CN", N_("Telling the story so far")), total=PAST_DAYS + 1)
        story.tell_past(engine, now=now, days=PAST_DAYS, tick=lambda: progress.advance(task))
    story.keep_lively(engine, now=now)
    if is_new:
        decisions.show_decisions(engine, now=now)
        papers.tell_papers(engine, now=now)
        with unit_of_work(engine) as session:
            load_access(session, now=now)
        with unit_of_work(engine) as session:
            session.execute(delete(OutboxMessage).where(OutboxMessage.due_at < now - OLD_MAIL))


def load_money(session: Session, *, now: datetime) -> None:
    """Two programmes, one that pays the institution and one that refunds the company, and vouchers for each startup."""
    year = now.year
    first = vouchers.create_programme(
        session, None, code=f"GG{year % 100}", name_zh="光谷创新券（示例）", name_en="Optics Valley voucher (example)",
        share_bp=3000, paid_to=PaidTo.INSTITUTION, budget_fen=2_000_000_000, cap_per_company_fen=20_000_000,
        cap_per_booking_fen=2_000_000, valid_from_on=datetime(year, 1, 1, tzinfo=UTC).date(),
        last_use_on=datetime(year + 1, 12, 31, tzinfo=UTC).date(),
        redeem_by_on=datetime(year + 2, 3, 31, tzinfo=UTC).date(), is_demonstration=True, now=now,
    )  # fmt: skip
    later = vouchers.create_programme(
        session, None, code=f"HB{year % 100}", name_zh="后补助创新券（示例）", name_en="Refund voucher (example)",
        share_bp=3000, paid_to=PaidTo.COMPANY, fund="province", budget_fen=500_000_000,
        cap_per_company_fen=20_000_000, valid_from_on=datetime(year, 1, 1, tzinfo=UTC).date(),
        last_use_on=datetime(year + 1, 12, 31, tzinfo=UTC).date(),
        redeem_by_on=datetime(year + 2, 3, 31, tzinfo=UTC).date(), is_demonstration=True, now=now,
    )  # fmt: skip
    chosen = random.Random(26)
    for startup in people.STARTUPS:
        session.info["lock_rank"] = 0
        holder = members.get_organisation_by_code(session, startup.code)
        amount = 20_000_000 if startup.code == "DEMO-XH" else chosen.choice((5_000_000, 8_000_000, 12_000_000))
        vouchers.issue_voucher(session, None, first, holder, amount_fen=amount, now=now)
    session.info["lock_rank"] = 0
    holder = members.get_organisation_by_code(session, "DEMO-XH")
    vouchers.issue_voucher(session, None, later, holder, amount_fen=3_000_000, now=now)


def remove(url: str) -> None:
    """Delete the demonstration's SQLite file with its companions."""
    assert url.startswith("sqlite:///"), "only a SQLite demonstration is begun anew"
    path = Path(url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
