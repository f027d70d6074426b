"""Many at once: no server error, no time-out, nothing twice."""

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx2
from sqlalchemy import Engine

from core.db import read_session
from tests.faults.contest import Field, ask, count_double_bookings, first_slot, lay_out, run_all
from tests.faults.servers import running_servers
from web.checking import check_everything

AT_ONCE = 120


def post_all(address: str, ground: Field, bodies: list[dict[str, str]], key: str = "") -> list[httpx2.Response]:
    """One connection and one thread each, let go together."""
    gate, lock, answers = threading.Barrier(len(bodies), timeout=60), threading.Lock(), list[httpx2.Response]()

    def post(number: int, body: dict[str, str]) -> None:
        token = ground.tokens[0 if key else number % len(ground.tokens)]
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        with httpx2.Client(base_url=address, headers=headers, timeout=30) as client:
            client.get("/healthz")
            gate.wait()
            answer = client.post("/api/v1/bookings", json=body)
        with lock:
            answers.append(answer)

    run_all([threading.Thread(target=post, args=(n, body)) for n, body in enumerate(bodies)])
    return answers


def test_120_posts_at_once_all_book(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, 12)
    bodies = [ask(ground, first_slot() + timedelta(hours=n)) for n in range(AT_ONCE)]

    with running_servers(database_url, tmp_path) as (address,):
        answers = post_all(address, ground, bodies)

    assert Counter(answer.status_code for answer in answers) == {201: AT_ONCE}
    with read_session(engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_120_posts_for_one_slot_book_once(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, 12)

    with running_servers(database_url, tmp_path) as (address,):
        answers = post_all(address, ground, [ask(ground, first_slot())] * AT_ONCE)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    assert count_double_bookings(engine) == 0


def test_one_key_twenty_times_at_once_is_one_booking(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine, 1)

    with running_servers(database_url, tmp_path, 2) as addresses:
        answers = post_all(addresses[0], ground, [ask(ground, first_slot())] * 20, key="same")
        answers += post_all(addresses[1], ground, [ask(ground, first_slot())] * 5, key="same")

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
