"""Who acts, with which roles in which organisations. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from members.models import OrganisationKind, Role, Suspension, SuspensionCode

#: Roles that read and never write.
READERS = frozenset({Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an organisation."""

    role: Role
    organisation_id: int
    organisation_public_id: UUID
    kind: OrganisationKind
    name_zh: str
    name_en: str
    suspension_code: SuspensionCode | None = None
    suspended_until: datetime | None = None

    @property
    def suspension(self) -> Suspension | None:
        """Of the organisation, whether it holds still or not."""
        return Suspension(self.suspension_code, self.suspended_until) if self.suspension_code else None


@dataclass(frozen=True, slots=True)
class Actor:
    person_id: int
    public_id: UUID
    name: str
    email: str
    locale: str
    grants: tuple[Grant, ...]

    def has(self, *roles: Role) -> bool:
        """Whether one of the roles is held anywhere."""
        return any(grant.role in roles for grant in self.grants)

    def grant_for(self, *roles: Role) -> Grant | None:
        """The first grant with one of the roles."""
        return next((grant for grant in self.grants if grant.role in roles), None)

    def organisation_ids(self, *roles: Role) -> frozenset[int]:
        """The organisations in which one of the roles is held."""
        return frozenset(grant.organisation_id for grant in self.grants if grant.role in roles)

    @property
    def only_reads(self) -> bool:
        """Whether every role is one that never writes."""
        return all(grant.role in READERS for grant in self.grants)
