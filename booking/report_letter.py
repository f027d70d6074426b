"""The words of the monthly mail about a lab's use. Pure."""

from datetime import date

from booking.letters import Letter, Table
from booking.reports import Usage, UsageReport
from core.formats import format_month, format_number, format_percent
from core.i18n import N_, Lang, translate
from core.rendering import localised
from equipment.models import Lab

COLUMNS = (
    N_("Instrument"),
    N_("Open hours"),
    N_("Booked hours"),
    N_("Used hours"),
    N_("Idle hours"),
    N_("No-show hours"),
    N_("Outage hours"),
    N_("Utilisation"),
)
#: What each figure means, in the order of COLUMNS.
MEANINGS = (
    N_("opening hours of all units, without holidays, closures and outages"),
    N_("slots that were approved, are in use or completed"),
    N_("from check-in to check-out, outside opening hours as well"),
    N_("open less booked and no-show hours"),
    N_("slots that were booked and nobody came to"),
    N_("opening hours in which units were out of order; they are not open hours"),
    N_("used hours by open hours"),
)


def write_usage_letter(report: UsageReport, lab: Lab, month: date, *, lang: Lang, base_url: str) -> Letter:
    """One row per instrument, the sum last."""

    def say(message: str, **fields: str) -> str:
        return translate(lang, message, **fields)

    name, month_text = localised(lab, lang), format_month(month, lang)
    total = usage_cells(report.total)
    rows = [(localised(row, lang), *usage_cells(row)) for row in report.rows]
    lead = N_("Bookings in %(month)s: %(count)s. Used hours by open hours: %(utilisation)s.")
    return Letter(
        subject=say(N_("Use of %(lab)s in %(month)s"), lab=name, month=month_text),
        heading=say(N_("Use of %(lab)s in %(month)s"), lab=name, month=month_text),
        paragraphs=(say(lead, count=str(report.total.bookings), month=month_text, utilisation=total[-1]),),
        facts=(),
        action_text=say(N_("See the report with charts")),
        action_url=f"{base_url.rstrip('/')}/lab/reports?month={month:%Y-%m}&lab={lab.public_id}",
        why=say(N_("You get this mail once a month because you manage %(lab)s on Yixiang."), lab=name),
        table=Table(tuple(say(label) for label in COLUMNS), (*rows, (say(N_("Together")), *total))) if rows else None,
    )


def minutes_of(row: Usage) -> tuple[int | None, ...]:
    """Open, booked, used, idle, no-show, outage: in the order of COLUMNS."""
    return (
        row.open_minutes,
        row.booked_minutes,
        row.used_minutes,
        row.idle_minutes,
        row.no_show_minutes,
        row.outage_minutes,
    )


def usage_cells(row: Usage) -> tuple[str, ...]:
    """The columns after the name: hours, then utilisation; a dash where a figure has no meaning."""
    hours = (format_number(value / 60) if value is not None else "–" for value in minutes_of(row))
    return (*hours, format_percent(row.utilisation) if row.utilisation is not None else "–")
