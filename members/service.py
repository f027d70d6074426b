"""Every write about organisations, people and sign-in."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from pypinyin import Style, lazy_pinyin
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from core.db import lock_row
from core.errors import Forbidden, InvalidInput
from members import audit, passwords, queries
from members.actor import Actor
from members.errors import (
    CreditCodeInvalid,
    CreditCodeNotForTeams,
    EmailInvalid,
    EmailTaken,
    PasswordWrong,
    RuleStale,
    SignInRefused,
    TooManySignIns,
)
from members.models import (
    AccessToken,
    Membership,
    Organisation,
    OrganisationKind,
    OwnerApproval,
    Person,
    Role,
    SignInFailure,
    SignInSession,
)

SESSION_LASTS = timedelta(days=14)
API_TOKEN_LASTS = timedelta(days=90)
FAILURE_WINDOW = timedelta(minutes=15)
FAILURES_PER_EMAIL, FAILURES_PER_ADDRESS = 10, 100
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\]{1,64}@[^@\s<>\"(),:;\\]{1,180}\.?[^@\s<>\"(),:;\\.]{1,63}")


class NameMissing(InvalidInput):
    message = "Write a name of up to 100 characters."


def register_organisation(
    session: Session,
    *,
    kind: OrganisationKind,
    code: str,
    name_zh: str,
    name_en: str = "",
    credit_code: str | None = None,
    is_member: bool = True,
    is_demonstration: bool = False,
    certainty: str = "",
) -> Organisation:
    """Raises CreditCodeInvalid, and CreditCodeNotForTeams for a team that gives one."""
    if credit_code is not None:
        if kind is OrganisationKind.TEAM:
            raise CreditCodeNotForTeams(field="credit_code")
        try:
            credit_code = uscc.validate(credit_code)
        except ValidationError as error:
            raise CreditCodeInvalid(field="credit_code") from error
    organisation = Organisation(
        kind=kind,
        code=code,
        credit_code=credit_code,
        name_zh=name_zh,
        name_en=name_en,
        sort_key=sort_key(name_zh),
        is_member=is_member,
        is_demonstration=is_demonstration,
        certainty=certainty,
    )
    session.add(organisation)
    session.flush()
    return organisation


def sort_key(name: str) -> str:
    """A Chinese name as pinyin, so that both engines sort alike."""
    return " ".join(lazy_pinyin(name, style=Style.TONE3)).lower()[:400]


def register_person(
    session: Session, *, email: str, name: str, password: str, now: datetime, locale: str = "", checked: bool = True
) -> Person:
    """Raises EmailInvalid, EmailTaken and the refusals of a password."""
    email = email.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise EmailInvalid(field="email")
    if checked:
        passwords.require_good(password)
    if queries.find_person_by_email(session, email) is not None:
        raise EmailTaken(field="email")
    person = Person(
        email=email, name=name, password_hash=passwords.hash_password(password), locale=locale, created_at=now
    )
    session.add(person)
    session.flush()
    audit.record(session, actor=None, action="person_registered", object=f"person:{person.public_id}", now=now)
    return person


def grant_role(session: Session, person: Person, organisation: Organisation, role: Role, *, now: datetime) -> None:
    session.add(Membership(person_id=person.id, organisation_id=organisation.id, role=role))
    audit.record(
        session,
        actor=None,
        action="role_granted",
        object=f"person:{person.public_id}",
        now=now,
        organisation_id=organisation.id,
        data={"role": role},
    )


def require_sign_in_allowed(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Raises TooManySignIns after too many failures for an e-mail or from a network address."""
    since = now - FAILURE_WINDOW
    for subject, most in ((_subject(email), FAILURES_PER_EMAIL), (_subject(address), FAILURES_PER_ADDRESS)):
        if queries.count_failures(session, subject, since=since) >= most:
            minutes = int(FAILURE_WINDOW.total_seconds() // 60)
            raise TooManySignIns(minutes=minutes, details={"retry_after": minutes * 60})


def record_failure(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Count a failed attempt, in a unit of work of its own; forget what is older than a day."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < now - timedelta(days=1)))
    session.add_all([SignInFailure(subject=_subject(value), at=now) for value in (email, address)])


def check_password(session: Session, *, email: str, password: str) -> Person:
    """The person with this e-mail and password. Takes as long when there is none. Raises SignInRefused."""
    person = queries.find_person_by_email(session, email)
    stored = person.password_hash if person and person.disabled_at is None else None
    if not passwords.matches(password, stored) or person is None:
        raise SignInRefused
    return person


def start_session(session: Session, person: Person, *, now: datetime) -> str:
    """A new browser session; returns its token, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(token_hash=hash_token(token), person_id=person.id, created_at=now, expires_at=now + SESSION_LASTS)
    )
    audit.record(session, actor=person, action="signed_in", object=f"person:{person.public_id}", now=now)
    return token


def end_session(session: Session, actor: Actor | None, token: str, *, now: datetime) -> None:
    if actor:
        audit.record(session, actor=actor, action="signed_out", object=f"person:{actor.public_id}", now=now)
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == hash_token(token), SignInSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def issue_api_token(session: Session, person: Person, *, now: datetime) -> str:
    token = _issue(session, person.id, "api", now=now, expires_at=now + API_TOKEN_LASTS)
    audit.record(session, actor=person, action="token_issued", object=f"person:{person.public_id}", now=now)
    return token


def revoke_api_token(session: Session, token: str, *, now: datetime) -> None:
    session.execute(
        update(AccessToken)
        .where(AccessToken.token_hash == hash_token(token), AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def renew_feed_token(session: Session, actor: Actor, *, now: datetime) -> str:
    """A new address for the person's calendar feed; the old one ends. The token is shown this once."""
    revoke_feed_token(session, actor, now=now)
    token = _issue(session, actor.person_id, "feed", now=now, expires_at=None)
    audit.record(session, actor=actor, action="feed_renewed", object=f"person:{actor.public_id}", now=now)
    return token


def revoke_feed_token(session: Session, actor: Actor, *, now: datetime) -> None:
    session.execute(
        update(AccessToken)
        .where(
            AccessToken.person_id == actor.person_id, AccessToken.purpose == "feed", AccessToken.revoked_at.is_(None)
        )
        .values(revoked_at=now)
    )
    audit.record(session, actor=actor, action="feed_revoked", object=f"person:{actor.public_id}", now=now)


def set_owner_approval(
    session: Session, actor: Actor, mode: OwnerApproval, *, above_fen: int = 0, version: int, now: datetime
) -> Organisation:
    """Which requests of the startup's members its owner agrees to first. It counts from the next request on.

    Raises Forbidden, RuleStale.
    """
    grant = actor.grant_for(Role.STARTUP_OWNER)
    if grant is None:
        raise Forbidden
    company = lock_row(session, Organisation, grant.organisation_id)
    if company.version != version:
        raise RuleStale
    company.owner_approval = mode
    company.owner_approval_above_fen = above_fen if mode is OwnerApproval.ABOVE else 0
    audit.record(
        session, actor=actor, action="owner_approval_set", object=f"organisation:{company.public_id}", now=now,
        organisation_id=company.id, data={"mode": mode, "above_fen": company.owner_approval_above_fen},
    )  # fmt: skip
    session.flush()
    return company


def change_profile(session: Session, actor: Actor, *, name: str, locale: str, now: datetime) -> None:
    """Name and language. Raises NameMissing."""
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise NameMissing(field="name")
    person = session.get_one(Person, actor.person_id)
    person.name, person.locale = name, locale
    audit.record(session, actor=actor, action="profile_changed", object=f"person:{actor.public_id}", now=now)


def set_locale(session: Session, actor: Actor, locale: str, *, now: datetime) -> None:
    audit.record(session, actor=actor, action="profile_changed", object=f"person:{actor.public_id}", now=now)
    session.execute(update(Person).where(Person.id == actor.person_id).values(locale=locale))


def change_password(
    session: Session, actor: Actor, *, present: str, password: str, keep_token: str, now: datetime
) -> None:
    """Ends every other session and every bearer token. Raises PasswordWrong and the refusals of a password."""
    person = session.get_one(Person, actor.person_id)
    if not passwords.matches(present, person.password_hash):
        raise PasswordWrong(field="present")
    passwords.require_good(password)
    person.password_hash = passwords.hash_password(password)
    kept = hash_token(keep_token)
    session.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person.id, SignInSession.token_hash != kept, SignInSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    session.execute(
        update(AccessToken)
        .where(AccessToken.person_id == person.id, AccessToken.purpose == "api", AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    audit.record(session, actor=actor, action="password_changed", object=f"person:{actor.public_id}", now=now)


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _issue(session: Session, person_id: int, purpose: str, *, now: datetime, expires_at: datetime | None) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        AccessToken(
            token_hash=hash_token(token), purpose=purpose, person_id=person_id, created_at=now, expires_at=expires_at
        )
    )
    return token


def _subject(value: str) -> str:
    return hashlib.sha256(value.strip().lower().encode("utf-8", "replace")).hexdigest()


def complete_credit_code(body: str) -> str:
    """The first 17 characters of a unified social credit code (GB 32100-2015) with their check character."""
    return body + str(uscc.calc_check_digit(body))
