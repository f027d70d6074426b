"""Questions to the lab: asked on the instrument's page, answered, perhaps published without names."""

import threading
from typing import Any

import pytest
from sqlalchemy import select

from booking.papers import questions
from booking.papers.errors import QuestionWaits
from booking.papers.models import Question
from core.db import read_session, unit_of_work
from core.errors import Unavailable
from members import notes
from members.models import Note
from tests.booking.test_papers import mail_text, mails
from tests.booking.test_search_page import counted
from tests.cast import Cast, Stage, actor_of
from tests.equipment.test_pages import Desk


def ask(stage: Stage, cast: Cast, words: Any = "可以测粉末吗？", person: Any = None, entry: Any = None) -> Any:
    entry = entry or cast.sem
    return stage.api(person or cast.stranger).post(f"/equipment/{entry.public_id}/questions", {"words": words})


def answer(stage: Stage, person: Any, key: str, words: Any = "可以，先干燥。", *, publish: bool = True) -> Any:
    return stage.api(person).post(f"/questions/{key}/answer", {"words": words, "publish": publish})


def test_a_published_answer_is_read_by_everybody_without_names(stage: Stage, cast: Cast) -> None:
    key = ask(stage, cast).json()["id"]
    done = answer(stage, cast.operator, key)

    public = stage.api(None).get(f"/equipment/{cast.sem.public_id}/questions").json()["items"]
    page = stage.browser(None).get(f"/equipment/{cast.sem.public_id}").text
    whole = stage.browser(None).get(f"/equipment/{cast.sem.public_id}/questions").text

    assert done.status_code == 200
    assert public[0]["question"] == "可以测粉末吗？" and public[0]["answer"] == "可以，先干燥。"
    for text in (page, whole):
        assert "可以测粉末吗？" in text and "可以，先干燥。" in text
        assert cast.stranger.name not in text and cast.operator.name not in text


def test_an_answer_that_is_not_published_is_for_the_asker(stage: Stage, cast: Cast) -> None:
    key = ask(stage, cast).json()["id"]
    answer(stage, cast.manager, key, publish=False)
    address = f"/equipment/{cast.sem.public_id}"

    assert stage.api(None).get(f"{address}/questions").json()["items"] == []
    assert "可以，先干燥。" not in stage.browser(cast.owner).get(address).text
    assert "可以，先干燥。" in stage.browser(cast.stranger).get(address).text

    lab = Desk(stage, cast.manager)
    assert lab.post(f"/lab/questions/{key}/publication", public="1").status_code == 303
    assert "可以，先干燥。" in stage.browser(None).get(address).text
    assert lab.post(f"/lab/questions/{key}/publication", public="0").status_code == 303
    assert "可以，先干燥。" not in stage.browser(None).get(address).text


def test_mails_go_both_ways(stage: Stage, cast: Cast) -> None:
    key = ask(stage, cast).json()["id"]
    asked = mails(stage, "question_asked")
    assert {row.recipient for row in asked} == {cast.manager.email, cast.operator.email}
    words = mail_text(stage, asked[0])
    assert words is not None and "可以测粉末吗？" in words and cast.stranger.name in words

    answer(stage, cast.manager, key)

    (answered,) = mails(stage, "question_answered")
    words = mail_text(stage, answered)
    assert answered.recipient == cast.stranger.email
    assert words is not None and "可以，先干燥。" in words and cast.manager.name not in words
    assert mail_text(stage, asked[0]) is None, "answered meanwhile"


def test_the_lab_lists_what_waits_with_a_badge(stage: Stage, cast: Cast) -> None:
    ask(stage, cast)
    lab = Desk(stage, cast.operator)
    page = lab.get("/lab/questions").text
    key = page.split("/lab/questions/", 1)[1].split("/answer", 1)[0]

    assert '<span class="count wait">1</span>' in page and cast.stranger.name in page
    assert "可以测粉末吗？" not in stage.browser(cast.other_manager).get("/lab/questions").text
    empty = lab.post(f"/lab/questions/{key}/answer", words=" ")
    assert empty.status_code == 422 and "Write an answer." in empty.text
    assert lab.post(f"/lab/questions/{key}/answer", words="可以。").status_code == 303
    again = lab.post(f"/lab/questions/{key}/answer", words="也可以。")
    assert again.status_code == 409
    assert "No question waits" in lab.get("/lab/questions").text


