"""What an export says beside its file. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.i18n import N_
from equipment.models import AssetState, Equipment

#: What can be said of an instrument's field, in the order of weight.
FINDING_NAMES = {
    "clash": N_("left out: cut to its width the number is that of another instrument"),
    "state": N_("left out: lost, scrapped or transferred"),
    "class": N_("left out: not of class 03"),
    "missing": N_("missing"),
    "cut": N_("cut"),
    "replaced": N_("replaced"),
}
#: The ministry and the platform do not count these: the institution does not have them any more.
GONE_STATES = frozenset({AssetState.LOST, AssetState.SCRAPPED, AssetState.TRANSFERRED})
#: Instruments that a group names.
FIRST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that did not go into the file as it is: a key of FINDING_NAMES."""

    asset_number: str
    column: str
    code: str
    before: str = ""
    after: str = ""


@dataclass
class Group:
    """Findings of one column and one kind: how many, and the first of them."""

    column: str
    code: str
    count: int = 0
    first: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Export:
    """A file, how many instruments it holds and leaves out, and what one should look at before handing it in."""

    content: bytes
    count: int
    left_out: int
    findings: list[Finding]


def group_findings(findings: Iterable[Finding]) -> list[Group]:
    """By column and kind, what was left out first, then the most frequent."""
    groups: dict[tuple[str, str], Group] = {}
    for finding in findings:
        group = groups.setdefault((finding.column, finding.code), Group(finding.column, finding.code))
        group.count += 1
        if len(group.first) < FIRST:
            group.first.append(finding)
    weight = list(FINDING_NAMES)
    return sorted(groups.values(), key=lambda group: (weight.index(group.code), -group.count, group.column))


def without_gone(entries: Iterable[Equipment], column: str) -> tuple[list[Equipment], list[Finding]]:
    """The entries that the institution still has, and a finding for each other one."""
    kept, findings = [], []
    for entry in entries:
        if entry.asset_state in GONE_STATES:
            findings.append(Finding(entry.asset_number, column, "state"))
        else:
            kept.append(entry)
    return kept, findings
