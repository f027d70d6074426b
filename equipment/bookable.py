"""An instrument as a booking needs it: rules, hours, prices, units, calendar, and who runs it.

Read in one statement as plain values: every quote and every write asks for it, and whole entities with all their rows
cost ten times as much. The lists come as JSON, which both engines put together themselves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Date,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    String,
    Text,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from core.db import EPOCH, Instant, PublicId
from core.slot import Slot
from equipment import opening
from equipment.errors import EquipmentNotFound
from equipment.limits import Limit, counts_for, in_order, reach_of
from equipment.models import (
    ApprovalMode,
    BookingLimit,
    CalendarDay,
    ChargeUnit,
    Closure,
    DayKind,
    Equipment,
    Lab,
    LabStaff,
    LimitSubject,
    OpeningHours,
    Period,
    PriceBand,
    Rate,
    ServiceMode,
    Tariff,
    Tier,
    Unit,
)
from members.models import Membership, Organisation, Person, Role

A_DAY = timedelta(days=1)
A_MICROSECOND = timedelta(microseconds=1)


class BookableUnit(NamedTuple):
    """One machine that is in use."""

    id: int
    public_id: UUID
    label: str


class Hours(NamedTuple):
    """One stretch of a weekday, see `opening.Stretch`."""

    weekday: int
    opens_minute: int
    closes_minute: int
    closed_on_holidays: bool
    season_first: int | None
    season_last: int | None


class BookableRate(NamedTuple):
    tier: Tier
    charge_unit: ChargeUnit
    price_fen: int


class Band(NamedTuple):
    """See `bands.StoredBand`."""

    name: str
    weekdays: str
    from_minute: int
    to_minute: int
    factor_bp: int


class BookableTariff(NamedTuple):
    """One version of prices with its rates and bands, see `Tariff`."""

    id: int
    equipment_id: int | None
    lab_id: int | None
    effective_on: date
    minimum_fen: int
    setup_fen: int
    operator_fen: int
    rush_bp: int
    rush_within_minutes: int
    is_example: bool
    rates: Sequence[BookableRate]
    bands: Sequence[Band]


class Staff(NamedTuple):
    """Somebody who runs the lab and can be written to."""

    id: int
    email: str
    locale: str
    role: Role


@dataclass(frozen=True, slots=True)
class Bookable:
    """A catalogue entry as it is now, with the calendar of the window it was read for."""

    id: int
    public_id: UUID
    owner_id: int
    lab_id: int
    category: str
    name_zh: str
    name_en: str
    service_modes: tuple[ServiceMode, ...]
    voucher_eligible: bool
    is_bookable: bool
    retired_at: datetime | None
    approval_mode: ApprovalMode
    step_minutes: int
    length_minutes_min: int
    length_minutes_max: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    decide_minutes: int
    escalate_bp: int
    #: What a request must accept, see `Equipment`.
    terms_version: UUID | None
    company_week_minutes_max: int | None
    company_week_bookings_max: int | None
    needs_qualification: bool
    payee_id: int
    payee_public_id: UUID
    payee_name_zh: str
    payee_name_en: str
    zone: ZoneInfo
    #: Those that count: of the instrument, else of its lab, else of its institution.
    hours: Sequence[Hours]
    #: Of all three levels; `tariff_on` chooses.
    tariffs: Sequence[BookableTariff]
    #: In order of id, without those that are retired.
    units: Sequence[BookableUnit]
    days: dict[date, DayKind]
    closed: Sequence[Slot]
    #: In order of id.
    staff: Sequence[Staff]
    #: Of the instrument, its lab and the zone, beside those among its rules.
    limits: Sequence[Limit]
    #: What `days` and `closed` cover.
    window: Slot

    def open_slots(self, window: Slot) -> list[Slot]:
        """Open time within a window, which lies in the one that was read."""
        assert self.window.contains(window), "a calendar was read for less"
        return opening.open_slots(self.hours, self.days, self.zone, window, self.closed)


def get_bookable(session: Session, key: UUID | int, window: Slot) -> Bookable:
    """An entry by public id (or by id), with the calendar of a window. One statement. Raises EquipmentNotFound."""
    by_id = isinstance(key, int)
    asked = {
        "key": key, "first": (window.starts_at - A_DAY).date(), "last": (window.ends_at + A_DAY).date(),
        "starts_at": window.starts_at, "ends_at": window.ends_at,
    }  # fmt: skip
    connection = session.connection()
    row = connection.execute(_statement(connection.dialect.name, by_id), asked).one_or_none()
    if row is None:
        raise EquipmentNotFound
    zone, hours, tariffs, units, days, closed, staff, limits = row[-8:]
    people = [Staff(key, email, locale, Role(role)) for key, email, locale, role in sorted(json.loads(staff))]
    lists = (
        ZoneInfo(zone), read_hours(hours), _read_tariffs(tariffs), _read_units(units), _read_days(days),
        _read_closed(closed), people, _read_limits(limits), window,
    )  # fmt: skip
    return Bookable(*(*row[:-8], *lists))


@lru_cache(maxsize=1024)
def read_hours(text: str) -> Sequence[Hours]:
    """The level that counts. Many instruments have the same hours, so a text is read once."""
    levels: dict[int, list[Hours]] = {}
    for level, weekday, opens, closes, on_holidays, first, last in sorted(json.loads(text), key=str):
        levels.setdefault(level, []).append(Hours(weekday, opens, closes, bool(on_holidays), first, last))
    return tuple(levels[min(levels)]) if levels else ()


@lru_cache(maxsize=1024)
def _read_tariffs(text: str) -> Sequence[BookableTariff]:
    out = []
    for key, equipment_id, lab_id, on, *amounts, is_example, rates, bands in sorted(json.loads(text)):
        priced = [BookableRate(Tier(tier), ChargeUnit(unit), fen) for _, tier, unit, fen in sorted(rates)]
        banded = [Band(*band) for _, *band in sorted(bands)]
        out.append(
            BookableTariff._make(
                (key, equipment_id, lab_id, date.fromisoformat(on), *amounts, bool(is_example), priced, banded)
            )
        )
    return tuple(out)


def _read_units(text: str) -> list[BookableUnit]:
    return [BookableUnit(key, UUID(public), label) for key, public, label in sorted(json.loads(text))]


@lru_cache(maxsize=1024)
def _read_days(text: str) -> dict[date, DayKind]:
    return {date.fromisoformat(on): DayKind(kind) for on, kind in json.loads(text)}


@lru_cache(maxsize=1024)
def _read_closed(text: str) -> Sequence[Slot]:
    return tuple(
        Slot(EPOCH + start * A_MICROSECOND, EPOCH + end * A_MICROSECOND) for start, end in sorted(json.loads(text))
    )


@lru_cache(maxsize=1024)
def _read_limits(text: str) -> Sequence[Limit]:
    return in_order(
        Limit(reach_of(of_entry, of_lab), LimitSubject(subject), Period(period), bookings, minutes)
        for of_entry, of_lab, subject, period, bookings, minutes in json.loads(text)
    )


@cache
def _statement(dialect: str, by_id: bool) -> Select[*tuple[Any, ...]]:
    """Made once: putting it together takes longer than running it."""
    lists = _PostgresLists() if dialect == "postgresql" else _SqliteLists()
    key: ColumnElement[bool] = (
        Equipment.id == bindparam("key", type_=BigInteger)
        if by_id
        else Equipment.public_id == bindparam("key", type_=PublicId)
    )
    return (
        select(
            Equipment.id, Equipment.public_id, Equipment.owner_id, Equipment.lab_id, Equipment.category,
            Equipment.name_zh, Equipment.name_en, Equipment.service_modes, Equipment.voucher_eligible,
            Equipment.is_bookable,
            Equipment.retired_at, Equipment.approval_mode, Equipment.step_minutes, Equipment.length_minutes_min,
            Equipment.length_minutes_max, Equipment.lead_minutes, Equipment.horizon_days,
            Equipment.buffer_before_minutes, Equipment.buffer_after_minutes, Equipment.decide_minutes,
            Equipment.escalate_bp, Equipment.terms_version,
            Equipment.company_week_minutes_max, Equipment.company_week_bookings_max,
            Equipment.needs_qualification, Equipment.payee_id,
            Organisation.public_id, Organisation.name_zh, Organisation.name_en,
            Lab.zone, _hours(lists), _tariffs(lists), _units(lists), _days(lists), _closures(lists), _staff(lists),
            _limits(lists),
        )
        .select_from(Equipment)
        .join(Lab, Lab.id == Equipment.lab_id)
        .join(Organisation, Organisation.id == Equipment.payee_id)
        .where(key)
    )  # fmt: skip


class _SqliteLists:
    """How an engine puts rows into JSON, as text."""

    def array(self, *values: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        return func.json_array(*values)

    def rows(self, *values: SQLColumnExpression[Any]) -> ColumnElement[str]:
        return func.json_group_array(self.array(*values), type_=String)

    def part(self, rows: ScalarSelect[Any]) -> ColumnElement[Any]:
        """A list within a row; else it would be taken for a text."""
        return func.json(rows)

    def uuid(self, column: SQLColumnExpression[UUID]) -> ColumnElement[str]:
        return func.hex(column)

    def microseconds(self, column: SQLColumnExpression[datetime]) -> ColumnElement[int]:
        return type_coerce(column, BigInteger)


class _PostgresLists:
    def array(self, *values: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        return func.json_build_array(*values)

    def rows(self, *values: SQLColumnExpression[Any]) -> ColumnElement[str]:
        return cast(func.coalesce(func.json_agg(self.array(*values)), literal_column("'[]'::json")), Text)

    def part(self, rows: ScalarSelect[Any]) -> ColumnElement[Any]:
        return cast(rows, JSON)

    def uuid(self, column: SQLColumnExpression[UUID]) -> ColumnElement[str]:
        return cast(column, Text)

    def microseconds(self, column: SQLColumnExpression[datetime]) -> ColumnElement[int]:
        return cast(extract("epoch", column) * 1_000_000, BigInteger)


Lists = _SqliteLists | _PostgresLists


def _of_three_levels(table: type[OpeningHours] | type[Tariff] | type[Closure]) -> ColumnElement[bool]:
    return or_(
        table.equipment_id == Equipment.id,
        table.lab_id == Equipment.lab_id,
        table.organisation_id == Equipment.owner_id,
    )


def hours_text(dialect: str) -> ScalarSelect[str]:
    """The hours of an entry as `read_hours` takes them: a column of a statement over Equipment."""
    return _hours(_PostgresLists() if dialect == "postgresql" else _SqliteLists())


def _hours(lists: Lists) -> ScalarSelect[str]:
    """Each row with the level it belongs to, the nearest first."""
    level = func.coalesce(OpeningHours.equipment_id * 0, OpeningHours.lab_id * 0 + 1, 2)
    rows = lists.rows(
        level, OpeningHours.weekday, OpeningHours.opens_minute, OpeningHours.closes_minute,
        OpeningHours.closed_on_holidays, OpeningHours.season_first, OpeningHours.season_last,
    )  # fmt: skip
    return select(rows).where(_of_three_levels(OpeningHours)).correlate(Equipment).scalar_subquery()


def _tariffs(lists: Lists) -> ScalarSelect[str]:
    rates = lists.rows(Rate.id, Rate.tier, Rate.charge_unit, Rate.price_fen)
    bands = lists.rows(
        PriceBand.id, PriceBand.name, PriceBand.weekdays, PriceBand.from_minute, PriceBand.to_minute,
        PriceBand.factor_bp,
    )  # fmt: skip
    rows = lists.rows(
        Tariff.id, Tariff.equipment_id, Tariff.lab_id, Tariff.effective_on, Tariff.minimum_fen, Tariff.setup_fen,
        Tariff.operator_fen, Tariff.rush_bp, Tariff.rush_within_minutes, Tariff.is_example,
        lists.part(select(rates).where(Rate.tariff_id == Tariff.id).correlate(Tariff).scalar_subquery()),
        lists.part(select(bands).where(PriceBand.tariff_id == Tariff.id).correlate(Tariff).scalar_subquery()),
    )  # fmt: skip
    return select(rows).where(_of_three_levels(Tariff)).correlate(Equipment).scalar_subquery()


def _units(lists: Lists) -> ScalarSelect[str]:
    rows = lists.rows(Unit.id, lists.uuid(Unit.public_id), Unit.label)
    here = Unit.equipment_id == Equipment.id, Unit.retired_at.is_(None)
    return select(rows).where(*here).correlate(Equipment).scalar_subquery()


def _days(lists: Lists) -> ScalarSelect[str]:
    rows = lists.rows(CalendarDay.on, CalendarDay.kind)
    return (
        select(rows)
        .where(CalendarDay.on.between(bindparam("first", type_=Date), bindparam("last", type_=Date)))
        .scalar_subquery()
    )


def _closures(lists: Lists) -> ScalarSelect[str]:
    rows = lists.rows(lists.microseconds(Closure.starts_at), lists.microseconds(Closure.ends_at))
    met = (
        Closure.starts_at < bindparam("ends_at", type_=Instant),
        Closure.ends_at > bindparam("starts_at", type_=Instant),
    )
    return select(rows).where(_of_three_levels(Closure), *met).correlate(Equipment).scalar_subquery()


def _limits(lists: Lists) -> ScalarSelect[str]:
    rows = lists.rows(
        BookingLimit.equipment_id, BookingLimit.lab_id, BookingLimit.subject, BookingLimit.period,
        BookingLimit.bookings_max, BookingLimit.minutes_max,
    )  # fmt: skip
    return select(rows).where(counts_for(Equipment.id, Equipment.lab_id)).correlate(Equipment).scalar_subquery()


def _staff(lists: Lists) -> ScalarSelect[str]:
    person = aliased(Person)
    rows = lists.rows(person.id, person.email, person.locale, Membership.role)
    return (
        select(rows)
        .select_from(LabStaff)
        .join(person, person.id == LabStaff.person_id)
        .join(Membership, Membership.person_id == person.id)
        .where(
            LabStaff.lab_id == Lab.id,
            Membership.organisation_id == Lab.organisation_id,
            or_(Membership.role == Role.LAB_MANAGER, Membership.role == Role.LAB_OPERATOR),
            person.disabled_at.is_(None),
        )
        .correlate(Lab)
        .scalar_subquery()
    )
