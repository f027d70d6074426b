"""Odd times, numbers, texts and ids: a clear code each, never a 500, nothing written."""

from typing import Any

import pytest

from tests.cast import ENDS, STARTS, Cast, Stage


def ask(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"starts_at": "2026-11-27T06:00:00"}, 422, "invalid_input"),
    ({"starts_at": "2026-11-27"}, 422, "invalid_input"),
    ({"starts_at": 1795759200}, 422, "invalid_input"),
    ({"starts_at": "1795759200"}, 422, "invalid_input"),
    ({"starts_at": "２０２６-11-27T06:00:00Z"}, 422, "invalid_input"),
    ({"starts_at": "2026-11-27T06:00:60Z"}, 422, "invalid_input"),
    ({"starts_at": "2026-02-30T06:00:00Z"}, 422, "invalid_input"),
    ({"starts_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid_input"),
    ({"starts_at": "9999-12-31T23:59:59-14:00"}, 422, "invalid_input"),
    ({"starts_at": "2199-12-31T23:00:00Z", "ends_at": "2199-12-31T23:30:00Z"}, 422, "slot_out_of_range"),
    ({"starts_at": "2001-12-31T23:00:00Z", "ends_at": "2001-12-31T23:30:00Z"}, 422, "slot_out_of_range"),
    ({"starts_at": ENDS, "ends_at": STARTS}, 422, "slot_invalid"),
    ({"ends_at": STARTS}, 422, "slot_invalid"),
    ({"ends_at": None}, 422, "invalid_input"),
    ({"equipment_id": "no-uuid"}, 422, "invalid_input"),
    ({"equipment_id": 10**400}, 422, "invalid_input"),
    ({"equipment_id": "01990000-0000-7000-8000-000000000000"}, 404, "equipment_not_found"),
    ({"quantities": {"sample": 1}}, 422, "rules_broken"),
    ({"quantities": {"hour": 1e308}}, 422, "rules_broken"),
    ({"quantities": []}, 422, "invalid_input"),
    ({"quantities": {"sample": None}}, 422, "invalid_input"),
    ({"voucher": "01990000-0000-7000-8000-000000000000"}, 404, "voucher_not_found"),
    ({"quantities": {"sample": True}}, 422, "invalid_input"),
    ({"voucher": "all"}, 422, "invalid_input"),
    ({"purpose": "x" * 2001}, 422, "invalid_input"),
    ({"purpose": "a\x00b"}, 422, "malformed_text"),
    ({"price_fen": 1}, 422, "invalid_input"),
    ({"state": "approved"}, 422, "invalid_input"),
]


@pytest.mark.parametrize(("changes", "status", "code"), BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("path", ["/bookings", "/quotes"])
def test_bad_requests_get_a_code_and_change_nothing(
    stage: Stage, cast: Cast, path: str, changes: dict[str, Any], status: int, code: str
) -> None:
    if path == "/quotes" and ("purpose" in changes and code == "invalid_input"):
        return
    answer = stage.api(cast.owner).post(path, ask(cast, **changes))

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert stage.api(cast.owner).get("/bookings").json()["total"] == 0


RAW = [
    (b"{", 422), (b"", 422), (b"[]", 422), (b'"x"', 422), (b"nul", 422), (b'{"starts_at": NaN}', 422),
    (b'{"a": 1e999}', 422), (b"\xff\xfe", 422), (b"[" * 100_000, 422), (b'{"a":' + b"9" * 5000 + b"}", 400),
    (b'{"purpose": "\\ud800"}', 422), (b'{"purpose": "\\u0000"}', 422),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), RAW, ids=range(len(RAW)))
def test_bodies_that_are_no_good_json(stage: Stage, cast: Cast, body: bytes, status: int) -> None:
    api = stage.api(cast.owner)

    answer = stage.client.post(
        "/api/v1/bookings", content=body, headers=api._headers | {"content-type": "application/json"}
    )

    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


def test_a_body_that_is_too_large_is_refused(stage: Stage, cast: Cast) -> None:
    answer = stage.api(cast.owner).post("/bookings", ask(cast, purpose="x" * 1_100_000))

    assert answer.status_code in (413, 422)
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/equipment?q=%00", "/equipment?limit=0", "/equipment?limit=1e9", "/equipment?cursor=zz",
        "/equipment?q=" + "x" * 201,
        "/equipment?institution=1", "/equipment?price_max_fen=99999999999999999999", "/equipment/1",
        "/bookings?cursor=5b5d", "/bookings?state=gone", "/bookings/%F0%9F%98%80", "/vouchers?cursor=zz",
        "/availability?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z",
        "/availability?from=2026-11-24T00:00:00Z&to=2029-11-23T00:00:00Z", "/availability?from=now&to=then",
        "/availability?from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&minutes=0",
        "/availability?from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&minutes=99999999999",
        "/reports/usage?from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z&by=x", "/nowhere",
    ],
)  # fmt: skip
def test_odd_addresses_get_a_code(stage: Stage, cast: Cast, path: str) -> None:
    answer = stage.api(cast.zone).get(path)

    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["code"]


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_refusal_speaks_the_readers_language(stage: Stage, cast: Cast, lang: str) -> None:
    api = stage.api(cast.owner)
    api._headers["Accept-Language"] = lang

    answer = api.post("/bookings", ask(cast, starts_at="2026-11-27T06:00:00", ends_at=7)).json()

    words = [reason["message"] for reason in answer["reasons"]]
    assert words == (
        ["时间须带时区偏移，例如 +08:00。", "时间写作 2026-11-26T14:00:00+08:00。"]
        if lang == "zh-CN"
        else ["The time needs its offset from UTC, for example +08:00.", "Write the time as 2026-11-26T14:00:00+08:00."]
    )


def test_pages_survive_odd_addresses(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)
    good = f"/equipment/{cast.sem.public_id}"
    for path in (
        "/equipment?q=%00%ff", "/equipment?category=x&institution=y&price=z", "/equipment?cursor=zz",
        f"{good}?starts_at=x&ends_at=y", f"{good}?starts_at=2026-11-27T14:00&ends_at=2026-11-27T13:00",
        f"{good}?starts_at=2026-02-30T14:00&ends_at=2026-11-27T13:00",
        f"{good}?week=9999-12-31", f"{good}?week=0001-01-01",
        f"{good}?starts_at=2199-01-01T14:00&ends_at=2199-01-01T15:00", f"{good}?quantity_x=1&voucher=zz",
        "/equipment/no-uuid", "/bookings/no-uuid", "/nowhere",
    ):  # fmt: skip
        answer = browser.get(path)
        assert answer.status_code in (200, 404, 422), (path, answer.status_code)
        assert "</html>" in answer.text
