"""Set opening hours, closures and the shared calendar."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from core.slot import Slot
from equipment.errors import ClosureInvalid, ClosureNotFound, DateInvalid, HoursInvalid, SeasonInvalid, YearInvalid
from equipment.freshness import fingerprint, lock_level, refuse_stale
from equipment.history import record_for
from equipment.models import CalendarDay, CalendarYear, Closure, DayKind, OpeningHours
from equipment.scopes import Level, Scope
from members import audit
from members.actor import Actor

CLOSURE_MOST = timedelta(days=366)
YEARS = range(2020, 2101)
DAY = 1440
_STRETCH = re.compile(r"(\d{1,2})[:：]?(\d{2})\s*[-–—~至]\s*(\d{1,2})[:：]?(\d{2})")
_KEPT = re.compile(r"(?:(\d{4})-(\d{4}) )?([0-6]) (\d\d):(\d\d)-(\d\d):(\d\d)(\*?)")
_SEASON = re.compile(r"(\d{1,2})\D(\d{1,2})")


@dataclass(frozen=True)
class Hours:
    """One stretch of a weekday as it is typed: minutes from midnight, a season as MMDD or none."""

    weekday: int
    opens_minute: int
    closes_minute: int
    closed_on_holidays: bool = True
    season_first: int | None = None
    season_last: int | None = None


def read_stretches(text: str, *, field: str, overnight: bool = False) -> list[tuple[int, int]]:
    """`08:30-12:00, 14:00-17:30` as minutes, in order; empty text is closed. Raises HoursInvalid.

    `overnight`: `22:00-06:00` ends on the next morning, at 1800.
    """
    parts = [part for part in re.split(r"[,，;；]\s*", text.strip()) if part]
    found = sorted(_read_stretch(part.strip(), field=field, overnight=overnight) for part in parts)
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise HoursInvalid(field=field)
    return found


def _read_stretch(text: str, *, field: str, overnight: bool) -> tuple[int, int]:
    match = _STRETCH.fullmatch(text)
    if not match:
        raise HoursInvalid(field=field)
    a, b, c, d = (int(group) for group in match.groups())
    opens, closes = a * 60 + b, c * 60 + d
    if overnight and closes < opens < DAY:
        closes += DAY
    if b > 59 or d > 59 or c > 24 or not 0 <= opens < closes <= (2 * DAY if closes > DAY else DAY):
        raise HoursInvalid(field=field)
    return opens, closes


def split_nights(days: Mapping[int, Sequence[tuple[int, int]]], *, field: str) -> list[tuple[int, int, int]]:
    """Weekday, opens and closes of a week's stretches, each within its day. `field` names a day by its number.

    Raises HoursInvalid at the day on which a night runs into the morning's hours.
    """
    parts: dict[int, list[tuple[int, int]]] = {day: [] for day in range(7)}
    for day, stretches in days.items():
        for opens, closes in stretches:
            parts[day].append((opens, min(closes, DAY)))
            if closes > DAY:
                parts[(day + 1) % 7].append((0, closes - DAY))
    for day, found in parts.items():
        found.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
            raise HoursInvalid(field=field % day)
    return [(day, *stretch) for day, found in parts.items() for stretch in found]


def read_season_day(text: str, *, field: str) -> int:
    """`05-01` or `5/1` as MMDD. Raises SeasonInvalid."""
    match = _SEASON.fullmatch(text.strip())
    try:
        # A leap year, so that 29 February can be said.
        on = date(2024, int(match[1]), int(match[2])) if match else None
    except ValueError:
        on = None
    if on is None:
        raise SeasonInvalid(field=field)
    return on.month * 100 + on.day


def set_hours(
    session: Session, actor: Actor, scope: Scope, hours: Sequence[Hours], *, now: datetime, seen: str = ""
) -> None:
    """Replace a level's hours; none: the next level's count. Raises SavedMeanwhile where they are not as `seen`."""
    lock_level(session, scope)
    rows = find_hours(session, scope)
    refuse_stale(session, scope, seen=seen, current=hours_mark(rows))
    before = [_hours_text(row) for row in rows]
    session.execute(delete(OpeningHours).where(_at(OpeningHours, scope)))
    session.add_all(
        [
            OpeningHours(
                weekday=row.weekday, opens_minute=row.opens_minute, closes_minute=row.closes_minute,
                closed_on_holidays=row.closed_on_holidays, season_first=row.season_first,
                season_last=row.season_last, **scope.columns,
            )
            for row in hours
        ]
    )  # fmt: skip
    session.flush()
    after = [_hours_text(row) for row in find_hours(session, scope)]
    if before != after:
        record_for(session, actor, scope, "hours", {"hours": (before, after)}, now=now)


def find_hours(session: Session, scope: Scope) -> list[OpeningHours]:
    """What a level itself sets."""
    rows = session.scalars(select(OpeningHours).where(_at(OpeningHours, scope)))
    return sorted(rows, key=lambda row: (row.season_first or 0, row.weekday, row.opens_minute))


def find_hours_above(session: Session, scope: Scope) -> tuple[str, list[OpeningHours]]:
    """What counts where a level sets nothing itself: `lab`, `institution` or "", and those hours."""
    if scope.level is Level.EQUIPMENT:
        rows = session.scalars(select(OpeningHours).where(OpeningHours.lab_id == scope.lab_id)).all()
        if rows:
            return "lab", list(rows)
    if scope.level is not Level.INSTITUTION:
        rows = session.scalars(select(OpeningHours).where(OpeningHours.organisation_id == scope.owner_id)).all()
        if rows:
            return "institution", list(rows)
    return "", []


def hours_mark(rows: Sequence[OpeningHours]) -> str:
    """A fingerprint of a level's hours."""
    return fingerprint([_hours_text(row) for row in rows])


