"""Route x role: what each kind of person may ask for. A route without a row fails, so a new one must be thought of."""

import itertools
from typing import Any

import pytest
from fastapi.routing import APIRoute

from core.db import read_session, unit_of_work
from equipment.importing.service import start_import
from equipment.models import Lab
from members.models import Person
from tests.cast import Cast, Stage, csrf_of

#: Who asks, in the order of the columns below.
WHO = ("nobody", "startup", "researcher", "lab", "operator", "otherlab", "finance", "zone", "auditor")

ALL = "200 200 200 200 200 200 200 200 200"
SIGNED_IN = "401 200 200 200 200 200 200 200 200"
PAGE = "303 200 200 200 200 200 200 200 200"
WRITE = "401 422 422 422 422 422 422 422 403"
FORM = "403 403 403 403 403 403 403 403 403"
OVERSEE = "401 403 403 403 403 403 200 200 200"
OVERSEE_PAGE = "303 403 403 403 403 403 200 200 200"
ZONE_PAGE = "303 403 403 403 403 403 403 200 200"
#: What managers and the zone do; and what only the managers of this lab do, and the zone.
MANAGER_PAGE = "303 403 403 200 403 200 403 200 403"
OWN_PAGE = "303 403 403 200 403 403 403 200 403"
#: A booking of the startup at the lab: its own, its lab's and the overseers'; to the others it does not exist.
BOOKING = "401 200 404 200 200 404 200 200 200"
BOOKING_PAGE = "303 200 404 200 200 404 200 200 200"

