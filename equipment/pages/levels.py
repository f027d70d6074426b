"""Rules and hours of an instrument, a lab or an institution: the same pages for every level."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from core.errors import Refusal
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from equipment import policies, timetables
from equipment.freshness import fingerprint
from equipment.hour_words import clock, opening_rows, season_text, week_stretches, weekday_text
from equipment.models import OpeningHours
from equipment.pages.shared import Manager, around, errors_of, is_shown, read_level, save, seen_of, status_of
from equipment.rule_words import APPROVAL_NAMES, YES_NO, read_rule, rule_text, typed_rule
from equipment.rules import RULES, Kind, Rule
from equipment.scopes import find_scope
from equipment.timetables import Hours

router = APIRouter(include_in_schema=False)
CHOICES = {
    Kind.CHOICE: tuple((mode.value, word) for mode, word in APPROVAL_NAMES.items()),
    Kind.YES_NO: (("no", YES_NO[False]), ("yes", YES_NO[True])),
}
#: Parts of the year for which one page of hours asks.
SEASONS = ("year", "season")
_UNITS = {Kind.PERCENT: N_("%"), Kind.COUNT: N_("bookings")}
_ABOVE = {"lab": N_("Those of the lab count:"), "institution": N_("Those of the institution count:")}


@router.get("/{level}/{public_id}/rules")
def show_rules(level: str, public_id: UUID, caller: Manager) -> Response:
    return _rules_page(caller, level, public_id)


@router.post("/{level}/{public_id}/rules")
def save_rules(level: str, public_id: UUID, form: FormIn, caller: Manager) -> Response:
    """A rule that is not ticked follows the next level."""
    try:
        own = {name: read_rule(RULES[name], form[name]) for name in form.getlist("own") if name in RULES}
        return save(
            caller, form, read_level(level), public_id, "rules",
            lambda session, scope: policies.set_rules(
                session, caller.actor, scope, own, now=caller.now, seen=form["seen"]
            ),
            N_("Saved. It counts for new bookings; what was agreed stays."),
        )  # fmt: skip
    except Refusal as refusal:
        if not is_shown(refusal):
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
            lambda session, scope: timetables.set_hours(
                session, caller.actor, scope, hours, now=caller.now, seen=form["seen"]
            ),
        )  # fmt: skip
    except Refusal as refusal:
        if not is_shown(refusal):
            raise
        return _hours_page(caller, level, public_id, form, refusal)


def _rules_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        own = policies.get_own_rules(session, scope)
        inherited = policies.get_inherited_rules(session, scope)
    ticked = set(form.getlist("own")) if form else set(own)
    rows = [_rule_row(caller, rule, own, inherited, ticked, form) for rule in RULES.values()]
    wrong = refusal.field if refusal else ""
    return caller.render(
        "pages/equipment/rules.html",
        status=status_of(refusal),
        rules=rows,
        wrong=wrong,
        wrong_text=caller.explain(refusal) if refusal else "",
        seen=seen_of(form, refusal, fingerprint(own)),
        differences=[(row["label"], row["saved"]) for row in rows if row["differs"]] if refusal and not wrong else [],
        errors=errors_of(caller, refusal),
        **around(caller, scope, "rules"),
    )


def _rule_row(
    caller: Manager, rule: Rule, own: Mapping[str, Any], inherited: Mapping[str, Any], ticked: set[str],
    form: Form | None,
) -> dict[str, Any]:  # fmt: skip
    """One rule as its line shows it: what is typed, what is saved, and what would count without it."""
    saved = own.get(rule.name, inherited[rule.name])
    typed = form[rule.name] if form else typed_rule(rule, saved, caller.lang)
    is_own = rule.name in ticked
    words = rule_text(rule, saved, caller.lang)
    return {
        "name": rule.name,
        "label": gettext(caller.lang, rule.label),
        "help": gettext(caller.lang, rule.help) if rule.help else "",
        "choices": [(key, gettext(caller.lang, text)) for key, text in CHOICES.get(rule.kind, ())],
        "own": is_own,
        "value": typed,
        "unit": gettext(caller.lang, _UNITS[rule.kind]) if rule.kind in _UNITS else "",
        "inherited": rule_text(rule, inherited[rule.name], caller.lang),
        "saved": words if rule.name in own else gettext(caller.lang, "not set here"),
        "differs": is_own != (rule.name in own) or (is_own and typed != typed_rule(rule, saved, caller.lang)),
    }


def _read_hours(form: Mapping[str, str]) -> list[Hours]:
    hours = []
    for season in SEASONS:
        rests = not form.get(f"{season}_holidays")
        days = {day: timetables.read_stretches(form.get(f"{season}_{day}", ""), field=f"{season}_{day}", overnight=True)
                for day in range(7)}  # fmt: skip
        if not any(days.values()):
            continue
        first = last = None
        if season == "season":
            first = timetables.read_season_day(form.get("season_first", ""), field="season_first")
            last = timetables.read_season_day(form.get("season_last", ""), field="season_last")
        parts = timetables.split_nights(days, field=f"{season}_%s")
        hours += [Hours(day, opens, closes, rests, first, last) for day, opens, closes in parts]
    return hours


def _hours_page(
    caller: Manager, level: str, public_id: UUID, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    with caller.read() as session:
        scope = find_scope(session, caller.actor, read_level(level), public_id)
        rows = timetables.find_hours(session, scope)
        above, above_rows = timetables.find_hours_above(session, scope)
    saved = _hours_typed(rows)
    typed: Mapping[str, str] = dict(form) if form else saved
    is_stale = refusal is not None and not refusal.field
    return caller.render(
        "pages/equipment/hours.html",
        status=status_of(refusal),
        typed={name: typed.get(name, "") for name in _HOUR_FIELDS},
        days=[(day, weekday_text(day, caller.lang)) for day in range(7)],
        has_own=bool(rows),
        now_rows=opening_rows(rows or above_rows, caller.lang),
        above=gettext(caller.lang, _ABOVE[above]) if above else "",
        seen=seen_of(form, refusal, timetables.hours_mark(rows)),
        differences=_hour_differences(caller, saved, typed) if is_stale else [],
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
    for season in SEASONS:
        parts = [row for row in rows if (row.season_first is not None) == (season == "season")]
        for day, stretches in week_stretches(parts).items():
            typed[f"{season}_{day}"] = ", ".join(f"{clock(opens)}-{clock(closes)}" for opens, closes in stretches)
        if any(not part.closed_on_holidays for part in parts):
            typed[f"{season}_holidays"] = "1"
        for part in parts:
            if part.season_first and part.season_last:
                typed["season_first"], typed["season_last"] = _day(part.season_first), _day(part.season_last)
    return typed


def _hour_differences(caller: Manager, saved: Mapping[str, str], typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Days on which what is saved now is not what was typed."""
    season = gettext(caller.lang, "A season with other hours")
    if "season_first" in saved:
        first, last = (int(saved[name].replace("-", "")) for name in ("season_first", "season_last"))
        season = f"{season_text(first, caller.lang)}–{season_text(last, caller.lang)}"
    names = {"year": gettext(caller.lang, "All year"), "season": season}
    return [
        (f"{names[part]} {weekday_text(day, caller.lang)}", saved.get(f"{part}_{day}", "") or "–")
        for part in SEASONS
        for day in range(7)
        if saved.get(f"{part}_{day}", "") != typed.get(f"{part}_{day}", "")
    ]


def _day(day: int) -> str:
    return f"{day // 100:02d}-{day % 100:02d}"
