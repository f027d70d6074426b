"""The face keeps its promises without a browser: small, strict, whole in both languages."""

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment
from markupsafe import Markup

from core.config import ROOT
from core.i18n import LANGS, Lang, chinese
from core.rendering import Renderer

STATIC = ROOT / "web" / "static"
PAGES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts)
FACE = [ROOT / "templates" / "base.html", *sorted((ROOT / "templates" / "macros").glob("*.html"))]


@pytest.fixture
def render() -> Callable[..., str]:
    renderer = Renderer(zone="Asia/Shanghai", static=STATIC)
    around = {
        "request": SimpleNamespace(url=SimpleNamespace(path="/styleguide")),
        "nav": [SimpleNamespace(href="/", label="Find", icon="search", current=True, count=2)],
        "actor": SimpleNamespace(name="Zhang", organisation_name="Startup", initials="Z"),
        "csrf": "token",
        "form_fields": lambda: Markup('<input type="hidden" name="csrf" value="token">'),
        "flash": ("ok", "Saved."),
        "now": datetime(2026, 11, 23, 2, 36, tzinfo=UTC),
        "demo": True,
    }
    return lambda lang, page, **context: renderer.render(lang, page, around | context)


def test_styles_and_scripts_together_stay_under_forty_kilobytes() -> None:
    files = [*STATIC.rglob("*.css"), *STATIC.rglob("*.js")]

    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 40_000


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_template_holds_nothing_that_our_policy_would_block(page: Path) -> None:
    text = page.read_text("utf-8")

    assert not re.search(r"\sstyle=|<style|\son[a-z]+=\"|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"""(?:src|href)=["']https?://""", text)


@pytest.mark.parametrize("lang", LANGS)
def test_the_style_guide_shows_every_macro_in_under_sixty_kilobytes(render: Callable[..., str], lang: Lang) -> None:
    html = render(lang, "pages/styleguide.html")

    assert len(html.encode()) < 60 * 1024
    assert "v=missing" not in html


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 429, 500, 503])
def test_an_error_says_what_happened_and_where_to_go(render: Callable[..., str], status: int) -> None:
    html = render("zh-CN", "pages/error.html", status=status, code="some_code", detail="原因在此。", problem={})

    assert "<h1>" in html
    assert "原因在此。" in html
    assert 'href="/"' in html


def test_every_text_of_the_frame_and_the_macros_has_its_chinese() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"])

    missing = {
        text
        for path in FACE
        for _line, _function, found in environment.extract_translations(path.read_text("utf-8"))
        for text in ([found] if isinstance(found, str) else [part for part in found if part])
        if text not in chinese()
    }

    assert not missing
