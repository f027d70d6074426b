"""Write new versions of prices at a level, and keep the listed price of the entries below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.money import FEN_MAX, parse_yuan
from equipment.errors import BandInvalid, PriceInvalid, TariffEmpty, TariffInPast
from equipment.history import record_for
from equipment.models import ChargeUnit, Equipment, PriceBand, Rate, Tariff, Tier
from equipment.scopes import Scope
from equipment.tariffs import listed_price, tariff_on
from equipment.timetables import read_stretches
from members.actor import Actor

ZONE = ZoneInfo("Asia/Shanghai")
BANDS_MOST = 12
#: Entries at once when listed prices are looked through.
CHUNK = 500


@dataclass(frozen=True)
class Band:
    name: str
    weekdays: str
    from_minute: int
    to_minute: int
    factor_bp: int


@dataclass(frozen=True)
class TariffText:
    """A version of prices as it is typed, read and checked."""

    effective_on: date
    rates: Mapping[tuple[Tier, ChargeUnit], int]
    bands: Sequence[Band] = ()
    minimum_fen: int = 0
    setup_fen: int = 0
    operator_fen: int = 0
    rush_bp: int = 10_000
    rush_within_minutes: int = 0


def read_tariff(form: Mapping[str, str], *, today: date) -> TariffText:
    """From a form: `rate_<tier>_<unit>` and the extras in yuan, `band<n>_name|days|time|factor`, `rush_factor`.

    Raises PriceInvalid, TariffEmpty, TariffInPast, BandInvalid at the field.
    """
    rates = {
        (tier, unit): price
        for tier in Tier
        for unit in ChargeUnit
        if (price := read_yuan(form.get(f"rate_{tier}_{unit}", ""), field=f"rate_{tier}_{unit}")) is not None
    }
    if not rates:
        raise TariffEmpty(field=f"rate_{Tier.STARTUP}_{ChargeUnit.HOUR}")
    try:
        on = date.fromisoformat(form.get("effective_on", "") or today.isoformat())
    except ValueError as error:
        raise TariffInPast(field="effective_on") from error
    if on < today or on.year > today.year + 5:
        raise TariffInPast(field="effective_on")
    bands = [band for number in range(BANDS_MOST) if (band := _read_band(form, number))]
    rush_bp = _read_factor(form.get("rush_factor", ""), field="rush_factor", least=10_000)
    hours = form.get("rush_hours", "").strip()
    if hours and not (hours.isascii() and hours.isdigit() and int(hours) <= 24 * 62):
        raise BandInvalid(field="rush_hours")
    return TariffText(
        on, rates, bands,
        minimum_fen=read_yuan(form.get("minimum", ""), field="minimum") or 0,
        setup_fen=read_yuan(form.get("setup", ""), field="setup") or 0,
        operator_fen=read_yuan(form.get("operator", ""), field="operator") or 0,
        rush_bp=rush_bp, rush_within_minutes=int(hours or 0) * 60,
    )  # fmt: skip


def read_yuan(text: str, *, field: str) -> int | None:
    """Raises PriceInvalid."""
    if not text.strip():
        return None
    try:
        fen = parse_yuan(text)
    except ValueError as error:
        raise PriceInvalid(field=field) from error
    if not 0 <= fen <= FEN_MAX // 1000:
        raise PriceInvalid(field=field)
    return fen


def write_tariff(session: Session, actor: Actor | None, scope: Scope, text: TariffText, *, now: datetime) -> Tariff:
    """A new version at a level. What was agreed before keeps the version it used."""
    tariff = Tariff(
        effective_on=text.effective_on, minimum_fen=text.minimum_fen, setup_fen=text.setup_fen,
        operator_fen=text.operator_fen, rush_bp=text.rush_bp, rush_within_minutes=text.rush_within_minutes,
        person_id=actor.person_id if actor else None, written_at=now, **scope.columns,
    )  # fmt: skip
    session.add(tariff)
    session.flush()
    session.add_all(
        [
            Rate(tariff_id=tariff.id, tier=tier, charge_unit=unit, price_fen=price)
            for (tier, unit), price in text.rates.items()
        ]
    )
    session.add_all(
        [
            PriceBand(
                tariff_id=tariff.id, name=band.name, weekdays=band.weekdays, from_minute=band.from_minute,
                to_minute=band.to_minute, factor_bp=band.factor_bp,
            )
            for band in text.bands
        ]
    )  # fmt: skip
    session.flush()
    if actor:
        record_for(
            session, actor, scope, "prices", {"tariff": (None, f"{tariff.public_id} {text.effective_on}")}, now=now
        )
    refresh_listed(session, [key for (key,) in session.execute(select(Equipment.id).where(scope.entries))], now=now)
    return tariff


def find_tariffs(session: Session, scope: Scope) -> list[Tariff]:
    """Versions of a level itself, the newest first."""
    column, key = next(iter(scope.columns.items()))
    statement = select(Tariff).options(joinedload(Tariff.rates), joinedload(Tariff.bands))
    rows = session.scalars(statement.where(getattr(Tariff, column) == key)).unique()
    return sorted(rows, key=lambda tariff: (tariff.effective_on, tariff.id), reverse=True)


def refresh_listed(session: Session, entry_ids: Sequence[int], *, now: datetime) -> int:
    """Write the listed price of entries as it is on this day; answers how many changed."""
    today = now.astimezone(ZONE).date()
    changed = 0
    for first in range(0, len(entry_ids), CHUNK):
        entries = session.scalars(
            select(Equipment)
            .options(selectinload(Equipment.tariffs).options(joinedload(Tariff.rates)))
            .where(Equipment.id.in_(entry_ids[first : first + CHUNK])),
            execution_options={"populate_existing": True},
        )
        for entry in entries:
            price = listed_price(tariff_on(entry.tariffs, today))
            if price is not None and (entry.price_fen, entry.price_unit) != price:
                entry.price_fen, entry.price_unit = price
                changed += 1
        session.flush()
    return changed


def refresh_due_prices(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find levels with a version that begins today or yesterday; 2. look through the entries below; 3. write
    the listed prices that changed, at most `limit` entries at once; 4. say how many."""
    today = now.astimezone(ZONE).date()
    begun = session.scalars(
        select(Tariff).where(Tariff.effective_on.between(today - timedelta(days=1), today)).order_by(Tariff.id)
    ).all()
    changed = 0
    for tariff in begun:
        where = (
            Equipment.id == tariff.equipment_id if tariff.equipment_id
            else Equipment.lab_id == tariff.lab_id if tariff.lab_id
            else Equipment.owner_id == tariff.organisation_id
        )  # fmt: skip
        keys = list(session.scalars(select(Equipment.id).where(where).order_by(Equipment.id).limit(limit)))
        changed += refresh_listed(session, keys, now=now)
    return changed


def _read_band(form: Mapping[str, str], number: int) -> Band | None:
    name, time = form.get(f"band{number}_name", "").strip(), form.get(f"band{number}_time", "").strip()
    days = "".join(sorted(set(form.get(f"band{number}_days", "")) & set("0123456")))
    if not (name or time):
        return None
    stretches = read_stretches(time, field=f"band{number}_time")
    if not name or len(name) > 40 or len(stretches) != 1 or not days:
        raise BandInvalid(field=f"band{number}_name")
    factor = _read_factor(form.get(f"band{number}_factor", ""), field=f"band{number}_factor", least=0)
    return Band(name, days, *stretches[0], factor)


def _read_factor(text: str, *, field: str, least: int) -> int:
    """`1.5` as 15,000 basis points; empty: 1. Raises BandInvalid."""
    if not text.strip():
        return 10_000
    try:
        factor = parse_yuan(text) * 100
    except ValueError as error:
        raise BandInvalid(field=field) from error
    if not least <= factor <= 100_000:
        raise BandInvalid(field=field)
    return factor
