"""What narrows the catalogue's list: the address of a search, its facets, and the chips that take a filter off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from core.formats import format_money
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from core.shapes import read_uuid
from equipment.categories import CATEGORIES
from equipment.districts import DISTRICTS
from equipment.facets import BANDS, FacetCount, Facets
from equipment.models import ServiceMode
from equipment.search import CHOICES_MOST, Search, Sort
from equipment.words import MODE_NAMES

PAGE = 20
#: The soonest free first: only what can be booked and is free in the days that are looked at.
NEXT_FREE = "next_free"
SORT_NAMES: dict[str, str] = {
    "": N_("Best match"), NEXT_FREE: N_("Next free"), Sort.PRICE.value: N_("Lowest price"), Sort.NAME.value: N_("Name")
}  # fmt: skip

_MODES = frozenset(mode.value for mode in ServiceMode)
_SORTS = frozenset(SORT_NAMES) - {""}


@dataclass(frozen=True)
class Asked:
    """A search as its address says it; what is not known there is left out."""

    q: str
    category: tuple[str, ...]
    institution: tuple[str, ...]
    mode: tuple[str, ...]
    district: tuple[str, ...]
    price: str
    voucher: str
    sort: str

    @classmethod
    def of(
        cls, *, q: str, category: Sequence[str], institution: Sequence[str], mode: Sequence[str],
        district: Sequence[str], price: str, voucher: str, sort: str,
    ) -> "Asked":  # fmt: skip
        return cls(
            q=q.strip(),
            category=_known(category, CATEGORIES),
            institution=tuple(str(key) for key in (read_uuid(each) for each in institution[:CHOICES_MOST]) if key),
            mode=_known(mode, _MODES),
            district=_known(district, DISTRICTS),
            price=price if price.isascii() and price.isdigit() and len(price) < 8 else "",
            voucher="1" if voucher == "1" else "",
            sort=sort if sort in _SORTS else "",
        )

    def search(self, cursor: str | None) -> Search:
        return Search(
            q=self.q,
            category=self.category,
            institution=tuple(key for key in map(read_uuid, self.institution) if key),
            price_max_fen=int(self.price) * 100 if self.price else None,
            limit=PAGE,
            cursor=cursor or None,
            modes=self.mode,
            districts=self.district,
            voucher=bool(self.voucher),
            sort=Sort.RELEVANCE if self.sort in ("", NEXT_FREE) else Sort(self.sort),
        )

    @property
    def filters(self) -> list[tuple[str, str]]:
        """Name and value of each filter that is on."""
        several = ("category", "institution", "mode", "district")
        pairs = [(name, value) for name in several for value in getattr(self, name)]
        return pairs + [(name, getattr(self, name)) for name in ("price", "voucher") if getattr(self, name)]

    def href(self, *, without: tuple[str, str] | None = None, cursor: str | None = None) -> str:
        """The address of this search, of a later page of it, or of the same without one filter."""
        pairs = [("q", self.q), *(pair for pair in self.filters if pair != without), ("sort", self.sort)]
        query = urlencode([pair for pair in [*pairs, ("cursor", cursor or "")] if pair[1]])
        return f"/equipment?{query}" if query else "/equipment"


def _known(values: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values[:CHOICES_MOST] if value in known))


def facet_options(asked: Asked, facets: Facets, lang: Lang) -> dict[str, list[dict[str, Any]]]:
    """Choices with their counts, by the name of the filter."""
    return {
        "category": _counted(facets.categories, asked.category, lang),
        "institution": _counted(facets.institutions, asked.institution, lang),
        "district": _counted(facets.districts, asked.district, lang),
        "mode": [
            _option(mode.value, gettext(lang, MODE_NAMES[mode]), mode.value in asked.mode, facets.modes.get(mode, 0))
            for mode in ServiceMode
        ],
        "price": [
            _option("", gettext(lang, "Any price"), not asked.price),
            *(
                _option(str(band), _up_to(band, lang), asked.price == str(band), facets.bands.get(band, 0))
                for band in BANDS
            ),
        ],
        "voucher": [_option("1", gettext(lang, "Vouchers pay a part"), bool(asked.voucher), facets.voucher)],
    }


def chips(asked: Asked, facets: Facets, lang: Lang) -> list[dict[str, str]]:
    """The filters that are on, each with the address of the search without it."""
    names = {"institution": {each.value: localised(each, lang) for each in facets.institutions}}
    return [
        {"text": _filter_text(name, value, names, lang), "href": asked.href(without=(name, value))}
        for name, value in asked.filters
    ]


def sort_options(lang: Lang) -> list[tuple[str, str]]:
    return [(sort, gettext(lang, name)) for sort, name in SORT_NAMES.items()]


def _filter_text(name: str, value: str, names: dict[str, dict[str, str]], lang: Lang) -> str:
    match name:
        case "category":
            return localised(CATEGORIES[value], lang)
        case "district":
            return localised(DISTRICTS[value], lang)
        case "mode":
            return gettext(lang, MODE_NAMES[ServiceMode(value)])
        case "price":
            return _up_to(int(value), lang)
        case "voucher":
            return gettext(lang, "Vouchers pay a part")
        case _:
            return names["institution"].get(value) or gettext(lang, "Institution")


def _counted(counts: Sequence[FacetCount], chosen: Sequence[str], lang: Lang) -> list[dict[str, Any]]:
    return [_option(each.value, localised(each, lang), each.value in chosen, each.count) for each in counts]


def _option(value: str, text: str, checked: bool, count: int | None = None) -> dict[str, Any]:
    return {"value": value, "text": text, "checked": checked, "count": count}


def _up_to(yuan: int, lang: Lang) -> str:
    return translate(lang, "up to %(price)s", price=format_money(yuan * 100))