#: Expected status by route with an empty or harmless request. Unsafe methods are sent an empty body: 422 says that the
#: person may ask and the body may not be empty; a form without its token is 403 for everybody.
TABLE: dict[str, str] = {
    "GET /": "303 303 303 303 303 303 303 303 303",
    "GET /healthz": ALL,
    "GET /readyz": ALL,
    "GET /metrics": ALL,
    "POST /api/v1/tokens": "422 422 422 422 422 422 422 422 422",
    "DELETE /api/v1/tokens/current": "401 204 204 204 204 204 204 204 403",
    "GET /api/v1/me": SIGNED_IN,
    "POST /api/v1/me/feed": "401 201 201 201 201 201 201 201 403",
    "DELETE /api/v1/me/feed": "401 204 204 204 204 204 204 204 403",
    "POST /api/v1/lab/bookings": "401 403 403 422 403 422 403 403 403",
    "POST /api/v1/lab/past-use": "401 403 403 422 403 422 403 403 403",
    "GET /api/v1/lab/board": "401 403 403 200 200 200 403 403 403",
    "POST /api/v1/lab/outages": "401 403 403 422 403 422 403 403 403",
    "GET /sign-in": ALL,
    "POST /sign-in": FORM,
    "POST /sign-out": FORM,
    "POST /language": FORM,
    "GET /settings": PAGE,
    "POST /settings/profile": FORM,
    "POST /settings/password": FORM,
    "POST /settings/feed": FORM,
    "POST /settings/feed/end": FORM,
    "GET /zone/organisations": ZONE_PAGE,
    "GET /zone/people": ZONE_PAGE,
    "GET /zone/organisations/{organisation_id}": ZONE_PAGE,
    "POST /zone/organisations/{organisation_id}/suspension": FORM,
    "POST /zone/organisations/{organisation_id}/reinstatement": FORM,
    "GET /api/v1/organisations/{organisation_id}": "401 403 403 403 403 403 403 200 200",
    "PUT /api/v1/organisations/{organisation_id}/suspension": "401 403 403 403 403 403 403 422 403",
    "DELETE /api/v1/organisations/{organisation_id}/suspension": "401 403 403 403 403 403 403 409 403",
    "GET /zone/limits": ZONE_PAGE,
    "POST /zone/limits": FORM,
    "GET /api/v1/zone/limits": "401 403 403 403 403 403 403 200 200",
    "PUT /api/v1/zone/limits": "401 403 403 403 403 403 403 422 403",
    "GET /{level}/{public_id}/limits": OWN_PAGE,
    "POST /{level}/{public_id}/limits": FORM,
    "GET /api/v1/equipment/{equipment_id}/limits": "401 403 403 200 403 403 403 200 403",
    "PUT /api/v1/equipment/{equipment_id}/limits": "401 403 403 422 403 422 403 422 403",
    "GET /api/v1/labs/{lab_id}/limits": "401 403 403 200 403 403 403 200 403",
    "PUT /api/v1/labs/{lab_id}/limits": "401 403 403 422 403 422 403 422 403",
    "GET /lab/people": "303 403 403 303 403 303 403 200 403",
    "GET /labs/{lab_id}/people": OWN_PAGE,
    "POST /labs/{lab_id}/people": FORM,
    "POST /labs/{lab_id}/people/{qualification_id}/answer": FORM,
    "POST /labs/{lab_id}/people/{qualification_id}/end": FORM,
    "POST /equipment/{equipment_id}/training": FORM,
    "GET /labs/{lab_id}/exceptions": OWN_PAGE,
    "GET /api/v1/labs/{lab_id}/qualifications": "401 403 403 200 403 403 403 200 403",
    "POST /api/v1/labs/{lab_id}/qualifications": "401 403 403 422 403 422 403 422 403",
    "DELETE /api/v1/labs/{lab_id}/qualifications/{qualification_id}": "401 403 403 404 403 403 403 404 403",
    "GET /api/v1/me/qualifications": SIGNED_IN,
    "POST /api/v1/equipment/{equipment_id}/training": "401 409 409 409 409 409 409 409 403",
    "GET /zone/audit": ZONE_PAGE,
    "GET /api/v1/equipment": ALL,
    "GET /api/v1/equipment/{equipment_id}": ALL,
    "GET /api/v1/bookings/{booking_id}/messages": BOOKING,
    "POST /api/v1/bookings/{booking_id}/messages": "401 422 404 422 422 404 403 403 403",
    "POST /api/v1/bookings/{booking_id}/messages/reading": "401 200 404 200 200 404 403 403 403",
    "GET /api/v1/bookings/{booking_id}/files": BOOKING,
    "POST /api/v1/bookings/{booking_id}/files": "401 422 404 422 422 404 403 403 403",
    "GET /api/v1/bookings/{booking_id}/files/{file_id}": "401 404 404 404 404 404 404 404 404",
    "DELETE /api/v1/bookings/{booking_id}/files/{file_id}": "401 404 404 404 404 404 404 404 403",
    "GET /api/v1/bookings/{booking_id}/order": "401 404 404 404 404 404 404 404 404",
    "POST /api/v1/bookings/{booking_id}/order": "401 409 404 409 409 404 409 409 403",
    "GET /api/v1/equipment/{equipment_id}/questions": ALL,
    "POST /api/v1/equipment/{equipment_id}/questions": WRITE,
    "POST /api/v1/questions/{question_id}/answer": "401 404 404 404 404 404 404 404 403",
    "POST /bookings/{booking_id}/messages": FORM,
    "POST /bookings/{booking_id}/files": FORM,
    "GET /bookings/{booking_id}/files/{file_id}": "303 404 404 404 404 404 404 404 404",
    "POST /bookings/{booking_id}/files/{file_id}/removal": FORM,
    "GET /bookings/{booking_id}/order": "303 404 404 404 404 404 404 404 404",
    "POST /bookings/{booking_id}/order": FORM,
    "GET /equipment/{equipment_id}/questions": ALL,
    "POST /equipment/{equipment_id}/questions": FORM,
    "GET /lab/questions": "303 403 403 200 200 200 403 403 403",
    "POST /lab/questions/{question_id}/answer": FORM,
    "POST /lab/questions/{question_id}/publication": FORM,
    "GET /api/v1/terms/{terms_id}": "404 404 404 404 404 404 404 404 404",
    "GET /terms/{terms_id}": "404 404 404 404 404 404 404 404 404",
    "GET /{level}/{public_id}/terms": OWN_PAGE,
    "POST /{level}/{public_id}/terms": FORM,
    "POST /{level}/{public_id}/terms/end": FORM,
    "POST /bookings/{booking_id}/terms": FORM,
    "POST /api/v1/bookings/{booking_id}/terms": WRITE,
    "GET /api/v1/imports": "401 403 403 200 403 200 403 200 403",
    "POST /api/v1/imports": "401 403 403 422 403 422 403 422 403",
    "GET /api/v1/imports/{import_id}": "401 403 403 200 403 404 403 200 403",
    "GET /api/v1/imports/{import_id}/rows": "401 403 403 200 403 404 403 200 403",
    "POST /api/v1/imports/{import_id}/mapping": "401 403 403 422 403 422 403 422 403",
    "POST /api/v1/imports/{import_id}/application": "401 403 403 409 403 404 403 409 403",
    "DELETE /api/v1/imports/{import_id}": "401 403 403 200 403 404 403 200 403",
    "GET /lab/catalogue": MANAGER_PAGE,
    "POST /lab/catalogue": FORM,
    "GET /lab/catalogue/new": MANAGER_PAGE,
    "GET /lab/catalogue/export": "303 403 403 200 403 200 403 200 403",
    "GET /lab/catalogue/export/{kind}": "303 403 403 200 403 200 403 200 403",
    "GET /lab/imports": MANAGER_PAGE,
    "POST /lab/imports": FORM,
    "GET /lab/imports/{import_id}": "303 403 403 200 403 404 403 200 403",
    "POST /lab/imports/{import_id}/mapping": FORM,
    "POST /lab/imports/{import_id}/application": FORM,
    "POST /lab/imports/{import_id}/renewal": FORM,
    "POST /lab/imports/{import_id}/drop": FORM,
    "GET /zone/calendar": ZONE_PAGE,
    "POST /zone/calendar/days": FORM,
    "POST /zone/calendar/year": FORM,
    "GET /equipment/{equipment_id}/edit": OWN_PAGE,
    "POST /equipment/{equipment_id}/edit": FORM,
    "POST /equipment/{equipment_id}/standing": FORM,
    "GET /equipment/{equipment_id}/units": OWN_PAGE,
    "POST /equipment/{equipment_id}/units": FORM,
    "GET /equipment/{equipment_id}/history": OWN_PAGE,
    "GET /equipment/{equipment_id}/files": OWN_PAGE,
    "POST /equipment/{equipment_id}/files": FORM,
    "POST /equipment/{equipment_id}/files/removal": FORM,
    "GET /labs/{lab_id}/edit": OWN_PAGE,
    "POST /labs/{lab_id}/edit": FORM,
    "GET /photos/{size}/{name}.webp": "404 404 404 404 404 404 404 404 404",
    "GET /documents/{document_id}": "404 404 404 404 404 404 404 404 404",
    "GET /{level}/{public_id}/rules": OWN_PAGE,
    "POST /{level}/{public_id}/rules": FORM,
    "GET /{level}/{public_id}/hours": OWN_PAGE,
    "POST /{level}/{public_id}/hours": FORM,
    "GET /{level}/{public_id}/prices": OWN_PAGE,
    "POST /{level}/{public_id}/prices": FORM,
    "POST /{level}/{public_id}/prices/withdrawal": FORM,
    "GET /{level}/{public_id}/closures": OWN_PAGE,
    "POST /{level}/{public_id}/closures": FORM,
    "POST /{level}/{public_id}/closures/removal": FORM,
    "GET /api/v1/vouchers": SIGNED_IN,
    "GET /api/v1/vouchers/{voucher_id}": "401 200 404 404 404 404 200 200 200",
    "POST /api/v1/vouchers": "401 403 403 403 403 403 422 403 403",
    "GET /api/v1/programmes": SIGNED_IN,
    "POST /api/v1/programmes": "401 403 403 403 403 403 422 403 403",
    "GET /api/v1/ledger/trial-balance": OVERSEE,
    "GET /vouchers": "303 200 403 403 403 403 403 403 403",
    "GET /vouchers/{voucher_id}": "303 200 404 404 404 404 200 200 200",
    "GET /vouchers/{voucher_id}/movements.{kind}": "303 200 404 404 404 404 200 200 200",
    "GET /finance": OVERSEE_PAGE,
    "GET /finance/vouchers": OVERSEE_PAGE,
    "POST /finance/vouchers": FORM,
    "GET /finance/spend": OVERSEE_PAGE,
    "GET /finance/ledger": OVERSEE_PAGE,
    "GET /finance/exports/{name}.{kind}": OVERSEE_PAGE,
    "POST /api/v1/quotes": WRITE,
    "POST /api/v1/bookings": WRITE,
    "GET /api/v1/bookings": SIGNED_IN,
    "GET /api/v1/bookings/{booking_id}": BOOKING,
    "PATCH /api/v1/bookings/{booking_id}": WRITE,
    "GET /api/v1/approvals": SIGNED_IN,
    "POST /api/v1/approvals": WRITE,
    "POST /api/v1/refusals": WRITE,
    "GET /api/v1/company/approval-rule": "401 200 403 403 403 403 403 403 403",
    "PUT /api/v1/company/approval-rule": "401 422 403 403 403 403 403 403 403",
    "GET /api/v1/deputies": SIGNED_IN,
    "POST /api/v1/deputies": WRITE,
    "DELETE /api/v1/deputies/{deputy_id}": "401 404 404 404 404 404 404 404 403",
    "POST /api/v1/bookings/{booking_id}/approval": "401 403 404 200 403 404 403 403 403",
    "POST /api/v1/bookings/{booking_id}/refusal": "401 403 404 422 403 404 403 403 403",
    "POST /api/v1/bookings/{booking_id}/cancellation": "401 200 404 422 403 404 403 403 403",
    "POST /api/v1/bookings/{booking_id}/check-in": "401 409 404 409 409 404 403 403 403",
    "POST /api/v1/bookings/{booking_id}/check-out": "401 409 404 409 409 404 403 403 403",
    "GET /api/v1/equipment/{equipment_id}/calendar": ALL,
    "GET /api/v1/availability": ALL,
    "GET /api/v1/equipment/comparison": ALL,
    "GET /free": ALL,
    "GET /compare": ALL,
    "GET /api/v1/reports/usage": "401 403 403 200 200 200 200 200 200",
    "GET /equipment": ALL,
    "GET /equipment/{equipment_id}": ALL,
    "GET /bookings": PAGE,
    "POST /bookings": FORM,
    "GET /bookings/ended": PAGE,
    "GET /bookings/{booking_id}": BOOKING_PAGE,
    "GET /bookings/{booking_id}/move": "303 422 404 422 403 404 403 403 403",
    "POST /bookings/{booking_id}/move": FORM,
    "POST /bookings/{booking_id}/approval": FORM,
    "POST /bookings/{booking_id}/refusal": FORM,
    "POST /bookings/{booking_id}/cancellation": FORM,
    "POST /bookings/{booking_id}/check-in": FORM,
    "POST /bookings/{booking_id}/check-out": FORM,
    "GET /lab": "303 403 403 200 200 200 403 403 403",
    "POST /api/v1/slot-holds": WRITE,
    "GET /api/v1/slot-holds/current": "401 404 404 404 404 404 404 404 404",
    "DELETE /api/v1/slot-holds/current": "401 204 204 204 204 204 204 204 403",
    "POST /slot-holds": FORM,
    "POST /slot-holds/release": FORM,
    "POST /api/v1/wishes": WRITE,
    "GET /api/v1/wishes": SIGNED_IN,
    "DELETE /api/v1/wishes/{wish_id}": "401 404 404 404 404 404 404 404 403",
    "POST /api/v1/wishes/{wish_id}/offer": "401 404 404 404 404 404 404 404 403",
    "POST /api/v1/offers/{offer_id}/acceptance": "401 404 404 404 404 404 404 404 403",
    "POST /api/v1/offers/{offer_id}/refusal": "401 404 404 404 404 404 404 404 403",
    "GET /waiting": PAGE,
    "POST /waiting": FORM,
    "POST /waiting/{wish_id}/withdrawal": FORM,
    "POST /waiting/{wish_id}/offer": FORM,
    "POST /offers/{offer_id}/acceptance": FORM,
    "POST /offers/{offer_id}/refusal": FORM,
    "GET /lab/live": "303 403 403 200 200 200 403 403 403",
    "GET /equipment/{equipment_id}/live": PAGE,
    "GET /lab/week": "303 403 403 200 200 200 403 403 403",
    "GET /lab/requests": "303 403 403 200 200 200 403 403 403",
    "GET /approvals/confirmation": "303 303 303 303 303 303 303 303 303",
    "POST /approvals": FORM,
    "GET /lab/deputies": "303 403 403 200 200 200 403 403 403",
    "POST /lab/deputies": FORM,
    "POST /deputies/removal": FORM,
    "GET /company": "303 200 403 403 403 403 403 403 403",
    "POST /company/rule": FORM,
    "POST /company/deputies": FORM,
    "GET /lab/bookings/new": "303 403 403 200 403 200 403 403 403",
    "POST /lab/bookings": FORM,
    "POST /lab/outages": FORM,
    "GET /lab/reports": "303 403 403 200 200 200 200 200 200",
    "GET /lab/reports.csv": "303 403 403 200 200 200 200 200 200",
    "GET /feeds/{token}.ics": "404 404 404 404 404 404 404 404 404",
}
QUERIES = {
    "POST /api/v1/bookings/{booking_id}/files": "?name=results.pdf",
    "GET /api/v1/equipment/{equipment_id}/calendar": "?from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z",
    "GET /api/v1/availability": "?from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z",
    "GET /api/v1/equipment/comparison": "?id=01a212ee-114a-788c-aa39-cbc336644174",
    "GET /api/v1/reports/usage": "?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&by=startup",
}


