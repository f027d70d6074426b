"""The rows of `yixiang bench`: an institution with many instruments, startups with vouchers, bookings day by day."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.progress import Progress
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from booking.models import Booking, Occupancy, OccupancyKind, Source, State
from core.db import read_session, unit_of_work
from core.ids import new_public_id
from equipment.models import ApprovalMode, ChargeUnit, Equipment, Lab, LabStaff, OpeningHours, Rate, Tariff, Tier, Unit
from equipment.search import index_columns
from members import service as members
from members.models import Organisation, OrganisationKind, Person, Role
from vouchers import service as vouchers
from vouchers.models import PaidTo

BENCH_CODE = "BENCH"
STARTUPS = 400
BOARD_LAB, MANAGER, BOARD_UNITS = "测速看板", "manager@bench.invalid", 100
BATCH = 2_000
NAMES = ("扫描电镜", "透射电镜", "示波器", "3D 打印机", "拉曼光谱仪", "热分析仪", "网络分析仪", "激光切割机")
MAKERS = ("Keysight", "ZEISS", "Bruker", "Zygo", "Netzsch")
#: Bookings lie four a day on each unit, two hours each, from 00:00 UTC on; the hours after 16:00 UTC stay free.
PER_DAY = 4


@dataclass(frozen=True)
class Filled:
    """What the clients need to know."""

    equipment: list[str]
    tokens: list[str]
    window_start: datetime
    #: Of the manager of a lab with a hundred instruments, which no other kind of request meets.
    manager_token: str

    def free_slot(self, number: int) -> dict[str, Any]:
        """The n-th free hour: another unit each, then another hour, then another day."""
        turn, unit = divmod(number, len(self.equipment))
        day, hour = divmod(turn, 6)
        start = self.window_start + timedelta(days=1 + day, hours=17 + hour)
        return self._ask(self.equipment[unit], start)

    def taken_slot(self, chance: random.Random) -> dict[str, Any]:
        return self._ask(chance.choice(self.equipment), self.window_start + timedelta(days=1, hours=2))

    @staticmethod
    def _ask(entry: str, start: datetime) -> dict[str, Any]:
        return {
            "equipment_id": entry, "starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()
        }  # fmt: skip


def fill(engine: Engine, units: int, bookings: int, progress: Progress) -> Filled:
    """Set-based, in batches; a database that is filled already is used as it is."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    with read_session(engine) as session:
        full = session.scalar(select(Organisation.id).where(Organisation.code == BENCH_CODE)) is not None
    if not full:
        with unit_of_work(engine) as session:
            lab = _add_lab(session)
            _add_equipment(session, lab, units, progress)
            _add_board(session, lab)
            _add_startups(session)
        _add_bookings(engine, bookings, start, progress)
    with unit_of_work(engine) as session:
        people = session.scalars(select(Person).where(Person.email.like("p%@bench.invalid")).order_by(Person.id))
        tokens = [members.issue_api_token(session, person, now=datetime.now(UTC)) for person in people]
        manager = session.scalars(select(Person).where(Person.email == MANAGER)).one()
        token = members.issue_api_token(session, manager, now=datetime.now(UTC))
        on_board = select(Lab.id).where(Lab.name_zh == BOARD_LAB)
        entries = session.scalars(
            select(Equipment.public_id).where(Equipment.lab_id.not_in(on_board)).order_by(Equipment.id).limit(5_000)
        )
        return Filled([str(entry) for entry in entries], tokens, start, token)


def _add_lab(session: Session) -> Lab:
    school = members.register_organisation(
        session, kind=OrganisationKind.UNIVERSITY, code=BENCH_CODE, name_zh="测速大学", name_en="Bench University"
    )
    lab = Lab(organisation_id=school.id, name_zh="测速实验室", name_en="Bench lab")
    session.add(lab)
    session.flush()
    return lab


def _add_equipment(session: Session, lab: Lab, units: int, progress: Progress) -> None:
    task = progress.add_task("instruments", total=units)
    now = datetime.now(UTC)
    owner = lab.organisation_id
    for first in range(0, units, BATCH):
        rows = []
        for number in range(first, min(first + BATCH, units)):
            name, maker = NAMES[number % len(NAMES)], MAKERS[number % len(MAKERS)]
            rows.append(
                {
                    "public_id": new_public_id(), "owner_id": owner, "operator_id": owner, "supervisor_id": owner,
                    "payee_id": owner, "lab_id": lab.id, "asset_number": f"B{number:07d}", "name_zh": name,
                    "maker": maker, "model": f"Model {number}", "category": "generic", "is_bookable": True,
                    "approval_mode": ApprovalMode.AUTOMATIC, "horizon_days": 900, "updated_at": now,
                    **index_columns({"name_zh": name, "model": f"Model {number}", "maker": maker}),
                    "sort_key": f"{number:07d}",
                    "price_fen": 10_000, "price_unit": ChargeUnit.HOUR, "version": 1,
                    "own_rules": ["approval_mode", "horizon_days"],
                }
            )  # fmt: skip
        session.execute(insert(Equipment), rows)
        progress.advance(task, len(rows))
    ids = list(session.scalars(select(Equipment.id).order_by(Equipment.id)))
    session.execute(insert(Unit), [{"public_id": new_public_id(), "equipment_id": key, "label": "1"} for key in ids])
    session.execute(
        insert(OpeningHours),
        [
            {"equipment_id": key, "weekday": day, "opens_minute": 0, "closes_minute": 1440, "closed_on_holidays": False}
            for key in ids
            for day in range(7)
        ],
    )
    session.execute(
        insert(Tariff),
        [
            {"public_id": new_public_id(), "equipment_id": key, "effective_on": date(2020, 1, 1), "written_at": now}
            for key in ids
        ],
    )
    session.execute(
        insert(Rate),
        [
            {"tariff_id": tariff, "tier": Tier.STARTUP, "charge_unit": ChargeUnit.HOUR, "price_fen": 10_000}
            for tariff in session.scalars(select(Tariff.id))
        ],
    )


