"""Service orders, files and threads of bookings, over services, pages and JSON."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from booking.mail import Office, compose
from booking.papers import files, messages, orders
from booking.papers.models import Message, ServiceOrder
from core.db import read_session, unit_of_work
from core.money import write_amount
from core.outbox import OutboxMessage
from core.rendering import Renderer
from members import notes
from members.models import Note, Person
from tests.booking.test_search_page import counted
from tests.cast import Cast, Stage, actor_of
from tests.equipment.test_pages import Desk
from web.app import STATIC

PDF = b"%PDF-1.7 results"
OFFICE = Office(Renderer(zone="Asia/Shanghai", static=STATIC), "http://127.0.0.1:8000", "yixiang@zone.example")
SLOTS = [
    {"starts_at": f"2026-11-{day}T{hour}:00:00Z", "ends_at": f"2026-11-{day}T{hour + 1:02d}:00:00Z"}
    if hour > 9 else {"starts_at": f"2026-11-{day}T0{hour}:00:00Z", "ends_at": f"2026-11-{day}T0{hour + 1}:00:00Z"}
    for day in (25, 26, 27, 30) for hour in (1, 2, 6, 7)
]  # fmt: skip


def upload(stage: Stage, person: Person, booking: str, content: bytes, name: str = "结果.pdf") -> Any:
    """As JSON: the bare body."""
    api = stage.api(person)
    headers = api._headers | {"Content-Type": "application/octet-stream"}
    return stage.client.post(
        f"/api/v1/bookings/{booking}/files", params={"name": name}, content=content, headers=headers
    )


def mails(stage: Stage, kind: str) -> list[OutboxMessage]:
    with read_session(stage.engine) as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)))


def mail_text(stage: Stage, row: OutboxMessage) -> str | None:
    with read_session(stage.engine) as session:
        message = compose(session, session.merge(row, load=False), OFFICE, now=stage.clock.now())
    body = message.get_body(("plain",)) if message else None
    return body.get_content() if body else None


# The service order.


def test_an_order_is_numbered_once_and_in_its_year(stage: Stage, cast: Cast, book: Any) -> None:
    first, second = book(**SLOTS[0]), book(**SLOTS[1])
    manager = stage.api(cast.manager)
    for one in (first, second):
        manager.post(f"/bookings/{one['id']}/approval")

    numbers = [stage.api(cast.owner).post(f"/bookings/{one['id']}/order").json()["number"] for one in (first, second)]
    again = stage.api(cast.finance).post(f"/bookings/{first['id']}/order").json()["number"]
    stage.clock.at = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
    third = book(starts_at="2027-01-11T06:00:00Z", ends_at="2027-01-11T07:00:00Z")
    manager.post(f"/bookings/{third['id']}/approval")
    later = manager.post(f"/bookings/{third['id']}/order").json()["number"]

    assert [number.rsplit("-", 1)[1] for number in numbers] == ["0001", "0002"]
    assert again == numbers[0]
    assert later.startswith("WT2027-") and later.endswith("-0001")


def test_no_order_for_what_is_not_agreed(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    refused = stage.api(cast.owner).post(f"/bookings/{booking['id']}/order")

    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_possible")
    assert stage.api(cast.owner).get(f"/bookings/{booking['id']}/order").status_code == 404


def test_the_sheet_says_what_is_agreed(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book(purpose="断口形貌 <样品>")
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    address = f"/bookings/{booking['id']}"
    startup = Desk(stage, cast.owner)
    assert "Issue the service order" in startup.get(address).text

    issued = startup.post(f"{address}/order")

    assert issued.headers["location"] == f"{address}/order"
    for person in (cast.owner, cast.manager, cast.finance, cast.auditor):
        sheet = stage.browser(person, "zh-CN").get(f"{address}/order").text
        assert "委托单" in sheet and "捌佰元整" in sheet and "断口形貌 &lt;样品&gt;" in sheet, person.name
        assert "-0001" in sheet and "委托方（盖章）" in sheet
    assert stage.browser(cast.stranger).get(f"{address}/order").status_code == 404
    with pytest.raises(DBAPIError, match="service_orders_written_once"), unit_of_work(stage.engine) as session:
        session.execute(text("UPDATE service_orders SET number = 7"))


def test_a_change_after_the_number_is_said(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book(**SLOTS[0])
    manager = stage.api(cast.manager)
    manager.post(f"/bookings/{booking['id']}/approval")
    manager.post(f"/bookings/{booking['id']}/order")
    version = manager.get(f"/bookings/{booking['id']}").json()["version"]
    moved = manager("PATCH", f"/bookings/{booking['id']}", SLOTS[5] | {"version": version})
    assert moved.status_code == 200, moved.text

    sheet = stage.browser(cast.owner).get(f"/bookings/{booking['id']}/order").text

    assert "Changed since then." in sheet
    stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation")
    assert "the order is void" in stage.browser(cast.owner).get(f"/bookings/{booking['id']}/order").text


def test_orders_issued_at_once_leave_no_gap(stage: Stage, cast: Cast, book: Any) -> None:
    keys = [book(**slot)["id"] for slot in SLOTS[:8]]
    for key in keys:
        stage.api(cast.manager).post(f"/bookings/{key}/approval")
    actor = actor_of(stage.engine, cast.manager)

    def issue(key: UUID) -> None:
        with unit_of_work(stage.engine) as session:
            orders.issue_order(session, actor, key, now=stage.clock.now())

    threads = [threading.Thread(target=issue, args=(UUID(key),)) for key in keys * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read_session(stage.engine) as session:
        assert sorted(session.scalars(select(ServiceOrder.number))) == list(range(1, 9))


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"), (5, "伍分"), (50, "伍角整"), (105, "壹元零伍分"), (123456, "壹仟贰佰叁拾肆元伍角陆分"),
        (10_000_000, "壹拾万元整"), (10_010_000, "壹拾万零壹佰元整"), (1_000_100_000, "壹仟万壹仟元整"),
        (10_000_000_100, "壹亿零壹元整"), (200_005_030_007, "贰拾亿零伍万零叁佰元零柒分"),
    ],
)  # fmt: skip
def test_amounts_are_written_in_words(fen: int, words: str) -> None:
    assert write_amount(fen) == words


# Files.


def test_both_sides_bring_files_and_all_who_see_the_booking_read_them(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    sheet = upload(stage, cast.member, booking["id"], b"sample,carbon\n1,2\n", "样品 说明.csv").json()
    result = upload(stage, cast.operator, booking["id"], b"\x89PNG\r\n\x1a\n...", "sem.png").json()

    listed = stage.api(cast.auditor).get(f"/bookings/{booking['id']}/files").json()["items"]
    answer = stage.browser(cast.finance).get(f"/bookings/{booking['id']}/files/{sheet['id']}")

    assert [(item["file_name"], item["side"]) for item in listed] == [("样品 说明.csv", "startup"), ("sem.png", "lab")]
    assert answer.content == b"sample,carbon\n1,2\n"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"
    for address in (f"/bookings/{booking['id']}/files", f"/bookings/{booking['id']}/files/{result['id']}"):
        assert stage.api(cast.stranger).get(address).status_code == 404
    other = book(cast.stranger, **SLOTS[0])
    assert stage.api(cast.stranger).get(f"/bookings/{other['id']}/files/{sheet['id']}").status_code == 404


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "leer.pdf"), (b"<html><script>", "x.pdf"), (b"<svg onload=alert(1)>", "x.csv"), (b"MZ", "x.exe"),
        (b"%PDF-1.7", "x.png"), (b"%PDF-1.7", "ohne"), (b"GIF89a", "x.jpg"), (b"%PDF-1.7", "a.pdf/.."),
    ],
)  # fmt: skip
def test_what_is_no_allowed_file_is_refused(stage: Stage, cast: Cast, book: Any, content: bytes, name: str) -> None:
    booking = book()

    answer = upload(stage, cast.owner, booking["id"], content, name)

    assert (answer.status_code, answer.json()["code"]) == (422, "file_kind_not_allowed")
    assert stage.api(cast.owner).get(f"/bookings/{booking['id']}/files").json()["items"] == []


def test_files_have_limits(stage: Stage, cast: Cast, book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = book()
    large = upload(stage, cast.owner, booking["id"], PDF + b"x" * 10_000_000)
    monkeypatch.setattr(files, "FILES_MOST", 2)
    for _ in range(2):
        assert upload(stage, cast.owner, booking["id"], PDF).status_code == 201
    third = upload(stage, cast.manager, booking["id"], PDF)
    monkeypatch.setattr(files, "FILES_MOST", 20)
    monkeypatch.setattr(files, "MEGABYTES_TOGETHER", 0)
    together = upload(stage, cast.owner, booking["id"], PDF)

    assert (large.status_code, large.json()["code"]) == (422, "upload_too_large")
    assert (third.status_code, third.json()["code"]) == (409, "too_many_files")
    assert (together.status_code, together.json()["code"]) == (409, "files_too_large")


def test_who_brought_a_file_removes_it_and_so_does_the_lab(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    address = f"/bookings/{booking['id']}"
    keys = [upload(stage, cast.owner, booking["id"], PDF).json()["id"] for _ in range(2)]

    by_colleague = stage.api(cast.member)("DELETE", f"{address}/files/{keys[0]}")
    by_owner = Desk(stage, cast.owner).post(f"{address}/files/{keys[0]}/removal")
    by_lab = stage.api(cast.operator)("DELETE", f"{address}/files/{keys[1]}")
    again = stage.api(cast.operator)("DELETE", f"{address}/files/{keys[1]}")

    assert by_colleague.status_code == 403
    assert by_owner.status_code == 303
    assert by_lab.status_code == 200 and by_lab.json()["items"] == []
    assert again.status_code == 404
    with read_session(stage.engine) as session:
        assert session.scalar(text("SELECT count(*) FROM booking_files")) == 0


def test_a_form_without_a_file_is_told_so_in_place(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    answer = Desk(stage, cast.owner).post(f"/bookings/{booking['id']}/files")
    wrong = Desk(stage, cast.owner).post(f"/bookings/{booking['id']}/files", files={"file": ("x.exe", b"MZ")})
    good = Desk(stage, cast.owner).post(f"/bookings/{booking['id']}/files", files={"file": ("数据.pdf", PDF)})

    assert answer.status_code == 422 and "Choose a file." in answer.text and 'aria-invalid="true"' in answer.text
    assert wrong.status_code == 422 and "hold what their name says" in wrong.text
    assert good.headers["location"].endswith("#files")


# The thread.


def test_the_other_side_is_marked_and_mailed(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    address = f"/bookings/{booking['id']}"
    startup, lab = Desk(stage, cast.owner), Desk(stage, cast.manager)

    sent = startup.post(f"{address}/messages", words="样品含水，\r\n需冷台 <吗>?")
    board = lab.get("/lab").text
    seen = lab.get(address).text
    after = lab.get("/lab").text
    lab.post(f"{address}/messages", words="可以。")
    desk = startup.get("/bookings").text

    assert sent.headers["location"] == f"{address}#messages"
    assert "New messages" in board and f'{address}#messages"' in board
    assert "样品含水，\n需冷台 &lt;吗&gt;?" in seen and ">unread<" in seen
    assert "New messages" not in after, "who has read it is not told again"
    assert "1 new message" in desk
    assert ">unread<" in startup.get(address).text and ">unread<" not in startup.get(address).text
    assert {row.recipient for row in mails(stage, "booking_message")} == {
        cast.manager.email, cast.operator.email, cast.owner.email,
    }  # fmt: skip


def test_five_messages_within_ten_minutes_are_one_mail(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    api = stage.api(cast.owner)
    for number in range(5):
        assert api.post(f"/bookings/{booking['id']}/messages", {"words": f"第 {number} 句"}).status_code == 201
        stage.clock.at += timedelta(minutes=2)
    rows = [row for row in mails(stage, "booking_message") if row.recipient == cast.manager.email]
    assert len(rows) == 1 and rows[0].due_at == stage.clock.at

    letter = mail_text(stage, rows[0])
    api.post(f"/bookings/{booking['id']}/messages", {"words": "后来"})
    again = [row for row in mails(stage, "booking_message") if row.recipient == cast.manager.email]

    assert letter is not None and all(f"第 {number} 句" in letter for number in range(5))
    assert len(again) == 2, "after the ten minutes another bundle begins"


def test_what_was_read_or_erased_is_not_mailed(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    api = stage.api(cast.owner)
    api.post(f"/bookings/{booking['id']}/messages", {"words": "秘密"})
    by_person = {row.recipient: row for row in mails(stage, "booking_message")}

    read = stage.api(cast.operator).post(f"/bookings/{booking['id']}/messages/reading")
    with unit_of_work(stage.engine) as session:
        key = session.scalars(select(Message.note_id)).one()
        notes.erase(session.get_one(Note, key), now=stage.clock.now())

    assert read.json() == {"unread": 0}
    assert mail_text(stage, by_person[cast.operator.email]) is None
    letter = mail_text(stage, by_person[cast.manager.email])
    assert letter is None, "nothing is left to say"
    page = stage.browser(cast.owner).get(f"/bookings/{booking['id']}").text
    assert "秘密" not in page and "erased" in page


def test_an_answer_by_one_of_the_lab_unmarks_it_for_all(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    address = f"/bookings/{booking['id']}/messages"
    stage.api(cast.owner).post(address, {"words": "几点到?"})
    assert stage.api(cast.manager).get(address).json()["unread"] == 1

    stage.api(cast.operator).post(address, {"words": "九点。"})

    listed = stage.api(cast.manager).get(address).json()
    assert (listed["unread"], listed["total"]) == (0, 2)
    assert [item["side"] for item in listed["items"]] == ["startup", "lab"]
    assert stage.api(cast.auditor).get(address).json()["unread"] == 0


@pytest.mark.parametrize(
    ("words", "status"), [("", 422), (" \n ", 422), ("字" * 2001, 422), ("字" * 2000, 201), ("a\x00b", 422), (7, 422)]
)
def test_unfit_messages_are_refused(stage: Stage, cast: Cast, book: Any, words: Any, status: int) -> None:
    booking = book()

    answer = stage.api(cast.owner).post(f"/bookings/{booking['id']}/messages", {"words": words})

    assert answer.status_code == status
    listed = stage.api(cast.owner).get(f"/bookings/{booking['id']}/messages").json()
    assert listed["total"] == (1 if status == 201 else 0)


def test_what_was_typed_stays_when_a_message_is_refused(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    answer = Desk(stage, cast.owner).post(f"/bookings/{booking['id']}/messages", words="字" * 2001)

    assert answer.status_code == 422 and "字" * 2001 in answer.text


def test_who_only_looks_on_does_not_write(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    for person in (cast.finance, cast.zone, cast.auditor):
        answer = stage.api(person).post(f"/bookings/{booking['id']}/messages", {"words": "?"})
        page = stage.browser(person).get(f"/bookings/{booking['id']}").text
        assert answer.status_code == 403
        assert 'name="words"' not in page and 'name="file"' not in page


def test_a_message_sent_twice_with_one_key_is_one(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    for _ in range(2):
        answer = stage.api(cast.owner).post(
            f"/bookings/{booking['id']}/messages", {"words": "一次"}, Idempotency_Key="k1"
        )
        assert answer.status_code == 201

    assert stage.api(cast.owner).get(f"/bookings/{booking['id']}/messages").json()["total"] == 1


def test_a_long_thread_costs_the_page_no_more_statements(
    stage: Stage, cast: Cast, book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = book()
    address = f"/bookings/{booking['id']}"
    monkeypatch.setattr("booking.papers.views.SHOWN", 3)
    counts = []
    for _ in range(2):
        for _ in range(4):
            stage.api(cast.owner).post(f"{address}/messages", {"words": "x"})
        upload(stage, cast.owner, str(booking["id"]), PDF)
        browser = stage.browser(cast.owner)
        with counted(stage) as statements:
            page = browser.get(address).text
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 22
    assert "5 earlier messages" in page
    assert browser.get(f"{address}?thread=all").text.count("<header><b>") == 8


def test_a_thread_ends_somewhere(stage: Stage, cast: Cast, book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = book()
    monkeypatch.setattr(messages, "MESSAGES_MOST", 1)
    stage.api(cast.owner).post(f"/bookings/{booking['id']}/messages", {"words": "1"})

    answer = stage.api(cast.owner).post(f"/bookings/{booking['id']}/messages", {"words": "2"})

    assert (answer.status_code, answer.json()["code"]) == (409, "messages_too_many")
