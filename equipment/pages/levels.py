"""Rules, hours and prices of an instrument, a lab or an institution: the same pages for every level."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from core.errors import Refusal
from core.formats import WEEKDAYS, format_length, format_money
from core.http import Form, FormIn
from core.i18n import N_, Lang, gettext, translate
from equipment import policies, price_lists, timetables
from equipment.errors import RuleInvalid
from equipment.models import ChargeUnit, OpeningHours, Tariff, Tier
from equipment.pages.shared import Manager, around, errors_of, read_level, save
from equipment.rules import RULES, Kind, Rule
from equipment.scopes import find_scope
from equipment.tariffs import tariff_on
from equipment.timetables import Hours
from equipment.words import APPROVAL_NAMES, TIER_NAMES, UNIT_NAMES

router = APIRouter(include_in_schema=False)
ZONE = ZoneInfo("Asia/Shanghai")
CHOICES = tuple((mode.value, word) for mode, word in APPROVAL_NAMES.items())
#: Parts of the year for which one page of hours asks.
SEASONS = ("year", "season")


@router.get("/{level}/{public_id}/rules")
def show_rules(level: str, public_id: UUID, caller: Manager) -> Response:
    return _rules_page(caller, level, public_id)


@router.post("/{level}/{public_id}/rules")
def save_rules(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    """A rule that is not ticked follows the next level."""
    try:
        own = {name: _read_rule(RULES[name], form[name]) for name in form.getlist("own") if name in RULES}
        return save(
            caller, form, read_level(level), public_id, "rules",
            lambda session, scope: policies.set_rules(session, caller.actor, scope, own, now=caller.now),
            N_("Saved. It counts for new bookings; what was agreed stays."),
        )  # fmt: skip
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _rules_page(caller, level, public_id, form, refusal)


@router.get("/{level}/{public_id}/hours")
def show_hours(level: str, public_id: UUID, caller: Manager) -> Response:
    return _hours_page(caller, level, public_id)


@router.post("/{level}/{public_id}/hours")
def save_hours(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    """`year_0` ... `year_6` and `season_0` ... hold a day's stretches; all empty: the next level's hours count."""
    try:
        hours = _read_hours(form)
        return save(
            caller, form, read_level(level), public_id, "hours",
            lambda session, scope: timetables.set_hours(session, caller.actor, scope, hours, now=caller.now),
        )  # fmt: skip
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _hours_page(caller, level, public_id, form, refusal)


@router.get("/{level}/{public_id}/prices")
def show_prices(level: str, public_id: UUID, caller: Manager) -> Response:
    return _prices_page(caller, level, public_id)


@router.post("/{level}/{public_id}/prices")
def save_prices(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    try:
        text = price_lists.read_tariff(_with_days(form), today=_today(caller))
        return save(
            caller, form, read_level(level), public_id, "prices",
            lambda session, scope: price_lists.write_tariff(session, caller.actor, scope, text, now=caller.now),
            N_("Saved as a new version. What was agreed before keeps its prices."),
        )  # fmt: skip
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _prices_page(caller, level, public_id, form, refusal)


def _rules_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        own = policies.get_own_rules(session, scope)
        inherited = policies.get_inherited_rules(session, scope)
    ticked = set(form.getlist("own")) if form else set(own)
    rows = [
        {
            "name": rule.name,
            "label": gettext(caller.lang, rule.label),
            "help": gettext(caller.lang, rule.help) if rule.help else "",
            "kind": rule.kind,
            "own": rule.name in ticked,
            "value": form[rule.name] if form else _typed(rule, own.get(rule.name, inherited[rule.name])),
            "unit": gettext(caller.lang, _UNITS[rule.kind]) if rule.kind in _UNITS else "",
            "inherited": rule_text(rule, inherited[rule.name], caller.lang),
            "error": caller.explain(refusal) if refusal and refusal.field == rule.name else "",
        }
        for rule in RULES.values()
    ]
    return caller.render(
        "pages/equipment/rules.html",
        status=422 if refusal else 200,
        rules=rows,
        choices=[(value, gettext(caller.lang, text)) for value, text in CHOICES],
        errors=errors_of(caller, refusal),
        **around(caller, scope, "rules"),
    )


_UNITS = {
    Kind.MINUTES: N_("minutes"),
    Kind.DAYS: N_("days"),
    Kind.PERCENT: N_("%"),
    Kind.COUNT: N_("bookings"),
}


def rule_text(rule: Rule, value: Any, lang: Lang) -> str:
    """A rule's value in words."""
    if value is None:
        return gettext(lang, "no limit")
    if rule.kind is Kind.MINUTES:
        return format_length(value, lang) if value else gettext(lang, "none")
    if rule.kind is Kind.DAYS:
        return translate(lang, "%(number)s days", number=value)
    if rule.kind is Kind.PERCENT:
        return f"{value / 100:g} %"
    return gettext(lang, dict(CHOICES)[value]) if rule.kind is Kind.CHOICE else str(value)