def routes_of(stage: Stage) -> set[str]:
    found = set()
    for route in stage.client.app.routes:  # type: ignore[attr-defined]
        for one in _flat(route):
            found |= {f"{method} {one.path}" for method in one.methods - {"HEAD", "OPTIONS"}}
    return found


def _flat(route: Any) -> list[APIRoute]:
    if isinstance(route, APIRoute):
        return [route]
    inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None) or []
    return [one for part in inner for one in _flat(part)]


def people_of(cast: Cast) -> dict[str, Person | None]:
    return {
        "nobody": None, "startup": cast.owner, "researcher": cast.researcher, "lab": cast.manager,
        "operator": cast.operator, "otherlab": cast.other_manager, "finance": cast.finance, "zone": cast.zone,
        "auditor": cast.auditor,
    }  # fmt: skip


def test_every_route_has_a_row_and_every_row_a_route(stage: Stage) -> None:
    found = {route for route in routes_of(stage) if "openapi" not in route}

    assert found - TABLE.keys() == set(), "routes without a row"
    assert TABLE.keys() - found == set(), "rows without a route"


@pytest.mark.parametrize("who", WHO)
def test_each_role_gets_what_the_table_says(stage: Stage, cast: Cast, book: Any, who: str) -> None:
    column = WHO.index(who)
    person = people_of(cast)[who]
    wrong = []
    with unit_of_work(stage.engine) as session:
        run = start_import(
            session, None, cast.university.id, name="x.csv", content=b"a,b", is_full=False, now=stage.clock.now()
        )
        waiting = str(run.public_id)
    numbers = itertools.count()
    for route, row in TABLE.items():
        method, path = route.split(" ", 1)
        if "booking_id" in path and (path.startswith("/api") or method == "GET"):
            booking = book(equipment_id=str(cast.sem.public_id), **_free(next(numbers)))
        else:
            booking = {"id": "01990000-0000-7000-8000-000000000000"}
        address = path.format(
            equipment_id=cast.sem.public_id, booking_id=booking["id"], voucher_id=cast.voucher.public_id,
            name="spend", kind="csv", token="x" * 43, import_id=waiting, lab_id=lab_of(stage, cast), size="small",
            file_id="01990000-0000-7000-8000-000000000000", question_id="01990000-0000-7000-8000-000000000000",
            terms_id="01990000-0000-7000-8000-000000000000", deputy_id="01990000-0000-7000-8000-000000000000",
            wish_id="01990000-0000-7000-8000-000000000000", offer_id="01990000-0000-7000-8000-000000000000",
            document_id="01990000-0000-7000-8000-000000000000", level="equipment", public_id=cast.sem.public_id,
            organisation_id=cast.startup.public_id, qualification_id="01990000-0000-7000-8000-000000000000",
        ) + QUERIES.get(route, "")  # fmt: skip
        if path.startswith("/api"):
            answer = stage.api(person)(method, address.removeprefix("/api/v1"), None if method == "GET" else {})
        else:
            answer = stage.browser(person).request(method, address)
        expected = int(row.split()[column])
        if answer.status_code != expected:
            wrong.append(f"{route}: {answer.status_code}, expected {expected}: {answer.text[:120]}")
    assert wrong == []


