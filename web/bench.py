"""`yixiang bench`: fill a database with units and bookings, then measure over HTTP what people wait for.

The client is this process, the server one or more processes of its own on loopback, so both share the machine: the
figures are floors. Quote medians and ratios of one run.
"""

import contextlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, event, func, select

from booking import service as booking
from core.db import make_engine, read_session, unit_of_work
from core.migrating import migrate
from core.slot import Slot
from equipment.models import Equipment
from members import queries as members
from members.models import Organisation
from members.service import hash_token
from web import bench_sql
from web.bench_data import BENCH_CODE, Filled, fill

BOARD = "day of 100 instruments"
Ask = tuple[str, str, dict[str, Any] | None]


@dataclass(frozen=True)
class Measure:
    """One kind of request: how many a second, and how long each took."""

    name: str
    requests: int
    per_second: float
    p50_ms: float
    p95_ms: float
    #: Answers with another status than expected; none is good.
    wrong: int
    #: Processor time of the servers for one request; 0 where the system does not say.
    cpu_ms: float


@dataclass(frozen=True)
class Size:
    units: int
    bookings: int
    seconds: float
    clients: int
    servers: int
    #: Kinds to measure; none: all.
    only: tuple[str, ...] = ()


class NotABenchDatabase(RuntimeError):
    """The database holds something else; a bench would spoil it."""


def run(url: str, size: Size, *, console: Console, out: Path | None) -> list[Measure]:
    """Fill, serve, measure, print; the measures."""
    with tempfile.TemporaryDirectory(prefix="yixiang-bench-") as folder:
        url = url or f"sqlite:///{folder}/bench.db"
        engine = make_engine(url)
        migrate(engine)
        _require_own(engine)
        with Progress(console=console) as progress:
            filled = fill(engine, size.units, size.bookings, progress)
        with _serving(url, Path(folder), size.servers) as addresses:
            measures = [
                _measure(name, addresses, filled, make, expected, size, console)
                for name, make, expected in _kinds(filled)
                if not size.only or name in size.only
            ]
        _print(engine, size, measures, console)
        console.print(f"statements of a create: {_count_statements(engine, filled)}")
        if engine.dialect.name == "postgresql":
            plain = bench_sql.measure(url, size.seconds, size.clients, size.servers)
            ours = measures[0].per_second
            console.print(f"the same steps in plain SQL: {plain} per second; ours are {ours / plain:.0%} of it")
        if out:
            body = {"engine": engine.dialect.name, **asdict(size), "measures": [asdict(m) for m in measures]}
            out.write_text(json.dumps(body, indent=2) + "\n")
        engine.dispose()
    return measures


def _require_own(engine: Engine) -> None:
    with read_session(engine) as session:
        entries = session.scalar(select(func.count()).select_from(Equipment)) or 0
        own = session.scalar(select(Organisation.id).where(Organisation.code == BENCH_CODE))
    if entries and own is None:
        raise NotABenchDatabase("This database holds data of its own; give the bench an empty one.")


def _kinds(filled: Filled) -> list[tuple[str, Callable[[random.Random, int], Ask], int]]:
    """What is measured: a name, how to make the n-th request, and the status it should get."""
    week = {"from": filled.window_start.isoformat(), "to": (filled.window_start + timedelta(days=7)).isoformat()}
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in week.items())
    words = (
        "%E7%94%B5%E9%95%9C",
        "%E6%89%93%E5%8D%B0%E6%9C%BA",
        "keysight",
        "model%2012",
        "%E7%A4%BA%E6%B3%A2%E5%99%A8",
    )

    def create(_chance: random.Random, number: int) -> Ask:
        return "POST", "/api/v1/bookings", filled.free_slot(number)

    def refuse(chance: random.Random, _number: int) -> Ask:
        return "POST", "/api/v1/bookings", filled.taken_slot(chance)

    def calendar(chance: random.Random, _number: int) -> Ask:
        return "GET", f"/api/v1/equipment/{chance.choice(filled.equipment)}/calendar?{query}", None

    def board(_chance: random.Random, number: int) -> Ask:
        on = filled.window_start.date() + timedelta(days=1 + number % 7)
        return "GET", f"/api/v1/lab/board?on={on}", None

    def search(chance: random.Random, _number: int) -> Ask:
        return "GET", f"/api/v1/equipment?q={chance.choice(words)}", None

    def availability(chance: random.Random, _number: int) -> Ask:
        return "GET", f"/api/v1/availability?{query}&minutes=60&q={chance.choice(words)}", None

    return [
        ("creates", create, 201),
        ("refusals", refuse, 409),
        ("week of one instrument", calendar, 200),
        (BOARD, board, 200),
        ("searches", search, 200),
        ("availability", availability, 200),
    ]