def _typed(rule: Rule, value: Any) -> str:
    if value is None:
        return ""
    return f"{value / 100:g}" if rule.kind is Kind.PERCENT else str(value)


def _read_rule(rule: Rule, text: str) -> Any:
    """Raises RuleInvalid."""
    if rule.kind is Kind.CHOICE:
        return text
    if not text and rule.house is None:
        return None
    try:
        return round(float(text) * 100) if rule.kind is Kind.PERCENT else int(text)
    except (ValueError, OverflowError) as error:
        raise RuleInvalid(field=rule.name, rule=rule.label) from error


def _read_hours(form: Mapping[str, str]) -> list[Hours]:
    hours = []
    for season in SEASONS:
        rests = not form.get(f"{season}_holidays")
        days = {day: timetables.read_stretches(form.get(f"{season}_{day}", ""), field=f"{season}_{day}")
                for day in range(7)}  # fmt: skip
        if not any(days.values()):
            continue
        first = last = None
        if season == "season":
            first = timetables.read_season_day(form.get("season_first", ""), field="season_first")
            last = timetables.read_season_day(form.get("season_last", ""), field="season_last")
        hours += [
            Hours(day, opens, closes, rests, first, last) for day, found in days.items() for opens, closes in found
        ]
    return hours


def _hours_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        rows = timetables.find_hours(session, scope)
        closures = timetables.find_closures(session, scope, now=caller.now)
    typed: dict[str, str] = dict(form) if form else _hours_typed(rows)
    names = WEEKDAYS[caller.lang]
    prefix = "周" if caller.lang == "zh-CN" else ""
    return caller.render(
        "pages/equipment/hours.html",
        status=422 if refusal else 200,
        typed={name: typed.get(name, "") for name in _HOUR_FIELDS},
        days=[(day, prefix + names[day]) for day in range(7)],
        has_own=bool(rows),
        closures=closures,
        errors=errors_of(caller, refusal),
        wrong=refusal.field if refusal else "",
        **around(caller, scope, "hours"),
    )


_HOUR_FIELDS = [
    *(f"{season}_{day}" for season in SEASONS for day in range(7)),
    "year_holidays", "season_holidays", "season_first", "season_last",
]  # fmt: skip


def _hours_typed(rows: list[OpeningHours]) -> dict[str, str]:
    typed: dict[str, str] = {}
    for row in rows:
        season = "season" if row.season_first else "year"
        stretch = f"{_clock(row.opens_minute)}-{_clock(row.closes_minute)}"
        name = f"{season}_{row.weekday}"
        typed[name] = f"{typed[name]}, {stretch}" if name in typed else stretch
        if not row.closed_on_holidays:
            typed[f"{season}_holidays"] = "1"
        if row.season_first and row.season_last:
            typed["season_first"], typed["season_last"] = _season_day(row.season_first), _season_day(row.season_last)
    return typed


