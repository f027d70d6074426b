"""Write new versions of prices at a level, and keep the listed price of the entries below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.money import FEN_MAX, parse_yuan
from equipment.bands import Band, read_bands, read_factor
from equipment.errors import BandInvalid, NothingBefore, PriceInvalid, TariffBegun, TariffEmpty, TariffInPast
from equipment.freshness import fingerprint, lock_level, refuse_stale
from equipment.history import record_for
from equipment.models import ChargeUnit, Equipment, PriceBand, Rate, Tariff, Tier
from equipment.scopes import Scope
from equipment.tariffs import listed_price, tariff_on
from members.actor import Actor

ZONE = ZoneInfo("Asia/Shanghai")
#: Entries at once when listed prices are looked through.
CHUNK = 500


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
    is_example: bool = False


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
    bands = read_bands(form)
    rush_bp = read_factor(form.get("rush_factor", ""), field="rush_factor", least=10_000)
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


def write_tariff(
    session: Session, actor: Actor | None, scope: Scope, text: TariffText, *, now: datetime, seen: str = ""
) -> Tariff:
    """A new version at a level. What was agreed before keeps the version it used.

    Raises SavedMeanwhile where there are other versions than were `seen`.
    """
    lock_level(session, scope)
    refuse_stale(session, scope, seen=seen, current=tariffs_mark(find_tariffs(session, scope)))
    tariff = Tariff(
        effective_on=text.effective_on, minimum_fen=text.minimum_fen, setup_fen=text.setup_fen,
        operator_fen=text.operator_fen, rush_bp=text.rush_bp, rush_within_minutes=text.rush_within_minutes,
        is_example=text.is_example, person_id=actor.person_id if actor else None, written_at=now, **scope.columns,
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


def withdraw_tariff(session: Session, actor: Actor, scope: Scope, tariff_id: UUID, *, now: datetime) -> Tariff:
    """Undo a version that has not begun: the version before it counts again from the same day, as a new one, since
    versions are never changed. Raises TariffBegun, NothingBefore where the level had no version by then."""
    lock_level(session, scope)
    versions = find_tariffs(session, scope)
    tariff = next((version for version in versions if version.public_id == tariff_id), None)
    if tariff is None or tariff.effective_on <= now.astimezone(ZONE).date():
        raise TariffBegun
    before = version_before(tariff, versions)
    if before is None:
        raise NothingBefore
    return write_tariff(session, actor, scope, _text_of(before, tariff.effective_on), now=now)


def tariffs_mark(versions: Sequence[Tariff]) -> str:
    """A fingerprint of a level's versions."""
    return fingerprint([str(version.public_id) for version in versions])


def is_replaced(tariff: Tariff, versions: Sequence[Tariff]) -> bool:
    """A later one of the same level begins on the same day: this one never counts. Pure."""
    return any(other.effective_on == tariff.effective_on and other.id > tariff.id for other in versions)


def version_before(tariff: Tariff, versions: Sequence[Tariff]) -> Tariff | None:
    """The version of the same level that counts until this one begins. Pure."""
    return tariff_on([other for other in versions if other.effective_on < tariff.effective_on], tariff.effective_on)


def says_the_same(tariff: Tariff, other: Tariff) -> bool:
    """Whether two versions charge the same. Pure."""
    return _text_of(tariff, tariff.effective_on) == _text_of(other, tariff.effective_on)


def _text_of(tariff: Tariff, on: date) -> TariffText:
    bands = [Band(b.name, b.weekdays, b.from_minute, b.to_minute, b.factor_bp) for b in tariff.bands]
    return TariffText(
        on, {(rate.tier, rate.charge_unit): rate.price_fen for rate in tariff.rates}, bands,
        minimum_fen=tariff.minimum_fen, setup_fen=tariff.setup_fen, operator_fen=tariff.operator_fen,
        rush_bp=tariff.rush_bp, rush_within_minutes=tariff.rush_within_minutes, is_example=tariff.is_example,
    )  # fmt: skip


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
