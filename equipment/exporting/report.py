"""What an export says beside its file. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that did not go into its field as it is: `cut`, `replaced`, or `missing`."""

    asset_number: str
    column: str
    code: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Export:
    """A file, how many instruments it holds and leaves out, and what one should look at before handing it in."""

    content: bytes
    count: int
    left_out: int
    findings: list[Finding]
