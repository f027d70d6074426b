"""Words of a search and of an entry: grams, keys, synonyms. Pure; `finding.py` asks the database.

Chinese words are found by their two-character grams, Latin words by themselves and by their beginnings; names also by
pinyin and by its initials.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from pypinyin import lazy_pinyin

from equipment.errors import SearchTooLong
from equipment.synonyms import SYNONYMS

LONGEST = 200
TERMS_MOST = 16
#: Choices of one filter that are looked at.
CHOICES_MOST = 20
#: How much of the texts of an entry is searched; a term of it is at most so long.
SEARCHED_MOST = 20_000
TERM_LONGEST = 60
SOUND_LONGEST = 36
KEY_LONGEST = 300
#: Columns of an entry that are searched.
SEARCHED = ("name_zh", "name_en", "model", "maker", "specification", "notes", "capability_zh", "capability_en")
_WORDS = re.compile(r"[㐀-鿿]+|[a-z0-9]+")


class Sort(StrEnum):
    """In which order entries come. A cursor belongs to one of them."""

    RELEVANCE = "relevance"
    """By class of match, then what can be booked, then name."""
    PRICE = "price"
    """The cheapest first; without a price last."""
    NAME = "name"
    """By pinyin."""


@dataclass(frozen=True)
class Search:
    """What is looked for. `q` as typed; several values of a filter mean any of them; `cursor` from an earlier page."""

    q: str = ""
    category: str | tuple[str, ...] | None = None
    institution: UUID | tuple[UUID, ...] | None = None
    price_max_fen: int | None = None
    limit: int = 20
    cursor: str | None = None
    modes: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    voucher: bool = False
    sort: Sort = Sort.RELEVANCE

    def __post_init__(self) -> None:
        if len(self.q) > LONGEST:
            raise SearchTooLong(field="q", longest=LONGEST)

    @property
    def categories(self) -> tuple[str, ...]:
        return (self.category,) if isinstance(self.category, str) else (self.category or ())[:CHOICES_MOST]

    @property
    def institutions(self) -> tuple[UUID, ...]:
        one = self.institution
        return (one,) if isinstance(one, UUID) else (one or ())[:CHOICES_MOST]

    @property
    def terms(self) -> list[str]:
        """The grams that an entry must hold."""
        return list(dict.fromkeys(grams(self.q)))[:TERMS_MOST]

    def after(self, cursor: str) -> "Search":
        return replace(self, cursor=cursor)


def fold(words: str) -> str:
    """Lower case, full width to half width, accents off."""
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words)).lower()
    return unicodedata.normalize("NFKC", "".join(c for c in flat if not unicodedata.combining(c)))


def split(words: str) -> list[str]:
    """Runs of Chinese characters and runs of Latin letters or digits, in order."""
    return _WORDS.findall(fold(words))


def grams(words: str) -> list[str]:
    """Two-character grams of Chinese, whole Latin words; a single character stands for itself."""
    out: list[str] = []
    for run in split(words):
        if _is_chinese(run):
            out += [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
        else:
            out.append(run[:TERM_LONGEST])
    return out


def key(words: str) -> str:
    """A name as it is compared: folded, one blank between runs and around."""
    return f" {' '.join(split(words))} "


def model_key(words: str) -> str:
    """A model as it is compared: `JSM-7900F` is `jsm 7900f` and `JSM7900F`."""
    return "".join(split(words))


def index_columns(values: Mapping[str, Any]) -> dict[str, str]:
    """What an entry is found by, from the values of its columns."""
    texts = {name: str(values.get(name) or "") for name in SEARCHED}
    names = f"{texts['name_zh']} {texts['name_en']} {texts['model']}"
    others = " ".join(texts[name] for name in ("maker", "specification", "notes", "capability_zh", "capability_en"))
    squeezed = model_key(texts["model"])
    return {
        "grams": write_grams(names=names, others=f"{others[:SEARCHED_MOST]} {squeezed}"),
        "name_zh_key": key(texts["name_zh"])[:KEY_LONGEST],
        "name_en_key": key(texts["name_en"])[:KEY_LONGEST],
        "model_key": squeezed[:KEY_LONGEST],
    }


def write_grams(*, names: str, others: str) -> str:
    """The text that is searched: grams of all words, pinyin and initials of the names, and synonyms' grams."""
    everything = f"{names} {others}"
    found = grams(everything)
    found += [letter for run in split(everything) if _is_chinese(run) for letter in run]
    for run in split(names):
        if _is_chinese(run):
            found += _sounds([syllable for syllable in lazy_pinyin(run) if syllable])
    words = key(everything)
    squeezed = words.replace(" ", "")
    for group in _FOLDED:
        if any(_holds(words, squeezed, word) for word, _ in group):
            for _, parts in group:
                found += parts
    return " ".join(dict.fromkeys(found))


def _sounds(syllables: list[str]) -> list[str]:
    """Pinyin from each syllable on, so that `shiboqi` finds 数字示波器, and initials of three characters or more."""
    starts = range(len(syllables))
    spoken = ["".join(syllables[start:])[:SOUND_LONGEST] for start in starts]
    initials = ["".join(each[0] for each in syllables[start:])[:SOUND_LONGEST] for start in starts]
    return [*spoken, *syllables, *(letters for start, letters in enumerate(initials) if start == 0 or len(letters) > 2)]


def as_prefix(term: str) -> bool:
    """A Latin term also finds words that it begins."""
    return term.isascii() and len(term) >= 2


def _holds(words: str, squeezed: str, word: str) -> bool:
    """Latin words as whole words: `ms` is not in `systems`. Chinese anywhere."""
    return f" {word} " in words if word.isascii() else word.replace(" ", "") in squeezed


def _is_chinese(run: str) -> bool:
    return "㐀" <= run[0] <= "鿿"


#: Each synonym as it is compared, with its grams.
_FOLDED = tuple(tuple((key(word).strip(), tuple(grams(word))) for word in group) for group in SYNONYMS)
