"""Words for codes, marked for the catalogue. Pure."""

from core.i18n import N_
from vouchers.models import AccountClass

CLASS_WORDS: dict[AccountClass, str] = {
    AccountClass.SOURCE: N_("Source of funds"),
    AccountClass.POT: N_("Fund, not yet issued"),
    AccountClass.AVAILABLE: N_("Vouchers: available"),
    AccountClass.HELD: N_("Vouchers: held for bookings"),
    AccountClass.EARNED: N_("Earned by payees"),
    AccountClass.CLAIMED: N_("Claimed"),
    AccountClass.PAYABLE: N_("Payable"),
    AccountClass.BANK: N_("Paid by bank"),
    AccountClass.OWN_DUE: N_("Own shares due"),
    AccountClass.OWN_EARNED: N_("Own shares earned by payees"),
    AccountClass.RECOVER: N_("To be recovered"),
}
#: What a transfer is, by the first word of its cause.
CAUSE_WORDS: dict[str, str] = {
    "fund": N_("Fund allotted"),
    "issue": N_("Voucher issued"),
    "hold": N_("Held for a booking"),
    "capture": N_("Charged for actual use"),
    "release": N_("Released"),
    "lapse": N_("Lapsed, back to the fund"),
    "own": N_("Own share charged"),
}
