"""What changed on the boards, as ids of instruments; for the listener of each process."""

from typing import Any

from core.live import Keys

_EVENTS = """
SELECT e.id, b.equipment_id FROM booking_events e JOIN bookings b ON b.id = e.booking_id WHERE e.id > ? ORDER BY e.id
"""
#: What stands on boards and is no booking: blocks and offers, closures, the waiting list.
_OTHERS = """
SELECT (SELECT count(*) || ':' || coalesce(sum(id), 0) FROM occupancies WHERE booking_id IS NULL),
       (SELECT count(*) || ':' || coalesce(sum(id), 0) FROM closures),
       (SELECT count(*) || ':' || coalesce(sum(id), 0) FROM wishes WHERE state = 'waiting')
"""


def find_changed(cursor: Any, mark: Any) -> tuple[Any, Keys | None]:
    """SQLite only: what was committed since a mark. Every change of a booking writes an event; anything else that a
    board shows changes its count or its sum of ids."""
    others = cursor.execute(_OTHERS).fetchone()
    if mark is None:
        (last,) = cursor.execute("SELECT coalesce(max(id), 0) FROM booking_events").fetchone()
        return (last, others), frozenset()
    last, before = mark
    rows = cursor.execute(_EVENTS, (last,)).fetchall()
    changed = frozenset(key for _id, key in rows)
    return (rows[-1][0] if rows else last, others), None if others != before else changed
