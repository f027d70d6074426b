"""Who may do what with a booking. Pure: the caller brings the labs that the actor runs."""

from dataclasses import dataclass

from booking.errors import BookingNotFound, MayNotBook, MayNotRunLab
from booking.models import Booking
from core.errors import Forbidden
from equipment.models import Equipment, Tier
from members.actor import Actor, Grant
from members.models import Role

BOOKERS = (Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER)
OVERSEERS = (Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom and at which tier a booking is made."""

    organisation_id: int
    tier: Tier
    may_use_vouchers: bool


def payer_for(actor: Actor, entry: Equipment) -> Payer:
    """The grant under which the actor books this instrument. Raises MayNotBook."""
    grant = actor.grant_for(*BOOKERS)
    if grant is None:
        raise MayNotBook
    return payer_of(grant, entry)


def payer_of(grant: Grant, entry: Equipment) -> Payer:
    if grant.role is Role.RESEARCHER:
        tier = Tier.INTERNAL if grant.organisation_id == entry.owner_id else Tier.OTHER
        return Payer(grant.organisation_id, tier, may_use_vouchers=False)
    return Payer(grant.organisation_id, Tier.STARTUP, may_use_vouchers=True)


def tier_for(actor: Actor | None, entry: Equipment) -> Tier:
    """The prices that somebody is shown: one's own, else a startup's."""
    if actor and actor.has(*BOOKERS):
        return payer_for(actor, entry).tier
    return Tier.STARTUP


def runs(actor: Actor, lab_ids: frozenset[int], lab_id: int) -> bool:
    """Whether the actor manages or operates this lab."""
    return lab_id in lab_ids and actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR)


def manages(actor: Actor, lab_ids: frozenset[int], lab_id: int) -> bool:
    return lab_id in lab_ids and actor.has(Role.LAB_MANAGER)


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


def require_manager(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> None:
    """Raises BookingNotFound for a foreign booking and MayNotRunLab for one's own that only the lab decides."""
    require_seen(actor, booking, lab_ids)
    if not manages(actor, lab_ids, booking.equipment.lab_id):
        raise MayNotRunLab


def require(condition: bool) -> None:
    """Raises Forbidden."""
    if not condition:
        raise Forbidden
