"""Jinja2, once per language, with the filters that templates format by. Templates hold no logic and no query."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core import formats
from core.config import ROOT
from core.i18n import Lang, gettext, ngettext
from core.money import format_signed_yuan, format_yuan
from core.slot import Slot


class Renderer:
    """Renders a template in a language; knows the zone in which times are shown and where static files lie."""

    def __init__(self, *, zone: str, static: Path, extra: Mapping[str, Any] | None = None) -> None:
        self.zone = ZoneInfo(zone)
        self._static = static
        self._environments: dict[Lang, Environment] = {
            "zh-CN": self._make_environment("zh-CN", extra or {}),
            "en": self._make_environment("en", extra or {}),
        }

    def render(self, lang: Lang, template: str, context: Mapping[str, Any]) -> str:
        return self._environments[lang].get_template(template).render(context)

    def environment(self, lang: Lang) -> Environment:
        return self._environments[lang]

    def static_url(self, path: str) -> str:
        """An address that changes with the file, so that browsers may keep it for a year."""
        return f"/static/{path}?v={_digest(self._static / path)}"

    def _make_environment(self, lang: Lang, extra: Mapping[str, Any]) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(ROOT / "templates"),
            autoescape=select_autoescape(disabled_extensions=("txt",), default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            lambda message: gettext(lang, message),
            lambda one, many, number: ngettext(lang, one, many, number),
            newstyle=True,
        )
        environment.filters.update(self._filters(lang))
        environment.globals.update({"lang": lang, "static": self.static_url, **extra})
        return environment

    def _filters(self, lang: Lang) -> dict[str, Callable[..., str]]:
        zone = self.zone

        def on(value: date | datetime) -> date:
            return value.astimezone(zone).date() if isinstance(value, datetime) else value

        return {
            "money": formats.format_money,
            "yuan": format_yuan,
            "signed": format_signed_yuan,
            "slot": lambda slot, year=False: formats.format_slot(slot, lang, zone, year=year),
            "slot_time": lambda slot: _clock_times(slot, zone),
            "day": lambda value, year=False: formats.format_date(on(value), lang, year=year),
            "weekday": lambda value: formats.format_weekday(on(value), lang),
            "month": lambda value: formats.format_month(on(value), lang),
            "time": lambda at: formats.format_time(at, zone),
            "instant": lambda at, year=False: formats.format_instant(at, lang, zone, year=year),
            "iso": lambda value: value.isoformat(),
            "hours": lambda minutes: formats.format_length(minutes, lang),
            "number": lambda value, places=1: formats.format_number(value, places=places),
            "percent": lambda share, places=1: formats.format_percent(share, places=places),
            "local": lambda item, name="name": localised(item, lang, name),
        }


def localised(item: Any, lang: Lang, name: str = "name") -> str:
    """`name_en` for English where there is one, else `name_zh`."""
    text: str = getattr(item, f"{name}_en", "") if lang == "en" else ""
    return text or getattr(item, f"{name}_zh")


def _clock_times(slot: Slot, zone: ZoneInfo) -> str:
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    return f"{start:%H:%M}–{'24:00' if end.hour == end.minute == 0 else f'{end:%H:%M}'}"


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else "missing"
