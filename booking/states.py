"""The one table of what may follow what. Pure."""

from booking.models import State

#: verb -> (states in which it is allowed, state it leads to; None keeps the state).
TRANSITIONS: dict[str, tuple[frozenset[State], State | None]] = {
    "owner_agreed": (frozenset({State.REQUESTED}), None),
    "approved": (frozenset({State.REQUESTED}), State.APPROVED),
    "declined": (frozenset({State.REQUESTED}), State.DECLINED),
    "escalated": (frozenset({State.REQUESTED}), None),
    "expired": (frozenset({State.REQUESTED}), State.EXPIRED),
    "cancelled": (frozenset({State.REQUESTED, State.APPROVED}), State.CANCELLED),
    "moved": (frozenset({State.REQUESTED, State.APPROVED}), None),
    "checked_in": (frozenset({State.APPROVED}), State.IN_USE),
    "checked_out": (frozenset({State.IN_USE}), State.COMPLETED),
    "no_show": (frozenset({State.APPROVED}), State.NO_SHOW),
}
#: In these a booking keeps its claim on the unit and its hold on the voucher.
LIVE = frozenset({State.REQUESTED, State.APPROVED, State.IN_USE})
#: These count against limits: what was given up in time does not.
COUNTED = LIVE | {State.COMPLETED, State.NO_SHOW}
ENDED = frozenset(State) - LIVE


def may_follow(verb: str, state: State) -> bool:
    return state in TRANSITIONS[verb][0]
