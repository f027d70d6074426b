"""Shapes of the search for free time: what the address asks, and what is answered."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from booking.comparison import Compared
from booking.errors import PartOfDayInvalid, SlotInvalid, WindowTooLong
from booking.free_search import ALL_DAYS, PAGE, WINDOW_MAX, Free, Wish
from booking.near_misses import WHY_WORDS, NearMiss, Why
from booking.schemas import SlotOut
from core.i18n import Lang, gettext
from core.rendering import localised
from core.shapes import In, InstantIn, Limit, Out
from core.slot import Slot
from equipment.models import ChargeUnit, ServiceMode
from equipment.search import CHOICES_MOST, LONGEST, Search


def read_clock(text: str, *, field: str) -> int:
    """Wall time `13:00` as minutes from midnight, at most 24:00. Raises PartOfDayInvalid."""
    match = re.fullmatch(r"([01]?[0-9]|2[0-4]):([0-5][0-9])", text, re.ASCII)
    minute = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minute <= 1440:
        raise PartOfDayInvalid(field=field)
    return minute


def part_of_day(day_from: str, day_to: str) -> tuple[int, int]:
    """From and to as minutes, over midnight if it ends before it begins. Raises PartOfDayInvalid for an empty part."""
    first, last = read_clock(day_from, field="day_from"), read_clock(day_to, field="day_to")
    if first % 1440 == last % 1440 and (first, last) != (0, 1440):
        raise PartOfDayInvalid(field="day_to")
    return first % 1440, last


def search_window(starts_at: datetime, ends_at: datetime) -> Slot:
    """Raises SlotInvalid, WindowTooLong."""
    if starts_at >= ends_at:
        raise SlotInvalid(field="to")
    if ends_at - starts_at > WINDOW_MAX:
        raise WindowTooLong(field="to", days=WINDOW_MAX.days)
    return Slot(starts_at, ends_at)


class AvailabilityIn(In):
    """What the address of a search for free time asks. The part of day is wall time of each lab, the weekday that on
    which it begins, 0 = Monday."""

    starts_at: InstantIn = Field(alias="from")
    ends_at: InstantIn = Field(alias="to")
    minutes: Annotated[int, Field(ge=1, le=62 * 1440)] = 60
    q: Annotated[str, Field(max_length=LONGEST)] = ""
    category: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=CHOICES_MOST)] = []
    institution: Annotated[list[UUID], Field(max_length=CHOICES_MOST)] = []
    mode: Annotated[list[ServiceMode], Field(max_length=CHOICES_MOST)] = []
    district: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=CHOICES_MOST)] = []
    voucher: bool = False
    day_from: Annotated[str, Field(max_length=5)] = "00:00"
    day_to: Annotated[str, Field(max_length=5)] = "24:00"
    weekday: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7)] = []
    #: Fen for the unit in which the instrument is priced.
    price_max: Annotated[int | None, Field(ge=0, le=10**13)] = None
    sort: Literal["relevance", "soonest"] = "relevance"
    limit: Limit = PAGE
    cursor: Annotated[str | None, Field(max_length=2000)] = None

    @property
    def search(self) -> Search:
        return Search(
            self.q.strip(), tuple(self.category), tuple(self.institution), self.price_max, self.limit, self.cursor,
            tuple(dict.fromkeys(mode.value for mode in self.mode)), tuple(self.district), self.voucher,
        )  # fmt: skip

    @property
    def wish(self) -> Wish:
        """Raises SlotInvalid, WindowTooLong, PartOfDayInvalid."""
        window = search_window(self.starts_at, self.ends_at)
        first, last = part_of_day(self.day_from, self.day_to)
        return Wish(window, self.minutes, first, last, frozenset(self.weekday) or ALL_DAYS)


class FreeOut(Out):
    equipment_id: UUID
    name: str
    price_fen: int | None
    price_unit: ChargeUnit | None
    slots: list[SlotOut]

    @classmethod
    def of(cls, free: Free, lang: Lang) -> "FreeOut":
        slots = [SlotOut.model_validate(slot) for slot in free.slots]
        entry = free.entry
        return cls(
            equipment_id=entry.public_id, name=localised(entry, lang), price_fen=entry.price_fen,
            price_unit=entry.price_unit, slots=slots,
        )  # fmt: skip


class NearOut(FreeOut):
    """What nearly fits, and in what it differs from what was asked."""

    why: Why
    reason: str

    @classmethod
    def of_near(cls, miss: NearMiss, lang: Lang) -> "NearOut":
        free = FreeOut.of(miss.free, lang)
        return cls(**free.model_dump(), why=miss.why, reason=gettext(lang, WHY_WORDS[miss.why]))


class AvailabilityOut(Out):
    items: list[FreeOut]
    #: Only on a first page without items.
    near: list[NearOut] = []
    next_cursor: str | None
    #: The soonest first among so many that more would have taken too long: there may be others; narrow the search.
    is_cut: bool = False


class ComparedOut(Out):
    """`price_fen` is what the whole job costs; None where it cannot be priced."""

    equipment_id: UUID
    name: str
    price_fen: int | None
    next_free: SlotOut | None

    @classmethod
    def of(cls, one: Compared, lang: Lang) -> "ComparedOut":
        slot = SlotOut.model_validate(one.next_free) if one.next_free else None
        name = localised(one.entry, lang)
        return cls(equipment_id=one.entry.public_id, name=name, price_fen=one.price_fen, next_free=slot)


class ComparisonOut(Out):
    items: list[ComparedOut]
