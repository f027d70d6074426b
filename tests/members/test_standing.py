"""Standing of organisations: suspended by the zone's office with a reason, until a day or until it is lifted."""

from datetime import timedelta
from typing import Any

from core.db import read_session
from members.models import AuditEntry
from tests.cast import Cast, Stage
from tests.equipment.test_pages import Desk

WORDS = {"code": "unpaid", "words": "三张发票逾期"}


def path_of(cast: Cast) -> str:
    return f"/organisations/{cast.startup.public_id}"


def suspend(stage: Stage, cast: Cast, **changes: Any) -> Any:
    return stage.api(cast.zone)("PUT", f"{path_of(cast)}/suspension", WORDS | changes)


def test_a_suspension_holds_until_its_day_is_over(stage: Stage, cast: Cast) -> None:
    assert suspend(stage, cast, until="2026-11-26T16:00:00Z").json()["standing"] == "suspended"

    stage.clock.at += timedelta(days=2, hours=13, minutes=59)
    assert stage.api(cast.auditor).get(path_of(cast)).json()["standing"] == "suspended"
    stage.clock.at += timedelta(minutes=1)
    assert stage.api(cast.auditor).get(path_of(cast)).json()["standing"] == "good"


def test_it_is_lifted_once(stage: Stage, cast: Cast) -> None:
    suspend(stage, cast)
    zone = stage.api(cast.zone)

    assert zone("DELETE", f"{path_of(cast)}/suspension").json()["standing"] == "good"
    assert zone("DELETE", f"{path_of(cast)}/suspension").json()["code"] == "not_suspended"


def test_what_cannot_be_meant_is_refused(stage: Stage, cast: Cast) -> None:
    assert suspend(stage, cast, until="2026-11-01T00:00:00Z").json()["code"] == "suspension_end_invalid"
    assert suspend(stage, cast, words=" ").json()["code"] == "suspension_note_missing"
    assert suspend(stage, cast, code="ugly").status_code == 422
    office = stage.api(cast.zone)("PUT", f"/organisations/{cast.office.public_id}/suspension", WORDS)
    assert office.json()["code"] == "never_books"
    assert stage.api(cast.zone).get(path_of(cast)).json()["standing"] == "good"


def test_the_page_says_why_and_until_when(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.zone)
    page = f"/zone{path_of(cast)}"
    assert desk.post(f"{page}/suspension", **WORDS, until="2026-12-01").status_code == 303

    shown = desk.get(page).text

    assert "Bills are not paid · until the end of Tue 1 Dec 2026" in shown
    assert "三张发票逾期" in shown
    assert "suspended" in desk.get("/zone/organisations?kind=suspended").text
    assert "may not book until the end of Tue 1 Dec 2026" in Desk(stage, cast.member).get("/settings").text
    assert desk.post(f"{page}/reinstatement").status_code == 303
    assert "In good standing" in desk.get(page).text
    refused = desk.post(f"{page}/suspension", code="unpaid", words="")
    assert refused.status_code == 422


def test_the_auditor_reads_and_changes_nothing(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.auditor)

    assert "Suspend from booking" not in desk.get(f"/zone{path_of(cast)}").text
    assert desk.post(f"/zone{path_of(cast)}/suspension", **WORDS).status_code == 403


def test_the_trail_keeps_the_reason_as_a_hash(stage: Stage, cast: Cast) -> None:
    suspend(stage, cast)

    with read_session(stage.engine) as session:
        row = session.query(AuditEntry).filter_by(action="organisation_suspended").one()

    assert row.data == {"code": "unpaid", "until": None}
    assert row.note_hash is not None
    assert "发票" not in str(row.data)
