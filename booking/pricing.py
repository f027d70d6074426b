"""What a slot or a visit costs: lines from a version of prices, time and quantities. Pure; integer fen.

Each line rounds half up to the fen; the price is the sum of its lines.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from booking import errors
from core.money import FEN_MAX, line_fen, time_fen
from equipment.bands import StoredBand
from equipment.models import ChargeUnit, ServiceMode, Tier
from equipment.words import UNIT_NAMES

#: Charged by time, so never asked as a quantity.
BY_TIME = frozenset({ChargeUnit.HOUR, ChargeUnit.DAY})
#: What is weighed or timed has parts; everything else is counted.
IN_PARTS = frozenset({ChargeUnit.GRAM, ChargeUnit.MILLILITRE, ChargeUnit.HOUR, ChargeUnit.CARD_HOUR})
QUANTITY_MAX = Decimal(100_000)
_QUANTITY = re.compile(r"\d{1,6}(\.\d{1,3})?", re.ASCII)
WHOLE_BP = 10_000


class RateLike(Protocol):
    """A price per charge unit for a tier."""

    @property
    def tier(self) -> Tier: ...
    @property
    def charge_unit(self) -> ChargeUnit: ...
    @property
    def price_fen(self) -> int: ...


class TariffLike(Protocol):
    """One version of prices."""

    @property
    def rates(self) -> Sequence[RateLike]: ...
    @property
    def bands(self) -> Sequence[StoredBand]: ...
    @property
    def minimum_fen(self) -> int: ...
    @property
    def setup_fen(self) -> int: ...
    @property
    def operator_fen(self) -> int: ...
    @property
    def rush_bp(self) -> int: ...
    @property
    def rush_within_minutes(self) -> int: ...
    @property
    def is_example(self) -> bool: ...


class LineKind(StrEnum):
    """What a line of a price stands for."""

    RATE = "rate"
    OPERATOR = "operator"
    SETUP = "setup"
    MINIMUM = "minimum"
    """What lacks to the least that a booking costs."""
    RUSH = "rush"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a price. `quantity` is a decimal as text; for hours it is exact minutes over 60, shown rounded.

    `name` is the band of time for which the price counts; empty: any other time.
    """

    unit: str
    quantity: str
    unit_price_fen: int
    amount_fen: int
    is_example: bool = False
    kind: str = LineKind.RATE
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Use:
    """What is priced: time (a slot or a visit), quantities, how the instrument is used, and whether in a rush."""

    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    quantities: Mapping[ChargeUnit, Decimal]
    mode: ServiceMode | None = None
    is_rush: bool = False

    @property
    def minutes(self) -> int:
        """Whole minutes, never negative."""
        return max(int((self.ends_at - self.starts_at).total_seconds() // 60), 0)


def lines_from_json(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    return [Line(**row) for row in rows]


def rates_for(tariff: TariffLike | None, tier: Tier) -> dict[ChargeUnit, RateLike]:
    """The rate per unit for a tier; people without a tier of their own pay `other`."""
    for wanted in (tier, Tier.OTHER):
        found = {rate.charge_unit: rate for rate in (tariff.rates if tariff else ()) if rate.tier is wanted}
        if found:
            return found
    return {}


def quantity_units(rates: Mapping[ChargeUnit, RateLike]) -> list[ChargeUnit]:
    """The units for which a quantity is asked, in a fixed order."""
    return [unit for unit in ChargeUnit if unit in rates and unit not in BY_TIME]


def quantity_step(unit: ChargeUnit) -> str:
    """The finest part of a quantity, for a form."""
    return "0.001" if unit in IN_PARTS else "1"


def read_quantities(
    asked: Mapping[str, Any], rates: Mapping[ChargeUnit, RateLike]
) -> tuple[dict[ChargeUnit, Decimal], list[errors.RuleBroken]]:
    """Quantities by unit, and what is wrong with them."""
    out: dict[ChargeUnit, Decimal] = {}
    broken: list[errors.RuleBroken] = []
    wanted = quantity_units(rates)
    for name, raw in asked.items():
        field = f"quantities.{name[:40]}"
        if name not in {unit.value for unit in wanted}:
            broken.append(_refuse_unit(name, rates, field))
            continue
        unit, number = ChargeUnit(name), _read_number(raw)
        if number is None:
            broken.append(errors.QuantityInvalid(field=field))
        elif unit not in IN_PARTS and number != int(number):
            broken.append(errors.QuantityNotWhole(field=field, unit=UNIT_NAMES[unit]))
        else:
            out[unit] = number
    broken += [
        errors.QuantityMissing(field=f"quantities.{unit}", unit=UNIT_NAMES[unit])
        for unit in wanted
        if unit.value not in asked
    ]
    if not broken and wanted and not any(out.values()) and not BY_TIME & rates.keys():
        broken.append(errors.QuantityMissing(field=f"quantities.{wanted[0]}", unit=UNIT_NAMES[wanted[0]]))
    return out, broken


def _refuse_unit(name: str, rates: Mapping[ChargeUnit, RateLike], field: str) -> errors.RuleBroken:
    """Why no quantity of this unit is taken: it follows from the slot, or nothing is charged by it."""
    unit = UNIT_NAMES[ChargeUnit(name)] if name in set(ChargeUnit) else name[:40]
    charged = {rate.value for rate in rates}
    return (errors.QuantityFromSlot if name in charged else errors.QuantityUnknown)(field=field, unit=unit)


def _read_number(raw: Any) -> Decimal | None:
    """A number of JSON, or plain ASCII digits with at most 3 decimals: no sign, exponent or underscore."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        number = Decimal(str(raw))
    elif isinstance(raw, str) and _QUANTITY.fullmatch(raw.strip()):
        number = Decimal(raw.strip())
    else:
        return None
    if not number.is_finite() or not 0 <= number <= QUANTITY_MAX or number != round(number, 3):
        return None
    return number


def price_lines(tariff: TariffLike, tier: Tier, use: Use) -> list[Line]:
    """All lines of a price in a fixed order: rates by unit (hours split by bands), operator, start-up, minimum, rush.

    Time counts in whole minutes, days in started 24 hours.
    """
    rates = rates_for(tariff, tier)
    lines: list[Line] = []
    for unit in ChargeUnit:
        if unit not in rates:
            continue
        price = rates[unit].price_fen
        if unit is ChargeUnit.HOUR:
            lines += [_hours(minutes, price, band) for band, minutes in split_by_bands(use, tariff.bands)]
        else:
            days = Decimal(-(-use.minutes // 1440))
            quantity = days if unit is ChargeUnit.DAY else use.quantities.get(unit, Decimal(0))
            lines.append(Line(unit.value, _plain(str(quantity)), price, line_fen(quantity, price)))
    if tariff.operator_fen and use.mode is ServiceMode.OPERATED:
        lines.append(_hours(use.minutes, tariff.operator_fen, None, LineKind.OPERATOR))
    if tariff.setup_fen:
        lines.append(Line("", "1", tariff.setup_fen, tariff.setup_fen, kind=LineKind.SETUP))
    if (lacking := tariff.minimum_fen - total_fen(lines)) > 0:
        lines.append(Line("", "1", tariff.minimum_fen, lacking, kind=LineKind.MINIMUM))
    if use.is_rush and tariff.rush_bp > WHOLE_BP:
        extra = (2 * total_fen(lines) * (tariff.rush_bp - WHOLE_BP) + WHOLE_BP) // (2 * WHOLE_BP)
        lines.append(Line("", str(Decimal(tariff.rush_bp) / WHOLE_BP), 0, extra, kind=LineKind.RUSH))
    return [replace(line, is_example=True) for line in lines] if tariff.is_example else lines


def split_by_bands(use: Use, bands: Sequence[StoredBand]) -> list[tuple[StoredBand | None, int]]:
    """Minutes of a use by the band in which they lie, in order of first appearance; None: outside all bands.

    Bands are wall time: at a clock change the minutes that pass are counted by what the clock on the wall shows.
    """
    if not bands or not use.minutes:
        return [(None, use.minutes)]
    minutes: dict[int, int] = {}
    start, done = use.starts_at, 0
    while done < use.minutes:
        local = (start + timedelta(minutes=done)).astimezone(use.zone)
        minute = local.hour * 60 + local.minute
        fits = [
            place
            for place, band in enumerate(bands)
            if str(local.weekday()) in band.weekdays and band.from_minute <= minute < band.to_minute
        ]
        edges = [edge for band in bands for edge in (band.from_minute, band.to_minute) if edge > minute]
        # An hour at most, so that a clock change inside a long stretch is seen.
        step = min(min(edges, default=1440) - minute, 60 - minute % 60, use.minutes - done)
        place = fits[0] if fits else -1
        minutes[place] = minutes.get(place, 0) + step
        done += step
    return [(bands[place] if place >= 0 else None, number) for place, number in minutes.items()]


def total_fen(lines: Iterable[Line]) -> int:
    return sum(line.amount_fen for line in lines)


def is_rush(tariff: TariffLike, starts_at: datetime, now: datetime) -> bool:
    """Whether a slot that is asked for now starts so soon that the rush price counts."""
    return now <= starts_at < now + timedelta(minutes=tariff.rush_within_minutes)


def price_use(
    tariff: TariffLike | None, tier: Tier, use: Use, asked: Mapping[str, Any]
) -> tuple[list[Line], dict[ChargeUnit, Decimal], list[errors.RuleBroken]]:
    """Lines and quantities, and what is wrong with what was asked. `use.quantities` is filled from `asked`."""
    rates = rates_for(tariff, tier)
    if tariff is None or not rates:
        return [], {}, [errors.PriceMissing()]
    quantities, broken = read_quantities(asked, rates)
    if broken:
        return [], {}, broken
    lines = price_lines(tariff, tier, replace(use, quantities=quantities))
    if total_fen(lines) > FEN_MAX:
        return [], {}, [errors.PriceTooHigh()]
    return lines, quantities, []


def _hours(minutes: int, price_fen: int, band: StoredBand | None, kind: LineKind = LineKind.RATE) -> Line:
    """A line of time. The band's price rounds half up to the fen, then the line does."""
    price = (2 * price_fen * band.factor_bp + WHOLE_BP) // (2 * WHOLE_BP) if band else price_fen
    hours = _plain(f"{Decimal(minutes) / 60:.2f}")
    name = band.name if band else ""
    return Line(ChargeUnit.HOUR.value, hours, price, time_fen(minutes, price), kind=kind, name=name)


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
