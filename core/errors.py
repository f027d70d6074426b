"""The few kinds of refusal. A package's `errors.py` names its refusals; `core/http.py` maps kind to status.

A refusal carries data, not prose: `message` is a message id with named fields, translated by whoever answers.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar


class Refusal(Exception):
    """Something that was asked for is refused; nothing has been written.

    `code` is stable and made from the class name; `fields` fill the message (a name ending in `_fen` is shown as money,
    `_at` as an instant, `_on` as a date, a Slot as a slot); `details` go to JSON as they are; `reasons` are the single
    refusals when several rules are broken at once; `field` names the input that is wrong.
    """

    code: ClassVar[str] = "refusal"
    message: ClassVar[str] = ""
    #: What would help, as a message id with the same fields; empty where the message says it.
    help: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(
        self,
        *,
        details: dict[str, Any] | None = None,
        reasons: Sequence["Refusal"] = (),
        field: str = "",
        **fields: Any,
    ) -> None:
        super().__init__(self.code)
        self.fields = fields
        self.field = field
        self.details = details or {}
        self.reasons = tuple(reasons)


class NotSignedIn(Refusal):
    """401: who asks is not known."""

    message = "Sign in to go on."


class Forbidden(Refusal):
    """403: who asks is known and may not do this."""

    message = "Your role does not allow this."


class NotFound(Refusal):
    """404: it does not exist, or it is not one's own; the answer does not tell which."""

    message = "There is nothing at this address, or it is not yours to see."


class Conflict(Refusal):
    """409: it clashes with what is there now."""

    message = "This clashes with what is there now. Load the page again."


class InvalidInput(Refusal):
    """422: what was sent cannot be used as it is. `reasons` lists all broken rules."""

    message = "What was sent cannot be used."


class TooMany(Refusal):
    """429: asked too often; `retry_after` seconds in `details`."""

    message = "Too many attempts. Try again in %(minutes)s minutes."


class Unavailable(Refusal):
    """503: the system is busy or a lock could not be had in time; trying again is safe."""

    message = "The system is busy. Nothing was changed; try again in a few seconds."
