"""Contenders who want the same slot at the same moment, and what came of it."""

import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import aliased

from booking.models import Booking
from core.db import read_session, unit_of_work
from equipment.models import ApprovalMode
from members import service as members
from members.models import OrganisationKind, Role
from tests import factories

#: Rounds of every race; `YIXIANG_RACE_ROUNDS` sets another number for a long run.
ROUNDS = int(os.environ.get("YIXIANG_RACE_ROUNDS", "50"))


@dataclass
class Field:
    """An instrument that is always open and approves by itself, and people of several startups with tokens."""

    equipment_id: str
    tokens: list[str]


def lay_out(engine: Engine, people: int = 8, *, units: int = 1) -> Field:
    now = datetime.now(UTC)
    with unit_of_work(engine) as session:
        school = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学")
        lab = factories.make_lab(session, school, "打印工坊")
        entry = factories.make_equipment(
            session, lab, "打印机", approval=ApprovalMode.AUTOMATIC, always_open=True, units=units,
            length_minutes_max=1440, horizon_days=900,
        )  # fmt: skip
        programme = factories.make_programme(
            session, last_use_on=(now + timedelta(days=1000)).date(), redeem_by_on=(now + timedelta(days=1100)).date()
        )
        tokens = []
        for number in range(people):
            startup = factories.make_organisation(session, OrganisationKind.COMPANY, f"企业{number}")
            person = factories.make_person(session, f"人{number}", startup, Role.STARTUP_OWNER)
            factories.make_voucher(session, programme, startup, 5_000_000)
            tokens.append(members.issue_api_token(session, person, now=now))
        return Field(str(entry.public_id), tokens)


def first_slot() -> datetime:
    """Noon, two days ahead."""
    return (datetime.now(UTC) + timedelta(days=2)).replace(hour=4, minute=0, second=0, microsecond=0)


@dataclass
class Outcome:
    """Status codes of one round, and the codes of its refusals."""

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


def contest(addresses: list[str], ground: Field, rounds: int) -> list[Outcome]:
    """Each round another hour; all contenders are let go at once and hit the servers in turn."""
    outcomes = [Outcome() for _ in range(rounds)]
    gate = threading.Barrier(len(ground.tokens), timeout=60)
    lock = threading.Lock()
    start = first_slot()

    def contend(number: int, token: str) -> None:
        with httpx2.Client(
            base_url=addresses[number % len(addresses)], headers={"Authorization": f"Bearer {token}"}, timeout=30
        ) as client:
            for turn, outcome in enumerate(outcomes):
                body = ask(ground, start + timedelta(hours=turn))
                gate.wait()
                answer = client.post("/api/v1/bookings", json=body)
                with lock:
                    outcome.statuses[answer.status_code] += 1
                    outcome.codes[answer.json().get("code", "")] += 1
                    outcome.slowest_s = max(outcome.slowest_s, answer.elapsed.total_seconds())

    run_all([threading.Thread(target=contend, args=(n, token)) for n, token in enumerate(ground.tokens)])
    return outcomes


def ask(ground: Field, start: datetime, minutes: int = 60) -> dict[str, Any]:
    return {
        "equipment_id": ground.equipment_id,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=minutes)).isoformat(),
    }


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count_double_bookings(engine: Engine) -> int:
    """Pairs of bookings on one unit that overlap, whatever the claims say."""
    other = aliased(Booking)
    with read_session(engine) as session:
        pairs = session.execute(
            select(Booking.id, other.id).join(
                other,
                (other.unit_id == Booking.unit_id)
                & (other.id > Booking.id)
                & (other.starts_at < Booking.ends_at)
                & (other.ends_at > Booking.starts_at),
            )
        ).all()
    return len(pairs)


def drop_database_guard(engine: Engine) -> None:
    """Only for the positive control."""
    if engine.dialect.name == "sqlite":
        statements = ["DROP TRIGGER occupancies_no_overlap_insert", "DROP TRIGGER occupancies_no_overlap_update"]
    else:
        statements = ["ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap"]
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
