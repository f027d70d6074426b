"""What an opaque reference such as `booking:<id>` is called. Lower floors ask the site; the roof knows who answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.i18n import Lang
from core.slot import Slot


@dataclass(frozen=True)
class Named:
    """A thing that a row refers to, in the reader's language."""

    name: str
    slot: Slot | None
    href: str


#: Names of references, by reference; what is not known is left out. One statement for all of them.
Namer = Callable[[Session, Iterable[str], Lang], Mapping[str, Named]]


def name_none(_session: Session, _references: Iterable[str], _lang: Lang) -> Mapping[str, Named]:
    """For a site that knows no names."""
    return {}
