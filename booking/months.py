"""Months as windows, and their first workday. Pure."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from core.slot import Slot, local_day
from equipment.models import DayKind

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def month_of(on: date) -> date:
    """The first day of a day's month: how a month is written down here."""
    return on.replace(day=1)


def next_month(month: date) -> date:
    return month_of(month + timedelta(days=31))


def previous_month(month: date) -> date:
    return month_of(month - timedelta(days=1))


def month_slot(month: date, zone: ZoneInfo) -> Slot:
    """The civil month in a zone, from its first midnight to the next month's."""
    return Slot(local_day(month, zone).starts_at, local_day(next_month(month), zone).starts_at)


def parse_month(text: str) -> date | None:
    """`2026-11` -> its first day; None for anything else."""
    found = _MONTH.fullmatch(text.strip())
    if found is None or not 1 <= int(found[2]) <= 12 or not 2000 <= int(found[1]) <= 2200:
        return None
    return date(int(found[1]), int(found[2]), 1)


def is_workday(on: date, days: Mapping[date, DayKind]) -> bool:
    """Monday to Friday unless the calendar says off; a make-up workday on a weekend counts."""
    kind = days.get(on)
    return kind == DayKind.WORKDAY or (kind is None and on.weekday() < 5)


def first_workday(month: date, days: Mapping[date, DayKind]) -> date:
    """The first workday of a month; its last day where there is none."""
    last = next_month(month) - timedelta(days=1)
    on = month
    while on < last and not is_workday(on, days):
        on += timedelta(days=1)
    return on
