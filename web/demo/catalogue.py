"""Load the demonstration's catalogue from files: organisations, holidays, instruments, and the marked profile."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from core.db import unit_of_work
from core.money import parse_yuan
from equipment.districts import read_district
from equipment.importing.applying import insert_entries
from equipment.importing.comparing import index_columns
from equipment.importing.queries import find_entries
from equipment.importing.reading import read_file
from equipment.importing.rows import CatalogueRow, ReadFile
from equipment.importing.service import import_file
from equipment.models import (
    ApprovalMode,
    CalendarDay,
    CalendarYear,
    ChargeUnit,
    DayKind,
    Equipment,
    Lab,
    OpeningHours,
    Rate,
    ServiceMode,
    Tariff,
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
PROFILE_RULES = (
    "approval_mode", "step_minutes", "length_minutes_min", "length_minutes_max", "lead_minutes", "horizon_days",
    "buffer_before_minutes", "buffer_after_minutes", "decide_minutes",
)  # fmt: skip
DAY_NAMES = {
    "New Year": "元旦", "Spring": "春节", "Chinese New Year's Eve": "除夕", "Chinese New Year": "春节",
    "Tomb": "清明节", "Labo": "劳动节", "Dragon": "端午节", "Mid": "中秋节", "National": "国庆节",
}  # fmt: skip
YEAR_SOURCE = "chinesecalendar 1.11.0, holidays 0.109"
#: No notice is out: no library knows the days that are swapped.
PROVISIONAL_SOURCE = "holidays 0.109：仅法定节假日，未含调休 · statutory days only, no notice yet"
Tick = Callable[[str], None]


def load_catalogue(engine: Engine, *, now: datetime, tick: Tick) -> None:
    """Everything in one unit of work, then the SJ3 file through the same door as an institution's own. Idempotent."""
    with unit_of_work(engine) as session:
        if session.scalar(select(func.count()).select_from(Equipment)):
            return
        file = read_file((DATA / "instruments.csv").read_bytes(), "instruments.csv", code="", institution=None)
        owners = _load_organisations(session, {row.institution for row in file.rows})
        tick("organisations")
        _load_days(session)
        _load_instruments(session, file, owners, now=now, tick=tick)
        _name_labs(session)
    import_file(engine, DATA / "SJ310497.txt", institution_code="10497", now=now)
    with unit_of_work(engine) as session:
        _write_districts(session)
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
    provisional: dict[int, bool] = {}
    for row in _read("calendar_days.csv"):
        if "provisional" in row["kind"] and row["name"].endswith("(observed)"):
            # A library's guess of what is swapped; the law names no such day.
            continue
        kind = DayKind.WORKDAY if row["kind"] == "make-up workday" else DayKind.OFF
        year = date.fromisoformat(row["date"]).year
        provisional[year] = provisional.get(year, False) or "provisional" in row["kind"]
        session.merge(
            CalendarDay(
                on=date.fromisoformat(row["date"]),
                kind=kind,
                name_en=row["name"],
                name_zh=next((name for begin, name in DAY_NAMES.items() if row["name"].startswith(begin)), ""),
                is_provisional="provisional" in row["kind"],
            )
        )
    for year, is_provisional in provisional.items():
        session.merge(
            CalendarYear(
                year=year, is_official=not is_provisional, source=PROVISIONAL_SOURCE if is_provisional else YEAR_SOURCE
            )
        )


def _load_instruments(
    session: Session, file: ReadFile, owners: dict[str, Organisation], *, now: datetime, tick: Tick
) -> None:
    by_owner: dict[str, list[CatalogueRow]] = defaultdict(list)
    for row in file.rows:
        by_owner[row.institution].append(row)
    profile = read_profile()
    for name, rows in by_owner.items():
        owner = owners[name]
        written = [
            dict(row.values)
            | index_columns(row.values)
            | {"asset_number": row.asset_number, "lab": row.lab, "lab_address": row.lab_address}
            for row in rows
        ]
        insert_entries(session, owner.id, written, source="csv", person_id=None, now=now)
        entries = find_entries(session, owner.id)
        for row in rows:
            _apply_profile(session, entries[row.asset_number], row, profile[row.values["category"]], now)
            tick(row.values["name_zh"])
    session.flush()


def _name_labs(session: Session) -> None:
    """Institutions' lists name their labs in Chinese only; the English names are ours."""
    names = {row["name_zh"]: row["name_en"] for row in _read("labs.csv")}
    for lab in session.scalars(select(Lab).where(Lab.name_zh.in_(names))):
        lab.name_en = names[lab.name_zh]


def read_profile() -> dict[str, dict[str, Any]]:
    """Invented hours and rules by category."""
    return {row["category"]: row for row in _read("profile.csv")}


def _write_districts(session: Session) -> None:
    """A lab stands where its institution does; see the README on how sure that is."""
    for row in _read("districts.csv"):
        owner = select(Organisation.id).where(Organisation.name_zh == row["institution"]).scalar_subquery()
        district = read_district(row["district"])
        session.execute(update(Lab).where(Lab.organisation_id == owner).values(district=district))


def _apply_profile(
    session: Session, entry: Equipment, row: CatalogueRow, profile: dict[str, str], now: datetime
) -> None:
    """Units, hours, rules and rates: invented, and marked so."""
    by_day = row.extra["charge_unit"] in ("day", "channel-day")
    # What is charged by the day can be had for days, nights included.
    hours = "all" if by_day else profile["hours"]
    entry.is_bookable = entry.is_example = True
    entry.own_rules = list(PROFILE_RULES)
    entry.approval_mode = ApprovalMode(profile["approval"])
    entry.service_modes = (ServiceMode(profile["mode"]),)
    entry.step_minutes = int(profile["step"])
    entry.length_minutes_min = int(profile["shortest"])
    entry.length_minutes_max = max(int(profile["longest"]), 1440 * 7 if by_day else 0)
    entry.lead_minutes, entry.horizon_days = int(profile["lead"]), int(profile["horizon"])
    entry.buffer_before_minutes, entry.buffer_after_minutes = int(profile["before"]), int(profile["after"])
    entry.decide_minutes = int(profile["decide"])
    for number in range(int(profile["units"])):
        session.add(Unit(equipment_id=entry.id, label=f"#{number + 1}" if int(profile["units"]) > 1 else ""))
    for weekdays, opens, closes, rests in HOURS[hours]:
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
    _add_tariff(session, entry, row, int(profile["extra_fen"]) or 80, now)


def _add_tariff(session: Session, entry: Equipment, row: CatalogueRow, extra_fen: int, now: datetime) -> None:
    """Internal: half, to the yuan; startups: the list's price; others a quarter more."""
    known, invented = row.extra["hourly_price_cny"], row.extra["demo_price_cny_invented"]
    price_fen = parse_yuan(known or invented)
    units = UNITS[row.extra["charge_unit"]]
    tariff = Tariff(equipment_id=entry.id, effective_on=SINCE, is_example=not known or len(units) > 1, written_at=now)
    session.add(tariff)
    session.flush()
    for unit in units:
        listed = price_fen if unit is units[0] else extra_fen
        prices = {
            Tier.INTERNAL: (listed // 200) * 100 or listed // 2,
            Tier.STARTUP: listed,
            Tier.OTHER: listed * 5 // 4,
        }
        for tier, price in prices.items():
            session.add(Rate(tariff_id=tariff.id, tier=tier, charge_unit=unit, price_fen=price))
    entry.price_fen, entry.price_unit = price_fen, units[0]


def _read(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
