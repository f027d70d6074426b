"""Tables of organisations, people, roles, sign-in and the trail."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id


class OrganisationKind(StrEnum):
    UNIVERSITY = "university"
    INSTITUTE = "institute"
    MAKER_SPACE = "maker_space"
    COMPANY = "company"
    TEAM = "team"
    """Founders who are not a company yet: no credit code."""
    AUTHORITY = "authority"
    """The zone's office and its finance department."""


class Role(StrEnum):
    STARTUP_OWNER = "startup_owner"
    STARTUP_MEMBER = "startup_member"
    RESEARCHER = "researcher"
    """Books at the internal rate of the own institution, without a voucher."""
    LAB_MANAGER = "lab_manager"
    LAB_OPERATOR = "lab_operator"
    FINANCE_OFFICER = "finance_officer"
    ZONE_ADMIN = "zone_admin"
    AUDITOR = "auditor"
    """Reads everything, writes nothing."""


class SuspensionCode(StrEnum):
    """Why an organisation may not book for a time."""

    UNPAID = "unpaid"
    NO_SHOWS = "no_shows"
    DAMAGE = "damage"
    LEFT = "left"
    """It is no longer in the zone."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why, and until when; None: until it is lifted."""

    code: SuspensionCode
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


class OwnerApproval(StrEnum):
    """Which requests of a company's members its owner must agree to before anybody else decides."""

    NONE = "none"
    ABOVE = "above"
    """Those that cost more than an amount."""
    ALWAYS = "always"


class Organisation(Base):
    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("kind <> 'team' OR credit_code IS NULL", name="team_without_credit_code"),
        UniqueConstraint("credit_code"),
        UniqueConstraint("code"),
        Index("ix_organisations_kind", "kind", "sort_key"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    kind: Mapped[OrganisationKind] = mapped_column(Code(OrganisationKind, 20))
    #: School code (5 digits), institute code, or a code of our own: what `--institution` takes.
    code: Mapped[str] = mapped_column(String(40))
    credit_code: Mapped[str | None] = mapped_column(String(18))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    sort_key: Mapped[str] = mapped_column(String(400), default="")
    #: False: listed only. Members open instruments or book them.
    is_member: Mapped[bool] = mapped_column(default=True)
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    certainty: Mapped[str] = mapped_column(Text, default="")
    owner_approval: Mapped[OwnerApproval] = mapped_column(Code(OwnerApproval, 6), default=OwnerApproval.NONE)
    #: Counts for `above` alone.
    owner_approval_above_fen: Mapped[int] = mapped_column(default=0)
    #: Nobody books for it since then, until `suspended_until` (None: until it is lifted); None: in good standing.
    suspended_at: Mapped[datetime | None] = mapped_column(Instant)
    suspended_until: Mapped[datetime | None] = mapped_column(Instant)
    suspension_code: Mapped[SuspensionCode | None] = mapped_column(Code(SuspensionCode, 10))
    suspension_note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}

    @property
    def suspension(self) -> Suspension | None:
        """The last one, whether it holds still or not."""
        return Suspension(self.suspension_code, self.suspended_until) if self.suspension_code else None

    def needs_owner(self, price_fen: int) -> bool:
        """Whether a member's request at this price waits for the owner's word."""
        if self.owner_approval is OwnerApproval.ABOVE:
            return price_fen > self.owner_approval_above_fen
        return self.owner_approval is OwnerApproval.ALWAYS


class Person(Base):
    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    #: Lower case; what one signs in with and is written to.
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    #: "zh-CN", "en", or empty: as the browser asks.
    locale: Mapped[str] = mapped_column(String(10), default="")
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}

    memberships: Mapped[list["Membership"]] = relationship(back_populates="person", lazy="raise_on_sql")


class Membership(Base):
    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "role"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    role: Mapped[Role] = mapped_column(Code(Role, 20))

    person: Mapped[Person] = relationship(back_populates="memberships", lazy="raise_on_sql")
    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")


class SignInSession(Base):
    """A browser's session. Only the hash of its token is kept."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class AccessToken(Base):
    """A bearer token for JSON (`purpose="api"`) or the token in a calendar feed's address (`"feed"`)."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    purpose: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInFailure(Base):
    """Counted to slow down guessing; deleted after a day."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("ix_sign_in_failures_subject", "subject", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: A hash of the e-mail or of the network address, never the value itself.
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)


class Note(Base):
    """Erasable free text (a purpose, a reason). The trail refers to it and keeps only its salted hash."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    written_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class AuditEntry(Base):
    """Who did what to which object, when. Append-only: ids, codes, amounts and times, no names and no free text."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_object", "object", "id"), Index("ix_audit_entries_at", "at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    #: None: the clock or the command line.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    action: Mapped[str] = mapped_column(String(60))
    #: "booking:<public id>", "voucher:<public id>" ...
    object: Mapped[str] = mapped_column(String(80))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str] = mapped_column(String(40), default="")
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    note_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
