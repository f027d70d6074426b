"""Full text in Chinese and English: grams, synonyms, and our own classes of rank, alike on both engines.

Chinese words are found by their two-character grams, Latin words by themselves and by their beginnings; names also by
pinyin and by its initials.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from uuid import UUID

from pypinyin import lazy_pinyin
from sqlalchemy import ColumnElement, and_, case, func, literal, literal_column, or_, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import Text

from equipment.errors import SearchTooLong
from equipment.models import Equipment

LONGEST = 200
TERMS_MOST = 16
_WORDS = re.compile(r"[㐀-鿿]+|[a-z0-9]+")

#: Each line: words that mean the same. The first is what an entry's own words are widened by.
SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("扫描电子显微镜", "扫描电镜", "sem", "fesem", "scanning electron microscope"),
    ("透射电子显微镜", "透射电镜", "tem", "transmission electron microscope"),
    ("电子显微镜", "电镜", "electron microscope"),
    ("聚焦离子束", "双束", "fib", "focused ion beam"),
    ("原子力显微镜", "原子力", "afm", "atomic force microscope"),
    ("共聚焦显微镜", "共聚焦", "confocal"),
    ("x射线衍射", "衍射仪", "xrd", "diffraction"),
    ("x射线光电子能谱", "光电子能谱", "xps"),
    ("核磁共振", "核磁", "nmr"),
    ("质谱", "质谱仪", "mass spectrometer", "ms"),
    ("液相色谱", "hplc", "lc"),
    ("气相色谱", "gc"),
    ("拉曼", "拉曼光谱", "raman"),
    ("红外光谱", "红外", "ftir", "infrared"),
    ("3d打印", "三维打印", "增材制造", "增材", "3d printing", "3d printer", "additive manufacturing"),
    ("选区激光熔化", "金属打印", "slm"),
    ("热重", "tga"),
    ("差示扫描量热", "dsc"),
    ("网络分析仪", "矢网", "vna", "network analyser", "network analyzer"),
    ("示波器", "oscilloscope"),
    ("光谱分析仪", "osa", "optical spectrum analyser", "optical spectrum analyzer"),
    ("电磁兼容", "emc"),
    ("三坐标", "cmm", "coordinate measuring machine"),
    ("万能试验机", "拉力机", "tensile", "universal testing machine"),
    ("表面形貌", "轮廓仪", "surface roughness", "profilometer"),
    ("激光切割", "laser cutter", "laser cutting"),
    ("光刻", "曝光", "lithography"),
)


@dataclass(frozen=True)
class Search:
    """What is looked for. `q` as typed; `cursor` from an earlier page."""

    q: str = ""
    category: str | None = None
    institution: UUID | None = None
    price_max_fen: int | None = None
    limit: int = 20
    cursor: str | None = None

    def __post_init__(self) -> None:
        if len(self.q) > LONGEST:
            raise SearchTooLong(field="q", longest=LONGEST)

    def after(self, cursor: str) -> "Search":
        return replace(self, cursor=cursor)

    def without_category(self) -> "Search":
        return replace(self, category=None, cursor=None)

    def without_institution(self) -> "Search":
        return replace(self, institution=None, cursor=None)


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
            out.append(run)
    return out


def write_grams(*, names: str, others: str) -> str:
    """The text that is searched: grams of all words, pinyin and initials of the names, and synonyms' grams."""
    everything = f"{names} {others}"
    flat = fold(everything).replace(" ", "")
    found = grams(everything)
    found += [letter for run in split(everything) if _is_chinese(run) for letter in run]
    for run in split(names):
        if _is_chinese(run):
            syllables = lazy_pinyin(run)
            found += ["".join(syllables), "".join(s[0] for s in syllables if s)]
            found += [s for s in syllables if s]
    words = set(split(everything))
    for group in SYNONYMS:
        if any((fold(word).replace(" ", "") in flat) if not _short(word) else word in words for word in group):
            for word in group:
                found += grams(word)
    return " ".join(dict.fromkeys(found))


def matches(search: Search, dialect: str) -> ColumnElement[bool]:
    """Entries that hold every word asked for. A Latin word of two letters or more also matches as a beginning."""
    terms = list(dict.fromkeys(grams(search.q)))[:TERMS_MOST]
    if not terms:
        return literal_column("1=0") if search.q.strip() else literal_column("1=1")
    if dialect == "postgresql":
        return and_(*(_has_postgresql(term) for term in terms))
    asked = " AND ".join(f'"{term}"' + ("*" if _as_prefix(term) else "") for term in terms)
    hits = text("SELECT rowid FROM equipment_grams WHERE equipment_grams MATCH :asked").bindparams(asked=asked)
    return Equipment.id.in_(hits.columns(Equipment.id))


def rank(search: Search) -> ColumnElement[int]:
    """0 the model itself, 1 the name itself, 2 a name that begins so, 3 a name that holds it, 4 all words somewhere,
    5 some word only as the beginning of another."""
    asked = fold(search.q).strip()
    if not grams(asked):
        return literal(0)
    name_zh, name_en = func.lower(Equipment.name_zh), func.lower(Equipment.name_en)
    return case(
        (func.lower(Equipment.model) == asked, 0),
        (or_(name_zh == asked, name_en == asked), 1),
        (
            or_(name_zh.startswith(asked, autoescape=True), name_en.startswith(asked, autoescape=True)),
            2,
        ),
        (or_(name_zh.contains(asked, autoescape=True), _holds_words(name_en, asked)), 3),
        (_holds_words(Equipment.grams, " ".join(dict.fromkeys(grams(search.q)))), 4),
        else_=5,
    )


def _holds_words(column: ColumnElement[str] | InstrumentedAttribute[str], words: str) -> ColumnElement[bool]:
    """Whether every word stands in a text of words separated by blanks."""
    padded = " " + column + " "
    return and_(*(padded.contains(f" {word} ", autoescape=True) for word in words.split()[:TERMS_MOST]))


def _has_postgresql(term: str) -> ColumnElement[bool]:
    words = func.string_to_array(Equipment.grams, " ", type_=ARRAY(Text))
    whole = words.contains([term])
    if not _as_prefix(term):
        return whole
    # A beginning is not in the array's index; the padded text is read for it, only where the word itself is absent.
    return or_(whole, (" " + Equipment.grams).contains(f" {term}", autoescape=True))


def _as_prefix(term: str) -> bool:
    return not _is_chinese(term) and len(term) >= 2


def _is_chinese(run: str) -> bool:
    return "㐀" <= run[0] <= "鿿"


def _short(word: str) -> bool:
    """Latin abbreviations match as whole words only: `ms` is not in `systems`."""
    return word.isascii() and len(word) <= 5 and " " not in word
