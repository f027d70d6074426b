"""When nothing fits: what nearly does, a little later, shorter, dearer or elsewhere, each with why it does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from booking import free_times
from booking.free_search import ALL_DAYS, Free, Times, Wish, find_free
from core.i18n import N_
from core.slot import Slot
from equipment.candidates import Candidate, find_candidates
from equipment.search import Search

#: Entries that are looked at for each kind, the best matches first; and how many of them are shown.
LOOK = 100
EACH = 3
LATER = timedelta(days=14)


class Why(StrEnum):
    """In what a near miss differs from what was asked."""

    OTHER_TIME = "other_time"
    """Within the dates, at another time of day or on another weekday."""
    LATER = "later"
    """In the two weeks after."""
    LENGTH = "length"
    """Shorter or longer, as the entry's rules and its free time allow."""
    DEARER = "dearer"
    ELSEWHERE = "elsewhere"
    """At another institution."""


WHY_WORDS: Mapping[Why, str] = {
    Why.OTHER_TIME: N_("At another time of day"),
    Why.LATER: N_("A little later"),
    Why.LENGTH: N_("For another length of time"),
    Why.DEARER: N_("Over the budget"),
    Why.ELSEWHERE: N_("At another institution"),
}


@dataclass(frozen=True)
class NearMiss:
    why: Why
    free: Free


def find_near_misses(session: Session, search: Search, wish: Wish, *, now: datetime) -> list[NearMiss]:
    """At most a few of each kind, kind by kind. The search is the one that found nothing."""
    search = replace(search, cursor=None, limit=LOOK)
    wish = replace(wish, slots=1)
    window = Slot(wish.window.starts_at, wish.window.ends_at + LATER)
    times = Times(session, window, now)
    entries = find_candidates(session, search, limit=LOOK).entries
    found = [NearMiss(why, free) for why, other in _wishes(wish) for free in _first(find_free(times, entries, other))]
    if wish.minutes is not None:
        found += [NearMiss(Why.LENGTH, free) for free in _first(_other_lengths(times, entries, wish, wish.minutes))]
    for why, wider in _searches(search):
        same = {entry.id for entry in entries}
        others = [entry for entry in find_candidates(session, wider, limit=LOOK).entries if entry.id not in same]
        found += [NearMiss(why, free) for free in _first(find_free(times, others, wish))]
    return found


def _wishes(wish: Wish) -> Iterator[tuple[Why, Wish]]:
    if not wish.is_any_time:
        yield Why.OTHER_TIME, replace(wish, day_from=0, day_to=1440, weekdays=ALL_DAYS)
    yield Why.LATER, replace(wish, window=Slot(wish.window.ends_at, wish.window.ends_at + LATER))


def _searches(search: Search) -> Iterator[tuple[Why, Search]]:
    if search.price_max_fen is not None:
        yield Why.DEARER, replace(search, price_max_fen=None)
    if search.institutions:
        yield Why.ELSEWHERE, replace(search, institution=None)


def _first(found: Iterator[Free]) -> list[Free]:
    return [free for free, _ in zip(found, range(EACH), strict=False)]


def _other_lengths(times: Times, entries: Sequence[Candidate], wish: Wish, wanted: int) -> Iterator[Free]:
    """For each entry the length nearest to the wanted one for which it is free."""
    taken = times.find_taken(entries) if entries else {}
    for entry in entries:
        stretches, _ = times.free_stretches(entry, taken, wish, entry.length_minutes_min)
        for minutes in _lengths(entry, wanted, free_times.longest(stretches)):
            if slots := times.first_slots(entry, taken, wish, minutes):
                yield Free(entry, slots)
                break


def _lengths(entry: Candidate, wanted: int, most: int) -> list[int]:
    """Lengths on the entry's steps that its rules and its longest free stretch allow, the nearest first."""
    step = entry.step_minutes
    shortest = -(-entry.length_minutes_min // step) * step
    longest = min(entry.length_minutes_max, most) // step * step
    near = {min(max(length, shortest), longest) for length in (wanted // step * step, -(-wanted // step) * step)}
    near |= {longest - step, longest} if longest < wanted else set()
    fitting = [length for length in near if shortest <= length <= longest and length != wanted]
    return sorted(fitting, key=lambda length: (abs(length - wanted), length))
