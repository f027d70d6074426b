"""Debian's Firefox over WebDriver BiDi, spoken directly: no driver program and no download is needed."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = ("firefox-esr", "firefox")
START_S = 60
ANSWER_S = 30
PREFERENCES = [
    "app.update.enabled",
    "datareporting.policy.dataSubmissionEnabled",
    "browser.shell.checkDefaultBrowser",
    "browser.aboutwelcome.enabled",
    "extensions.update.enabled",
    "network.captive-portal-service.enabled",
    "network.connectivity-service.enabled",
    "browser.startup.page",
]


class NoFirefox(RuntimeError):
    """No Firefox is installed."""


class BidiError(RuntimeError):
    """Firefox refused a command, or a script failed."""


def find_firefox() -> str:
    for name in FIREFOX:
        if path := shutil.which(name):
            return path
    raise NoFirefox("No Firefox on this machine. On Debian: apt install firefox-esr")


@contextlib.contextmanager
def firefox() -> Iterator["Firefox"]:
    """Start Firefox without a screen, with a profile of its own, and end it."""
    with tempfile.TemporaryDirectory(prefix="yixiang-firefox-", ignore_cleanup_errors=True) as folder:
        lines = [f'user_pref("{name}", {0 if name.endswith("page") else "false"});' for name in PREFERENCES]
        (Path(folder) / "user.js").write_text("\n".join(lines))
        log = (Path(folder) / "log").open("w+")
        command = [find_firefox(), "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            with connect(f"{_address(process, Path(folder) / 'log')}/session", max_size=None, proxy=None) as socket:
                found = Firefox(socket)
                found.send("session.new", {"capabilities": {}})
                yield found
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise NoFirefox(f"Firefox did not start:\n{log.read_text()[-1500:]}")


class Firefox:
    """One connection; commands are answered in turn, events are left aside."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=ANSWER_S))
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, width: int, height: int) -> str:
        """A window with cookies of its own; its context."""
        user = self.send("browser.createUserContext", {})["userContext"]
        context: str = self.send("browsingContext.create", {"type": "tab", "userContext": user})["context"]
        viewport = {"width": width, "height": height}
        self.send("browsingContext.setViewport", {"context": context, "viewport": viewport})
        return context

    def goto(self, context: str, url: str) -> None:
        self.send("browsingContext.navigate", {"context": context, "url": url, "wait": "complete"})

    def run(self, context: str, script: str) -> Any:
        """The value of an expression, as JSON carries it."""
        wrapped = f"(async () => JSON.stringify(await ({script}) ?? null))()"
        params = {"expression": wrapped, "target": {"context": context}, "awaitPromise": True}
        answer = self.send("script.evaluate", params)
        if answer["type"] != "success":
            raise BidiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def act(self, context: str, *sources: dict[str, Any]) -> None:
        self.send("input.performActions", {"context": context, "actions": list(sources)})
