"""The lab's pages over real routes: upload to apply, edit with a conflict, hours, rules, prices, files, exports; and JSON."""

import io
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from starlette.testclient import TestClient

from core.db import read_session
from equipment import own_list, queries
from equipment.importing import queries as queries_of_runs
from equipment.importing.staging import stage_waiting
from equipment.models import Equipment, Lab
from tests.cast import Cast, Stage, csrf_of

LIST = "仪器编号,仪器名称,生产厂商,原值(元)\nN-1,光谱仪,Horiba,600000\nN-2,,X,1\n".encode()


class Desk:
    """A manager's browser that posts forms as a page would."""

    def __init__(self, stage: Stage, person: Any, lang: str = "en") -> None:
        self.browser: TestClient = stage.browser(person, lang)
        self.csrf = csrf_of(self.browser)

    def get(self, path: str) -> Any:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        return answer

    def post(self, path: str, files: Any = None, **fields: Any) -> Any:
        return self.browser.post(path, data={"csrf": self.csrf} | fields, files=files)


@pytest.fixture
def desk(stage: Stage, cast: Cast) -> Desk:
    return Desk(stage, cast.manager)


def upload(stage: Stage, desk: Desk, content: bytes = LIST, name: str = "清单.csv", **fields: str) -> str:
    answer = desk.post("/lab/imports", files={"file": (name, content)}, **fields)
    assert answer.status_code == 303, answer.text[:300]
    path: str = answer.headers["location"]
    return path


def test_a_whole_list_retires_only_what_was_confirmed(stage: Stage, desk: Desk) -> None:
    first = upload(stage, desk)
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)
    assert desk.post(f"{first}/application").status_code == 303
    path = upload(stage, desk, LIST.replace(b"N-1", b"N-9"), full="1")
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)
    with read_session(stage.engine) as session:
        gone = queries_of_runs.get_run(session, UUID(path.rsplit("/", 1)[1])).rows_gone
    assert gone >= 1

    refused = desk.post(f"{path}/application")
    assert (refused.status_code, f"This would retire {gone} instruments" in refused.text) == (422, True)
    assert desk.post(f"{path}/application", retire="999").status_code == 422

    assert desk.post(f"{path}/application", retire=str(gone)).status_code == 303


def test_a_file_is_uploaded_looked_at_and_applied(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = upload(stage, desk)
    assert 'http-equiv="refresh"' in desk.get(path).text
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)

    page = desk.get(path).text
    assert "光谱仪" in page
    assert "due for sharing" in page
    assert "This is required." in desk.get(f"{path}?kind=refused").text
    assert "光谱仪" not in desk.get("/lab/catalogue").text

    assert desk.post(f"{path}/application").status_code == 303
    assert "Applied" in desk.get(path).text
    assert desk.post(f"{path}/application").status_code == 409
    with read_session(stage.engine) as session:
        names = {entry.name_zh for entry in own_list.find_entries_of_owner(session, cast.university.id)}
    assert "光谱仪" in names


def test_a_file_without_known_columns_asks_what_they_mean(stage: Stage, desk: Desk) -> None:
    path = upload(stage, desk, "甲,乙\nX-1,示波器\n".encode())
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)
    assert "Say what the columns mean" in desk.get(path).text

    assert desk.post(f"{path}/mapping", column_0="asset_number").status_code == 422
    assert desk.post(f"{path}/mapping", column_0="asset_number", column_1="name_zh").status_code == 303
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)

    assert "示波器" in desk.get(path).text


def test_a_file_that_cannot_be_used_says_why_in_the_readers_language(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.manager, "zh-CN")
    path = upload(stage, desk, b"PK\x03\x04broken", "x.xlsx")
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)

    assert "无法打开工作簿" in desk.get(path).text


def test_an_upload_without_a_file_is_a_refusal_at_its_field(stage: Stage, desk: Desk) -> None:
    assert desk.post("/lab/imports").status_code == 422


