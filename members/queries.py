"""Every SELECT of the package."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from members.actor import Actor, Grant
from members.errors import OrganisationNotFound, PersonNotFound
from members.models import (
    AccessToken,
    AuditEntry,
    Membership,
    Note,
    Organisation,
    OrganisationKind,
    Person,
    Role,
    SignInFailure,
    SignInSession,
)

BOOKING_ROLES = (Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER)


def get_actor_by_session(session: Session, token_hash: bytes, *, now: datetime) -> Actor | None:
    """The person of a live browser session, or None. One statement."""
    return _actor(session, _BY_SESSION, {"token_hash": token_hash, "now": now})


def get_actor_by_token(session: Session, token_hash: bytes, *, purpose: str, now: datetime) -> Actor | None:
    """The person of a live bearer token or feed token, or None. One statement."""
    return _actor(session, _BY_TOKEN, {"token_hash": token_hash, "purpose": purpose, "now": now})


def get_actor(session: Session, person_id: int) -> Actor | None:
    return _actor(session, _BY_ID, {"person_id": person_id})


def _actor_of(person: Select[int]) -> Select[*tuple[Any, ...]]:
    """Somebody with all grants, a row each; columns, not entities: every request asks this."""
    return (
        select(
            Person.id, Person.public_id, Person.name, Person.email, Person.locale, Membership.role,
            Organisation.id, Organisation.public_id, Organisation.kind, Organisation.name_zh, Organisation.name_en,
            Organisation.suspension_code, Organisation.suspended_until,
        )
        .outerjoin(Membership, Membership.person_id == Person.id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Person.id.in_(person), Person.disabled_at.is_(None))
        .order_by(Membership.id)
    )  # fmt: skip


#: Built once: putting a statement together costs more than running it.
_BY_SESSION = _actor_of(
    select(SignInSession.person_id).where(
        SignInSession.token_hash == bindparam("token_hash"),
        SignInSession.ended_at.is_(None),
        SignInSession.expires_at > bindparam("now"),
    )
)
_BY_TOKEN = _actor_of(
    select(AccessToken.person_id).where(
        AccessToken.token_hash == bindparam("token_hash"),
        AccessToken.purpose == bindparam("purpose"),
        AccessToken.revoked_at.is_(None),
        or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > bindparam("now")),
    )
)
_BY_ID = _actor_of(select(Person.id).where(Person.id == bindparam("person_id")))


def _actor(session: Session, statement: Select[*tuple[Any, ...]], values: dict[str, Any]) -> Actor | None:
    rows = session.execute(statement, values).all()
    if not rows:
        return None
    key, public_id, name, email, locale = rows[0][:5]
    grants = tuple(Grant(*row[5:]) for row in rows if row[6] is not None)
    return Actor(key, public_id, name, email, locale, grants)


def find_person_by_email(session: Session, email: str) -> Person | None:
    return session.scalars(select(Person).where(Person.email == email.strip().lower())).one_or_none()


def get_booker_by_email(session: Session, email: str) -> tuple[Person, Grant]:
    """Somebody who may book, with the grant under which they do. Raises PersonNotFound."""
    person = find_person_by_email(session, email)
    actor = get_actor(session, person.id) if person else None
    grant = actor.grant_for(*BOOKING_ROLES) if actor else None
    if person is None or grant is None:
        raise PersonNotFound(field="email")
    return person, grant


def find_organisation(session: Session, public_id: UUID) -> Organisation | None:
    return session.scalars(select(Organisation).where(Organisation.public_id == public_id)).one_or_none()


def needs_owner(session: Session, organisation_id: int, price_fen: int) -> bool:
    """Whether a member's request at this price waits for the owner of the startup."""
    return session.scalars(select(Organisation).where(Organisation.id == organisation_id)).one().needs_owner(price_fen)


def find_organisations_by_ids(session: Session, keys: Iterable[int]) -> list[Organisation]:
    return list(session.scalars(select(Organisation).where(Organisation.id.in_(list(keys))).order_by(Organisation.id)))


def find_names(session: Session, person_ids: Iterable[int | None]) -> dict[int, str]:
    """Names by id, for a list of who did what."""
    keys = {key for key in person_ids if key is not None}
    if not keys:
        return {}
    people = session.scalars(select(Person).where(Person.id.in_(keys)))
    return {person.id: person.name for person in people}


def find_people_with_role(session: Session, organisation_id: int, roles: Sequence[Role]) -> list[Person]:
    """People who hold one of the roles in an organisation and are not disabled, in order of id."""
    return list(
        session.scalars(
            select(Person)
            .join(Membership)
            .where(
                Membership.organisation_id == organisation_id,
                Membership.role.in_(roles),
                Person.disabled_at.is_(None),
            )
            .order_by(Person.id)
            .distinct()
        )
    )


def get_organisation(session: Session, public_id: UUID) -> Organisation:
    found = session.scalars(select(Organisation).where(Organisation.public_id == public_id)).one_or_none()
    if found is None:
        raise OrganisationNotFound
    return found


def get_organisation_by_code(session: Session, code: str) -> Organisation:
    found = session.scalars(select(Organisation).where(Organisation.code == code)).one_or_none()
    if found is None:
        raise OrganisationNotFound
    return found


def find_authority(session: Session) -> Organisation | None:
    """The zone's office, once it is registered."""
    return session.scalars(
        select(Organisation).where(Organisation.kind == OrganisationKind.AUTHORITY).order_by(Organisation.id)
    ).first()


