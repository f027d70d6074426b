"""An instrument's facts, rules and hours in words. Pure."""

from collections import defaultdict
from typing import Any

from core.formats import WEEKDAYS, format_length
from core.i18n import N_, Lang, gettext, translate
from core.rendering import localised
from equipment.models import ApprovalMode, Equipment
from members.models import Organisation

ASSIGNMENTS = {
    "known": N_("seen on a public page"),
    "part-known": N_("partly seen on a public page"),
    "literature": N_("named in the literature"),
    "demo": N_("real make and model, place invented for the demonstration"),
}


def fact_rows(entry: Equipment, lang: Lang) -> list[dict[str, str]]:
    """What it is, whose it is, and how sure that is."""
    payee = localised(entry.payee, lang)
    pairs = [
        (N_("Maker and model"), f"{entry.maker} {entry.model}".strip()),
        (N_("Specification"), entry.specification),
        (N_("Asset number"), entry.asset_number),
        (N_("Place"), f"{localised(entry.lab, lang)} {entry.lab.address}".strip()),
        (N_("Owner"), localised(entry.owner, lang)),
        (N_("Operated by"), _if_other(entry.operator, entry, lang)),
        (N_("Supervised by"), _if_other(entry.supervisor, entry, lang)),
        (N_("Paid to"), payee),
        (N_("Units"), str(len(entry.units)) if len(entry.units) > 1 else ""),
        (N_("Notes"), entry.notes),
        (N_("Source"), gettext(lang, ASSIGNMENTS[entry.assignment]) if entry.assignment in ASSIGNMENTS else ""),
    ]
    return [{"label": gettext(lang, label), "value": value} for label, value in pairs if value]


def _if_other(party: Organisation, entry: Equipment, lang: Lang) -> str:
    return "" if party.id == entry.owner_id else localised(party, lang)


def rule_rows(entry: Equipment, lang: Lang) -> list[dict[str, str]]:
    """The rules of booking as short sentences."""
    shortest, longest = (format_length(m, lang) for m in (entry.length_minutes_min, entry.length_minutes_max))
    automatic = entry.approval_mode == ApprovalMode.AUTOMATIC
    rows: list[tuple[str, str]] = [
        (gettext(lang, "Length"), f"{shortest} – {longest}"),
        (gettext(lang, "Steps of"), format_length(entry.step_minutes, lang)),
        (gettext(lang, "At most ahead"), translate(lang, "%(number)s days", number=entry.horizon_days)),
        (gettext(lang, "Approval"), gettext(lang, "at once") if automatic else gettext(lang, "by the lab")),
        (gettext(lang, "Free to cancel until before"), format_length(entry.cancel_free_minutes, lang)),
        (gettext(lang, "No-show after"), format_length(entry.no_show_minutes, lang)),
    ]
    if entry.lead_minutes:
        rows.insert(0, (gettext(lang, "At least ahead"), format_length(entry.lead_minutes, lang)))
    if entry.buffer_before_minutes or entry.buffer_after_minutes:
        minutes = entry.buffer_before_minutes + entry.buffer_after_minutes
        rows.append((gettext(lang, "Changeover"), format_length(minutes, lang)))
    return [{"label": label, "value": value} for label, value in rows]


def opening_rows(entry: Equipment, lang: Lang) -> list[dict[str, Any]]:
    """Opening hours, days with the same hours together: `周一至周五 08:30–12:00, 14:00–17:30`."""
    by_day: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in entry.hours:
        by_day[part.weekday].append((part.opens_minute, part.closes_minute))
    rows: list[tuple[list[int], list[tuple[int, int]]]] = []
    for weekday in range(7):
        stretches = sorted(by_day.get(weekday, []))
        if rows and rows[-1][1] == stretches:
            rows[-1][0].append(weekday)
        else:
            rows.append(([weekday], stretches))
    return [
        {"label": _days(days, lang), "value": ", ".join(f"{_clock(a)}–{_clock(b)}" for a, b in stretches)}
        for days, stretches in rows
        if stretches
    ]


def _days(days: list[int], lang: Lang) -> str:
    names = [f"周{WEEKDAYS['zh-CN'][day]}" if lang == "zh-CN" else WEEKDAYS["en"][day] for day in days]
    if len(days) == 7:
        return gettext(lang, "every day")
    if len(days) == 1:
        return names[0]
    return f"{names[0]}至{names[-1]}" if lang == "zh-CN" else f"{names[0]}–{names[-1]}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