def _measure(
    name: str,
    addresses: list[str],
    filled: Filled,
    make: Callable[[random.Random, int], Ask],
    expected: int,
    size: Size,
    console: Console,
) -> Measure:
    """Closed loop: each client asks again as soon as it is answered."""
    lock, times, wrong, numbers = threading.Lock(), list[float](), [0], iter(range(10**9))
    stop_at = time.monotonic() + size.seconds

    def client(place: int) -> None:
        chance = random.Random(place)
        connection = _Connection(addresses[place % len(addresses)])
        while time.monotonic() < stop_at:
            with lock:
                number = next(numbers)
            token = filled.manager_token if name == BOARD else filled.tokens[number % len(filled.tokens)]
            began = time.perf_counter()
            status = connection.ask(token, *make(chance, number))
            took = time.perf_counter() - began
            with lock:
                times.append(took)
                wrong[0] += status != expected
        connection.close()

    used = _cpu_s(addresses)
    began = time.monotonic()
    threads = [threading.Thread(target=client, args=(place,)) for place in range(size.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - began
    console.print(f"  {name}: {len(times)} requests in {elapsed:.1f} s")
    times.sort()
    cpu_ms = round((_cpu_s(addresses) - used) / max(len(times), 1) * 1000, 2)
    return Measure(
        name, len(times), round(len(times) / elapsed, 1), _at(times, 0.50), _at(times, 0.95), wrong[0], cpu_ms
    )  # fmt: skip


def _cpu_s(addresses: list[str]) -> float:
    """Seconds of processor time that the servers have used, as they say themselves."""
    total = 0.0
    for address in addresses:
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
            found = re.search(rb"^process_cpu_seconds_total (\S+)$", answer.read(), re.MULTILINE)
            total += float(found[1]) if found else 0.0
    return total


def _count_statements(engine: Engine, filled: Filled) -> int:
    """Statements of one create by JSON, sign-in included; counted where they go to the driver."""
    asked = filled.free_slot(200 * len(filled.equipment))
    slot = Slot(datetime.fromisoformat(asked["starts_at"]), datetime.fromisoformat(asked["ends_at"]))
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    now = datetime.now(UTC)
    try:
        with read_session(engine) as session:
            actor = members.get_actor_by_token(session, hash_token(filled.tokens[0]), purpose="api", now=now)
        assert actor is not None
        with unit_of_work(engine) as session:
            booking.request_booking(
                session, actor, equipment_id=UUID(asked["equipment_id"]), slot=slot, quantities={}, now=now
            )
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len(statements)


def _at(times: list[float], share: float) -> float:
    return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 1) if times else 0.0


class _Connection:
    """Keep-alive HTTP with nothing but the standard library: the client must not be what is measured."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._http = http.client.HTTPConnection(host, int(port), timeout=30)

    def ask(self, token: str, method: str, path: str, body: dict[str, Any] | None) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._http.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        self._http.close()


@contextlib.contextmanager
def _serving(url: str, folder: Path, number: int) -> Iterator[list[str]]:
    """Server processes of its own on free loopback ports; stopped by their handles."""
    environment = os.environ | {
        "YIXIANG_DATABASE_URL": url, "YIXIANG_DATA_DIR": str(folder), "YIXIANG_SECRET_KEY": "bench",
    }  # fmt: skip
    servers: list[subprocess.Popen[bytes]] = []
    addresses = []
    try:
        for _ in range(number):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [
                sys.executable, "-m", "uvicorn", "--factory", "web.app:create_app", "--port", str(port),
                "--log-level", "error", "--no-access-log",
            ]  # fmt: skip
            servers.append(subprocess.Popen(command, env=environment))
            addresses.append(f"http://127.0.0.1:{port}")
        for address in addresses:
            _wait(address)
        yield addresses
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(15)


def _wait(address: str) -> None:
    for _ in range(400):
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{address}/healthz", timeout=2),
        ):
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _print(engine: Engine, size: Size, measures: list[Measure], console: Console) -> None:
    title = (
        f"{engine.dialect.name}, {size.units:,} units, {size.bookings:,} bookings, {size.clients} clients, "
        f"{size.servers} server process(es), {datetime.now(UTC):%Y-%m-%d}"
    )
    table = Table("", "per second", "p50 ms", "p95 ms", "CPU ms", "requests", "wrong", title=title)
    for row in measures:
        table.add_row(
            row.name, f"{row.per_second}", f"{row.p50_ms}", f"{row.p95_ms}", f"{row.cpu_ms}", f"{row.requests}",
            f"{row.wrong}",
        )  # fmt: skip
    console.print(table)