def _add_board(session: Session, lab: Lab) -> None:
    """A lab with staff takes a hundred instruments over, the last ones, or all but one of fewer."""
    board = Lab(organisation_id=lab.organisation_id, name_zh=BOARD_LAB, name_en="Bench board")
    manager = Person(email=MANAGER, name="测速", password_hash="-", created_at=datetime.now(UTC))
    session.add_all([board, manager])
    session.flush()
    session.add(LabStaff(lab_id=board.id, person_id=manager.id))
    members.grant_role(
        session, manager, session.get_one(Organisation, lab.organisation_id), Role.LAB_MANAGER, now=datetime.now(UTC)
    )
    ids = list(session.scalars(select(Equipment.id).order_by(Equipment.id.desc()).limit(BOARD_UNITS + 1)))
    moved = ids[:BOARD_UNITS] if len(ids) > BOARD_UNITS else ids[:-1]
    session.execute(
        update(Equipment).where(Equipment.id.in_(moved)).values(lab_id=board.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _add_startups(session: Session) -> None:
    now = datetime.now(UTC)
    programme = vouchers.create_programme(
        session, None, code="BENCH", name_zh="测速券", share_bp=3000, paid_to=PaidTo.INSTITUTION,
        budget_fen=10**13, cap_per_company_fen=10**11, valid_from_on=date(2020, 1, 1),
        last_use_on=(now + timedelta(days=2000)).date(), redeem_by_on=(now + timedelta(days=2100)).date(), now=now,
    )  # fmt: skip
    for number in range(STARTUPS):
        session.info["lock_rank"] = 0
        startup = members.register_organisation(
            session, kind=OrganisationKind.COMPANY, code=f"BENCH-{number}", name_zh=f"测速企业 {number}"
        )
        person = Person(email=f"p{number}@bench.invalid", name=f"测速 {number}", password_hash="-", created_at=now)
        session.add(person)
        session.flush()
        members.grant_role(session, person, startup, Role.STARTUP_OWNER, now=now)
        vouchers.issue_voucher(session, None, programme, startup, amount_fen=5 * 10**9, now=now)


def _add_bookings(engine: Engine, bookings: int, start: datetime, progress: Progress) -> None:
    """Half of them coming with their claims, half past: day by day from the window's start in both directions."""
    task = progress.add_task("bookings", total=bookings)
    with read_session(engine) as session:
        units = session.execute(select(Unit.id, Unit.equipment_id).order_by(Unit.id)).all()
        people = session.execute(
            select(Person.id, Organisation.id)
            .join_from(Person, Organisation, Organisation.code.startswith("BENCH-"))
            .where(Person.email == func.replace(Organisation.code, "BENCH-", "p") + "@bench.invalid")
        ).all()
        owner = session.scalar(select(Organisation.id).where(Organisation.code == BENCH_CODE))
    for first in range(0, bookings, BATCH):
        rows = [
            _booking_row(number, units, people, owner, start) for number in range(first, min(first + BATCH, bookings))
        ]
        with unit_of_work(engine) as session:
            ids = list(session.scalars(insert(Booking).returning(Booking.id, sort_by_parameter_order=True), rows))
            claims = [
                {
                    "unit_id": row["unit_id"], "starts_at": row["starts_at"], "ends_at": row["ends_at"],
                    "kind": OccupancyKind.BOOKING, "exclusive": True, "booking_id": key,
                }
                for key, row in zip(ids, rows, strict=True)
                if row["state"] is State.APPROVED
            ]  # fmt: skip
            if claims:
                session.execute(insert(Occupancy), claims)
        progress.advance(task, len(rows))


def _booking_row(number: int, units: Any, people: Any, owner: int | None, start: datetime) -> dict[str, Any]:
    turn, place = divmod(number, len(units))
    step, hour = divmod(turn, PER_DAY)
    day = step // 2 if step % 2 == 0 else -(step // 2) - 1
    begins = start + timedelta(days=day, hours=hour * 4)
    unit_id, equipment_id = units[place]
    person_id, organisation_id = people[number % len(people)]
    return {
        "public_id": new_public_id(), "equipment_id": equipment_id, "unit_id": unit_id,
        "organisation_id": organisation_id, "person_id": person_id,
        "state": State.APPROVED if day >= 0 else State.COMPLETED, "source": Source.API, "starts_at": begins,
        "ends_at": begins + timedelta(hours=3), "requested_at": start - timedelta(days=60), "tier": "startup",
        "quantities": {}, "lines": [], "price_fen": 30_000, "voucher_fen": 0, "own_fen": 30_000, "payee_id": owner,
        "calendar_uid": new_public_id().hex, "version": 1,
    }  # fmt: skip
