"""Races for places, 50 rounds each on both engines: several units and more who want them; two who want each other's
time; two who want the same two times in opposite order. Each has its positive control without the guards."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
from sqlalchemy import Engine

from core.db import read_session
from tests.faults.contest import (
    ROUNDS,
    Field,
    ask,
    contest,
    count_double_bookings,
    drop_database_guard,
    first_slot,
    lay_out,
    run_all,
)
from tests.faults.servers import running_servers
from tests.faults.test_race import UNSAFE
from web.checking import check_everything

CONTROL_ROUNDS = 20
UNITS = 3
HOUR = timedelta(hours=1)

#: What one of the two does in a round: (client, ground, begin of the round, own place 0 or 1, what was prepared).
Act = Callable[[httpx2.Client, Field, datetime, int, list[dict[str, object]]], list[int]]


def duel(addresses: list[str], ground: Field, act: Act, rounds: int, *, prepare: bool) -> list[list[list[int]]]:
    """Two people act at once, each at a server; both begin a round with a booking where `prepare` says so."""
    clients = [
        httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        for address, token in zip(addresses, ground.tokens, strict=True)
    ]
    outcomes: list[list[list[int]]] = []
    for turn in range(rounds):
        start = first_slot() + turn * 2 * HOUR
        mine = [_book(clients[n], ground, start + n * HOUR) for n in range(2)] if prepare else []
        gate, found = threading.Barrier(2, timeout=30), [[0], [0]]

        def run(
            n: int, gate: threading.Barrier = gate, start: datetime = start, mine: list[dict[str, object]] = mine,
            found: list[list[int]] = found,
        ) -> None:  # fmt: skip
            gate.wait()
            found[n] = act(clients[n], ground, start, n, mine)

        run_all([threading.Thread(target=run, args=(n,)) for n in range(2)])
        outcomes.append(found)
    for client in clients:
        client.close()
    return outcomes


def _book(client: httpx2.Client, ground: Field, start: datetime) -> dict[str, object]:
    answer = client.post("/api/v1/bookings", json=ask(ground, start))
    assert answer.status_code == 201, answer.text
    booking: dict[str, object] = answer.json()
    return booking


def move_to_the_other(
    client: httpx2.Client, ground: Field, start: datetime, n: int, mine: list[dict[str, object]]
) -> list[int]:
    body = ask(ground, start + (1 - n) * HOUR) | {"version": mine[n]["version"]}
    del body["equipment_id"]
    return [client.patch(f"/api/v1/bookings/{mine[n]['id']}", json=body).status_code]


def take_both(
    client: httpx2.Client, ground: Field, start: datetime, n: int, _mine: list[dict[str, object]]
) -> list[int]:
    order = (start, start + HOUR) if n == 0 else (start + HOUR, start)
    return [client.post("/api/v1/bookings", json=ask(ground, at)).status_code for at in order]


def assert_sound(engine: Engine) -> None:
    assert count_double_bookings(engine) == 0
    with read_session(engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_as_many_get_a_place_as_there_are(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, UNITS + 4, units=UNITS)

    with running_servers(database_url, tmp_path, 2) as addresses:
        outcomes = contest(addresses, ground, ROUNDS)

    assert [outcome.statuses for outcome in outcomes] == [{201: UNITS, 409: 4}] * ROUNDS
    assert {code for outcome in outcomes for code in outcome.codes} == {"", "slot_taken"}
    assert_sound(engine)


def test_without_the_guards_more_get_a_place(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, UNITS + 4, units=UNITS)
    drop_database_guard(engine)

    with running_servers(database_url, tmp_path, 2, **UNSAFE) as addresses:
        outcomes = contest(addresses, ground, CONTROL_ROUNDS)

    assert any(outcome.statuses[201] > UNITS for outcome in outcomes)
    assert count_double_bookings(engine) > 0


def test_two_who_want_each_others_time_keep_their_own(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, 2)

    with running_servers(database_url, tmp_path, 2) as addresses:
        outcomes = duel(addresses, ground, move_to_the_other, ROUNDS, prepare=True)

    assert outcomes == [[[409], [409]]] * ROUNDS
    assert_sound(engine)


def test_two_who_want_two_times_in_opposite_order_get_each_once(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    ground = lay_out(engine, 2)

    with running_servers(database_url, tmp_path, 2) as addresses:
        outcomes = duel(addresses, ground, take_both, ROUNDS, prepare=False)

    for (a, b), (c, d) in outcomes:
        assert Counter((a, d)) == Counter((b, c)) == {201: 1, 409: 1}, outcomes
    assert_sound(engine)


def test_without_the_guards_they_lie_over_each_other(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, 2)
    drop_database_guard(engine)

    with running_servers(database_url, tmp_path, 2, **UNSAFE) as addresses:
        moves = duel(addresses, ground, move_to_the_other, CONTROL_ROUNDS, prepare=True)
        duel(addresses, ground, take_both, CONTROL_ROUNDS, prepare=False)

    assert any([200] in outcome for outcome in moves)
    assert count_double_bookings(engine) > 0
