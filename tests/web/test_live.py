"""Streams over several server processes: who looks is told, soon and not too often, and no server waits for them."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine

from core.db import unit_of_work
from members import service as members
from members.models import Person
from tests.cast import Cast
from tests.faults.servers import running_servers

SOON_S = 5.0


class Listener:
    """Reads a stream in a thread of its own and keeps what it said."""

    def __init__(self, address: str, path: str, token: str) -> None:
        self.said: list[str] = []
        self.is_over = threading.Event()
        self._client = httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._path = path
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("hello")

    def _read(self) -> None:
        try:
            with self._client.stream("GET", self._path) as answer:
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        self.said.append(line.removeprefix("event: "))
        except httpx2.HTTPError:
            pass
        self.is_over.set()

    def wait_for(self, word: str, times: int = 1, within_s: float = SOON_S) -> None:
        deadline = time.monotonic() + within_s
        while self.said.count(word) < times:
            assert time.monotonic() < deadline, f"{word} not said {times} times: {self.said}"
            time.sleep(0.02)

    def settle(self) -> int:
        """How often `changed` was said once nothing more comes."""
        time.sleep(1)
        return self.said.count("changed")


@pytest.fixture
def servers(engine: Engine, cast: Cast, database_url: str, tmp_path: Path) -> Iterator[list[str]]:
    with running_servers(database_url, tmp_path, 2) as addresses:
        yield addresses


def token_of(engine: Engine, person: Person) -> str:
    with unit_of_work(engine) as session:
        return members.issue_api_token(session, person, now=datetime.now(UTC))


def ask(address: str, token: str, entry: object) -> httpx2.Response:
    start = (datetime.now(UTC) + timedelta(days=2)).replace(hour=4, minute=0, second=0, microsecond=0)
    end = start + timedelta(hours=1)
    body = {"equipment_id": str(entry), "starts_at": start.isoformat(), "ends_at": end.isoformat()}
    return httpx2.post(f"{address}/api/v1/bookings", json=body, headers={"Authorization": f"Bearer {token}"})


def test_a_booking_on_one_server_is_told_by_the_other(engine: Engine, cast: Cast, servers: list[str]) -> None:
    here, there = servers
    lab = Listener(there, "/lab/live", token_of(engine, cast.manager))
    foreign = Listener(there, "/lab/live", token_of(engine, cast.other_manager))
    instrument = Listener(there, f"/equipment/{cast.printer.public_id}/live", token_of(engine, cast.stranger))
    before = [one.settle() for one in (lab, foreign, instrument)]

    answer = ask(here, token_of(engine, cast.owner), cast.printer.public_id)

    assert answer.status_code == 201, answer.text
    lab.wait_for("changed", before[0] + 1)
    instrument.wait_for("changed", before[2] + 1)
    assert foreign.settle() == before[1]


def test_the_third_stream_of_a_person_ends_the_first(engine: Engine, cast: Cast, servers: list[str]) -> None:
    token = token_of(engine, cast.manager)
    first, second = (Listener(servers[0], "/lab/live", token) for _ in range(2))

    third = Listener(servers[0], "/lab/live", token)

    first.wait_for("over")
    assert first.is_over.wait(SOON_S)
    assert not second.is_over.is_set() and not third.is_over.is_set()


def test_a_server_that_stops_does_not_wait_for_its_streams(
    engine: Engine, cast: Cast, database_url: str, tmp_path: Path
) -> None:
    with running_servers(database_url, tmp_path, 1) as (address,):
        stream = Listener(address, "/lab/live", token_of(engine, cast.manager))
        started = time.monotonic()

    assert time.monotonic() - started < SOON_S
    assert stream.is_over.wait(SOON_S)