def test_one_question_at_a_time(stage: Stage, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ask(stage, cast).json()["id"]
    second = ask(stage, cast, "还有？")
    monkeypatch.setattr(questions, "OPEN_MOST", 1)
    elsewhere = ask(stage, cast, entry=cast.printer)
    answer(stage, cast.manager, key)

    assert (second.status_code, second.json()["code"]) == (409, "question_waits")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "questions_too_many")
    assert ask(stage, cast, "还有？").status_code == 201


def test_questions_asked_at_once_are_one(stage: Stage, cast: Cast) -> None:
    actor, done = actor_of(stage.engine, cast.stranger), []

    def post() -> None:
        try:
            with unit_of_work(stage.engine) as session:
                questions.ask_question(session, actor, cast.sem.public_id, "?", now=stage.clock.now())
            done.append("asked")
        except (QuestionWaits, Unavailable) as refusal:
            done.append(refusal.code)

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == ["asked", *["question_waits"] * 5]


@pytest.mark.parametrize("words", ["", " \n", "问" * 1001, "a\x00", 3])
def test_unfit_questions_are_refused(stage: Stage, cast: Cast, words: Any) -> None:
    assert ask(stage, cast, words).status_code == 422
    with read_session(stage.engine) as session:
        assert session.scalars(select(Question)).all() == []


def test_a_refused_question_keeps_what_was_typed(stage: Stage, cast: Cast) -> None:
    page = Desk(stage, cast.stranger).post(f"/equipment/{cast.sem.public_id}/questions", words="问" * 1001)

    assert page.status_code == 422 and "问" * 1001 in page.text and "At most 1000 characters." in page.text


def test_others_neither_answer_nor_publish(stage: Stage, cast: Cast) -> None:
    key = ask(stage, cast).json()["id"]

    for person in (cast.owner, cast.other_manager, cast.finance, cast.zone):
        assert answer(stage, person, key).status_code == 404
    assert stage.api(cast.auditor).post(f"/questions/{key}/answer", {"words": "x"}).status_code == 403
    assert Desk(stage, cast.other_manager).post(f"/lab/questions/{key}/publication", public="1").status_code == 404
    assert Desk(stage, cast.manager).post(f"/lab/questions/{key}/publication", public="1").status_code == 409
    unknown = stage.api(cast.owner).post("/equipment/01990000-0000-7000-8000-000000000000/questions", {"words": "x"})
    assert unknown.status_code == 404


def test_an_erased_question_is_no_longer_shown(stage: Stage, cast: Cast) -> None:
    key = ask(stage, cast).json()["id"]
    answer(stage, cast.manager, key)
    with unit_of_work(stage.engine) as session:
        note_id = session.scalars(select(Question.note_id)).one()
        notes.erase(session.get_one(Note, note_id), now=stage.clock.now())

    assert stage.api(None).get(f"/equipment/{cast.sem.public_id}/questions").json()["items"] == []
    assert "可以，先干燥。" not in stage.browser(None).get(f"/equipment/{cast.sem.public_id}").text
    assert mail_text(stage, mails(stage, "question_answered")[0]) is None


def test_more_questions_cost_the_lab_no_more_statements(stage: Stage, cast: Cast) -> None:
    counts = []
    for people in ((cast.stranger,), (cast.owner, cast.member, cast.researcher)):
        for person in people:
            ask(stage, cast, person=person)
        browser = stage.browser(cast.manager)
        with counted(stage) as statements:
            browser.get("/lab/questions")
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 9
