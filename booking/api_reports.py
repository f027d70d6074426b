"""JSON under `/api/v1`: how much instruments were used."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query

from booking.errors import ReportRangeTooLong, SlotInvalid
from booking.report_access import REPORT_READERS, labs_in_reach
from booking.reports import By, Usage, UsageReport, usage_report
from core.i18n import Lang
from core.middleware import SafeRoute
from core.rendering import localised
from core.shapes import InstantOrDateIn, Out
from core.slot import Slot, local_day
from members.access import Caller, allowed

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=SafeRoute)
DAYS_MAX = 400

ReportReader = Annotated[Caller, Depends(allowed(*REPORT_READERS))]


class UsageOut(Out):
    """Whole minutes; `open`, `idle`, `outage` and `utilisation` are null where they have no meaning."""

    id: UUID | None
    name: str
    bookings: int
    open_minutes: int | None
    booked_minutes: int
    used_minutes: int
    idle_minutes: int | None
    outage_minutes: int | None
    no_show_minutes: int
    utilisation: float | None

    @classmethod
    def of(cls, row: Usage, lang: Lang) -> "UsageOut":
        return cls(
            id=row.key,
            name=localised(row, lang) if row.key else "",
            bookings=row.bookings,
            open_minutes=row.open_minutes,
            booked_minutes=row.booked_minutes,
            used_minutes=row.used_minutes,
            idle_minutes=row.idle_minutes,
            outage_minutes=row.outage_minutes,
            no_show_minutes=row.no_show_minutes,
            utilisation=round(row.utilisation, 4) if row.utilisation is not None else None,
        )


class UsageReportOut(Out):
    """All rows at once; `sum` is their sum. `until`: where the figures end, now in a window that is not over."""

    by: By
    until: datetime
    items: list[UsageOut]
    total: int
    next_cursor: None = None
    sum: UsageOut

    @classmethod
    def of(cls, report: UsageReport, lang: Lang) -> "UsageReportOut":
        return cls(
            by=report.by,
            until=report.until,
            items=[UsageOut.of(row, lang) for row in report.rows],
            total=len(report.rows),
            sum=UsageOut.of(report.total, lang),
        )


def _instant(value: datetime | date, zone: ZoneInfo) -> datetime:
    return value if isinstance(value, datetime) else local_day(value, zone).starts_at


@router.get("/reports/usage")
def get_usage(
    caller: ReportReader,
    first: Annotated[InstantOrDateIn, Query(alias="from")],
    last: Annotated[InstantOrDateIn, Query(alias="to")],
    by: By = By.EQUIPMENT,
    lab: UUID | None = None,
) -> UsageReportOut:
    """Open, booked, used, idle and no-show time between two instants, of the labs that the caller may look into.

    A plain date stands for its midnight in the zone of the site. What lies ahead does not count: see `until`.
    """
    zone = ZoneInfo(caller.settings.zone)
    starts_at, ends_at = _instant(first, zone), _instant(last, zone)
    if starts_at >= ends_at:
        raise SlotInvalid(field="to")
    window = Slot(starts_at, ends_at)
    if window.length.days > DAYS_MAX:
        raise ReportRangeTooLong(field="to", days=DAYS_MAX)
    with caller.read() as session:
        reach = labs_in_reach(session, caller.actor, lab)
        report = usage_report(session, window, by=by, lab_ids=reach.lab_ids, now=caller.now)
    return UsageReportOut.of(report, caller.lang)
