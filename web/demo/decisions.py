"""What shows how requests are decided: a startup whose owner agrees first, a request near its deadline, a deputy."""

import random
from datetime import datetime, timedelta

from sqlalchemy import Engine

from booking import deputies
from booking.models import Awaiting
from core.db import read_session, unit_of_work
from core.slot import Slot
from equipment import queries as catalogue
from equipment.models import ApprovalMode
from members import queries as members
from members import service
from members.models import OwnerApproval
from web.demo.story import Stage, find_actor, request_slot, set_stage

#: What members of the startup may ask for without its owner, in fen.
ABOVE_FEN = 50_000
TRIES = 60


def show_decisions(engine: Engine, *, now: datetime) -> None:
    """Once, after the story so far."""
    _set_rule(engine, now)
    _name_deputy(engine, now)
    chance = random.Random(7)
    stage = set_stage(engine)
    _wait_for_owner(engine, stage, chance, now)
    _run_late(engine, stage, chance, now)


def _set_rule(engine: Engine, now: datetime) -> None:
    with unit_of_work(engine) as session:
        owner = find_actor(session, "startup@example.com")
        company = members.get_organisation_by_code(session, "DEMO-XH")
        if owner:
            service.set_owner_approval(
                session, owner, OwnerApproval.ABOVE, above_fen=ABOVE_FEN, version=company.version, now=now
            )


def _name_deputy(engine: Engine, now: datetime) -> None:
    """The operator stands in for the manager this week."""
    with unit_of_work(engine) as session:
        manager = find_actor(session, "lab@example.com")
        if manager is None:
            return
        lab_ids = catalogue.find_lab_ids_run_by(session, manager.person_id)
        lab = catalogue.find_labs(session, lab_ids)[0]
        week = Slot(now - timedelta(hours=2), now + timedelta(days=7))
        deputies.name_for_lab(
            session, manager, lab_id=lab.public_id, person="operator@example.com", period=week, now=now
        )


def _wait_for_owner(engine: Engine, stage: Stage, chance: random.Random, now: datetime) -> None:
    """Two requests of the member that wait for the owner."""
    only = _as_one(engine, stage, "member@example.com")
    found = 0
    for _ in range(TRIES):
        booking = request_slot(engine, only, chance, now, within_days=6, from_days=2, mode=ApprovalMode.LAB)
        found += booking is not None and booking.awaiting is Awaiting.OWNER
        if found == 2:
            return


def _run_late(engine: Engine, stage: Stage, chance: random.Random, now: datetime) -> None:
    """A request of which most of the time to decide is over."""
    only = _as_one(engine, stage, "jiangguang@example.com")
    for _ in range(TRIES):
        entry = chance.choice([one for one in stage.entries if one.approval_mode is ApprovalMode.LAB])
        asked_at = now - timedelta(minutes=entry.decide_minutes * 0.8)
        one = Stage(only.bookers, stage.managers, [entry])
        if request_slot(engine, one, chance, asked_at, within_days=8, from_days=4, mode=None):
            return


def _as_one(engine: Engine, stage: Stage, email: str) -> Stage:
    with read_session(engine) as session:
        actor = find_actor(session, email)
    return Stage([actor] if actor else stage.bookers, stage.managers, stage.entries)