def find_startups(session: Session) -> list[Organisation]:
    """Companies and teams of the zone, in order of name."""
    kinds = (OrganisationKind.COMPANY, OrganisationKind.TEAM)
    return list(
        session.scalars(
            select(Organisation)
            .where(Organisation.kind.in_(kinds), Organisation.is_member)
            .order_by(Organisation.sort_key, Organisation.id)
        )
    )


def count_failures(session: Session, subject: str, *, since: datetime) -> int:
    return session.scalar(select(func.count()).where(SignInFailure.subject == subject, SignInFailure.at > since)) or 0


def get_feed_token(session: Session, person_id: int) -> AccessToken | None:
    """The live token of a person's calendar feed, if there is one."""
    return session.scalars(
        select(AccessToken).where(
            AccessToken.person_id == person_id, AccessToken.purpose == "feed", AccessToken.revoked_at.is_(None)
        )
    ).first()


@dataclass(frozen=True)
class Listed:
    """An organisation in a list, with how many people act for it."""

    organisation: Organisation
    people: int


def find_organisations(
    session: Session,
    *,
    q: str = "",
    kind: str = "",
    after: tuple[str, int] | None = None,
    limit: int = 50,
    suspended_at: datetime | None = None,
) -> list[Listed]:
    """Organisations in order of name, with their number of people; `suspended_at`: those suspended then."""
    people = (
        select(func.count(Membership.person_id.distinct()))
        .where(Membership.organisation_id == Organisation.id)
        .scalar_subquery()
    )
    statement = select(Organisation, people).order_by(Organisation.sort_key, Organisation.id).limit(limit)
    if q:
        statement = statement.where(
            or_(
                Organisation.name_zh.contains(q, autoescape=True),
                func.lower(Organisation.name_en).contains(q.lower(), autoescape=True),
                Organisation.code == q,
            )
        )
    if kind:
        statement = statement.where(Organisation.kind == kind)
    if suspended_at is not None:
        statement = statement.where(is_suspended(suspended_at))
    if after:
        statement = statement.where(
            or_(
                Organisation.sort_key > after[0],
                and_(Organisation.sort_key == after[0], Organisation.id > after[1]),
            )
        )
    return [Listed(organisation, count or 0) for organisation, count in session.execute(statement)]


def is_suspended(now: datetime) -> ColumnElement[bool]:
    """Twin of `Suspension.holds`."""
    until = Organisation.suspended_until
    return and_(Organisation.suspension_code.is_not(None), or_(until.is_(None), until > now))


def count_suspended(session: Session, *, now: datetime) -> int:
    return session.scalar(select(func.count()).select_from(Organisation).where(is_suspended(now))) or 0


def count_organisations(session: Session) -> dict[str, int]:
    rows = session.execute(select(Organisation.kind, func.count()).group_by(Organisation.kind))
    return {kind: count for kind, count in rows}  # noqa: C416 - rows are not pairs to mypy


def find_members(session: Session, organisation_id: int, *, limit: int = 200) -> list[tuple[Person, Role]]:
    """People of an organisation with their roles, in order of membership."""
    rows = session.execute(
        select(Person, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id)
        .order_by(Membership.id)
        .limit(limit)
    )
    return [(person, role) for person, role in rows]


def find_note(session: Session, note_id: int | None) -> str:
    """A text by id; "" for none."""
    return (session.scalar(select(Note.body).where(Note.id == note_id)) if note_id else None) or ""


class MemberRow(NamedTuple):
    """A membership with its person and its organisation's names."""

    id: int
    person: Person
    role: Role
    name_zh: str
    name_en: str


def find_people(session: Session, *, q: str = "", after: int = 0, limit: int = 50) -> list[MemberRow]:
    """People with role and organisation, in order of membership."""
    statement = (
        select(Membership.id, Person, Membership.role, Organisation.name_zh, Organisation.name_en)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.id > after)
        .order_by(Membership.id)
        .limit(limit)
    )
    if q:
        statement = statement.where(
            or_(Person.name.contains(q, autoescape=True), Person.email.contains(q.lower(), autoescape=True))
        )
    return [MemberRow(*row) for row in session.execute(statement)]


def find_person_names(session: Session, public_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Person.public_id, Person.name).where(Person.public_id.in_(set(public_ids))))
    return {key: name for key, name in rows}  # noqa: C416 - rows, not pairs


@dataclass(frozen=True)
class Trail:
    """An audit row with the names that stand behind its ids today."""

    entry: AuditEntry
    actor_name: str | None
    organisation_zh: str | None
    organisation_en: str | None
    words: str | None


def find_trail(
    session: Session, *, action: str = "", object: str = "", before: int | None = None, limit: int = 50
) -> list[Trail]:
    """Audit rows, newest first."""
    statement = (
        select(AuditEntry, Person.name, Organisation.name_zh, Organisation.name_en, Note.body)
        .outerjoin(Person, Person.id == AuditEntry.actor_id)
        .outerjoin(Organisation, Organisation.id == AuditEntry.organisation_id)
        .outerjoin(Note, Note.id == AuditEntry.note_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if action:
        statement = statement.where(AuditEntry.action.startswith(action, autoescape=True))
    if object:
        statement = statement.where(AuditEntry.object == object)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return [Trail(*row) for row in session.execute(statement)]
