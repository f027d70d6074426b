"""Proofs over the whole database, for `yixiang check`."""

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from booking.models import Booking, Occupancy
from booking.states import LIVE
from booking.unit_days import check_unit_days
from equipment.policies import find_stale_rules
from vouchers.check import check_ledger
from vouchers.models import Hold, HoldEnd


def check_everything(session: Session) -> list[str]:
    """What is wrong, in words; empty when all is right."""
    return [
        *(str(finding) for finding in check_ledger(session)),
        *check_claims(session),
        *check_unit_days(session),
        *check_holds(session),
        *(f"rules of instrument {number} are not what its levels say" for number in find_stale_rules(session)),
    ]


def check_claims(session: Session) -> list[str]:
    """No two claims overlap; every live booking has its claim, and no ended one has."""
    other = aliased(Occupancy)
    overlaps = session.execute(
        select(Occupancy.id, other.id)
        .join(other, (other.unit_id == Occupancy.unit_id) & (other.id > Occupancy.id))
        .where(
            Occupancy.exclusive,
            other.exclusive,
            other.starts_at < Occupancy.ends_at,
            other.ends_at > Occupancy.starts_at,
        )
    ).all()
    claimed = select(Occupancy.booking_id).where(Occupancy.booking_id.is_not(None))
    without = session.scalars(select(Booking.id).where(Booking.state.in_(LIVE), Booking.id.not_in(claimed))).all()
    stale = session.scalars(
        select(Booking.id).join(Occupancy, Occupancy.booking_id == Booking.id).where(Booking.state.not_in(LIVE))
    ).all()
    return [
        *(f"claims {a} and {b} overlap" for a, b in overlaps),
        *(f"booking {key} is live without a claim" for key in without),
        *(f"booking {key} has ended and still has a claim" for key in stale),
    ]


def check_holds(session: Session) -> list[str]:
    """A hold that is open belongs to a live booking."""
    live = select(Booking.public_id).where(Booking.state.in_(LIVE))
    references = {f"booking:{public_id}" for public_id in session.scalars(live)}
    open_holds = session.execute(
        select(Hold.id, Hold.reference).outerjoin(HoldEnd).where(HoldEnd.hold_id.is_(None))
    ).all()
    return [f"hold {key} is open and its {name} has ended" for key, name in open_holds if name not in references]
