"""A window of either browser with the few things that tests of both need."""

import time
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext

from tests.browser.firefox import BidiError, Firefox

SOON_S = 10.0
#: Names of keys as WebDriver spells them.
KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Enter": "\ue007",
        "Escape": "\ue00c", "Shift": "\ue008", "Tab": "\ue004"}  # fmt: skip


class Window(Protocol):
    def goto(self, path: str) -> None: ...
    def run(self, script: str) -> Any: ...
    def press(self, *keys: str) -> None:
        """Keys one after the other; `Shift+ArrowRight` holds the first."""

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, touch: bool = False) -> None:
        """Press, move in steps, let go; a finger rests first."""

    def close(self) -> None: ...


def wait_for(window: Window, script: str, within_s: float = SOON_S) -> Any:
    """The first true value of an expression; a page that is just loading is asked again."""
    deadline = time.monotonic() + within_s
    found: Any = None
    while time.monotonic() < deadline:
        try:
            if found := window.run(script):
                return found
        except (BidiError, Exception) as error:  # the page goes while it is asked
            found = error
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {script} ({found})")


def middle_of(window: Window, selector: str) -> tuple[float, float]:
    """Where the middle of an element is on the screen, scrolled into view."""
    script = f"""(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});
        const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()"""
    x, y = wait_for(window, script)
    return x, y


def click(window: Window, selector: str) -> None:
    wait_for(window, f"(document.querySelector({selector!r})?.click(), !!document.querySelector({selector!r}) || true)")


def sign_in(window: Window, who: str) -> None:
    window.goto("/demo/people")
    form = f'form:has(input[value="{who}@example.com"]) button'
    wait_for(window, f"(document.querySelector('{form}').click(), true)")
    wait_for(window, "!location.pathname.startsWith('/demo/people') && document.readyState === 'complete'")


class ChromiumWindow:
    def __init__(self, browser: Browser, address: str, width: int) -> None:
        self._context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, locale="zh-CN", base_url=address, has_touch=width < 500
        )
        self._page = self._context.new_page()

    def goto(self, path: str) -> None:
        self._page.goto(path)

    def run(self, script: str) -> Any:
        return self._page.evaluate(f"async () => (await ({script}))")

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, touch: bool = False) -> None:
        if touch:
            self._drag_finger(start, end)
            return
        self._page.mouse.move(*start)
        self._page.mouse.down()
        self._page.mouse.move(*end, steps=8)
        self._page.mouse.up()

    def _drag_finger(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        session = self._context.new_cdp_session(self._page)

        def send(kind: str, *points: tuple[float, float]) -> None:
            touches = [{"x": x, "y": y} for x, y in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

        send("touchStart", start)
        self._page.wait_for_timeout(500)
        for step in range(1, 9):
            send("touchMove", (start[0] + (end[0] - start[0]) * step / 8, start[1] + (end[1] - start[1]) * step / 8))
        send("touchEnd")

    def close(self) -> None:
        self._context.close()


class FirefoxWindow:
    def __init__(self, browser: Firefox, address: str, width: int) -> None:
        self._browser, self._address = browser, address
        self._context = browser.open(width, 900)

    def goto(self, path: str) -> None:
        self._browser.goto(self._context, self._address + path)

    def run(self, script: str) -> Any:
        return self._browser.run(self._context, script)

    def press(self, *keys: str) -> None:
        actions: list[dict[str, Any]] = []
        for key in keys:
            parts = [KEYS.get(part, part) for part in key.split("+")]
            actions += [{"type": "keyDown", "value": part} for part in parts]
            actions += [{"type": "keyUp", "value": part} for part in reversed(parts)]
        self._browser.act(self._context, {"type": "key", "id": "keys", "actions": actions})

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, touch: bool = False) -> None:
        steps = [
            {"type": "pointerMove", "duration": 20, "x": round(start[0] + (end[0] - start[0]) * step / 8),
             "y": round(start[1] + (end[1] - start[1]) * step / 8)}
            for step in range(1, 9)
        ]  # fmt: skip
        actions = [
            {"type": "pointerMove", "x": round(start[0]), "y": round(start[1])}, {"type": "pointerDown", "button": 0},
            {"type": "pause", "duration": 500 if touch else 20}, *steps, {"type": "pointerUp", "button": 0},
        ]  # fmt: skip
        kind = "touch" if touch else "mouse"
        source = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        self._browser.act(self._context, source)

    def close(self) -> None:
        self._browser.send("browsingContext.close", {"context": self._context})
