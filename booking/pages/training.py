"""Where somebody stands with an instrument that needs a qualification, and one's own qualifications."""

from typing import Any

from sqlalchemy.orm import Session

from equipment import qualifying
from equipment.models import Equipment
from equipment.qualification_words import qualification_row
from equipment.qualifying import Standing, local_today, may_ask, standing_of
from members.access import Visit


def training_of(session: Session, caller: Visit, entry: Equipment) -> dict[str, Any] | None:
    """None where nothing is needed, or for people who do not book; else `valid`, `waiting` or `missing`."""
    actor = caller.actor
    if not entry.needs_qualification or actor is None or not may_ask(actor):
        return None
    today = local_today(entry.lab, caller.now)
    held = qualifying.find_held(session, actor.person_id, entry.id, entry.category, entry.lab_id)
    valid = [row.expires_on for row in held if standing_of(row, today) is Standing.VALID]
    if valid:
        until = None if None in valid else max(on for on in valid if on is not None)
        return {"state": "valid", "until": until}
    waits = qualifying.find_waiting(session, actor.person_id, entry.id) is not None
    return {"state": "waiting" if waits else "missing", "until": None}


def own_qualifications(session: Session, caller: Visit) -> list[dict[str, Any]]:
    """What one has or asked for, the newest first."""
    if caller.actor is None:
        return []
    rows = qualifying.find_of_person(session, caller.actor.person_id)
    return [qualification_row(row, caller.lang, caller.now) for row in rows]
