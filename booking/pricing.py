"""What a slot or a visit costs: lines from rates, time and quantities. Pure; integer fen.

Each line rounds half up to the fen; the price is the sum of its lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from booking import errors
from core.i18n import N_
from core.money import FEN_MAX, line_fen, time_fen
from core.slot import Slot
from equipment.models import ChargeUnit, Tier

#: Charged by time, so never asked as a quantity.
BY_TIME = frozenset({ChargeUnit.HOUR, ChargeUnit.DAY})
QUANTITY_MAX = Decimal(100_000)

UNIT_NAMES: dict[ChargeUnit, str] = {
    ChargeUnit.HOUR: N_("hour"),
    ChargeUnit.DAY: N_("day"),
    ChargeUnit.SAMPLE: N_("sample"),
    ChargeUnit.RUN: N_("run"),
    ChargeUnit.GRAM: N_("gram"),
    ChargeUnit.MILLILITRE: N_("millilitre"),
    ChargeUnit.CHANNEL_DAY: N_("channel-day"),
    ChargeUnit.CARD_HOUR: N_("card-hour"),
}


class Priced(Protocol):
    """A price per charge unit."""

    @property
    def charge_unit(self) -> ChargeUnit: ...
    @property
    def price_fen(self) -> int: ...
    @property
    def is_example(self) -> bool: ...


class RateLike(Priced, Protocol):
    """A price for a tier from a date on."""

    @property
    def tier(self) -> Tier: ...
    @property
    def effective_on(self) -> date: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a price. `quantity` is a decimal as text; for hours it is exact minutes over 60, shown rounded."""

    unit: str
    quantity: str
    unit_price_fen: int
    amount_fen: int
    is_example: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def lines_from_json(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    return [Line(**row) for row in rows]


def rates_on(rates: Sequence[RateLike], tier: Tier, on: date) -> dict[ChargeUnit, RateLike]:
    """The newest rate per unit that is in force for a tier on a day. People without a tier of their own pay `other`."""
    found: dict[ChargeUnit, RateLike] = {}
    for wanted in (tier, Tier.OTHER):
        for rate in sorted(rates, key=lambda rate: rate.effective_on):
            if rate.tier == wanted and rate.effective_on <= on:
                found[rate.charge_unit] = rate
        if found:
            return found
    return found


def quantity_units(rates: Mapping[ChargeUnit, Priced]) -> list[ChargeUnit]:
    """The units for which a quantity is asked, in a fixed order."""
    return [unit for unit in ChargeUnit if unit in rates and unit not in BY_TIME]


def read_quantities(
    asked: Mapping[str, Any], rates: Mapping[ChargeUnit, Priced]
) -> tuple[dict[ChargeUnit, Decimal], list[errors.RuleBroken]]:
    """Quantities by unit, and what is wrong with them."""
    out: dict[ChargeUnit, Decimal] = {}
    broken: list[errors.RuleBroken] = []
    wanted = quantity_units(rates)
    for name, raw in asked.items():
        if name not in {unit.value for unit in wanted}:
            broken.append(errors.QuantityUnknown(field=f"quantities.{name[:40]}", unit=name[:40]))
            continue
        number = _read_number(raw)
        if number is None:
            broken.append(errors.QuantityInvalid(field=f"quantities.{name}"))
        else:
            out[ChargeUnit(name)] = number
    broken += [
        errors.QuantityMissing(field=f"quantities.{unit}", unit=UNIT_NAMES[unit])
        for unit in wanted
        if unit.value not in asked
    ]
    if not broken and wanted and not any(out.values()) and not BY_TIME & rates.keys():
        broken.append(errors.QuantityMissing(field=f"quantities.{wanted[0]}", unit=UNIT_NAMES[wanted[0]]))
    return out, broken


def _read_number(raw: Any) -> Decimal | None:
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= QUANTITY_MAX or number != round(number, 3):
        return None
    return number


def price_lines(
    rates: Mapping[ChargeUnit, Priced], *, length: timedelta, quantities: Mapping[ChargeUnit, Decimal]
) -> list[Line]:
    """Lines in the order of units; whole minutes of time, started days of 24 hours."""
    minutes = max(int(length.total_seconds() // 60), 0)
    lines = []
    for unit in ChargeUnit:
        if unit not in rates:
            continue
        rate = rates[unit]
        if unit is ChargeUnit.HOUR:
            shown, amount = f"{Decimal(minutes) / 60:.2f}", time_fen(minutes, rate.price_fen)
        else:
            quantity = Decimal(-(-minutes // 1440)) if unit is ChargeUnit.DAY else quantities.get(unit, Decimal(0))
            shown, amount = str(quantity), line_fen(quantity, rate.price_fen)
        shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
        lines.append(Line(unit.value, shown, rate.price_fen, amount, rate.is_example))
    return lines


def total_fen(lines: Iterable[Line]) -> int:
    return sum(line.amount_fen for line in lines)


def price_slot(
    rates: Sequence[RateLike], tier: Tier, slot: Slot, on: date, asked: Mapping[str, Any]
) -> tuple[list[Line], dict[ChargeUnit, Decimal], list[errors.RuleBroken]]:
    """Lines and quantities of a slot, and what is wrong with what was asked."""
    valid = rates_on(rates, tier, on)
    if not valid:
        return [], {}, [errors.PriceMissing()]
    quantities, broken = read_quantities(asked, valid)
    if broken:
        return [], {}, broken
    lines = price_lines(valid, length=slot.length, quantities=quantities)
    if total_fen(lines) > FEN_MAX:
        return [], {}, [errors.PriceTooHigh()]
    return lines, quantities, []