def add_closure(session: Session, actor: Actor, scope: Scope, slot: Slot, *, reason: str, now: datetime) -> Closure:
    """Close a level for a time. Raises ClosureInvalid."""
    if not reason.strip() or len(reason) > 200:
        raise ClosureInvalid(field="reason")
    if slot.length > CLOSURE_MOST:
        raise ClosureInvalid(field="ends_at")
    closure = Closure(starts_at=slot.starts_at, ends_at=slot.ends_at, reason=reason.strip(), **scope.columns)
    session.add(closure)
    session.flush()
    record_for(session, actor, scope, "closed", {"closure": (None, _slot_text(closure))}, now=now)
    return closure


def drop_closure(session: Session, actor: Actor, scope: Scope, closure_id: UUID, *, now: datetime) -> None:
    """Open again. Raises ClosureNotFound for one of another level."""
    closure = session.scalars(select(Closure).where(Closure.public_id == closure_id, _at(Closure, scope))).one_or_none()
    if closure is None:
        raise ClosureNotFound
    record_for(session, actor, scope, "opened", {"closure": (_slot_text(closure), None)}, now=now)
    session.delete(closure)
    session.flush()


def find_closures(session: Session, scope: Scope, *, now: datetime) -> list[Closure]:
    """Present and coming ones of a level."""
    return list(
        session.scalars(select(Closure).where(_at(Closure, scope), Closure.ends_at > now).order_by(Closure.starts_at))
    )


def save_year(
    session: Session, actor: Actor, year: int, *, is_official: bool, source: str, now: datetime
) -> CalendarYear:
    """Say whether a year's notice is in the calendar. Raises YearInvalid."""
    if year not in YEARS:
        raise YearInvalid(field="year")
    row = session.get(CalendarYear, year) or CalendarYear(year=year)
    row.is_official, row.source = is_official, source[:200]
    session.add(row)
    for day in session.scalars(select(CalendarDay).where(CalendarDay.on.between(date(year, 1, 1), date(year, 12, 31)))):
        day.is_provisional = not is_official
    session.flush()
    _record_calendar(session, actor, f"{year}", {"is_official": is_official}, now)
    return row


