"""Qualifications: granted, asked for, renewed, ended; on pages and as JSON."""

from datetime import timedelta

from core.db import read_session, unit_of_work
from equipment import qualifying
from equipment.models import Equipment
from members.models import AuditEntry
from tests.cast import Cast, Stage
from tests.equipment.test_limits import lab_path
from tests.equipment.test_pages import Desk


def people_path(stage: Stage, cast: Cast) -> str:
    return lab_path(stage, cast) + "/qualifications"


def require_training(stage: Stage, cast: Cast) -> None:
    with unit_of_work(stage.engine) as session:
        session.get_one(Equipment, cast.sem.id).needs_qualification = True
        session.get_one(Equipment, cast.sem.id).own_rules = ["needs_qualification"]


def held(stage: Stage, cast: Cast, entry: Equipment) -> int:
    with read_session(stage.engine) as session:
        return len(qualifying.find_held(session, cast.member.id, entry.id, entry.category, entry.lab_id))


def test_it_is_for_one_instrument_a_category_or_the_lab(stage: Stage, cast: Cast) -> None:
    api = stage.api(cast.manager)
    path = people_path(stage, cast)
    for subject, on_sem, on_printer in (
        (str(cast.sem.public_id), 1, 0), ("category:printer", 0, 0), ("category:electron-microscope", 1, 1), ("", 1, 1),
    ):  # fmt: skip
        granted = api.post(path, {"email": "member@example.com", "subject": subject})
        assert granted.status_code == 201, granted.text
        assert (held(stage, cast, cast.sem), held(stage, cast, cast.printer)) == (on_sem, on_printer), subject
        assert api("DELETE", f"{path}/{granted.json()['id']}").json()["standing"] == "ended"
    assert held(stage, cast, cast.sem) == 0


def test_what_is_of_another_lab_cannot_be_granted(stage: Stage, cast: Cast) -> None:
    api = stage.api(cast.manager)
    for subject in (str(cast.foreign.public_id), "category:none", "sem"):
        refused = api.post(people_path(stage, cast), {"email": "member@example.com", "subject": subject})
        assert (refused.status_code, refused.json()["code"]) == (422, "qualification_scope_invalid")
    nobody = api.post(people_path(stage, cast), {"email": "lab@example.com"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "person_not_found")


def test_the_same_again_renews_it(stage: Stage, cast: Cast) -> None:
    api = stage.api(cast.manager)
    path = people_path(stage, cast)
    first = api.post(path, {"email": "member@example.com", "expires_on": "2026-11-24"}).json()
    stage.clock.at += timedelta(days=1)
    assert api.get(path).json()["items"][0]["standing"] == "expired"

    again = api.post(path, {"email": "member@example.com", "expires_on": "2027-11-24"}).json()

    assert (again["id"], again["standing"]) == (first["id"], "valid")
    past = api.post(path, {"email": "member@example.com", "expires_on": "2026-11-24"})
    assert (past.status_code, past.json()["code"]) == (422, "qualification_date_invalid")


def test_a_training_is_asked_for_once_and_granted(stage: Stage, cast: Cast) -> None:
    member = stage.api(cast.member)
    ask = f"/equipment/{cast.sem.public_id}/training"
    assert member.post(ask).json()["code"] == "training_not_needed"
    require_training(stage, cast)

    asked = member.post(ask, {"words": "想自己上机"})

    assert (asked.status_code, asked.json()["standing"]) == (201, "asked")
    assert member.post(ask).json()["code"] == "training_not_needed"
    desk = Desk(stage, cast.manager)
    page = desk.get(f"{lab_path(stage, cast)}/people").text
    assert "Waiting for a training" in page
    assert "想自己上机" in page
    answered = desk.post(f"{lab_path(stage, cast)}/people/{asked.json()['id']}/answer", expires_on="2027-01-01")
    assert answered.status_code == 303
    own = member.get("/me/qualifications").json()["items"]
    assert [(one["standing"], one["expires_on"], one["granted_by"]) for one in own] == [("valid", "2027-01-01", "林静")]


def test_only_the_lab_grants_and_ends(stage: Stage, cast: Cast) -> None:
    granted = stage.api(cast.manager).post(people_path(stage, cast), {"email": "member@example.com"}).json()
    path = f"{people_path(stage, cast)}/{granted['id']}"

    assert stage.api(cast.other_manager)("DELETE", path).status_code == 403
    assert stage.api(cast.operator)("DELETE", path).status_code == 403
    assert stage.api(cast.manager)("DELETE", path).status_code == 200
    assert stage.api(cast.manager)("DELETE", path).json()["code"] == "qualification_ended"


def test_the_trail_holds_ids_and_dates(stage: Stage, cast: Cast) -> None:
    stage.api(cast.manager).post(people_path(stage, cast), {"email": "member@example.com", "expires_on": "2027-01-01"})

    with read_session(stage.engine) as session:
        row = session.query(AuditEntry).filter_by(action="qualification_granted").one()

    assert row.data["person_id"] == cast.member.id
    assert row.data["expires_on"] == "2027-01-01"


def test_the_page_finds_people_and_refuses_at_the_field(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.manager)
    path = f"{lab_path(stage, cast)}/people"
    assert desk.browser.get("/lab/people").headers["location"] == path
    assert desk.post(path, email="member@example.com", subject="", expires_on="").status_code == 303

    assert "李想" in desk.get(f"{path}?q=李").text
    assert "Nobody fits." in desk.get(f"{path}?q=王").text
    refused = desk.post(path, email="nobody@example.com", subject="", expires_on="soon")
    assert refused.status_code == 422
    assert 'value="nobody@example.com"' in refused.text
