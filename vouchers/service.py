"""The package's verbs, for those who come from outside: `from vouchers import service as vouchers`."""

from vouchers.holds import capture_holds, charge_own_share, held_fen, place_holds, plan_share, release_holds
from vouchers.issuing import create_programme, issue_voucher, lapse_vouchers
from vouchers.ledger import SharePart, SharePlan

__all__ = [
    "SharePart",
    "SharePlan",
    "capture_holds",
    "charge_own_share",
    "create_programme",
    "held_fen",
    "issue_voucher",
    "lapse_vouchers",
    "place_holds",
    "plan_share",
    "release_holds",
]