def test_another_labs_import_is_none(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = upload(stage, desk)

    other = Desk(stage, cast.other_manager)
    assert other.browser.get(path).status_code == 404
    assert other.post(f"{path}/application").status_code == 404


def test_json_takes_a_bare_file_and_applies_it(stage: Stage, cast: Cast) -> None:
    api = stage.api(cast.manager)
    code = cast.university.code
    headers = api._headers | {"content-type": "application/octet-stream"}
    started = stage.client.post(f"/api/v1/imports?name=x.csv&institution={code}", content=LIST, headers=headers)
    assert started.status_code == 201, started.text
    key = started.json()["id"]
    assert started.json()["state"] == "waiting"
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)

    run = api.get(f"/imports/{key}").json()
    assert (run["state"], run["new"], run["refused"]) == ("preview", 1, 1)
    rows = api.get(f"/imports/{key}/rows?kind=refused").json()["items"]
    assert rows[0]["problems"][0]["code"] == "missing"
    assert api.post(f"/imports/{key}/application").json()["state"] == "applied"
    foreign = stage.client.post(
        f"/api/v1/imports?name=x&institution={cast.other_university.code}", content=LIST, headers=headers
    )
    assert foreign.status_code == 422
    assert foreign.json()["code"] == "institution_not_found"


def edit_path(cast: Cast, part: str = "edit") -> str:
    return f"/equipment/{cast.sem.public_id}/{part}"


FACTS = {
    "name_zh": "场发射电镜",
    "category": "electron-microscope",
    "asset_state": "in_use",
    "service_modes": ["self", "operated"],
}


def test_facts_are_saved_and_shown(stage: Stage, cast: Cast, desk: Desk) -> None:
    facts = FACTS | {
        "version": "1", "specs": "分辨率: 0.6 nm\n电压：30 kV", "capability_zh": "断面形貌", "safety": "液氮",
        "contact_name": "林静", "started_on": "2019-05-01", "original_value_fen": "2850000.50",
    }  # fmt: skip
    assert desk.post(edit_path(cast), **facts).status_code == 303

    page = desk.get(f"/equipment/{cast.sem.public_id}").text
    for word in ("0.6 nm", "30 kV", "断面形貌", "液氮", "You run it yourself", "林静"):
        assert word in page
    assert "林静" not in stage.browser(None).get(f"/equipment/{cast.sem.public_id}").text
    assert "Facts changed" in desk.get(edit_path(cast, "history")).text
    found = stage.api(None).get(f"/equipment/{cast.sem.public_id}").json()
    assert found["specs"] == [["分辨率", "0.6 nm"], ["电压", "30 kV"]]
    assert found["is_due_for_sharing"] is True
    assert "contact_name" not in found


def test_who_saves_second_keeps_what_was_typed_and_sees_the_difference(stage: Stage, cast: Cast, desk: Desk) -> None:
    assert desk.post(edit_path(cast), **FACTS, version="1").status_code == 303

    second = desk.post(edit_path(cast), **(FACTS | {"name_zh": "我的名字"}), version="1")

    assert second.status_code == 409
    assert "林静 saved this meanwhile" in second.text
    assert "场发射电镜" in second.text
    assert 'value="我的名字"' in second.text
    version = second.text.split('name="version" value="', 1)[1].split('"', 1)[0]
    assert desk.post(edit_path(cast), **(FACTS | {"name_zh": "我的名字"}), version=version).status_code == 303


@pytest.mark.parametrize(
    "change", [{"name_zh": ""}, {"name_zh": "x" * 201}, {"started_on": "nie"}, {"original_value_fen": "viel"}]
)
def test_bad_facts_keep_what_was_typed(cast: Cast, desk: Desk, change: dict[str, str]) -> None:
    answer = desk.post(edit_path(cast), **(FACTS | change | {"notes": "bleibt"}), version="1")

    assert answer.status_code == 422
    assert "bleibt" in answer.text


def test_an_instrument_leaves_the_catalogue_and_comes_back(stage: Stage, cast: Cast, desk: Desk) -> None:
    standing = edit_path(cast, "standing")

    def is_found() -> bool:
        found = stage.api(None).get("/equipment?q=扫描电子显微镜").json()["items"]
        return str(cast.sem.public_id) in {item["id"] for item in found}

    assert desk.post(standing, what="retire").status_code == 303
    assert not is_found()
    assert desk.post(standing, what="return").status_code == 303
    assert is_found()
    assert desk.post(standing, what="list").status_code == 303
    assert stage.api(None).get(f"/equipment/{cast.sem.public_id}").json()["is_bookable"] is False
    assert desk.post(standing, what="open").status_code == 303


