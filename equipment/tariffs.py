"""Which version of the prices is in force. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar

from equipment.models import ChargeUnit, Tariff, Tier


class Dated(Protocol):
    """A version of prices on one of three levels."""

    @property
    def id(self) -> int: ...
    @property
    def equipment_id(self) -> int | None: ...
    @property
    def lab_id(self) -> int | None: ...
    @property
    def effective_on(self) -> date: ...


D = TypeVar("D", bound=Dated)


def tariff_on(tariffs: Sequence[D], on: date) -> D | None:
    """The newest version in force on a day: of the instrument if it has one by then, else its lab's, else its
    institution's."""
    in_force = [tariff for tariff in tariffs if tariff.effective_on <= on]
    own = [tariff for tariff in in_force if tariff.equipment_id is not None]
    level = own or [tariff for tariff in in_force if tariff.lab_id is not None] or in_force
    return max(level, key=lambda tariff: (tariff.effective_on, tariff.id), default=None)


def listed_price(tariff: Tariff | None) -> tuple[int, ChargeUnit] | None:
    """What lists and filters show: a startup's price of the first charge unit."""
    if tariff is None:
        return None
    rates = {
        rate.charge_unit: rate for tier in (Tier.OTHER, Tier.STARTUP) for rate in tariff.rates if rate.tier is tier
    }
    first = next((unit for unit in ChargeUnit if unit in rates), None)
    return (rates[first].price_fen, first) if first else None
