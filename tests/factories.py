"""Rows for tests, made with the real verbs where there is one."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from core.db import Base
from equipment.importing.comparing import index
from equipment.models import (
    ApprovalMode,
    ChargeUnit,
    Equipment,
    Lab,
    LabStaff,
    OpeningHours,
    PriceBand,
    Rate,
    Tariff,
    Tier,
    Unit,
)
from members import service as members
from members.models import Organisation, OrganisationKind, Person, Role
from vouchers import service as vouchers
from vouchers.models import PaidTo, Programme, Voucher

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
#: Argon2 of "correct horse battery", made once: hashing in every test would take longer than the tests.
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
_hashes: dict[str, str] = {}


def make_organisation(session: Session, kind: OrganisationKind, name_zh: str, name_en: str = "") -> Organisation:
    return members.register_organisation(
        session, kind=kind, code=f"T-{next(_numbers)}", name_zh=name_zh, name_en=name_en
    )


def make_person(session: Session, name: str, organisation: Organisation, role: Role, *, email: str = "") -> Person:
    from_hash = _hashes.setdefault(PASSWORD, members.passwords.hash_password(PASSWORD))
    person = Person(
        email=email or f"p{next(_numbers)}@example.com", name=name, password_hash=from_hash, created_at=NOW, locale=""
    )
    session.add(person)
    session.flush()
    members.grant_role(session, person, organisation, role, now=NOW)
    return person


def make_lab(session: Session, owner: Organisation, name_zh: str, staff: Sequence[Person] = ()) -> Lab:
    lab = Lab(organisation_id=owner.id, name_zh=name_zh, name_en="Test lab", zone="Asia/Shanghai")
    session.add(lab)
    session.flush()
    session.add_all([LabStaff(lab_id=lab.id, person_id=person.id) for person in staff])
    session.flush()
    return lab


@dataclass(frozen=True)
class Prices:
    """Fen per unit for startups; internal is half, others pay double."""

    hour: int = 40_000
    sample: int = 0


def make_equipment(
    session: Session,
    lab: Lab,
    name_zh: str = "扫描电子显微镜",
    *,
    units: int = 1,
    prices: Prices = Prices(),
    approval: ApprovalMode = ApprovalMode.LAB,
    always_open: bool = False,
    **rules: object,
) -> Equipment:
    """An instrument that is open Monday to Friday 08:30-12:00 and 14:00-17:30, or always."""
    entry = Equipment(
        owner_id=lab.organisation_id, operator_id=lab.organisation_id, supervisor_id=lab.organisation_id,
        payee_id=lab.organisation_id, lab_id=lab.id, asset_number=f"A{next(_numbers)}", name_zh=name_zh,
        name_en="Scanning electron microscope", maker="ZEISS", model="GeminiSEM 300", category="electron-microscope",
        is_bookable=True, approval_mode=approval, updated_at=NOW, price_fen=prices.hour or prices.sample,
        price_unit=ChargeUnit.HOUR if prices.hour else ChargeUnit.SAMPLE,
        own_rules=[*rules, *(["approval_mode"] if approval is not ApprovalMode.LAB else [])], **rules,
    )  # fmt: skip
    index(entry)
    session.add(entry)
    session.flush()
    session.add_all([Unit(equipment_id=entry.id, label=f"{n + 1}") for n in range(units)])
    stretches = [(0, 1440)] if always_open else [(510, 720), (840, 1050)]
    for weekday in range(7 if always_open else 5):
        for opens, closes in stretches:
            session.add(
                OpeningHours(
                    equipment_id=entry.id, weekday=weekday, opens_minute=opens, closes_minute=closes,
                    closed_on_holidays=not always_open,
                )
            )  # fmt: skip
    make_tariff(session, entry, prices)
    return entry


def make_tariff(session: Session, entry: Equipment, prices: Prices, **rule: object) -> Tariff:
    """A version of an instrument's prices, in force since the beginning of the year if nothing else is said."""
    values = {"effective_on": date(2026, 1, 1), "written_at": NOW, "rush_bp": 10_000} | rule
    bands = values.pop("bands", [])
    tariff = Tariff(equipment_id=entry.id, **values)
    session.add(tariff)
    session.flush()
    for unit, price in ((ChargeUnit.HOUR, prices.hour), (ChargeUnit.SAMPLE, prices.sample)):
        if price:
            for tier, amount in ((Tier.INTERNAL, price // 2), (Tier.STARTUP, price), (Tier.OTHER, price * 2)):
                session.add(Rate(tariff_id=tariff.id, tier=tier, charge_unit=unit, price_fen=amount))
    session.add_all([PriceBand(tariff_id=tariff.id, **band) for band in bands])  # type: ignore[attr-defined]
    session.flush()
    return tariff


def make_programme(session: Session, *, paid_to: PaidTo = PaidTo.INSTITUTION, **rule: object) -> Programme:
    values: dict[str, object] = {
        "share_bp": 3000,
        "budget_fen": 100_000_000,
        "cap_per_company_fen": 20_000_000,
        "valid_from_on": date(2026, 1, 1),
        "last_use_on": date(2027, 12, 31),
        "redeem_by_on": date(2028, 3, 31),
    }
    number = next(_numbers)
    return vouchers.create_programme(
        session, None, code=f"P{number}", name_zh=f"创新券 {number}", name_en=f"Voucher {number}", paid_to=paid_to,
        now=NOW,
        **(values | rule),  # type: ignore[arg-type]
    )  # fmt: skip


def make_voucher(session: Session, programme: Programme, holder: Organisation, amount_fen: int = 5_000_000) -> Voucher:
    forget_locks(session)
    return vouchers.issue_voucher(session, None, programme, holder, amount_fen=amount_fen, now=NOW)


def forget_locks(session: Session) -> None:
    """Several verbs in one test's unit of work: each begins the order of locks anew."""
    session.info["lock_rank"] = 0


def all_tables() -> list[str]:
    return sorted(Base.metadata.tables)
