"""A history against the database that it left: what was promised and is not there, what is there and nobody asked for,
what lay over something else, what was refused without a reason, and what was not told once.

A change takes effect at one instant between its invocation and its answer, which nobody saw. `Piece` therefore knows
when a booking surely had a slot and when it may have had it: two that surely overlapped are wrong; a refusal is right
if something may have been in its way at one instant while it was decided.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from booking.models import State
from booking.states import LIVE, may_follow
from tests.faults.evidence import Case, Change, Evidence
from tests.faults.history import Operation, Outcome

#: How long after its moment a change without an answer may still have come into effect.
LATE_S = 10.0
#: Codes with which a verb may be refused here.
REFUSALS = {
    "requested": {"slot_taken", "unit_blocked"},
    "moved": {"slot_taken", "unit_blocked", "state_changed", "version_stale"},
    "approved": {"state_changed"}, "declined": {"state_changed"}, "cancelled": {"state_changed"}, "blocked": set[str](),
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A booking's state and slot between two of its changes, or an outage."""

    entry: str
    what: str
    state: State | None
    slot: tuple[float, float]
    #: From when it may and surely did, until when it surely and may.
    may_from: float
    sure_from: float
    sure_until: float
    may_until: float

    def meets(self, slot: tuple[float, float]) -> bool:
        return self.slot[0] < slot[1] and slot[0] < self.slot[1]

    @property
    def counts(self) -> bool:
        return self.state is None or self.state in LIVE


def judge(operations: list[Operation], evidence: Evidence, *, ahead_s: float = 0) -> list[str]:
    """What is wrong, in words. `ahead_s`: how far the clock's process is ahead of the others."""
    court = Court(operations, evidence, ahead_s)
    return [
        *court.find_errors(),
        *court.match_changes(),
        *court.find_overlaps(),
        *court.find_unjust_refusals(),
        *(line for case in evidence.cases.values() for line in find_wrong_mails(case, court.staff)),
    ]


class Court:
    def __init__(self, operations: list[Operation], evidence: Evidence, ahead_s: float) -> None:
        self.operations, self.evidence, self.ahead_s = operations, evidence, ahead_s
        self.staff = {one.who for one in operations if one.verb in ("approved", "declined", "blocked")}
        #: The operation that caused a change, by booking and place in its story.
        self.cause: dict[tuple[str, int], Operation] = {}
        self.wrong = list(self._match())
        self.pieces = {key: list(self._pieces(case)) for key, case in evidence.cases.items()}
        self.by_entry: dict[str, list[Piece]] = defaultdict(list)
        for piece in (one for pieces in self.pieces.values() for one in pieces if one.counts):
            self.by_entry[piece.entry].append(piece)
        for piece in self._blocks():
            self.by_entry[piece.entry].append(piece)

    def find_errors(self) -> Iterator[str]:
        for one in self.operations:
            if one.status == 500:
                yield f"{one.key}: a server error at {one.verb}"

    def match_changes(self) -> list[str]:
        return self.wrong

    def _match(self) -> Iterator[str]:
        """Every change has an operation that asked for it, and every answer has its change."""
        asked: dict[tuple[str, str, str], list[Operation]] = defaultdict(list)
        for one in self.operations:
            if one.outcome is not Outcome.REFUSED and one.verb != "blocked":
                asked[one.key if one.verb == "requested" else one.booking, one.verb, one.who].append(one)
        for case in self.evidence.cases.values():
            for number, change in enumerate(case.changes):
                if self._is_the_clocks(case, number, change):
                    continue
                named = case.key if change.verb == "requested" else case.public_id
                found = _cause(asked[named, change.verb, change.who], change)
                if found is None:
                    yield f"{case.public_id}: nobody asked that it be {change.verb} by {change.who or 'the clock'}"
                    continue
                asked[named, change.verb, change.who].remove(found)
                self.cause[case.public_id, number] = found
                yield from _compare(case, change, found)
        for one in (one for rest in asked.values() for one in rest if one.outcome is Outcome.OK):
            yield f"{one.key}: {one.verb} of {one.booking} was acknowledged and is not there"
        blocks = [one for one in self.operations if one.verb == "blocked"]
        sure = sum(one.outcome is Outcome.OK for one in blocks)
        if not sure <= len(self.evidence.blocks) <= sure + sum(one.outcome is Outcome.UNKNOWN for one in blocks):
            yield f"{len(self.evidence.blocks)} outages, but {sure} were acknowledged"

    def _is_the_clocks(self, case: Case, number: int, change: Change) -> bool:
        """Expired, or approved at once by an instrument that decides by itself."""
        by_itself = change.verb == "approved" and number == 1 and case.changes[0].at == change.at
        return not change.who and (by_itself or change.verb in ("expired", "escalated"))

    def _pieces(self, case: Case) -> Iterator[Piece]:
        spans = [self._span(case, number) for number in range(len(case.changes))] + [(inf, inf)]
        for number, change in enumerate(case.changes):
            (may_from, sure_from), (sure_until, may_until) = spans[number], spans[number + 1]
            yield Piece(
                case.entry, case.public_id, change.state, change.slot, may_from, sure_from, sure_until, may_until
            )

    def _span(self, case: Case, number: int) -> tuple[float, float]:
        """Between which instants a change took effect."""
        change, cause = case.changes[number], self.cause.get((case.public_id, number))
        if cause is not None and cause.outcome is Outcome.OK:
            return change.at, cause.answered_at
        if number and change.at == case.changes[number - 1].at:
            return self._span(case, number - 1)
        at = change.at if change.who else change.at - self.ahead_s
        return at, at + LATE_S

    def _blocks(self) -> Iterator[Piece]:
        for one in self.operations:
            if one.verb == "blocked" and one.outcome is not Outcome.REFUSED:
                sure = one.answered_at if one.outcome is Outcome.OK else inf
                slot = (one.starts_at, one.ends_at)
                yield Piece(one.entry, f"unit {one.unit}", None, slot, one.invoked_at, sure, inf, inf)

    def find_overlaps(self) -> Iterator[str]:
        """More bookings at one instant over one instant than there are units."""
        for entry, all_pieces in self.by_entry.items():
            pieces = [one for one in all_pieces if one.state is not None and one.sure_from < one.sure_until]
            for one in pieces:
                there = [o for o in pieces if o.sure_from <= one.sure_from < o.sure_until and o.meets(one.slot)]
                for start in {o.slot[0] for o in there}:
                    over = [o.what for o in there if o.slot[0] <= start < o.slot[1]]
                    if len(over) > self.evidence.units[entry] and one.what in over:
                        yield f"{entry}: {sorted(over)} at once in {self.evidence.units[entry]} units"
                        break

    def find_unjust_refusals(self) -> Iterator[str]:
        for one in self.operations:
            if one.outcome is not Outcome.REFUSED:
                continue
            if one.code not in REFUSALS[one.verb]:
                yield f"{one.key}: {one.verb} was refused with {one.code}"
            elif one.code in ("slot_taken", "unit_blocked"):
                if not self._was_full(one):
                    yield f"{one.key}: {one.code} for {one.starts_at} on {one.entry} while a unit was free"
            elif not self._had_changed(one):
                yield f"{one.key}: {one.verb} of {one.booking} was refused with {one.code} without a change"

    def _was_full(self, one: Operation) -> bool:
        """As many things as there are units may have lain over the slot at one instant."""
        slot = (one.starts_at, one.ends_at)
        near = [
            piece
            for piece in self.by_entry[one.entry]
            if piece.meets(slot) and piece.what != one.booking
            and piece.may_from <= one.answered_at and piece.may_until >= one.tried_at
        ]  # fmt: skip
        if not any((piece.state is None) == (one.code == "unit_blocked") for piece in near):
            return False
        for at in {one.tried_at, *(max(piece.may_from, one.tried_at) for piece in near)}:
            there = {piece.what for piece in near if piece.may_from <= at <= piece.may_until}
            if len(there) >= self.evidence.units[one.entry]:
                return True
        return False

    def _had_changed(self, one: Operation) -> bool:
        pieces = self.pieces.get(one.booking, [])
        if one.code == "version_stale":
            return any(one.seen_at <= piece.sure_from and piece.may_from <= one.answered_at for piece in pieces[1:])
        there = [piece for piece in pieces if piece.may_from <= one.answered_at and piece.may_until >= one.tried_at]
        return any(piece.state is not None and not may_follow(one.verb, piece.state) for piece in there)


