"""Names for the references that ledger rows hold."""

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from booking import queries as bookings
from core.i18n import Lang
from core.references import Named
from core.rendering import localised
from core.shapes import read_uuid

BOOKING = "booking:"


def name_references(session: Session, references: Iterable[str], lang: Lang) -> Mapping[str, Named]:
    """Instrument and slot of each `booking:<id>`."""
    keys = {text: read_uuid(text.removeprefix(BOOKING)) for text in set(references) if text.startswith(BOOKING)}
    found = bookings.find_titles(session, [key for key in keys.values() if key])
    return {
        text: Named(_name(found[key], lang), found[key].slot, f"/bookings/{key}")
        for text, key in keys.items()
        if key in found
    }


def _name(title: bookings.Title, lang: Lang) -> str:
    return " · ".join(part for part in (localised(title, lang), title.model) if part)
