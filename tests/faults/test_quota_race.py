"""One company's quota against itself: eight of its people, eight instruments, one booking allowed on each day.

The company's row is locked before its bookings are counted. With that lock left out the same contest finds days with
more bookings than the quota (on PostgreSQL; on SQLite there is one writer at a time, whatever is locked).
"""

import os
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Engine, func, select

from booking import claims, service
from booking.models import Booking
from core.db import read_session, unit_of_work
from core.errors import Refusal
from core.slot import Slot
from equipment.models import ApprovalMode, BookingLimit, LimitSubject, Period
from members import queries as people
from members import service as members
from members.actor import Actor
from members.models import OrganisationKind, Role
from tests import factories
from tests.faults.contest import first_slot, run_all
from tests.faults.servers import running_servers
from web.checking import check_everything

ROUNDS = int(os.environ.get("YIXIANG_RACE_ROUNDS", "50"))
CONTROL_ROUNDS = 20
CONTENDERS = 8


@dataclass
class Ground:
    """As many instruments of one lab as people of one company, and their tokens."""

    equipment: list[str]
    tokens: list[str]
    actors: list[Actor]


def lay_out(engine: Engine) -> Ground:
    now = datetime.now(UTC)
    with unit_of_work(engine) as session:
        school = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学")
        lab = factories.make_lab(session, school, "打印工坊")
        entries = [
            factories.make_equipment(
                session, lab, f"打印机{number}", approval=ApprovalMode.AUTOMATIC, always_open=True, horizon_days=900
            )
            for number in range(CONTENDERS)
        ]
        limit = BookingLimit(lab_id=lab.id, subject=LimitSubject.COMPANY, period=Period.DAY, bookings_max=1)
        session.add(limit)
        startup = factories.make_organisation(session, OrganisationKind.COMPANY, "星环传感")
        persons = [
            factories.make_person(session, f"人{number}", startup, Role.STARTUP_MEMBER) for number in range(CONTENDERS)
        ]
        tokens = [members.issue_api_token(session, person, now=now) for person in persons]
        actors = [actor for person in persons if (actor := people.get_actor(session, person.id))]
        return Ground([str(entry.public_id) for entry in entries], tokens, actors)


def slot_of(turn: int) -> Slot:
    """An hour of another day in each round."""
    start = first_slot() + timedelta(days=turn)
    return Slot(start, start + timedelta(hours=1))


def most_on_one_day(engine: Engine) -> int:
    with read_session(engine) as session:
        counts = session.execute(select(func.count()).select_from(Booking).group_by(Booking.starts_at))
        return max(number for (number,) in counts)


def test_one_company_gets_its_quota_and_no_more(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine)
    outcomes = [Counter[str]() for _ in range(ROUNDS)]
    gate, lock = threading.Barrier(CONTENDERS, timeout=60), threading.Lock()

    def contend(number: int, addresses: list[str]) -> None:
        headers = {"Authorization": f"Bearer {ground.tokens[number]}"}
        with httpx2.Client(base_url=addresses[number % 2], headers=headers, timeout=30) as client:
            for turn, outcome in enumerate(outcomes):
                slot = slot_of(turn)
                body = {
                    "equipment_id": ground.equipment[number], "starts_at": slot.starts_at.isoformat(),
                    "ends_at": slot.ends_at.isoformat(),
                }  # fmt: skip
                gate.wait()
                answer = client.post("/api/v1/bookings", json=body)
                with lock:
                    outcome[said(answer)] += 1

    with running_servers(database_url, tmp_path, 2) as addresses:
        run_all([threading.Thread(target=contend, args=(n, addresses)) for n in range(CONTENDERS)])

    assert outcomes == [Counter({"booked": 1, "day_bookings_used_up": CONTENDERS - 1})] * ROUNDS
    assert most_on_one_day(engine) == 1
    with read_session(engine, snapshot=True) as session:
        assert check_everything(session) == []


def said(answer: Any) -> str:
    """`booked`, or why not."""
    if answer.status_code == 201:
        return "booked"
    return ",".join(reason["code"] for reason in answer.json().get("reasons", [])) or f"{answer.status_code}"


def test_without_the_companys_lock_the_contest_finds_more(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: there is no lock to leave out")
    ground = lay_out(engine)
    monkeypatch.setattr(claims, "lock_for", lambda *_args: None)
    gate = threading.Barrier(CONTENDERS, timeout=60)

    def contend(number: int) -> None:
        for turn in range(CONTROL_ROUNDS):
            gate.wait()
            try:
                with unit_of_work(engine) as session:
                    service.request_booking(
                        session, ground.actors[number], equipment_id=UUID(ground.equipment[number]),
                        slot=slot_of(turn), quantities={}, now=datetime.now(UTC),
                    )  # fmt: skip
            except Refusal:
                continue

    run_all([threading.Thread(target=contend, args=(number,)) for number in range(CONTENDERS)])

    assert most_on_one_day(engine) > 1