def _prices_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    today = _today(caller)
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        versions = price_lists.find_tariffs(session, scope)
    current = tariff_on(versions, today)
    typed = _with_days(form) if form else _tariff_typed(current)
    return caller.render(
        "pages/equipment/prices.html",
        status=422 if refusal else 200,
        typed={name: typed.get(name, "") for name in _price_fields()} | {
            "effective_on": typed.get("effective_on") or today.isoformat()
        },
        today=today,
        tiers=[(tier.value, gettext(caller.lang, name)) for tier, name in TIER_NAMES.items()],
        units=[(unit.value, gettext(caller.lang, name)) for unit, name in UNIT_NAMES.items()],
        used=[unit.value for unit in ChargeUnit if any(typed.get(f"rate_{tier}_{unit}") for tier in Tier)],
        bands=range(max(_bands_used(typed) + 1, 2)),
        weekdays=list(enumerate(WEEKDAYS[caller.lang])),
        versions=[_version_row(version, current, caller.lang) for version in versions],
        errors=errors_of(caller, refusal),
        wrong=refusal.field if refusal else "",
        **around(caller, scope, "prices"),
    )  # fmt: skip


def _price_fields() -> list[str]:
    bands = [f"band{n}_{part}" for n in range(price_lists.BANDS_MOST) for part in ("name", "days", "time", "factor")]
    rates = [f"rate_{tier}_{unit}" for tier in Tier for unit in ChargeUnit]
    return [*rates, *bands, "minimum", "setup", "operator", "rush_factor", "rush_hours", "effective_on"]


def _with_days(form: Form) -> dict[str, str]:
    """A band's days come as several boxes of one name."""
    days = {f"band{n}_days": "".join(form.getlist(f"band{n}_days")) for n in range(price_lists.BANDS_MOST)}
    return dict(form) | days


def _bands_used(typed: Mapping[str, str]) -> int:
    return sum(1 for n in range(price_lists.BANDS_MOST) if typed.get(f"band{n}_name") or typed.get(f"band{n}_time"))


def _tariff_typed(tariff: Tariff | None) -> dict[str, str]:
    if tariff is None:
        return {}
    typed = {f"rate_{rate.tier}_{rate.charge_unit}": _yuan(rate.price_fen) for rate in tariff.rates}
    for number, band in enumerate(tariff.bands):
        typed |= {
            f"band{number}_name": band.name, f"band{number}_days": band.weekdays,
            f"band{number}_time": f"{_clock(band.from_minute)}-{_clock(band.to_minute)}",
            f"band{number}_factor": f"{band.factor_bp / 10_000:g}",
        }  # fmt: skip
    for name, fen in (("minimum", tariff.minimum_fen), ("setup", tariff.setup_fen), ("operator", tariff.operator_fen)):
        if fen:
            typed[name] = _yuan(fen)
    if tariff.rush_within_minutes:
        typed["rush_factor"], typed["rush_hours"] = (
            f"{tariff.rush_bp / 10_000:g}",
            str(tariff.rush_within_minutes // 60),
        )
    return typed


def _version_row(tariff: Tariff, current: Tariff | None, lang: Lang) -> dict[str, Any]:
    rates = []
    for rate in tariff.rates:
        unit = gettext(lang, UNIT_NAMES[rate.charge_unit])
        rates.append(f"{gettext(lang, TIER_NAMES[rate.tier])} {format_money(rate.price_fen)}/{unit}")
    is_current = current is not None and tariff.id == current.id
    return {"on": tariff.effective_on, "rates": ", ".join(rates), "is_current": is_current}


def _today(caller: Manager) -> date:
    return caller.now.astimezone(ZONE).date()


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _season_day(day: int) -> str:
    return f"{day // 100:02d}-{day % 100:02d}"
