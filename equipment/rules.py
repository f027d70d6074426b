"""The rules of booking as data: what each is, its bounds, and which level decides. Pure.

An instrument may set a rule itself; else its lab's counts, else its institution's, else the house's. The result stands
in the entry's own row, so that a booking reads one row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.i18n import N_
from equipment.models import ApprovalMode


class Kind(StrEnum):
    MINUTES = "minutes"
    DAYS = "days"
    COUNT = "count"
    PERCENT = "percent"
    """Stored in basis points."""
    CHOICE = "choice"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its column of `equipment`, how it reads, and what it may be. `house` None: no limit."""

    name: str
    label: str
    kind: Kind
    house: Any
    least: int = 0
    most: int = 0
    help: str = ""

    def is_valid(self, value: Any) -> bool:
        if value is None:
            return self.house is None
        if self.kind is Kind.CHOICE:
            return value in list(ApprovalMode)
        if self.kind is Kind.YES_NO:
            return isinstance(value, bool)
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


YEAR_MINUTES = 366 * 1440
_ALL = (
    Rule("approval_mode", N_("Approval"), Kind.CHOICE, ApprovalMode.LAB),
    Rule("step_minutes", N_("Slot step"), Kind.MINUTES, 30, 1, 1440),
    Rule("length_minutes_min", N_("Shortest slot"), Kind.MINUTES, 30, 1, 62 * 1440),
    Rule("length_minutes_max", N_("Longest slot"), Kind.MINUTES, 480, 1, 62 * 1440),
    Rule("lead_minutes", N_("Book at least so long ahead"), Kind.MINUTES, 0, 0, YEAR_MINUTES),
    Rule("horizon_days", N_("Book at most so far ahead"), Kind.DAYS, 90, 1, 900),
    Rule("buffer_before_minutes", N_("Preparation before each slot"), Kind.MINUTES, 0, 0, 2 * 1440),
    Rule("buffer_after_minutes", N_("Changeover after each slot"), Kind.MINUTES, 0, 0, 2 * 1440),
    Rule("decide_minutes", N_("Time for the lab to decide"), Kind.MINUTES, 48 * 60, 1, YEAR_MINUTES),
    Rule("escalate_bp", N_("Tell the zone's office after"), Kind.PERCENT, 7500, 5000, 10_000,
         N_("So much of the time to decide. 100: never.")),
    Rule("cancel_free_minutes", N_("Free to cancel until before the start"), Kind.MINUTES, 24 * 60, 0, YEAR_MINUTES),
    Rule("cancel_fee_bp", N_("Fee for a later cancellation"), Kind.PERCENT, 0, 0, 10_000,
         N_("Of the agreed price; paid by the company itself, never by a voucher.")),
    Rule("no_show_minutes", N_("No-show after"), Kind.MINUTES, 30, 1, 2 * 1440),
    Rule("no_show_fee_bp", N_("Fee for a no-show"), Kind.PERCENT, 0, 0, 10_000,
         N_("Of the agreed price; paid by the company itself, never by a voucher.")),
    Rule("needs_qualification", N_("Only for people who are qualified"), Kind.YES_NO, False,
         help=N_("The lab grants qualifications on its page of people.")),
    Rule("company_week_bookings_max", N_("Bookings of one company in a week"), Kind.COUNT, None, 1, 1000,
         N_("Empty: no limit. The week begins on Monday.")),
    Rule("company_week_minutes_max", N_("Time of one company in a week"), Kind.MINUTES, None, 1, 7 * 1440,
         N_("Empty: no limit. The week begins on Monday.")),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}


def resolve(levels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The value of every rule. `levels`: what the instrument, the lab and the institution set, the nearest first."""
    return {rule.name: next((level[rule.name] for level in levels if rule.name in level), rule.house) for rule in _ALL}


def find_contradictions(rules: Mapping[str, Any]) -> list[str]:
    """Names of rules that do not go together: a shortest slot over the longest, a length that no step meets."""
    wrong = []
    if rules["length_minutes_min"] > rules["length_minutes_max"]:
        wrong.append("length_minutes_max")
    if rules["length_minutes_max"] < rules["step_minutes"]:
        wrong.append("step_minutes")
    return wrong
