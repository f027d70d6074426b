"""Clients of several processes at two servers, while servers, the clock and the database are killed: afterwards the
history and the database agree. `YIXIANG_FAULT_SECONDS` makes it long (`./dev faults`).

With its positive controls: without the guards over time the same crowd makes overlaps that are found; and a history
that says something else than what happened is found as well.
"""

import contextlib
import copy
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.db import make_engine, read_session, unit_of_work
from core.migrating import migrate
from equipment.models import ApprovalMode, Equipment
from members import service as members
from members.models import OrganisationKind, Role
from tests import factories
from tests.faults.contest import drop_database_guard
from tests.faults.crowd import Plan
from tests.faults.evidence import Evidence, collect
from tests.faults.history import Operation, Outcome, read
from tests.faults.judging import judge
from tests.faults.nemesis import Nemesis, running_victims
from tests.faults.test_race import UNSAFE
from tests.faults.ticking import AHEAD
from tests.postgres import DURABLE, own_server
from web.checking import check_everything

SECONDS = float(os.environ.get("YIXIANG_FAULT_SECONDS", "16"))
CONTROL_SECONDS = 5
CROWDS, HOURS = 4, 14


@contextlib.contextmanager
def mortal_database(kind: str, folder: Path, template: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """An address, and how to kill and start the database where it is a process of its own."""
    if kind == "sqlite":
        shutil.copyfile(template, folder / "yixiang.db")
        yield f"sqlite:///{folder / 'yixiang.db'}", {}
        return
    with own_server(DURABLE) as server:
        url = server.url % "postgres"
        engine = make_engine(url)
        migrate(engine)
        engine.dispose()
        yield url, {"database": (server.kill, server.start)}


def lay_out(engine: Engine, folder: Path, addresses: list[str], seconds: float) -> Plan:
    """An instrument that decides by itself, and two alike on which a lab decides within a minute."""
    now = datetime.now(UTC)
    noon = (now + timedelta(days=3)).replace(hour=4, minute=0, second=0, microsecond=0)
    with unit_of_work(engine) as session:
        school = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学")
        staff = [factories.make_person(session, name, school, Role.LAB_MANAGER) for name in ("林静", "马超")]
        lab = factories.make_lab(session, school, "打印工坊", staff)
        common = {"always_open": True, "length_minutes_max": 1440, "horizon_days": 900}
        entries = [
            factories.make_equipment(session, lab, "打印机", approval=ApprovalMode.AUTOMATIC, **common),
            factories.make_equipment(session, lab, "电镜", units=2, decide_minutes=1, **common),
        ]
        programme = factories.make_programme(
            session, last_use_on=(now + timedelta(days=1000)).date(), redeem_by_on=(now + timedelta(days=1100)).date()
        )
        bookers, holders = {}, {}
        for number in range(4):
            startup = factories.make_organisation(session, OrganisationKind.COMPANY, f"企业{number}")
            person = factories.make_person(session, f"人{number}", startup, Role.STARTUP_OWNER)
            factories.make_voucher(session, programme, startup, 5_000_000)
            bookers[person.email] = members.issue_api_token(session, person, now=now)
            holders[str(startup.public_id)] = person.email
        managers = {person.email: members.issue_api_token(session, person, now=now) for person in staff}
        units = {str(entry.public_id): _units(session, entry) for entry in entries}
    return Plan(
        addresses, units, bookers, managers, holders, noon.timestamp(), HOURS, time.time() + seconds, str(folder)
    )


def _units(session, entry: Equipment) -> list[str]:  # type: ignore[no-untyped-def]
    session.refresh(entry, ["units"])
    return [str(unit.public_id) for unit in entry.units]


def run_crowds(plan: Plan, folder: Path, nemesis: Nemesis | None) -> list[Operation]:
    path = folder / "plan.json"
    plan.save(path)
    crowds = [
        subprocess.Popen([sys.executable, "-m", "tests.faults.crowd", str(path), str(number)])
        for number in range(CROWDS)
    ]
    if nemesis is not None:
        nemesis.rage(plan.until)
    assert [crowd.wait(60) for crowd in crowds] == [0] * CROWDS
    return read(folder / f"history-{number}.jsonl" for number in range(CROWDS))


def live_through(kind: str, folder: Path, template: Path) -> tuple[list[Operation], Evidence, list[str], Counter[str]]:
    """A whole run with faults; the last part of the answer says what was killed how often."""
    with mortal_database(kind, folder, template) as (url, mortal):
        engine = make_engine(url)
        with running_victims(url, folder, 2) as (victims, addresses):
            plan = lay_out(engine, folder, addresses, SECONDS)
            engine.dispose()
            killable = {victim.name: (victim.kill, victim.start) for victim in victims}
            nemesis = Nemesis(random.Random(7), killable | mortal)  # type: ignore[arg-type]
            operations = run_crowds(plan, folder, nemesis)
        with read_session(engine, snapshot=True) as session:
            findings = check_everything(session)
        evidence = collect(engine)
        engine.dispose()
    return operations, evidence, findings, nemesis.killed


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_history_and_database_agree_whatever_is_killed(kind: str, tmp_path: Path, sqlite_template: Path) -> None:
    operations, evidence, findings, killed = live_through(kind, tmp_path, sqlite_template)

    print(Counter((one.verb, one.outcome.value, one.code) for one in operations), killed)
    assert findings == []
    assert judge(operations, evidence, ahead_s=AHEAD.total_seconds()) == []
    verbs = Counter(one.verb for one in operations if one.outcome is Outcome.OK)
    assert all(verbs[verb] for verb in ("requested", "moved", "approved", "cancelled"))
    assert any(change.verb == "expired" for case in evidence.cases.values() for change in case.changes)
    assert len(killed) == (3 if kind == "sqlite" else 4)
    find_what_is_false(operations, evidence)


def find_what_is_false(operations: list[Operation], evidence: Evidence) -> None:
    """The judge is no rubber stamp: each of these lies is found."""

    def verdict(done: list[Operation], seen: Evidence) -> str:
        return "\n".join(judge(done, seen, ahead_s=AHEAD.total_seconds()))

    one = next(one for one in operations if one.verb == "requested" and one.outcome is Outcome.OK)
    assert "nobody asked" in verdict([other for other in operations if other is not one], evidence)
    free = one.starts_at - 30 * 86_400
    lie = copy.copy(one)
    lie.key, lie.outcome, lie.code, lie.starts_at, lie.ends_at = "lie", Outcome.REFUSED, "slot_taken", free, free + 3600
    assert "while a unit was free" in verdict([*operations, lie], evidence)
    seen = copy.deepcopy(evidence)
    del seen.cases[one.booking]
    assert "acknowledged and is not there" in verdict(operations, seen)
    seen = copy.deepcopy(evidence)
    seen.cases[one.booking].mails.popitem()
    assert "too little" in verdict(operations, seen)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_without_the_guards_the_history_shows_overlaps(kind: str, tmp_path: Path, sqlite_template: Path) -> None:
    with mortal_database(kind, tmp_path, sqlite_template) as (url, _mortal):
        engine = make_engine(url)
        drop_database_guard(engine)
        with running_victims(url, tmp_path, 2, **UNSAFE) as (_victims, addresses):
            operations = run_crowds(lay_out(engine, tmp_path, addresses, CONTROL_SECONDS), tmp_path, None)
        evidence = collect(engine)
        engine.dispose()

    assert "at once in" in "\n".join(judge(operations, evidence, ahead_s=AHEAD.total_seconds()))
