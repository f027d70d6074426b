"""One demonstration and one browser for all browser tests; a context with its own cookies for each."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.stage import chromium, running_demo, sign_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_demo(tmp_path_factory.mktemp("demo")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, demo: str) -> Iterator[Callable[..., Page]]:
    """A page as somebody; a message in the console or a script's error fails the test at its end."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_one(
        who: str = "", *, lang: str = "zh-CN", width: int = 1440, dark: bool = False, script: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=lang, java_script_enabled=script, base_url=demo,
            color_scheme="dark" if dark else "light", has_touch=width < 500, accept_downloads=True,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if who:
            sign_in(page, demo, who)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [text for text in said if "the server responded with a status of 4" not in text] == []
