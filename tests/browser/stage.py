"""A demonstration of its own on a free port, and a real Chromium to walk through it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
START_S = 90


class NoChromium(RuntimeError):
    """No Chromium is installed."""


def find_chromium() -> str:
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    raise NoChromium("No Chromium on this machine. On Debian: apt install chromium fonts-noto-cjk")


@contextlib.contextmanager
def running_demo(data: Path) -> Iterator[str]:
    """Start `yixiang demo` as its own process; the address it answers at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIXIANG_")}
    environment |= {"PORT": str(port), "HOST": "127.0.0.1", "YIXIANG_DATA_DIR": str(data)}
    log = data / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "web.cli", "demo"], env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def sign_in(page: Page, address: str, who: str) -> None:
    """One click on the demonstration's page of people."""
    page.goto(f"{address}/demo/people")
    page.locator(f'form:has(input[value="{who}@example.com"]) button').click()
    page.wait_for_url(lambda url: "/demo/people" not in url)


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the demonstration ended:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the demonstration did not answer within {START_S} s:\n{log.read_text()[-2000:]}")