def save_day(
    session: Session, actor: Actor, on: date, kind: DayKind | None, *, name_zh: str, name_en: str, now: datetime
) -> None:
    """A day off, a worked weekend day, or (None) what its weekday says. Raises YearInvalid."""
    if on.year not in YEARS:
        raise YearInvalid(field="on")
    row = session.get(CalendarDay, on)
    before = row.kind if row else None
    if kind is None:
        if row:
            session.delete(row)
    else:
        year = session.get(CalendarYear, on.year)
        row = row or CalendarDay(on=on, kind=kind, is_provisional=not (year and year.is_official))
        row.kind, row.name_zh, row.name_en = kind, name_zh[:60], name_en[:60]
        session.add(row)
    session.flush()
    _record_calendar(session, actor, on.isoformat(), {"from": before, "to": kind}, now)


def take_days(session: Session, actor: Actor, text: str, *, now: datetime) -> int:
    """Days from lines `2027-10-01, off, 国庆节, National Day` or `2027-10-09, workday`; answers how many.

    The first line may be headings: cells without a date. Raises DateInvalid with the line, also where there is no day.
    """
    lines = [
        (number, cells)
        for number, line in enumerate(text.splitlines(), 1)
        if any(cells := [cell.strip() for cell in re.split(r"[,，\t]", line)])
    ]
    if len(lines) > 1 and len(lines[0][1]) > 1 and not lines[0][1][0][:1].isdigit():
        lines = lines[1:]
    for number, cells in lines:
        try:
            on = date.fromisoformat(cells[0])
            kind = _DAY_WORDS[cells[1].lower()]
        except (ValueError, KeyError, IndexError) as error:
            raise DateInvalid(field=f"days.{number}") from error
        name_zh, name_en = (cells[2:4] + ["", ""])[:2]
        save_day(session, actor, on, kind, name_zh=name_zh, name_en=name_en, now=now)
    return len(lines)


_DAY_WORDS: Mapping[str, DayKind] = {
    "off": DayKind.OFF, "休": DayKind.OFF, "假": DayKind.OFF, "holiday": DayKind.OFF, "放假": DayKind.OFF,
    "workday": DayKind.WORKDAY, "班": DayKind.WORKDAY, "make-up workday": DayKind.WORKDAY, "上班": DayKind.WORKDAY,
    "调休上班": DayKind.WORKDAY,
}  # fmt: skip


def _record_calendar(session: Session, actor: Actor, name: str, data: dict[str, object], now: datetime) -> None:
    audit.record(session, actor=actor, action="calendar_changed", object=f"calendar:{name}", now=now, data=data)


def _at(table: type[OpeningHours] | type[Closure], scope: Scope) -> ColumnElement[bool]:
    column, key = next(iter(scope.columns.items()))
    condition: ColumnElement[bool] = getattr(table, column) == key
    return condition


def _hours_text(row: OpeningHours) -> str:
    season = f"{row.season_first:04d}-{row.season_last:04d} " if row.season_first else ""
    rest = "" if row.closed_on_holidays else "*"
    return f"{season}{row.weekday} {_clock(row.opens_minute)}-{_clock(row.closes_minute)}{rest}"


def read_hours_text(text: str) -> Hours | None:
    """A row as the history keeps it; None for a text that is none. Pure."""
    match = _KEPT.fullmatch(text)
    if match is None:
        return None
    first, last, weekday, a, b, c, d, star = match.groups()
    season = (int(first), int(last)) if first else (None, None)
    return Hours(int(weekday), int(a) * 60 + int(b), int(c) * 60 + int(d), not star, *season)


def _slot_text(closure: Closure) -> str:
    return f"{closure.starts_at.isoformat()}/{closure.ends_at.isoformat()}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
