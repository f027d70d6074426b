"""What clients asked and what they were told: one line of JSON for each operation, with the moments of both.

All processes are on one machine, so their clocks are one clock.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer, or one that does not say whether it was done."""


@dataclass
class Operation:
    """One wish of one person. Instants are seconds since 1970."""

    key: str
    #: As the booking's event: requested, moved, approved, declined, cancelled; and blocked, for an outage.
    verb: str
    #: The e-mail of who asks.
    who: str
    entry: str
    #: Public id; of a request that which the answer names.
    booking: str = ""
    starts_at: float = 0
    ends_at: float = 0
    #: Of a move: the version that it was based on, and when that was asked for.
    version: int = 0
    seen_at: float = 0
    unit: str = ""
    invoked_at: float = 0
    #: When it was asked for the last time: after an unknown outcome it may be asked again, with the same key.
    tried_at: float = 0
    answered_at: float = 0
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0
    code: str = ""
    answer: dict[str, Any] = field(default_factory=dict, repr=False)


def write(path: Path, operations: Iterable[Operation]) -> None:
    with path.open("w") as file:
        file.writelines(json.dumps(asdict(one)) + "\n" for one in operations)


def read(paths: Iterable[Path]) -> list[Operation]:
    found = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [Operation(**one | {"outcome": Outcome(one["outcome"])}) for one in found]