def _free(number: int) -> dict[str, str]:
    """A slot of its own for each row that needs a booking: two a day, on working days from Monday 30 November on."""
    week, rest = divmod(number % 70, 10)
    day, half = divmod(rest, 2)
    on = 30 + week * 7 + day
    month, on = (11, on) if on <= 30 else (12, on - 30)
    if on > 31:
        month, on = 1, on - 31
    year = 2027 if month == 1 else 2026
    hours = ("01:00", "02:00") if half else ("06:00", "07:00")
    return {
        "starts_at": f"{year}-{month:02d}-{on:02d}T{hours[0]}:00Z",
        "ends_at": f"{year}-{month:02d}-{on:02d}T{hours[1]}:00Z",
    }


def test_foreign_and_absent_ids_look_alike(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    stranger = stage.api(cast.stranger)

    foreign = stranger.get(f"/bookings/{booking['id']}")
    absent = stranger.get("/bookings/01990000-0000-7000-8000-000000000000")

    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


def test_a_form_without_its_token_changes_nothing(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)
    token = csrf_of(browser)

    assert browser.post("/settings/profile", data={"name": "换名"}).status_code == 403
    assert browser.post("/settings/profile", data={"name": "换名", "csrf": token + "0"}).status_code == 403
    other = stage.browser(cast.stranger)
    assert other.post("/settings/profile", data={"name": "换名", "csrf": token}).status_code == 403
    assert browser.post("/settings/profile", data={"name": "换名", "csrf": token}).status_code == 303


def test_the_policy_allows_nothing_inline(stage: Stage) -> None:
    headers = stage.client.get("/equipment").headers

    assert "unsafe-inline" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def lab_of(stage: Stage, cast: Cast) -> str:
    with read_session(stage.engine) as session:
        return str(session.get_one(Lab, cast.sem.lab_id).public_id)
