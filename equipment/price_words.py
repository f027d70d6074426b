"""Versions of prices in words. Pure."""

from core.formats import format_date, format_money
from core.i18n import Lang, gettext, translate
from equipment.models import ChargeUnit, Tariff, Tier
from equipment.words import TIER_NAMES, UNIT_NAMES


def rates_by_tier(tariff: Tariff, lang: Lang) -> list[tuple[str, str]]:
    """Who pays, and what: `¥300.00/hour, ¥80.00/sample`; tiers and units in their order."""
    rows = []
    for tier in Tier:
        prices = {rate.charge_unit: rate.price_fen for rate in tariff.rates if rate.tier is tier}
        texts = [
            f"{format_money(prices[unit])}/{gettext(lang, UNIT_NAMES[unit])}" for unit in ChargeUnit if unit in prices
        ]
        if texts:
            rows.append((gettext(lang, TIER_NAMES[tier]), ", ".join(texts)))
    return rows


def rates_text(tariff: Tariff, lang: Lang) -> str:
    between = "；" if lang == "zh-CN" else "; "
    return between.join(f"{who} {prices}" for who, prices in rates_by_tier(tariff, lang))


def version_text(tariff: Tariff, lang: Lang) -> str:
    """`from Mon 1 Mar 2027: Own institution ¥100.00/hour; ...`."""
    on = format_date(tariff.effective_on, lang, year=True)
    return translate(lang, "from %(on)s: %(prices)s", on=on, prices=rates_text(tariff, lang))
