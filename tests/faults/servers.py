"""Real server processes over one database, started and stopped by the test that needs them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

START_S = 40


@contextlib.contextmanager
def running_servers(url: str, folder: Path, number: int = 1, **settings: str) -> Iterator[list[str]]:
    """`number` processes without a clock; the addresses they answer at. Only these children are ever stopped."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIXIANG_")}
    environment |= {
        "YIXIANG_DATABASE_URL": url, "YIXIANG_DATA_DIR": str(folder), "YIXIANG_SECRET_KEY": "test",
        **{f"YIXIANG_{name.upper()}": value for name, value in settings.items()},
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        addresses = []
        for place in range(number):
            port = find_free_port()
            log = (folder / f"server-{place}.log").open("w")
            stack.callback(log.close)
            command = [
                sys.executable, "-m", "uvicorn", "tests.faults.serving:app", "--port", str(port), "--log-level", "warning",
                "--no-access-log", "--backlog", "512",
            ]  # fmt: skip
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(_stop, server)
            addresses.append(f"http://127.0.0.1:{port}")
        for place, address in enumerate(addresses):
            wait_for(address, folder / f"server-{place}.log")
        yield addresses


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()


def wait_for(address: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"no answer within {START_S} s:\n{log.read_text()[-2000:]}")
