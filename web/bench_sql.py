"""The same steps as a create in plain SQL on PostgreSQL: what the database alone could do, to measure ours against.

`python -m web.bench_sql URL SECONDS CLIENTS FIRST STEP` is one process of it and prints how many bookings it wrote.
Rows are those of a filled bench database, on hours that its clients leave alone.
"""

import json
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

#: Far enough from the hours that the measured clients book.
DAYS_AHEAD = 400
LOCK_COMPANY = "SELECT id FROM organisations WHERE id = %s FOR NO KEY UPDATE"
LOCK_UNIT = "SELECT id FROM units WHERE id = %s FOR NO KEY UPDATE"
BUSY = "SELECT id FROM occupancies WHERE unit_id = %s AND starts_at < %s AND ends_at > %s"
BOOKING = """
INSERT INTO bookings (public_id, equipment_id, unit_id, organisation_id, person_id, state, source, starts_at, ends_at,
  requested_at, is_rush, fee_fen, tier, quantities, lines, price_fen, voucher_fen, own_fen, payee_id, share_bp, paid_to,
  voucher_choice, calendar_uid, calendar_sequence, version)
VALUES (%s, %s, %s, %s, %s, 'approved', 'api', %s, %s, %s, false, 0, 'startup', '{}', '[]', 10000, 3000, 7000, %s, 3000,
  'institution', 'auto', %s, 0, 1) RETURNING id
"""
CLAIM = """
INSERT INTO occupancies (unit_id, starts_at, ends_at, kind, exclusive, booking_id)
VALUES (%s, %s, %s, 'booking', true, %s)
"""
HOLD = "INSERT INTO holds (voucher_id, reference, amount_fen, placed_at) VALUES (%s, %s, 3000, %s) RETURNING id"
TRANSFER = """
INSERT INTO transfers (from_account_id, to_account_id, amount_fen, cause, entry_id, reference, at)
VALUES (%s, %s, 3000, %s, %s, %s, %s)
"""
EVENT = """
INSERT INTO booking_events (booking_id, at, actor_id, verb, to_state, data)
VALUES (%s, %s, %s, 'requested', 'approved', '{}')
"""
OUTBOX = """
INSERT INTO outbox_messages (public_id, kind, subject, recipient, person_id, locale, data, queued_at, due_at, attempts,
  last_error, body) VALUES (%s, 'booking_approved', %s, 'nobody@bench.invalid', %s, 'zh-CN', '{}', %s, %s, 0, '', '')
"""


def measure(url: str, seconds: float, clients: int, processes: int) -> float:
    """Bookings a second by so many clients in so many processes."""
    each = max(clients // processes, 1)
    command = [sys.executable, "-m", "web.bench_sql", url.replace("+psycopg", ""), str(seconds), str(each)]
    running = [
        subprocess.Popen([*command, str(number), str(processes)], stdout=subprocess.PIPE) for number in range(processes)
    ]
    written = sum(json.loads(process.communicate()[0]) for process in running)
    return round(float(written) / seconds, 1)


def run(url: str, seconds: float, clients: int, first: int, step: int) -> int:
    """One process: its clients write until the time is over; how many bookings."""
    with psycopg.connect(url) as connection:
        units = connection.execute(
            "SELECT u.id, e.id, e.payee_id FROM units u JOIN equipment e ON e.id = u.equipment_id "
            "ORDER BY u.id LIMIT 2000"
        ).fetchall()
        people = connection.execute(
            "SELECT v.id, v.available_account_id, v.held_account_id, m.person_id, m.organisation_id "
            "FROM vouchers v JOIN memberships m ON m.organisation_id = v.organisation_id ORDER BY v.id"
        ).fetchall()
    counts = [0] * clients
    stop_at = time.monotonic() + seconds

    def client(place: int) -> None:
        number = first + step * place
        with psycopg.connect(url) as connection:
            while time.monotonic() < stop_at:
                _write(connection, units[number % len(units)], people[number % len(people)], number // len(units))
                number += step * clients
                counts[place] += 1

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _write(connection: psycopg.Connection[Any], unit: Any, person: Any, turn: int) -> None:
    unit_id, equipment_id, payee_id = unit
    voucher_id, available, held, person_id, organisation_id = person
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + timedelta(days=DAYS_AHEAD, hours=turn)
    end, public_id = start + timedelta(hours=1), uuid.uuid4()
    reference = f"booking:{public_id}"
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(LOCK_COMPANY, (organisation_id,))
        cursor.execute(LOCK_UNIT, (unit_id,))
        cursor.execute(BUSY, (unit_id, end, start))
        cursor.execute(
            BOOKING,
            (public_id, equipment_id, unit_id, organisation_id, person_id, start, end, now, payee_id, public_id.hex),
        )
        booking_id = _key(cursor)
        cursor.execute(CLAIM, (unit_id, start, end, booking_id))
        cursor.execute(HOLD, (voucher_id, reference, now))
        cursor.execute(TRANSFER, (available, held, f"hold:{_key(cursor)}", uuid.uuid4(), reference, now))
        cursor.execute(EVENT, (booking_id, now, person_id))
        cursor.execute(OUTBOX, (uuid.uuid4(), reference, person_id, now, now))


def _key(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    address, how_long, *numbers = sys.argv[1:]
    print(json.dumps(run(address, float(how_long), *(int(number) for number in numbers))))
