"""Publish terms of use at a level, and keep in every entry below which version counts for it.

A request reads the version with the entry, so asking for terms costs a booking no statement of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, case, func, null, select, true, update
from sqlalchemy.orm import Session

from equipment.errors import NothingPublished, TermsEmpty, TermsInPast, TermsNotFound, TermsTooLong
from equipment.freshness import fingerprint, lock_level, refuse_stale
from equipment.history import record_for
from equipment.models import Equipment, Lab, Terms
from equipment.models.terms import PARTS
from equipment.scopes import Scope
from members.actor import Actor
from members.models import Organisation

ZONE = ZoneInfo("Asia/Shanghai")
PART_LONGEST = 2000
#: How far ahead a version may begin.
YEARS_AHEAD = 5


@dataclass(frozen=True)
class TermsText:
    """A version as it is typed, read and checked."""

    effective_on: date
    parts: Mapping[str, str]


def today_of(now: datetime) -> date:
    """The day on which versions begin: China's."""
    return now.astimezone(ZONE).date()


def read_terms(form: Mapping[str, str], *, today: date) -> TermsText:
    """From a form: `content`, `intellectual_property`, `confidentiality`, `damage`, `effective_on`.

    Raises TermsEmpty, TermsTooLong, TermsInPast at the field.
    """
    parts = {name: form.get(name, "").replace("\r\n", "\n").strip() for name in PARTS}
    for name, text in parts.items():
        if not text:
            raise TermsEmpty(field=name)
        if len(text) > PART_LONGEST:
            raise TermsTooLong(field=name, longest=PART_LONGEST)
    try:
        on = date.fromisoformat(form.get("effective_on", "") or today.isoformat())
    except ValueError as error:
        raise TermsInPast(field="effective_on") from error
    if on < today or on.year > today.year + YEARS_AHEAD:
        raise TermsInPast(field="effective_on")
    return TermsText(on, parts)


def publish(session: Session, actor: Actor, scope: Scope, text: TermsText, *, now: datetime, seen: str = "") -> Terms:
    """A new version at a level. Bookings keep the version that they were made under.

    Raises SavedMeanwhile where there are other versions than were `seen`.
    """
    return _write(session, actor, scope, text.effective_on, text.parts, now=now, seen=seen)


def end(session: Session, actor: Actor, scope: Scope, *, now: datetime, seen: str = "") -> Terms:
    """From today on the level asks nothing itself; what the next level asks counts. Raises NothingPublished."""
    lock_level(session, scope)
    if all(version.asks_nothing for version in find_versions(session, scope)[:1]):
        raise NothingPublished
    return _write(session, actor, scope, today_of(now), {}, now=now, seen=seen)


def _write(
    session: Session, actor: Actor, scope: Scope, on: date, parts: Mapping[str, str], *, now: datetime, seen: str
) -> Terms:
    lock_level(session, scope)
    versions = find_versions(session, scope)
    refuse_stale(session, scope, seen=seen, current=versions_mark(versions))
    terms = Terms(
        number=max((version.number for version in versions), default=0) + 1, effective_on=on,
        asks_nothing=not parts, person_id=actor.person_id, written_at=now, **scope.columns, **parts,
    )  # fmt: skip
    session.add(terms)
    session.flush()
    record_for(session, actor, scope, "terms", {"terms": (None, f"{terms.public_id} {on}")}, now=now)
    keep_current(session, scope.entries, now=now)
    return terms


def keep_current(session: Session, entries: ColumnElement[bool], *, now: datetime) -> int:
    """Write into entries which version counts on this day; says how many changed. One statement."""
    current = current_version(today_of(now))
    changed = (
        update(Equipment)
        .where(entries, Equipment.terms_version.is_distinct_from(current))
        .values(terms_version=current)
        .execution_options(synchronize_session=False)
    )
    return session.execute(changed).rowcount  # type: ignore[attr-defined, no-any-return]


def current_version(today: date) -> ColumnElement[UUID | None]:
    """The version that counts for an entry: its own, else its lab's, else its institution's."""
    return func.coalesce(
        _latest(Terms.equipment_id == Equipment.id, today),
        _latest(Terms.lab_id == Equipment.lab_id, today),
        _latest(Terms.organisation_id == Equipment.owner_id, today),
    )


def _latest(level: ColumnElement[bool], today: date) -> ScalarSelect[UUID | None]:
    return (
        select(case((Terms.asks_nothing, null()), else_=Terms.public_id))
        .where(level, Terms.effective_on <= today)
        .order_by(Terms.effective_on.desc(), Terms.id.desc())
        .limit(1)
        .correlate(Equipment)
        .scalar_subquery()
    )


def keep_all_current(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. compare in every entry the version it holds with the one that counts today (a version begins, an entry
    is new or went to another lab); 2. write those that differ; 3. say how many. One statement, whatever `limit`."""
    return keep_current(session, true(), now=now)


def get_terms(session: Session, public_id: UUID) -> Terms:
    """Raises TermsNotFound."""
    terms = session.scalars(select(Terms).where(Terms.public_id == public_id, ~Terms.asks_nothing)).one_or_none()
    if terms is None:
        raise TermsNotFound
    return terms


def name_of_level(session: Session, terms: Terms) -> Equipment | Lab | Organisation:
    """Whose terms they are: an instrument, a lab or an institution, for its names."""
    if terms.equipment_id is not None:
        return session.get_one(Equipment, terms.equipment_id)
    if terms.lab_id is not None:
        return session.get_one(Lab, terms.lab_id)
    return session.get_one(Organisation, terms.organisation_id)


def find_versions(session: Session, scope: Scope) -> list[Terms]:
    """Of a level itself, the one that counts longest from now on first."""
    column, key = next(iter(scope.columns.items()))
    rows = session.scalars(select(Terms).where(getattr(Terms, column) == key))
    return sorted(rows, key=lambda terms: (terms.effective_on, terms.id), reverse=True)


def version_on(versions: list[Terms], on: date) -> Terms | None:
    """Of a level's versions the one in force on a day. Pure."""
    begun = [terms for terms in versions if terms.effective_on <= on]
    return max(begun, key=lambda terms: (terms.effective_on, terms.id), default=None)


def versions_mark(versions: list[Terms]) -> str:
    """A fingerprint of a level's versions."""
    return fingerprint([str(version.public_id) for version in versions])
