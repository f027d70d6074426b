"""Prices of an instrument, a lab or an institution: a form for a new version, and the versions so far."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from core.errors import NotFound, Refusal
from core.formats import WEEKDAYS, format_date
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from core.shapes import read_uuid
from equipment import price_lists
from equipment.bands import BANDS_MOST, joined_bands
from equipment.hour_words import clock
from equipment.models import ChargeUnit, Tariff, Tier
from equipment.pages.shared import Manager, around, errors_of, is_shown, read_level, save, seen_of, status_of
from equipment.price_lists import ZONE
from equipment.price_words import rates_by_tier, rates_text
from equipment.scopes import find_scope
from equipment.tariffs import tariff_on
from equipment.words import TIER_NAMES, UNIT_NAMES

router = APIRouter(include_in_schema=False)
#: Empty rows for further times of another price.
BANDS_MORE = 2


@router.get("/{level}/{public_id}/prices")
def show_prices(level: str, public_id: UUID, caller: Manager, version: UUID | None = None) -> Response:
    """`version`: what the form begins with; else the latest to come, else the one in force."""
    return _prices_page(caller, level, public_id, start=version)


@router.post("/{level}/{public_id}/prices")
def save_prices(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    try:
        text = price_lists.read_tariff(_with_days(form), today=_today(caller))
        return save(
            caller, form, read_level(level), public_id, "prices",
            lambda session, scope: price_lists.write_tariff(
                session, caller.actor, scope, text, now=caller.now, seen=form["seen"]
            ),
            N_("Saved as a new version. What was agreed before keeps its prices."),
        )  # fmt: skip
    except Refusal as refusal:
        if not is_shown(refusal):
            raise
        return _prices_page(caller, level, public_id, form, refusal)


@router.post("/{level}/{public_id}/prices/withdrawal")
def withdraw_prices(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    """A version that has not begun: the one before it goes on."""
    tariff_id = read_uuid(form["tariff"])
    if tariff_id is None:
        raise NotFound
    return save(
        caller, form, read_level(level), public_id, "prices",
        lambda session, scope: price_lists.withdraw_tariff(session, caller.actor, scope, tariff_id, now=caller.now),
        N_("Withdrawn. The prices before it go on."),
    )  # fmt: skip


def _prices_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None,
    start: UUID | None = None,
) -> Response:  # fmt: skip
    today = _today(caller)
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        versions = price_lists.find_tariffs(session, scope)
    begin = next((version for version in versions if version.public_id == start), versions[0] if versions else None)
    typed = _with_days(form) if form else _typed(begin, today)
    rows = [_version_row(version, versions, today, caller) for version in versions]
    is_stale = refusal is not None and not refusal.field
    return caller.render(
        "pages/equipment/prices.html",
        status=status_of(refusal),
        typed={name: typed.get(name, "") for name in _fields()} | {
            "effective_on": typed.get("effective_on") or today.isoformat()
        },
        today=today,
        begins_later=begin if begin and begin.effective_on > today and not form else None,
        tiers=[(tier.value, gettext(caller.lang, name)) for tier, name in TIER_NAMES.items()],
        units=[(unit.value, gettext(caller.lang, name)) for unit, name in UNIT_NAMES.items()],
        bands=range(min(_bands_used(typed) + BANDS_MORE, BANDS_MOST)),
        weekdays=list(enumerate(WEEKDAYS[caller.lang])),
        versions=rows,
        seen=seen_of(form, refusal, price_lists.tariffs_mark(versions)),
        differences=[(row["on_text"], row["rates_text"]) for row in rows[:1]] if is_stale else [],
        errors=errors_of(caller, refusal),
        wrong=refusal.field if refusal else "",
        **around(caller, scope, "prices"),
    )  # fmt: skip


def _fields() -> list[str]:
    bands = [f"band{n}_{part}" for n in range(BANDS_MOST) for part in ("name", "days", "time", "factor")]
    rates = [f"rate_{tier}_{unit}" for tier in Tier for unit in ChargeUnit]
    return [*rates, *bands, "minimum", "setup", "operator", "rush_factor", "rush_hours", "effective_on"]


def _with_days(form: Form) -> dict[str, str]:
    """A band's days come as several boxes of one name."""
    days = {f"band{n}_days": "".join(form.getlist(f"band{n}_days")) for n in range(BANDS_MOST)}
    return dict(form) | days


def _bands_used(typed: Mapping[str, str]) -> int:
    used = [n for n in range(BANDS_MOST) if typed.get(f"band{n}_name") or typed.get(f"band{n}_time")]
    return max(used, default=-1) + 1


def _typed(tariff: Tariff | None, today: date) -> dict[str, str]:
    """A version as the form holds it; one to come keeps its day, so that saving puts another in its place."""
    if tariff is None:
        return {}
    typed = {f"rate_{rate.tier}_{rate.charge_unit}": _yuan(rate.price_fen) for rate in tariff.rates}
    typed["effective_on"] = max(tariff.effective_on, today).isoformat()
    for number, band in enumerate(joined_bands(tariff.bands)):
        typed |= {
            f"band{number}_name": band.name, f"band{number}_days": band.weekdays,
            f"band{number}_time": f"{clock(band.from_minute)}-{clock(band.to_minute)}",
            f"band{number}_factor": f"{band.factor_bp / 10_000:g}",
        }  # fmt: skip
    for name, fen in (("minimum", tariff.minimum_fen), ("setup", tariff.setup_fen), ("operator", tariff.operator_fen)):
        if fen:
            typed[name] = _yuan(fen)
    if tariff.rush_within_minutes:
        typed["rush_factor"] = f"{tariff.rush_bp / 10_000:g}"
        typed["rush_hours"] = str(tariff.rush_within_minutes // 60)
    return typed


def _version_row(tariff: Tariff, versions: Sequence[Tariff], today: date, caller: Manager) -> dict[str, Any]:
    current = tariff_on(versions, today)
    before = price_lists.version_before(tariff, versions)
    is_replaced = price_lists.is_replaced(tariff, versions)
    is_coming = tariff.effective_on > today and not is_replaced
    return {
        "id": tariff.public_id,
        "on": tariff.effective_on,
        "on_text": format_date(tariff.effective_on, caller.lang, year=True),
        "rates": rates_by_tier(tariff, caller.lang),
        "rates_text": rates_text(tariff, caller.lang),
        "is_current": current is not None and tariff.id == current.id,
        "is_replaced": is_replaced,
        "is_coming": is_coming,
        "is_same": is_coming and before is not None and price_lists.says_the_same(tariff, before),
        "before": before.effective_on if before else None,
    }


def _today(caller: Manager) -> date:
    return caller.now.astimezone(ZONE).date()


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