def test_a_new_instrument_is_listed_and_opens_once_it_has_hours_and_prices(
    stage: Stage, cast: Cast, desk: Desk
) -> None:
    with read_session(stage.engine) as session:
        lab = str(session.get_one(Lab, cast.sem.lab_id).public_id)
    added = desk.post("/lab/catalogue", **FACTS, lab=lab, asset_number="NEW-1")
    assert added.status_code == 303
    path = added.headers["location"].removesuffix("/edit")
    assert desk.post("/lab/catalogue", **FACTS, lab=lab, asset_number="NEW-1").status_code == 422
    assert "Enter hours, a unit and prices first" in desk.post(f"{path}/standing", what="open").text

    assert desk.post(f"{path}/hours", year_0="08:30-12:00").status_code == 303
    assert desk.post(f"{path}/prices", rate_startup_hour="120").status_code == 303
    assert desk.post(f"{path}/standing", what="open").status_code == 303

    assert "¥120.00" in desk.get(path).text


def test_rules_hours_and_prices_are_typed_refused_and_kept(stage: Stage, cast: Cast, desk: Desk) -> None:
    rules, hours, prices = (edit_path(cast, part) for part in ("rules", "hours", "prices"))
    assert desk.post(rules, own=["lead_minutes"], lead_minutes="x").status_code == 422
    assert (
        desk.post(rules, own=["lead_minutes", "cancel_fee_bp"], lead_minutes="90", cancel_fee_bp="12.5").status_code
        == 303
    )
    assert 'value="12.5"' in desk.get(rules).text
    wrong = desk.post(hours, year_0="8-12", year_1="08:30-12:00")
    assert wrong.status_code == 422
    assert 'value="8-12"' in wrong.text
    assert (
        desk.post(
            hours, year_0="08:30-12:00", season_0="09:00-10:00", season_first="05-01", season_last="09-30"
        ).status_code
        == 303
    )
    page = desk.get(hours).text
    assert 'value="05-01"' in page
    assert 'value="09:00-10:00"' in page
    assert "1 May" in desk.get(f"/equipment/{cast.sem.public_id}").text
    assert desk.post(prices, rate_startup_hour="teuer").status_code == 422
    assert desk.post(
        prices, rate_startup_hour="300", band0_name="Night", band0_time="22:00-24:00", band0_days=["0", "1"], band0_factor="0.5"
    ).status_code == 303  # fmt: skip
    assert "Night" in desk.get(f"/equipment/{cast.sem.public_id}").text


def test_levels_that_are_none_do_not_exist(cast: Cast, desk: Desk) -> None:
    assert desk.browser.get(f"/rockets/{cast.sem.public_id}/rules").status_code == 404
    assert desk.browser.get("/labs/01990000-0000-7000-8000-000000000000/rules").status_code == 404
    assert desk.browser.get("/equipment/nonsense/rules").status_code == 404


def test_a_lab_is_described_and_its_address_stands_on_its_instruments(stage: Stage, cast: Cast, desk: Desk) -> None:
    with read_session(stage.engine) as session:
        path = f"/labs/{session.get_one(Lab, cast.sem.lab_id).public_id}/edit"
    typed = {"name_zh": "分析测试中心", "address": "珞喻路 1037 号 3 号楼", "zone": "Asia/Shanghai", "version": "1"}

    assert desk.post(path, **typed).status_code == 303
    assert desk.post(path, **typed).status_code == 409
    assert (
        desk.post(
            path,
            **(typed | {"name_zh": ""}),
        ).status_code
        == 422
    )
    assert "珞喻路 1037 号" in desk.get(f"/equipment/{cast.sem.public_id}").text


