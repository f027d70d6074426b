"""Load the demonstration's catalogue from files: organisations, holidays, instruments, and the marked profile."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.db import unit_of_work
from equipment.importing.lists import read_list
from equipment.importing.rows import CatalogueRow, ReadFile
from equipment.importing.service import apply_rows, import_file
from equipment.models import (
    ApprovalMode,
    CalendarDay,
    ChargeUnit,
    DayKind,
    Equipment,
    OpeningHours,
    Rate,
    ServiceMode,
    Tier,
    Unit,
)
from members import service as members
from members.models import Organisation, OrganisationKind

DATA = Path(__file__).parent / "data"
WEEK = range(5)
HOURS: dict[str, list[tuple[Iterable[int], int, int, bool]]] = {
    "office": [(WEEK, 510, 720, True), (WEEK, 840, 1050, True)],
    "long": [(range(6), 510, 1260, True)],
    "all": [(range(7), 0, 1440, False)],
}
UNITS: dict[str, tuple[ChargeUnit, ...]] = {
    "h": (ChargeUnit.HOUR,),
    "day": (ChargeUnit.DAY,),
    "sample": (ChargeUnit.SAMPLE,),
    "run": (ChargeUnit.RUN,),
    "h+g": (ChargeUnit.HOUR, ChargeUnit.GRAM),
    "h+ml": (ChargeUnit.HOUR, ChargeUnit.MILLILITRE),
    "channel-day": (ChargeUnit.CHANNEL_DAY,),
    "card-hour": (ChargeUnit.CARD_HOUR,),
}
#: Institutions of the instrument list that stand in neither of the other lists.
INVENTED = {
    "光谷创客空间（示例）": ("DEMO-MAKER", "Optics Valley maker space (example)", OrganisationKind.MAKER_SPACE),
    "武汉东湖（示例）检测服务机构": ("DEMO-TEST", "East Lake testing service (example)", OrganisationKind.COMPANY),
}
SINCE = date(2026, 1, 1)
Tick = Callable[[str], None]


def load_catalogue(engine: Engine, *, now: datetime, tick: Tick) -> None:
    """Everything in one unit of work, then the SJ3 file through the same door as an institution's own. Idempotent."""
    with unit_of_work(engine) as session:
        if session.scalar(select(func.count()).select_from(Equipment)):
            return
        file = read_list((DATA / "instruments.csv").read_bytes(), institution=None)
        owners = _load_organisations(session, {row.institution for row in file.rows})
        tick("organisations")
        _load_days(session)
        _load_instruments(session, file, owners, now=now, tick=tick)
    import_file(
        engine, DATA / "SJ310497.txt", institution_code="10497", actor=None, now=now, progress=lambda _d, _t: None
    )
    tick("SJ3")


def _load_organisations(session: Session, members_names: set[str]) -> dict[str, Organisation]:
    """Members are those that have instruments; the others are listed only."""
    found: dict[str, Organisation] = {}
    for row in _read("universities.csv"):
        found[row["name_zh"]] = _register(session, row, row["code"], OrganisationKind.UNIVERSITY, members_names)
    for number, row in enumerate(_read("institutes.csv"), 1):
        if row["name_zh"] not in found:
            code = row["cas_code"] or f"WH-{number:03d}"
            found[row["name_zh"]] = _register(session, row, code, OrganisationKind.INSTITUTE, members_names)
    for name, (code, name_en, kind) in INVENTED.items():
        found[name] = members.register_organisation(
            session, kind=kind, code=code, name_zh=name, name_en=name_en, is_demonstration=True
        )
    return found


def _register(
    session: Session, row: dict[str, str], code: str, kind: OrganisationKind, members_names: set[str]
) -> Organisation:
    return members.register_organisation(
        session,
        kind=kind,
        code=code,
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        is_member=row["name_zh"] in members_names,
        is_demonstration="示例" in row["name_zh"],
        certainty=row["certainty"],
    )


def _load_days(session: Session) -> None:
    for row in _read("calendar_days.csv"):
        kind = DayKind.WORKDAY if row["kind"] == "make-up workday" else DayKind.OFF
        session.merge(
            CalendarDay(
                on=date.fromisoformat(row["date"]),
                kind=kind,
                name_en=row["name"],
                is_provisional="provisional" in row["kind"],
            )
        )


def _load_instruments(
    session: Session, file: ReadFile, owners: dict[str, Organisation], *, now: datetime, tick: Tick
) -> None:
    by_owner: dict[str, list[CatalogueRow]] = defaultdict(list)
    for row in file.rows:
        by_owner[row.institution].append(row)
    profile = {row["category"]: row for row in _read("profile.csv")}
    for name, rows in by_owner.items():
        owner = owners[name]
        apply_rows(session, owner, ReadFile("csv", rows, []), now=now)
        entries = {
            entry.asset_number: entry
            for entry in session.scalars(select(Equipment).where(Equipment.owner_id == owner.id))
        }
        for row in rows:
            _apply_profile(session, entries[row.asset_number], row, profile[row.category])
            tick(row.name_zh)
    session.flush()


def _apply_profile(session: Session, entry: Equipment, row: CatalogueRow, profile: dict[str, str]) -> None:
    """Units, hours, rules and rates: invented, and marked so."""
    by_day = row.charge_unit in ("day", "channel-day")
    entry.is_bookable = entry.is_example = True
    entry.approval_mode = ApprovalMode(profile["approval"])
    entry.service_mode = ServiceMode(profile["mode"])
    entry.step_minutes = int(profile["step"])
    entry.length_minutes_min = int(profile["shortest"])
    entry.length_minutes_max = max(int(profile["longest"]), 1440 * 7 if by_day and profile["hours"] == "all" else 0)
    entry.lead_minutes, entry.horizon_days = int(profile["lead"]), int(profile["horizon"])
    entry.buffer_before_minutes, entry.buffer_after_minutes = int(profile["before"]), int(profile["after"])
    entry.decide_minutes = int(profile["decide"])
    for number in range(int(profile["units"])):
        session.add(Unit(equipment_id=entry.id, label=f"#{number + 1}" if int(profile["units"]) > 1 else ""))
    for weekdays, opens, closes, rests in HOURS[profile["hours"]]:
        for weekday in weekdays:
            session.add(
                OpeningHours(
                    equipment_id=entry.id,
                    weekday=weekday,
                    opens_minute=opens,
                    closes_minute=closes,
                    closed_on_holidays=rests,
                )
            )
    _add_rates(session, entry, row, int(profile["extra_fen"]) or 80)


def _add_rates(session: Session, entry: Equipment, row: CatalogueRow, extra_fen: int) -> None:
    """Internal: half, to the yuan; startups: the list's price; others a quarter more."""
    assert row.price_fen is not None, row.name_zh
    units = UNITS[row.charge_unit]
    for unit in units:
        listed = row.price_fen if unit is units[0] else extra_fen
        prices = {
            Tier.INTERNAL: (listed // 200) * 100 or listed // 2,
            Tier.STARTUP: listed,
            Tier.OTHER: listed * 5 // 4,
        }
        for tier, price in prices.items():
            session.add(
                Rate(
                    equipment_id=entry.id,
                    tier=tier,
                    charge_unit=unit,
                    price_fen=price,
                    effective_on=SINCE,
                    is_example=row.price_is_invented or unit is not units[0],
                )
            )
    entry.price_fen, entry.price_unit = row.price_fen, units[0]


def _read(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
