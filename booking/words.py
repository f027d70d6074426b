"""Words for codes, marked for the catalogue. Pure."""

from booking.models import State
from core.i18n import N_

STATE_WORDS: dict[State, str] = {
    State.REQUESTED: N_("waiting for approval"),
    State.APPROVED: N_("approved"),
    State.IN_USE: N_("in use"),
    State.COMPLETED: N_("completed"),
    State.DECLINED: N_("declined"),
    State.CANCELLED: N_("cancelled"),
    State.EXPIRED: N_("expired"),
    State.NO_SHOW: N_("no-show"),
}
#: Kind of badge: ok, wait, stop, mine or plain.
STATE_BADGES: dict[State, str] = {
    State.REQUESTED: "wait",
    State.APPROVED: "ok",
    State.IN_USE: "mine",
    State.COMPLETED: "plain",
    State.DECLINED: "stop",
    State.CANCELLED: "plain",
    State.EXPIRED: "stop",
    State.NO_SHOW: "stop",
}
VERB_WORDS: dict[str, str] = {
    "requested": N_("Requested"),
    "owner_agreed": N_("Agreed by the startup's owner"),
    "approved": N_("Approved"),
    "escalated": N_("The zone's office was told that time runs out"),
    "declined": N_("Declined"),
    "cancelled": N_("Cancelled"),
    "moved": N_("Moved"),
    "overridden": N_("Rules set aside"),
    "expired": N_("Expired without a decision"),
    "checked_in": N_("Checked in"),
    "checked_out": N_("Checked out"),
    "no_show": N_("Nobody came"),
    "agreed": N_("Terms of use accepted"),
}