def png(size: tuple[int, int] = (800, 600)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "green").save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_shown_in_two_sizes_and_removed(stage: Stage, cast: Cast, desk: Desk) -> None:
    files = edit_path(cast, "files")
    assert desk.post(files, files={"file": ("x.png", png())}, kind="photo", caption="正面").status_code == 303

    found = stage.api(None).get(f"/equipment/{cast.sem.public_id}").json()["photos"]
    shown = stage.browser(None).get(found[0]["small"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(shown.content)).size == (320, 240)
    assert found[0]["caption"] == "正面"

    name = found[0]["small"].rsplit("/", 1)[1].removesuffix(".webp")
    assert desk.post(f"{files}/removal", photo=name).status_code == 303
    assert stage.browser(None).get(found[0]["small"]).status_code == 404
    assert desk.post(files, files={"file": ("x.png", b"<script>")}, kind="photo").status_code == 422
    assert desk.post(files, kind="photo").status_code == 422


def test_a_document_is_only_ever_a_download(stage: Stage, cast: Cast, desk: Desk) -> None:
    files = edit_path(cast, "files")
    assert desk.post(files, files={"file": ("手册.pdf", b"%PDF-1.7")}, kind="document").status_code == 303
    (document,) = stage.api(None).get(f"/equipment/{cast.sem.public_id}").json()["documents"]

    sent = stage.browser(None).get(document["href"])

    assert sent.content == b"%PDF-1.7"
    assert sent.headers["content-disposition"].startswith("attachment")
    assert sent.headers["content-security-policy"] == "sandbox"
    assert desk.post(files, files={"file": ("x.html", b"<html>")}, kind="document").status_code == 422
    key = document["href"].rsplit("/", 1)[1]
    assert desk.post(f"{files}/removal", document=key).status_code == 303
    assert desk.post(f"{files}/removal", document="x").status_code == 404


@pytest.mark.parametrize(
    ("kind", "begins"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("national", b"PK"), ("sj3", b"")]
)
def test_the_list_goes_out_as_a_file(stage: Stage, cast: Cast, desk: Desk, kind: str, begins: bytes) -> None:
    desk.get(f"/lab/catalogue/export?kind={kind}")
    sent = desk.get(f"/lab/catalogue/export/{kind}")

    assert sent.content.startswith(begins)
    assert "attachment" in sent.headers["content-disposition"]
    assert desk.browser.get("/lab/catalogue/export/exe").status_code == 404
    assert (
        desk.browser.get(f"/lab/catalogue/export/csv?institution={cast.other_university.public_id}").status_code == 404
    )


def test_ones_own_list_counts_what_stands_how(stage: Stage, cast: Cast, desk: Desk) -> None:
    page = desk.get("/lab/catalogue").text

    assert "Can be booked 2" in page
    assert "示波器" not in page
    assert "A further unit" in desk.get(edit_path(cast, "units")).text
    assert cast.sem.asset_number in desk.get(f"/lab/catalogue?q={cast.sem.asset_number}").text
    assert desk.browser.get("/lab/catalogue?q=%25&page=1").status_code == 200


def test_the_calendar_takes_days_and_says_what_is_wrong_with_a_line(stage: Stage, cast: Cast) -> None:
    zone = Desk(stage, cast.zone)

    assert (
        zone.post("/zone/calendar/days", year="2027", days="2027-10-01, off, 国庆节, National Day").status_code == 303
    )
    assert "国庆节" in zone.get("/zone/calendar?year=2027").text
    wrong = zone.post("/zone/calendar/days", year="2027", days="2027-13-01, off")
    assert wrong.status_code == 422
    assert "2027-13-01, off" in wrong.text
    assert zone.post("/zone/calendar/days", on="2027-05-04", kind="off", name_zh="青年节").status_code == 303
    assert zone.post("/zone/calendar/year", year="2027", official="1", source="通知").status_code == 303
    assert "official" in zone.get("/zone/calendar?year=2027").text
    assert Desk(stage, cast.auditor).post("/zone/calendar/year", year="2027").status_code == 403


def test_a_form_sent_twice_adds_one_version(stage: Stage, cast: Cast, desk: Desk) -> None:
    for _ in range(2):
        assert desk.post(edit_path(cast, "prices"), rate_startup_hour="300", _key="k" * 22).status_code == 303

    with read_session(stage.engine) as session:
        entry = queries.get_equipment_by_id(session, cast.sem.id)
        assert isinstance(entry, Equipment)
        assert len(entry.tariffs) == 2
