"""Who may do what with a booking. Pure: the caller brings the labs that the actor runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from booking.errors import AwaitsOwner, BookingNotFound, MayNotBook, MayNotDecide, MayNotRunLab
from booking.models import Awaiting, Booking, State
from core.errors import Forbidden
from equipment.models import Tier
from members.actor import Actor, Grant
from members.models import Role, Suspension

BOOKERS = (Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER)
OVERSEERS = (Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom and at which tier a booking is made."""

    organisation_id: int
    organisation_public_id: UUID
    tier: Tier
    may_use_vouchers: bool
    #: Who uses the instrument, and whether the organisation was suspended; see `rulebook.Asker`.
    person_id: int
    suspension: Suspension | None
    #: Books as a member of a startup without being its owner: the owner may have a word first.
    is_member: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom somebody may decide now as a deputy: the person stood in for, by lab and by startup."""

    labs: Mapping[int, int] = field(default_factory=dict)
    startups: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_any(self) -> bool:
        return bool(self.labs or self.startups)


@dataclass(frozen=True, slots=True)
class Voice:
    """A right to decide: for which side, and in whose place (None: one's own)."""

    side: Awaiting
    behalf_id: int | None


class Owned(Protocol):
    """What belongs to an institution."""

    @property
    def owner_id(self) -> int: ...


def payer_for(actor: Actor, entry: Owned) -> Payer:
    """The grant under which the actor books this instrument. Raises MayNotBook."""
    grant = actor.grant_for(*BOOKERS)
    if grant is None:
        raise MayNotBook
    owns = grant.organisation_id in actor.organisation_ids(Role.STARTUP_OWNER)
    return replace(payer_of(grant, entry, actor.person_id), is_member=grant.role is Role.STARTUP_MEMBER and not owns)


def payer_of(grant: Grant, entry: Owned, person_id: int) -> Payer:
    tier = Tier.STARTUP
    if grant.role is Role.RESEARCHER:
        tier = Tier.INTERNAL if grant.organisation_id == entry.owner_id else Tier.OTHER
    return Payer(
        grant.organisation_id, grant.organisation_public_id, tier, may_use_vouchers=tier is Tier.STARTUP,
        person_id=person_id, suspension=grant.suspension,
    )  # fmt: skip


def payer_again(booking: Booking) -> Payer:
    """For whom a booking was made, as the organisation stands now."""
    tier = Tier(booking.tier)
    return Payer(
        booking.organisation_id, booking.organisation.public_id, tier, may_use_vouchers=tier is Tier.STARTUP,
        person_id=booking.person_id, suspension=booking.organisation.suspension,
    )  # fmt: skip


def tier_for(actor: Actor | None, entry: Owned) -> Tier:
    """The prices that somebody is shown: one's own, else a startup's."""
    if actor and actor.has(*BOOKERS):
        return payer_for(actor, entry).tier
    return Tier.STARTUP


def runs(actor: Actor, lab_ids: frozenset[int], lab_id: int) -> bool:
    """Whether the actor manages or operates this lab."""
    return lab_id in lab_ids and actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR)


def manages(actor: Actor, lab_ids: frozenset[int], lab_id: int) -> bool:
    return lab_id in lab_ids and actor.has(Role.LAB_MANAGER)


def voice_of(actor: Actor, booking: Booking, side: Awaiting, lab_ids: frozenset[int], acting: Acting) -> Voice | None:
    """By one's own role, else as a deputy; a deputy has none on a request of one's own."""
    lab_id, startup_id = booking.equipment.lab_id, booking.organisation_id
    if side is Awaiting.LAB:
        own, behalf_id = manages(actor, lab_ids, lab_id), acting.labs.get(lab_id)
    else:
        own, behalf_id = startup_id in actor.organisation_ids(Role.STARTUP_OWNER), acting.startups.get(startup_id)
    if own:
        return Voice(side, None)
    return Voice(side, behalf_id) if behalf_id and booking.person_id != actor.person_id else None


def may_decide(actor: Actor, booking: Booking, lab_ids: frozenset[int], acting: Acting) -> bool:
    """Whether this request waits for this person."""
    side = booking.awaiting or Awaiting.LAB
    return booking.state is State.REQUESTED and voice_of(actor, booking, side, lab_ids, acting) is not None


def require_voice(
    actor: Actor, booking: Booking, lab_ids: frozenset[int], acting: Acting, *, declines: bool = False
) -> Voice:
    """The right to decide on a booking as it stands. The lab may decline before the startup's owner has spoken.

    Raises BookingNotFound for a foreign booking, MayNotRunLab, MayNotDecide, AwaitsOwner. Whether the booking still
    waits is asked afterwards.
    """
    lab = voice_of(actor, booking, Awaiting.LAB, lab_ids, acting)
    if lab is None:
        require_seen(actor, booking, lab_ids)
    owner = voice_of(actor, booking, Awaiting.OWNER, lab_ids, acting)
    if booking.awaiting is Awaiting.OWNER and booking.state is State.REQUESTED:
        if voice := owner or (lab if declines else None):
            return voice
        raise MayNotDecide if lab is None else AwaitsOwner
    if voice := lab or (owner if booking.state is not State.REQUESTED else None):
        return voice
    raise MayNotRunLab


def may_see(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """One's own, one's startup's, one's lab's; the zone's offices see all."""
    return (
        booking.person_id == actor.person_id
        or booking.organisation_id in actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
        or runs(actor, lab_ids, booking.equipment.lab_id)
        or actor.has(*OVERSEERS)
    )


def may_change(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """Move or cancel: who booked, the startup's owner, the lab's managers."""
    return (
        booking.person_id == actor.person_id
        or booking.organisation_id in actor.organisation_ids(Role.STARTUP_OWNER)
        or manages(actor, lab_ids, booking.equipment.lab_id)
    )


def is_of_startup(actor: Actor, booking: Booking) -> bool:
    """Who booked, or people of the startup: they speak for it."""
    startups = actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER)
    return booking.person_id == actor.person_id or booking.organisation_id in startups


def may_check_in(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """Who booked or whoever runs the lab."""
    return booking.person_id == actor.person_id or runs(actor, lab_ids, booking.equipment.lab_id)


def may_shorten_visit(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """Enter an earlier end than now, or less than was agreed: whoever runs the lab, for it lowers the bill."""
    return runs(actor, lab_ids, booking.equipment.lab_id)


def require_seen(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> None:
    """Raises BookingNotFound, so that a foreign booking looks like none."""
    if not may_see(actor, booking, lab_ids):
        raise BookingNotFound


def require(condition: bool) -> None:
    """Raises Forbidden."""
    if not condition:
        raise Forbidden
