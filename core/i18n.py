"""Two languages: Chinese first, English complete. Message ids are the English texts.

The Chinese catalogue is the sum of `translations/zh_CN/*.po`, one file per package, read as they are: nothing to
compile. Pure but for reading these files once.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel.messages.pofile import read_po

from core.config import ROOT

Lang = Literal["zh-CN", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)
DEFAULT: Lang = "zh-CN"


def N_(message: str) -> str:
    """Mark a text for the catalogue; it is translated where the reader is known."""
    return message


class Term(str):
    """A message id that fills a field of a sentence: it is put into the reader's language together with it."""

    __slots__ = ()


@cache
def chinese() -> dict[str, str]:
    """Message id -> Chinese text, from all PO files. Plural messages stand under both their ids."""
    texts: dict[str, str] = {}
    for path in sorted((ROOT / "translations" / "zh_CN").glob("*.po")):
        texts |= read_catalogue(path)
    return texts


def read_catalogue(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    with path.open("rb") as file:
        for message in read_po(file, locale="zh_CN", abort_invalid=True):
            if not message.id:
                continue
            ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
            text = message.string if isinstance(message.string, str) else next(iter(message.string or ("",)))
            texts |= dict.fromkeys(ids, text)
    return texts


def gettext(lang: Lang, message: str) -> str:
    return (chinese().get(message) or message) if lang == "zh-CN" else message


def ngettext(lang: Lang, one: str, many: str, number: int) -> str:
    """Chinese has one form; English two."""
    if lang == "zh-CN":
        return chinese().get(many) or many
    return one if number == 1 else many


def translate(lang: Lang, message: str, **fields: Any) -> str:
    text = gettext(lang, message)
    return text % fields if fields else text


def choose_language(chosen: str | None, accept_language: str) -> Lang:
    """The person's choice, else the best of Accept-Language (RFC 9110, 12.5.4), else Chinese."""
    for lang in LANGS:
        if chosen == lang:
            return lang
    best: tuple[float, Lang] = (0.0, DEFAULT)
    for part in accept_language.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        found: Lang | None = {"zh": "zh-CN", "en": "en"}.get(tag.strip().lower()[:2])  # type: ignore[assignment]
        if found and quality > best[0]:
            best = (quality, found)
    return best[1]
