"""What each kind of mail says to each audience: message ids with named fields, translated when a letter is written."""

from dataclasses import dataclass

from core.i18n import N_


@dataclass(frozen=True)
class Wording:
    subject: str
    heading: str
    lead: str
    action: str = N_("See the booking")


_INFO = Wording(
    N_("Booked: %(equipment)s, %(slot)s"),
    N_("A new booking"),
    N_("%(person)s of %(organisation)s booked this slot. The instrument approves by itself, so nothing is to be done."),
)
_BY_LAB = True
_BY_HOLDER = False

#: (kind, audience, whether the lab did it) -> what is said.
WORDING: dict[tuple[str, str, bool], Wording] = {
    ("booking_requested", "lab", _BY_HOLDER): Wording(
        N_("Decide: %(equipment)s, %(slot)s"),
        N_("A request waits for your decision"),
        N_(
            "%(person)s of %(organisation)s asks for this slot. It is held until %(decide_by_at)s; "
            "without a decision the request then ends by itself."
        ),
        N_("Approve or decline"),
    ),
    ("owner_asked", "owner", _BY_HOLDER): Wording(
        N_("Agree: %(equipment)s, %(slot)s, %(price_fen)s"),
        N_("A request of your startup waits for you"),
        N_(
            "%(person)s asks for this slot for %(organisation)s. Before the lab decides, you agree or decline until "
            "%(decide_by_at)s; without your word the request then ends by itself."
        ),
        N_("Agree or decline"),
    ),
    ("request_with_owner", "holder", _BY_HOLDER): Wording(
        N_("Requested: %(equipment)s, %(slot)s"),
        N_("Your request waits for your startup's owner"),
        N_(
            "The slot is held for you. The owner of %(organisation)s agrees first, until %(decide_by_at)s; you get a "
            "mail either way."
        ),
    ),
    ("owner_agreed", "holder", _BY_HOLDER): Wording(
        N_("Agreed: %(equipment)s, %(slot)s"),
        N_("Your startup's owner agreed"),
        N_("Your request is with the lab now: %(lab)s decides by %(decide_by_at)s, and you get a mail either way."),
    ),
    ("owner_reminder", "owner", _BY_HOLDER): Wording(
        N_("Half the time is left: %(equipment)s, %(slot)s"),
        N_("A request of your startup still waits for you"),
        N_(
            "%(person)s asks for this slot. Without your word until %(decide_by_at)s the request ends by itself, and "
            "slot and voucher money are free again."
        ),
        N_("Agree or decline"),
    ),
    ("owner_expired", "holder", _BY_HOLDER): Wording(
        N_("Not decided: %(equipment)s, %(slot)s"),
        N_("Your request ended without a decision"),
        N_(
            "Nobody who owns %(organisation)s agreed in time. The slot is free again and nothing is charged; you can "
            "ask again."
        ),
    ),
    ("owner_expired", "owner", _BY_HOLDER): Wording(
        N_("Not decided: %(equipment)s, %(slot)s"),
        N_("A request of your startup ended without your word"),
        N_("Nobody agreed to the request of %(person)s in time, so it ended by itself."),
    ),
    ("lab_reminder", "lab", _BY_HOLDER): Wording(
        N_("Half the time is left: %(equipment)s, %(slot)s"),
        N_("A request still waits for your decision"),
        N_(
            "%(person)s of %(organisation)s asks for this slot. Without a decision until %(decide_by_at)s the request "
            "ends by itself, and slot and voucher money are free again."
        ),
        N_("Approve or decline"),
    ),
    ("decision_late", "zone", _BY_HOLDER): Wording(
        N_("Not decided yet: %(equipment)s, %(slot)s"),
        N_("A lab lets its time to decide run out"),
        N_(
            "%(lab)s has until %(decide_by_at)s to decide on the request of %(person)s of %(organisation)s. Ask the "
            "lab, or have it name a deputy; without a decision the request ends by itself."
        ),
    ),
    ("booking_declined", "holder", _BY_HOLDER): Wording(
        N_("Declined: %(equipment)s, %(slot)s"),
        N_("Your startup's owner declined your request"),
        N_("The slot is free again and nothing is charged. Your owner's reason stands below."),
    ),
    ("request_received", "holder", _BY_HOLDER): Wording(
        N_("Requested: %(equipment)s, %(slot)s"),
        N_("Your request is with the lab"),
        N_("The slot is held for you. %(lab)s decides by %(decide_by_at)s, and you get a mail either way."),
    ),
    ("booking_approved", "holder", _BY_HOLDER): Wording(
        N_("Approved: %(equipment)s, %(slot)s"),
        N_("Your booking is approved"),
        N_("The slot is yours. The invitation attached puts it into your calendar and keeps it up to date."),
    ),
    ("booking_approved", "lab", _BY_HOLDER): _INFO,
    ("booking_declined", "holder", _BY_LAB): Wording(
        N_("Declined: %(equipment)s, %(slot)s"),
        N_("The lab declined your request"),
        N_("The slot is free again and nothing is charged. Other times and other instruments may fit."),
    ),
    ("booking_cancelled", "holder", _BY_HOLDER): Wording(
        N_("Cancelled: %(equipment)s, %(slot)s"),
        N_("Your booking is cancelled"),
        N_("The booking was cancelled from your side. The slot is free again and nothing is charged."),
    ),
    ("booking_cancelled", "holder", _BY_LAB): Wording(
        N_("Cancelled by the lab: %(equipment)s, %(slot)s"),
        N_("The lab cancelled your booking"),
        N_("The instrument is not available to you at this time after all. Nothing is charged."),
    ),
    ("booking_cancelled", "lab", _BY_HOLDER): Wording(
        N_("Cancelled: %(equipment)s, %(slot)s"),
        N_("A booking was cancelled"),
        N_("%(person)s of %(organisation)s does not come. The slot is free again."),
    ),
    ("booking_moved", "holder", _BY_HOLDER): Wording(
        N_("Moved: %(equipment)s, %(slot)s"),
        N_("Your booking has a new time"),
        N_("The booking was moved from your side."),
    ),
    ("booking_moved", "holder", _BY_LAB): Wording(
        N_("Moved by the lab: %(equipment)s, %(slot)s"),
        N_("The lab moved your booking"),
        N_("The lab gave your booking another time. If it does not suit you, move it again or cancel it."),
    ),
    ("booking_moved", "lab", _BY_HOLDER): Wording(
        N_("Moved: %(equipment)s, %(slot)s"),
        N_("A booking has a new time"),
        N_("%(person)s of %(organisation)s moved this booking."),
    ),
    ("booking_expired", "holder", _BY_HOLDER): Wording(
        N_("Not decided: %(equipment)s, %(slot)s"),
        N_("Your request ended without a decision"),
        N_("%(lab)s did not decide in time. The slot is free again and nothing is charged; you can ask again."),
    ),
    ("booking_expired", "lab", _BY_HOLDER): Wording(
        N_("Not decided: %(equipment)s, %(slot)s"),
        N_("A request ended without a decision"),
        N_("Nobody decided on the request of %(person)s of %(organisation)s in time, so it ended by itself."),
    ),
    ("booking_completed", "holder", _BY_HOLDER): Wording(
        N_("Receipt: %(equipment)s, %(slot)s"),
        N_("What your visit cost"),
        N_("The visit is over and charged by actual use."),
    ),
    ("booking_completed", "owner", _BY_HOLDER): Wording(
        N_("Receipt: %(equipment)s, %(slot)s"),
        N_("What a visit of your startup cost"),
        N_("The visit of %(person)s is over and charged by actual use."),
    ),
    ("booking_no_show", "holder", _BY_HOLDER): Wording(
        N_("No-show: %(equipment)s, %(slot)s"),
        N_("You did not check in"),
        N_("Nobody checked in within %(patience_minutes)s of the start, so the slot was given up."),
    ),
    ("booking_no_show", "lab", _BY_HOLDER): Wording(
        N_("No-show: %(equipment)s, %(slot)s"),
        N_("Nobody checked in"),
        N_("%(person)s of %(organisation)s did not check in. The rest of the slot is free again."),
    ),
    ("visit_overdue", "lab", _BY_HOLDER): Wording(
        N_("Not checked out: %(equipment)s, %(slot)s"),
        N_("A visit was not checked out"),
        N_(
            "%(person)s of %(organisation)s checked in, and the slot ended more than an hour ago. Enter when the use "
            "ended: until then nothing is charged and money of vouchers stays held."
        ),
        N_("Check out"),
    ),
    ("reminder_24h", "holder", _BY_HOLDER): Wording(
        N_("In %(hours_left)s hours: %(equipment)s, %(slot)s"),
        N_("Your slot begins in %(hours_left)s hours"),
        N_("Bring samples and papers that the lab asked for, and check in on arrival."),
    ),
    ("reminder_1h", "holder", _BY_HOLDER): Wording(
        N_("In 1 hour: %(equipment)s, %(slot)s"),
        N_("Your slot begins in 1 hour"),
        N_("Check in on arrival: without a check-in the slot is given up %(patience_minutes)s after its start."),
    ),
}
