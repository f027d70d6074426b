"""A process of clients: until a moment it books, moves, approves, declines and cancels at random, and writes a history.

`python -m tests.faults.crowd PLAN.json NUMBER`
"""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.faults import history
from tests.faults.history import Operation, Outcome

HOUR = 3600
#: How often an operation of unknown outcome is asked again, and the wait before.
TRIES, PAUSE_S = 8, 0.4
WEIGHTS = {"request": 10, "cancel": 5, "move": 4, "approve": 3, "decline": 1, "block": 0.05}


@dataclass
class Plan:
    """What all processes of a run share."""

    addresses: list[str]
    #: Public ids of instruments, and of their units.
    entries: dict[str, list[str]]
    #: Tokens by e-mail.
    bookers: dict[str, str]
    managers: dict[str, str]
    #: E-mails by the public id of the startup.
    holders: dict[str, str]
    #: The first of the hours for which all compete.
    first: float
    hours: int
    until: float
    folder: str

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


@dataclass
class Crowd:
    plan: Plan
    number: int
    dice: random.Random
    done: list[Operation] = field(default_factory=list)
    #: What is known of bookings: the answer, who booked, and when it was asked for.
    known: dict[str, tuple[dict[str, Any], str, float]] = field(default_factory=dict)

    def run(self) -> None:
        verbs: dict[str, Callable[[], None]] = {
            "request": self.request, "cancel": self.cancel, "move": self.move, "approve": self.approve,
            "decline": self.decline, "block": self.block,
        }  # fmt: skip
        self.servers = [httpx2.Client(base_url=address, timeout=10) for address in self.plan.addresses]
        while time.time() < self.plan.until:
            (verb,) = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
            verbs[verb]()
        history.write(Path(self.plan.folder) / f"history-{self.number}.jsonl", self.done)

    def request(self) -> None:
        who, entry = self.dice.choice([*self.plan.bookers]), self.dice.choice([*self.plan.entries])
        operation = self._new("requested", who, entry, **self._slot())
        body = {"equipment_id": entry, "purpose": operation.key, **_times(operation)}
        self._do(operation, "POST", "/bookings", body)

    def move(self) -> None:
        if (found := self._pick()) is None:
            return
        booking, holder, seen_at = found
        operation = self._new(
            "moved", holder, booking["equipment_id"], booking=booking["id"], version=booking["version"],
            seen_at=seen_at, **self._slot(),
        )  # fmt: skip
        self._do(operation, "PATCH", f"/bookings/{booking['id']}", _times(operation) | {"version": booking["version"]})

    def cancel(self) -> None:
        if (found := self._pick()) is None:
            return
        booking, holder, _ = found
        who = self.dice.choice([holder, holder, *self.plan.managers])
        self._verb("cancelled", "cancellation", booking, who, {"reason": "检修"})

    def approve(self) -> None:
        if (found := self._pick(requested=True)) is not None:
            self._verb("approved", "approval", found[0], self.dice.choice([*self.plan.managers]))

    def decline(self) -> None:
        if (found := self._pick(requested=True)) is not None:
            self._verb("declined", "refusal", found[0], self.dice.choice([*self.plan.managers]), {"reason": "停电"})

    def block(self) -> None:
        entry = self.dice.choice([*self.plan.entries])
        unit, who = self.dice.choice(self.plan.entries[entry]), self.dice.choice([*self.plan.managers])
        operation = self._new("blocked", who, entry, unit=unit, **self._slot())
        self._do(operation, "POST", "/lab/outages", _times(operation) | {"unit_id": unit, "reason": "检修"})

    def _verb(
        self, verb: str, path: str, booking: dict[str, Any], who: str, body: dict[str, str] | None = None
    ) -> None:
        operation = self._new(verb, who, booking["equipment_id"], booking=booking["id"])
        self._do(operation, "POST", f"/bookings/{booking['id']}/{path}", body or {})

    def _new(self, verb: str, who: str, entry: str, **values: Any) -> Operation:
        return Operation(key=f"{self.number}-{len(self.done)}", verb=verb, who=who, entry=entry, **values)

    def _slot(self) -> dict[str, float]:
        start = self.plan.first + self.dice.randrange(self.plan.hours) * HOUR
        return {"starts_at": start, "ends_at": start + self.dice.choice([1, 1, 2]) * HOUR}

    def _pick(self, *, requested: bool = False) -> tuple[dict[str, Any], str, float] | None:
        """A booking that somebody knows; sometimes all of the lab's, so that processes meet over one booking."""
        if not self.known or self.dice.random() < 0.1:
            self._look()
        found = [one for one in self.known.values() if not requested or one[0]["state"] == "requested"]
        return self.dice.choice(found[-30:]) if found else None

    def _look(self) -> None:
        state = self.dice.choice(["requested", "approved"])
        asked_at = time.time()
        token = self.dice.choice([*self.plan.managers.values()])
        try:
            answer = self.dice.choice(self.servers).get(
                f"/api/v1/bookings?state={state}&limit=100", headers={"Authorization": f"Bearer {token}"}
            )
        except httpx2.HTTPError:
            return
        for booking in answer.json()["items"] if answer.status_code == 200 else []:
            self.known[booking["id"]] = (booking, self.plan.holders[booking["organisation_id"]], asked_at)

    def _do(self, operation: Operation, method: str, path: str, body: dict[str, Any]) -> None:
        """Ask, and after an unknown outcome half of the time ask again until the answer is clear."""
        operation.invoked_at = time.time()
        tries = TRIES if self.dice.random() < 0.5 else 1
        for number in range(tries):
            if number:
                time.sleep(PAUSE_S)
            operation.tried_at = time.time()
            self._try(operation, method, path, body)
            operation.answered_at = time.time()
            if operation.outcome is not Outcome.UNKNOWN or operation.status == 500:
                break
        self.done.append(operation)
        self._learn(operation)

    def _try(self, operation: Operation, method: str, path: str, body: dict[str, Any]) -> None:
        token = (self.plan.bookers | self.plan.managers)[operation.who]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"op-{operation.key}"}
        try:
            answer = self.dice.choice(self.servers).request(method, f"/api/v1{path}", json=body, headers=headers)
        except httpx2.HTTPError as error:
            operation.outcome, operation.status, operation.code = Outcome.UNKNOWN, 0, type(error).__name__
            return
        operation.status = answer.status_code
        if answer.status_code in (200, 201):
            operation.outcome, operation.code, operation.answer = Outcome.OK, "", answer.json()
        elif answer.status_code < 500:
            operation.outcome, operation.code = Outcome.REFUSED, answer.json()["code"]
        else:
            operation.outcome, operation.code = Outcome.UNKNOWN, str(answer.status_code)

    def _learn(self, operation: Operation) -> None:
        if operation.outcome is Outcome.OK and operation.verb != "blocked":
            operation.booking = operation.answer["id"]
            holder = self.known[operation.booking][1] if operation.booking in self.known else operation.who
            self.known.pop(operation.booking, None)
            self.known[operation.booking] = (operation.answer, holder, operation.invoked_at)
        elif operation.outcome is Outcome.REFUSED and operation.verb != "moved" and self.dice.random() < 0.8:
            self.known.pop(operation.booking, None)


def _times(operation: Operation) -> dict[str, str]:
    return {
        name: datetime.fromtimestamp(getattr(operation, name), UTC).isoformat() for name in ("starts_at", "ends_at")
    }


def main() -> None:
    path, number = Path(sys.argv[1]), int(sys.argv[2])
    plan = Plan(**json.loads(path.read_text()))
    Crowd(plan, number, random.Random(number)).run()


if __name__ == "__main__":
    main()
