"""Words for codes, marked for the catalogue. Pure."""

from core.i18n import N_
from members.models import OrganisationKind, Role

ROLE_WORDS: dict[Role, str] = {
    Role.STARTUP_OWNER: N_("Startup owner"),
    Role.STARTUP_MEMBER: N_("Startup member"),
    Role.RESEARCHER: N_("Researcher"),
    Role.LAB_MANAGER: N_("Lab manager"),
    Role.LAB_OPERATOR: N_("Lab operator"),
    Role.FINANCE_OFFICER: N_("Finance officer"),
    Role.ZONE_ADMIN: N_("Zone administrator"),
    Role.AUDITOR: N_("Auditor"),
}
KIND_WORDS: dict[str, str] = {
    OrganisationKind.UNIVERSITY: N_("University"),
    OrganisationKind.INSTITUTE: N_("Institute"),
    OrganisationKind.MAKER_SPACE: N_("Maker space"),
    OrganisationKind.COMPANY: N_("Company"),
    OrganisationKind.TEAM: N_("Team"),
    OrganisationKind.AUTHORITY: N_("Authority"),
}
#: Actions of the trail, of all packages; one without words is shown as its code.
ACTION_WORDS: dict[str, str] = {
    "booking_requested": N_("Booking requested"),
    "booking_approved": N_("Booking approved"),
    "booking_declined": N_("Booking declined"),
    "booking_cancelled": N_("Booking cancelled"),
    "booking_moved": N_("Booking moved"),
    "booking_expired": N_("Booking expired"),
    "booking_checked_in": N_("Checked in"),
    "booking_checked_out": N_("Checked out"),
    "booking_no_show": N_("No-show"),
    "unit_blocked": N_("Unit taken out of service"),
    "voucher_issued": N_("Voucher issued"),
    "programme_created": N_("Programme created"),
    "programme_funded": N_("Programme funded"),
    "voucher_lapsed": N_("Voucher lapsed"),
    "hold_placed": N_("Voucher money held"),
    "hold_captured": N_("Voucher charged"),
    "hold_released": N_("Voucher money released"),
    "own_share_charged": N_("Own share charged"),
    "catalogue_imported": N_("Catalogue imported"),
    "person_registered": N_("Person registered"),
    "role_granted": N_("Role granted"),
    "signed_in": N_("Signed in"),
    "signed_out": N_("Signed out"),
    "token_issued": N_("Token issued"),
    "password_changed": N_("Password changed"),
    "profile_changed": N_("Profile changed"),
    "feed_renewed": N_("Feed address renewed"),
    "feed_revoked": N_("Feed address ended"),
}