def _cause(asked: Iterable[Operation], change: Change) -> Operation | None:
    """The operation during which the change was made; those with an answer first."""
    fits = [
        one
        for one in asked
        if one.invoked_at <= change.at
        and (change.at <= one.answered_at + (LATE_S if one.outcome is Outcome.UNKNOWN else 0))
    ]
    return min(fits, key=lambda one: (one.outcome is not Outcome.OK, one.answered_at), default=None)


def _compare(case: Case, change: Change, cause: Operation) -> Iterator[str]:
    if change.verb in ("requested", "moved") and change.slot != (cause.starts_at, cause.ends_at):
        yield f"{case.public_id}: {change.verb} to {change.slot}, asked was {cause.starts_at}"
    if cause.verb == "requested" and (case.entry, case.holder) != (cause.entry, cause.who):
        yield f"{case.public_id}: of {case.holder} on {case.entry}, asked by {cause.who} on {cause.entry}"
    if cause.answer and cause.answer["id"] != case.public_id:
        yield f"{case.public_id}: the answer was about {cause.answer['id']}"


#: Mails that a change brings, to who booked and to the lab.
HOLDER = {"declined": "booking_declined", "cancelled": "booking_cancelled", "expired": "booking_expired",
          "moved": "booking_moved", "approved": "booking_approved"}  # fmt: skip
#: Those that no change brings.
REMINDERS = ("reminder_24h", "reminder_1h", "lab_reminder", "decision_late")


def find_wrong_mails(case: Case, staff: set[str]) -> Iterator[str]:
    """One row for each change and recipient."""
    wanted: Counter[tuple[str, str]] = Counter()
    for number, change in enumerate(case.changes):
        by_lab = change.who in staff
        at_once = change.verb == "approved" and not change.who
        if change.verb in HOLDER:
            wanted[HOLDER[change.verb], case.holder] += 1
        elif number == 0 and change.state is State.REQUESTED:
            wanted["request_received", case.holder] += 1
            wanted.update(("booking_requested", person) for person in staff)
        if (change.verb in ("cancelled", "expired", "moved") and not by_lab) or at_once:
            wanted.update((HOLDER[change.verb], person) for person in staff)
    told = Counter({name: count for name, count in case.mails.items() if name[0] not in REMINDERS})
    if told != wanted:
        yield f"{case.public_id}: told {sorted((told - wanted).elements())} too much, {sorted((wanted - told).elements())} too little"
