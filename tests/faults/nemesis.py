"""Processes that are killed without warning and started again, while others use them."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.servers import find_free_port, wait_for

#: Seconds between two faults, and how long what was killed stays away.
PAUSES, AWAY = (0.8, 2.0), (0.1, 0.8)


@dataclass
class Victim:
    """One process of ours, with what it takes to start it anew."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Nemesis:
    """Kills one of several things at a time: by name, how to kill it and how to start it again."""

    dice: random.Random
    victims: dict[str, tuple[Callable[[], None], Callable[[], None]]]
    killed: Counter[str] = field(default_factory=Counter)

    def rage(self, until: float) -> None:
        """Go on until a moment, with everything started again at the end."""
        names = list(self.victims)
        while time.time() + PAUSES[1] + AWAY[1] < until:
            time.sleep(self.dice.uniform(*PAUSES))
            name = self.dice.choice(names) if self.killed.total() >= len(names) else names[self.killed.total()]
            kill, start = self.victims[name]
            kill()
            self.killed[name] += 1
            time.sleep(self.dice.uniform(*AWAY))
            start()


@contextlib.contextmanager
def running_victims(url: str, folder: Path, servers: int, **settings: str) -> Iterator[tuple[list[Victim], list[str]]]:
    """Server processes and one of the clock, and the servers' addresses; all are gone afterwards."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIXIANG_")}
    environment |= {
        "YIXIANG_DATABASE_URL": url, "YIXIANG_DATA_DIR": str(folder), "YIXIANG_SECRET_KEY": "test",
        **{f"YIXIANG_{name.upper()}": value for name, value in settings.items()},
    }  # fmt: skip
    victims, addresses = [], []
    for number in range(servers):
        port = find_free_port()
        command = [
            sys.executable, "-m", "uvicorn", "tests.faults.serving:app", "--port", str(port), "--log-level", "warning",
            "--no-access-log",
        ]  # fmt: skip
        victims.append(Victim(f"server {number}", command, environment, folder / f"server-{number}.log"))
        addresses.append(f"http://127.0.0.1:{port}")
    clock = [sys.executable, "-m", "tests.faults.ticking"]
    victims.append(Victim("clock", clock, environment, folder / "clock.log"))
    try:
        for victim in victims:
            victim.start()
        for address, victim in zip(addresses, victims, strict=False):
            wait_for(address, victim.log)
        yield victims, addresses
    finally:
        for victim in victims:
            victim.kill()
