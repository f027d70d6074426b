"""Qualifications in the reader's words. Pure."""

from datetime import datetime
from typing import Any

from core.i18n import N_, Lang, gettext
from core.rendering import localised
from equipment.categories import CATEGORIES
from equipment.qualifying import Row, Standing, local_today, standing_of

STANDING_WORDS: dict[Standing, str] = {
    Standing.ASKED: N_("asked for"),
    Standing.VALID: N_("valid"),
    Standing.EXPIRED: N_("expired"),
    Standing.ENDED: N_("ended"),
}
STANDING_BADGES: dict[Standing, str] = {
    Standing.ASKED: "wait",
    Standing.VALID: "ok",
    Standing.EXPIRED: "stop",
    Standing.ENDED: "plain",
}


def subject_text(row: Row, lang: Lang) -> str:
    """What it is for."""
    if row.entry_zh is not None:
        return (row.entry_en if lang == "en" else "") or row.entry_zh
    category = row.qualification.category
    if category:
        return localised(CATEGORIES[category], lang) if category in CATEGORIES else category
    return gettext(lang, N_("All instruments of the lab"))


def qualification_row(row: Row, lang: Lang, now: datetime) -> dict[str, Any]:
    """One line of a list."""
    held = row.qualification
    standing = standing_of(held, local_today(row.lab, now))
    return {
        "id": held.public_id,
        "who": row.person.name,
        "email": row.person.email,
        "subject": subject_text(row, lang),
        "href": f"/equipment/{row.entry_public_id}" if row.entry_public_id else "",
        "lab": localised(row.lab, lang),
        "granted_by": row.granted_by or "",
        "granted_at": held.granted_at,
        "requested_at": held.requested_at,
        "expires_on": held.expires_on,
        "ended_by": row.ended_by or "",
        "ended_at": held.ended_at,
        "words": row.words or "",
        "standing": standing,
        "state_text": gettext(lang, STANDING_WORDS[standing]),
        "state_badge": STANDING_BADGES[standing],
        "is_open": standing is not Standing.ENDED,
    }
