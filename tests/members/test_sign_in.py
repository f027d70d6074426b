"""Signing in: one answer for every failure, slowed down when guessed at, dead when it ends."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.db import read_session, unit_of_work
from members.access import safe_next
from members.models import AccessToken, Person, SignInSession
from tests.cast import Cast, Stage, csrf_of
from tests.factories import PASSWORD


def try_token(stage: Stage, email: str, password: str):  # type: ignore[no-untyped-def]
    return stage.api(None).post("/tokens", {"email": email, "password": password})


def test_a_token_opens_what_its_person_may_see(stage: Stage, cast: Cast) -> None:
    token = try_token(stage, "OWNER@example.com", PASSWORD).json()["token"]

    me = stage.client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()

    assert me["email"] == "owner@example.com"
    assert [grant["role"] for grant in me["grants"]] == ["startup_owner"]
    with read_session(stage.engine) as session:
        assert token.encode() not in [row.token_hash for row in session.scalars(select(AccessToken))]


def test_unknown_wrong_and_disabled_get_one_answer(stage: Stage, cast: Cast) -> None:
    with unit_of_work(stage.engine) as session:
        session.execute(update(Person).where(Person.id == cast.member.id).values(disabled_at=stage.clock.at))

    answers = [
        try_token(stage, "nobody@example.com", PASSWORD),
        try_token(stage, "owner@example.com", "wrong"),
        try_token(stage, "member@example.com", PASSWORD),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_guessing_is_slowed_down_and_time_heals(stage: Stage, cast: Cast) -> None:
    for _ in range(10):
        assert try_token(stage, "owner@example.com", "wrong").status_code == 401

    blocked = try_token(stage, "owner@example.com", PASSWORD)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_sign_ins")
    assert int(blocked.headers["retry-after"]) == 900
    assert try_token(stage, "member@example.com", PASSWORD).status_code == 201

    stage.clock.at += timedelta(minutes=16)
    assert try_token(stage, "owner@example.com", PASSWORD).status_code == 201


def test_a_session_ends_at_sign_out_on_disabling_and_in_time(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)
    assert browser.get("/bookings").status_code == 200

    stage.clock.at += timedelta(days=15)
    assert browser.get("/bookings").status_code == 303
    stage.clock.at -= timedelta(days=15)
    with unit_of_work(stage.engine) as session:
        session.execute(update(Person).where(Person.id == cast.owner.id).values(disabled_at=stage.clock.at))
    assert browser.get("/bookings").status_code == 303

    other = stage.browser(cast.member)
    other.post("/sign-out", data={"csrf": csrf_of(other)})
    with read_session(stage.engine) as session:
        ended = session.scalars(select(SignInSession).where(SignInSession.person_id == cast.member.id)).one()
        assert ended.ended_at is not None


def test_a_changed_password_ends_other_sessions_and_tokens(stage: Stage, cast: Cast) -> None:
    here, there, api = stage.browser(cast.owner), stage.browser(cast.owner), stage.api(cast.owner)

    weak = {"csrf": csrf_of(here), "present": PASSWORD, "password": "password1"}
    assert here.post("/settings/password", data=weak).status_code == 422
    strong = weak | {"password": "a much longer one"}
    assert here.post("/settings/password", data=strong).status_code == 303

    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 303
    assert api.get("/me").status_code == 401
    assert try_token(stage, "owner@example.com", "a much longer one").status_code == 201


def test_the_page_signs_in_and_goes_on_where_one_wanted(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(None)
    asked = browser.get("/bookings")
    assert asked.headers["location"] == "/sign-in?next=/bookings"
    form = {
        "csrf": csrf_of(browser, "/sign-in?next=/bookings"), "email": "owner@example.com", "password": PASSWORD,
        "next": "/bookings",
    }  # fmt: skip

    wrong = browser.post("/sign-in", data=form | {"password": "x"})
    right = browser.post("/sign-in", data=form)

    assert wrong.status_code == 401
    assert "not right" in wrong.text
    assert right.headers["location"] == "/bookings"
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bookings?x=1", "/bookings?x=1"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"), ("", "/"), ("/a\r\nSet-Cookie: x", "/"),
    ],
)  # fmt: skip
def test_next_stays_on_this_site(path: str, expected: str) -> None:
    assert safe_next(path) == expected


def test_names_are_shown_as_text(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)
    name = '<script>alert("x")</script>'
    browser.post("/settings/profile", data={"csrf": csrf_of(browser), "name": name, "lang": "en"})

    page = browser.get("/settings").text

    assert name not in page
    assert "&lt;script&gt;" in page


def test_the_language_is_the_persons_choice_then_the_browsers(stage: Stage, cast: Cast) -> None:
    chinese, english = stage.browser(None, "zh-CN,en;q=0.5"), stage.browser(None, "fr,en;q=0.8,zh;q=0.2")
    assert '<html lang="zh-CN">' in chinese.get("/equipment").text
    assert '<html lang="en">' in english.get("/equipment").text
    assert '<html lang="zh-CN">' in stage.browser(None, "fr").get("/equipment").text

    owner = stage.browser(cast.owner, "en")
    owner.post("/language", data={"csrf": csrf_of(owner), "lang": "zh-CN"})
    assert '<html lang="zh-CN">' in owner.get("/bookings").text


def test_a_feed_address_is_shown_once_and_can_be_ended(stage: Stage, cast: Cast, book) -> None:  # type: ignore[no-untyped-def]
    book()
    browser = stage.browser(cast.owner)
    page = browser.post("/settings/feed", data={"csrf": csrf_of(browser)}).text
    path = page.split("/feeds/", 1)[1].split('"', 1)[0]

    feed = stage.client.get(f"/feeds/{path}")
    assert feed.status_code == 200
    assert "BEGIN:VEVENT" in feed.text
    assert path not in browser.get("/settings").text

    browser.post("/settings/feed/end", data={"csrf": csrf_of(browser)})
    assert stage.client.get(f"/feeds/{path}").status_code == 404


def test_the_trail_names_who_signed_in(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(None)
    form = {"csrf": csrf_of(browser, "/sign-in"), "email": "owner@example.com", "password": PASSWORD}
    assert browser.post("/sign-in", data=form).status_code == 303

    page = stage.browser(cast.zone).get(f"/zone/audit?action=signed_in&object=person:{cast.owner.public_id}").text

    assert '<td data-label="Who">陈晓</td>' in page
    assert "automatically" not in page
    assert "<b>陈晓</b>" in page


def test_the_list_of_people_goes_on(stage: Stage, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("members.pages.PAGE", 4)
    browser, address, found = stage.browser(cast.zone), "/zone/people", []

    while address:
        page = browser.get(address).text
        found += re.findall(r"[a-z]+@example\.com", page)
        address = next(iter(re.findall(r'href="([^"]+)" rel="next"', page)), "").replace("&amp;", "&")

    assert len(found) == len(set(found)) == 10
