"""One version of terms of use, for everybody to read and print."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from core.i18n import N_, Lang, gettext
from equipment import terms as terms_room
from equipment.models import Terms
from equipment.models.terms import PARTS
from members.access import Visitor

router = APIRouter(include_in_schema=False)
PART_NAMES: dict[str, str] = {
    "content": N_("What is done and delivered"),
    "intellectual_property": N_("Intellectual property"),
    "confidentiality": N_("Confidentiality"),
    "damage": N_("Damage and liability"),
}


@router.get("/terms/{terms_id}")
def show_terms(terms_id: UUID, caller: Visitor) -> Response:
    with caller.read() as session:
        terms = terms_room.get_terms(session, terms_id)
        whose = terms_room.name_of_level(session, terms)
    return caller.render(
        "pages/equipment/terms_reading.html", terms=terms, whose=whose, parts=part_rows(terms, caller.lang)
    )


def part_rows(terms: Terms, lang: Lang) -> list[dict[str, Any]]:
    """The four parts with their headings."""
    return [{"name": name, "label": gettext(lang, PART_NAMES[name]), "text": getattr(terms, name)} for name in PARTS]
