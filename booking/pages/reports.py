"""The usage report of a month as a page and as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import months
from booking.report_access import REPORT_READERS, Reach, labs_in_reach
from booking.report_letter import COLUMNS, MEANINGS, minutes_of, usage_cells
from booking.reports import By, Usage, UsageReport, usage_report
from core.formats import MONTHS, format_instant, format_number, format_percent
from core.i18n import N_, Lang, translate
from core.rendering import localised
from core.slot import local_date
from core.tables import write_csv
from members.access import Caller, allowed

router = APIRouter(include_in_schema=False)
ReportReader = Annotated[Caller, Depends(allowed(*REPORT_READERS))]

BY_WORDS: dict[By, str] = {
    By.EQUIPMENT: N_("Instruments"),
    By.LAB: N_("Labs"),
    By.INSTITUTION: N_("Institutions"),
    By.STARTUP: N_("Startups"),
}
CHART_ROWS = 15
CsvCell = str | float | int | None
TREND_MONTHS = 6


@dataclass(frozen=True)
class Asked:
    """What the address asks for; wrong words fall back to what one most likely wants."""

    month: date
    lab: UUID | None
    by: By | None

    def url(self, path: str = "/lab/reports", **change: Any) -> str:
        values = {"month": self.month, "lab": self.lab, "by": self.by} | change
        words = {"month": f"{values['month']:%Y-%m}", "lab": values["lab"], "by": values["by"]}
        return f"{path}?{urlencode({name: str(word) for name, word in words.items() if word})}"


def read_asked(
    caller: ReportReader,
    month: Annotated[str, Query(max_length=20)] = "",
    lab: Annotated[str, Query(max_length=60)] = "",
    by: Annotated[str, Query(max_length=20)] = "",
) -> Asked:
    zone = ZoneInfo(caller.settings.zone)
    this_month = months.month_of(local_date(caller.now, zone))
    try:
        lab_id = UUID(lab) if lab else None
    except ValueError:
        lab_id = None
    return Asked(
        min(months.parse_month(month) or this_month, months.next_month(this_month)),
        lab_id,
        By(by) if by in set(By) else None,
    )


AskedIn = Annotated[Asked, Depends(read_asked)]


@router.get("/lab/reports")
def show_report(caller: ReportReader, asked: AskedIn) -> Response:
    """Totals, where the open hours went, and every row."""
    with caller.read() as session:
        reach = labs_in_reach(session, caller.actor, asked.lab)
        report = _report(session, asked, reach, caller)
        trend = _trend(session, asked, reach, caller)
    return caller.render(
        "pages/lab/reports.html",
        month=asked.month,
        note=_note(report, caller),
        previous_url=asked.url(month=months.previous_month(asked.month)),
        next_url=asked.url(month=months.next_month(asked.month)) if report.window.ends_at <= caller.now else "",
        csv_url=asked.url("/lab/reports.csv"),
        labs=[{"value": "", "text": translate(caller.lang, N_("All labs"))}]
        + [{"value": lab.public_id, "text": _lab_name(lab, caller.lang)} for lab in reach.labs],
        lab=reach.chosen,
        by=report.by,
        tabs=_tabs(asked, reach, report.by, caller.lang),
        sums=_sums(report.total, caller.lang),
        chart_series=[translate(caller.lang, word) for word in CHART_SERIES],
        chart_rows=[_chart_row(row, caller.lang) for row in _most_used(report)],
        chart_note=_chart_note(report, caller.lang),
        has_open_hours=report.by != By.STARTUP,
        meanings=_meanings(caller.lang),
        trend=trend,
        columns=[{"label": translate(caller.lang, _heading(report.by))}]
        + [{"label": translate(caller.lang, label), "kind": "num"} for label in COLUMNS[1:]],
        rows=[[localised(row, caller.lang), *usage_cells(row)] for row in report.rows],
        foot=[translate(caller.lang, N_("Together")), *usage_cells(report.total)] if report.rows else None,
    )


@router.get("/lab/reports.csv")
def download_report(caller: ReportReader, asked: AskedIn) -> Response:
    """The same rows for a spreadsheet, their sum last: hours with two decimals, utilisation as a share."""
    with caller.read() as session:
        report = _report(session, asked, labs_in_reach(session, caller.actor, asked.lab), caller)
    names = [_heading(report.by)]
    if report.by == By.EQUIPMENT:
        names = [N_("Lab"), *names, N_("Model"), N_("Asset number")]
    header = [translate(caller.lang, word) for word in (N_("Month"), *names, N_("Bookings"), *COLUMNS[1:])]
    body = write_csv(header, _csv_rows(report, asked.month, caller.lang))
    name = f"yixiang-usage-{asked.month:%Y-%m}-{report.by}.csv"
    return Response(
        body,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _report(session: Session, asked: Asked, reach: Reach, caller: Caller) -> UsageReport:
    by = asked.by or (By.EQUIPMENT if reach.chosen or len(reach.labs) <= 1 else By.LAB)
    window = months.month_slot(asked.month, _zone(reach, caller))
    return usage_report(session, window, by=by, lab_ids=reach.lab_ids, now=caller.now)


def _trend(session: Session, asked: Asked, reach: Reach, caller: Caller) -> dict[str, Any] | None:
    """Used and booked hours of the last months; of one lab only, where it is quick."""
    if reach.chosen is None:
        return None
    names: list[str] = []
    used: list[int] = []
    booked: list[int] = []
    month = asked.month
    for _ in range(TREND_MONTHS):
        window = months.month_slot(month, _zone(reach, caller))
        total = usage_report(session, window, by=By.LAB, lab_ids=reach.lab_ids, now=caller.now).total
        names.insert(0, MONTHS[month.month - 1] if caller.lang == "en" else f"{month.month} 月")
        used.insert(0, total.used_minutes)
        booked.insert(0, total.booked_minutes)
        month = months.previous_month(month)
    if not any(booked):
        return None
    series = [(N_("Booked hours"), booked), (N_("Used hours"), used)]
    return {
        "names": names,
        "series": [{"name": translate(caller.lang, name), "values": values} for name, values in series],
    }


CHART_SERIES = (N_("Used hours"), N_("Booked, not used"), N_("No-show hours"), N_("Outage hours"), N_("Idle hours"))


def _chart_row(row: Usage, lang: Lang) -> dict[str, Any]:
    """Minutes of the five parts of the open time."""
    unused = max(row.booked_minutes - row.used_minutes, 0)
    return {
        "label": localised(row, lang),
        "values": [row.used_minutes, unused, row.no_show_minutes, row.outage_minutes or 0, row.idle_minutes or 0],
    }


def _chart_note(report: UsageReport, lang: Lang) -> str:
    """Which rows the chart shows, and what their full width is."""
    notes = []
    if len(report.rows) > CHART_ROWS:
        notes.append(translate(lang, N_("the %(count)s most booked"), count=CHART_ROWS))
    if report.by != By.STARTUP:
        notes.append(translate(lang, N_("full width: each row's own opening hours, with outages and overruns")))
    return " · ".join(notes)


def _note(report: UsageReport, caller: Caller) -> str:
    """Of a month that is not over: until when it is counted."""
    if report.until == report.window.ends_at:
        return ""
    if report.until == report.window.starts_at:
        return translate(caller.lang, N_("This month has not begun: the report tells of time that has passed."))
    when = format_instant(report.until, caller.lang, caller.site.renderer.zone)
    return translate(caller.lang, N_("This month is not over: all hours are those until now, %(when)s."), when=when)


def _meanings(lang: Lang) -> list[dict[str, str]]:
    return [
        {"label": translate(lang, label), "value": translate(lang, meaning)}
        for label, meaning in zip(COLUMNS[1:], MEANINGS, strict=True)
    ]


def _most_used(report: UsageReport) -> Sequence[Usage]:
    return sorted(report.rows, key=lambda row: (-row.booked_minutes, -row.used_minutes))[:CHART_ROWS]


def _sums(total: Usage, lang: Lang) -> list[dict[str, str]]:
    def hours(minutes: int | None) -> str:
        return translate(lang, "%(number)s h", number=format_number(minutes / 60)) if minutes is not None else "–"

    share = format_percent(total.utilisation) if total.utilisation is not None else "–"
    figures = [
        (N_("Utilisation"), share, N_("used hours by open hours")),
        (N_("Booked hours"), hours(total.booked_minutes), ""),
        (N_("Used hours"), hours(total.used_minutes), ""),
        (N_("Idle hours"), hours(total.idle_minutes), ""),
        (N_("No-show hours"), hours(total.no_show_minutes), ""),
    ]
    return [{"label": translate(lang, a), "value": b, "note": translate(lang, c) if c else ""} for a, b, c in figures]


def _tabs(asked: Asked, reach: Reach, current: By, lang: Lang) -> list[dict[str, Any]]:
    offered = [By.EQUIPMENT, By.STARTUP] if reach.chosen else list(By)
    return [
        {"text": translate(lang, BY_WORDS[by]), "href": asked.url(by=by), "current": by == current} for by in offered
    ]


def _csv_rows(report: UsageReport, month: date, lang: Lang) -> list[list[CsvCell]]:
    rows: list[list[CsvCell]] = []
    for row in report.rows:
        names: list[CsvCell] = [localised(row, lang)]
        if report.by == By.EQUIPMENT:
            names = [localised(row.lab, lang) if row.lab else "", *names, row.model, row.asset_number]
        rows.append([f"{month:%Y-%m}", *names, *_csv_figures(row)])
    if rows:
        together = translate(lang, N_("Together"))
        names = ["", together, "", ""] if report.by == By.EQUIPMENT else [together]
        rows.append([f"{month:%Y-%m}", *names, *_csv_figures(report.total)])
    return rows


def _csv_figures(row: Usage) -> list[CsvCell]:
    hours = [round(value / 60, 2) if value is not None else None for value in minutes_of(row)]
    share = round(row.utilisation, 4) if row.utilisation is not None else None
    return [row.bookings, *hours, share]


def _heading(by: By) -> str:
    return {
        By.EQUIPMENT: N_("Instrument"),
        By.LAB: N_("Lab"),
        By.INSTITUTION: N_("Institution"),
        By.STARTUP: N_("Startup"),
    }[by]


def _lab_name(lab: Any, lang: Lang) -> str:
    institution, name = localised(lab.organisation, lang), localised(lab, lang)
    return name if institution in name else f"{institution} · {name}"


def _zone(reach: Reach, caller: Caller) -> ZoneInfo:
    """The chosen lab's zone; for several labs the zone of the site."""
    return ZoneInfo(reach.chosen.zone if reach.chosen else caller.settings.zone)
