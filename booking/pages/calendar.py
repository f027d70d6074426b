"""The zone's shared calendar: holidays and make-up workdays, year by year."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import outages
from booking.pages import views
from core.errors import Refusal
from core.formats import WEEKDAYS
from core.forms import Form, FormIn
from core.i18n import N_, gettext
from equipment import queries, timetables
from equipment.errors import DateInvalid
from equipment.models import DayKind
from equipment.pages.shared import errors_of
from members.access import Caller, allowed
from members.models import Role

#: Bookings outside opening hours are listed up to so many.
OUTSIDE_MOST = 50
router = APIRouter(include_in_schema=False)
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]
ZoneAdmin = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN))]


@router.get("/zone/calendar")
def show_year(caller: Zone, year: Annotated[int, Query(ge=2020, le=2100)] = 0) -> Response:
    return _page(caller, year or caller.now.year)


@router.post("/zone/calendar/days")
def save_day(form: FormIn, caller: ZoneAdmin) -> Response:
    """One day, or many lines of a list."""

    def act(session: Session) -> str:
        if form["days"]:
            timetables.take_days(session, caller.actor, form["days"], now=caller.now)
            return f"/zone/calendar?year={_year(form)}"
        on = _read_on(form["on"])
        kind = DayKind(form["kind"]) if form["kind"] in set(DayKind) else None
        timetables.save_day(
            session, caller.actor, on, kind, name_zh=form["name_zh"], name_en=form["name_en"], now=caller.now
        )
        return f"/zone/calendar?year={on.year}"

    try:
        return caller.redirect_once(form, act, N_("Saved. It counts for new bookings; coming ones are listed below."))
    except Refusal as refusal:
        if not refusal.field:
            raise
        return _page(caller, _year(form), form, refusal)


@router.post("/zone/calendar/year")
def save_year(form: FormIn, caller: ZoneAdmin) -> Response:
    def act(session: Session) -> str:
        timetables.save_year(
            session, caller.actor, _year(form), is_official=bool(form["official"]), source=form["source"],
            now=caller.now,
        )  # fmt: skip
        return f"/zone/calendar?year={_year(form)}"

    return caller.redirect_once(form, act, N_("Saved."))


def _page(caller: Caller, year: int, form: Form | None = None, refusal: Refusal | None = None) -> Response:
    with caller.read() as session:
        days = queries.find_days_of_year(session, year)
        found = queries.find_year(session, year)
        outside = outages.find_outside_hours(session, now=caller.now, limit=OUTSIDE_MOST)
    by_date = {day.on: day for day in days}
    return caller.render(
        "pages/booking/calendar.html",
        status=422 if refusal else 200,
        year=year,
        found=found,
        days=days,
        outside=[views.card_of(booking, lang=caller.lang, now=caller.now) for booking in outside],
        months=[_month(year, month, {on: day.kind for on, day in by_date.items()}) for month in range(1, 13)],
        weekdays=list(WEEKDAYS[caller.lang]),
        may_edit=caller.actor.has(Role.ZONE_ADMIN),
        kinds=[
            ("off", gettext(caller.lang, "day off")), ("workday", gettext(caller.lang, "make-up workday")),
            ("", gettext(caller.lang, "as its weekday says")),
        ],
        typed=form or Form([]),
        errors=errors_of(caller, refusal),
    )  # fmt: skip


def _month(year: int, month: int, kinds: dict[date, DayKind]) -> dict[str, object]:
    """A month as rows of weeks; a cell is a day and what it is."""
    first = date(year, month, 1)
    on = first - timedelta(days=first.weekday())
    weeks = []
    while on.month == month or on < first:
        week = []
        for _ in range(7):
            kind = kinds.get(on) or ("off" if on.weekday() >= 5 else "")
            week.append({"day": on.day, "kind": str(kind), "named": on in kinds} if on.month == month else None)
            on += timedelta(days=1)
        weeks.append(week)
    return {"first": first, "weeks": weeks}


def _year(form: Form) -> int:
    text = form["year"]
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 2026


def _read_on(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DateInvalid(field="on") from error
