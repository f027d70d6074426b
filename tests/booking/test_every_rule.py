"""The same rules on every path: preview, request, move, approval and booking for someone, as JSON and as forms.

Each rule is broken once for all of them; each path refuses with its code and its words, and nothing changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select

from booking.models import Booking, BookingEvent, Occupancy
from core.db import read_session, unit_of_work
from core.outbox import OutboxMessage
from equipment import limiting, policies, timetables
from equipment.limiting import ZONE
from equipment.limits import Limit, Reach
from equipment.models import Lab, LimitSubject, Period, Qualification
from equipment.scopes import Level, find_scope
from members import standing
from members.models import AuditEntry, Membership, Note, Role, SuspensionCode
from tests.cast import ENDS, STARTS, Cast, Stage, actor_of, csrf_of
from vouchers.models import Hold, HoldEnd

#: Where everybody wants to go: the same Friday, 10:00-12:00 in Wuhan, which is free and open.
TO_STARTS, TO_ENDS = "2026-11-27T02:00:00Z", "2026-11-27T04:00:00Z"
WALL = {"starts_at": "2026-11-27T10:00", "ends_at": "2026-11-27T12:00"}
Break = Callable[[Stage, Cast], None]


def set_rules(**own: Any) -> Break:
    def act(stage: Stage, cast: Cast) -> None:
        manager = actor_of(stage.engine, cast.manager)
        with unit_of_work(stage.engine) as session:
            scope = find_scope(session, manager, Level.EQUIPMENT, cast.sem.public_id)
            policies.set_rules(session, manager, scope, own, now=stage.clock.now())

    return act


def set_limit(reach: Reach, subject: LimitSubject, period: Period, bookings: int | None, minutes: int | None) -> Break:
    def act(stage: Stage, cast: Cast) -> None:
        zone = actor_of(stage.engine, cast.zone)
        with unit_of_work(stage.engine) as session:
            lab = session.get_one(Lab, cast.sem.lab_id).public_id
            place = {
                Reach.ZONE: lambda: ZONE,
                Reach.LAB: lambda: limiting.place_of(find_scope(session, zone, Level.LAB, lab)),
                Reach.EQUIPMENT: lambda: limiting.place_of(
                    find_scope(session, zone, Level.EQUIPMENT, cast.sem.public_id)
                ),
            }[reach]()
            limits = [Limit(reach, subject, period, bookings, minutes)]
            limiting.set_limits(session, zone, place, limits, now=stage.clock.now())

    return act


def close_fridays(stage: Stage, cast: Cast) -> None:
    manager = actor_of(stage.engine, cast.manager)
    with unit_of_work(stage.engine) as session:
        scope = find_scope(session, manager, Level.EQUIPMENT, cast.sem.public_id)
        timetables.set_hours(session, manager, scope, [timetables.Hours(0, 540, 1020)], now=stage.clock.now())


def let_time_pass(stage: Stage, cast: Cast) -> None:
    stage.clock.at = datetime.fromisoformat("2026-11-27T06:30:00Z")


def qualify(expires_on: date | None) -> Break:
    def act(stage: Stage, cast: Cast) -> None:
        set_rules(needs_qualification=True)(stage, cast)
        with unit_of_work(stage.engine) as session:
            session.add(
                Qualification(
                    lab_id=cast.sem.lab_id, equipment_id=cast.sem.id, person_id=cast.member.id,
                    granted_by_id=cast.manager.id, granted_at=stage.clock.now(), expires_on=expires_on,
                )
            )  # fmt: skip

    return act


def suspend(stage: Stage, cast: Cast) -> None:
    zone = actor_of(stage.engine, cast.zone)
    with unit_of_work(stage.engine) as session:
        standing.suspend(
            session, zone, cast.startup.public_id, code=SuspensionCode.UNPAID, until=None, words="逾期",
            now=stage.clock.now(),
        )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """How a rule comes to be broken, what its refusal says, and who may set it aside."""

    code: str
    words: str
    breaks: Break
    #: Lead time and horizon are for asking: an approval does not ask for them again.
    on_approval: bool = True
    by_lab: bool = True


DAY, WEEK, MONTH = Period
COMPANY, PERSON = LimitSubject
CASES = [
    Case("in_past", "The slot has already begun.", let_time_pass, by_lab=False),
    Case("too_soon", "Book at least", set_rules(lead_minutes=7 * 1440), on_approval=False),
    Case("too_far_ahead", "Book at most 2 days ahead", set_rules(horizon_days=2), on_approval=False),
    Case("too_short", "The shortest slot is", set_rules(length_minutes_min=180)),
    Case("too_long", "The longest slot is", set_rules(length_minutes_max=60)),
    Case("off_step", "on steps of", set_rules(step_minutes=70)),
    Case("outside_opening_hours", "closed for part of this time", close_fridays),
    Case("week_bookings_used_up", "of the company on this instrument", set_rules(company_week_bookings_max=1)),
    Case("week_time_used_up", "of the company on this instrument", set_rules(company_week_minutes_max=150)),
    Case("day_bookings_used_up", "of one person in this lab", set_limit(Reach.LAB, PERSON, DAY, 1, None)),
    Case("month_time_used_up", "of the company in the whole zone", set_limit(Reach.ZONE, COMPANY, MONTH, None, 179)),
    Case("month_bookings_used_up", "of one person on this", set_limit(Reach.EQUIPMENT, PERSON, MONTH, 1, None)),
    Case("day_time_used_up", "of the company on this", set_limit(Reach.EQUIPMENT, COMPANY, DAY, None, 120)),
    Case("week_time_used_up", "of one person in the whole zone", set_limit(Reach.ZONE, PERSON, WEEK, None, 120)),
    Case("qualification_missing", "Only people with a qualification", set_rules(needs_qualification=True)),
    Case("qualification_expired", "ends on Thu 26 Nov 2026", qualify(date(2026, 11, 26))),
    Case("organisation_suspended", "Bills are not paid", suspend, by_lab=False),
]
IDS = [f"{number}-{case.code}" for number, case in enumerate(CASES)]


@dataclass
class Scene:
    """A member's short booking that counts, and a request that waits for the lab."""

    stage: Stage
    cast: Cast
    waiting: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/bookings/{self.waiting['id']}"

    def ask(self, **more: Any) -> dict[str, Any]:
        slot = {"starts_at": TO_STARTS, "ends_at": TO_ENDS}
        return {"equipment_id": str(self.cast.sem.public_id), "voucher": "none"} | slot | more

    def move(self, **more: Any) -> dict[str, Any]:
        return {"starts_at": TO_STARTS, "ends_at": TO_ENDS, "version": self.waiting["version"]} | more

    def form(self, person: Any, path: str, **fields: Any) -> Any:
        browser = self.stage.browser(person)
        return browser.post(path, data={"csrf": csrf_of(browser)} | fields)

    def snapshot(self) -> list[Any]:
        """All that a refused write must leave as it is."""
        with read_session(self.stage.engine) as session:
            bookings = session.execute(
                select(Booking.id, Booking.state, Booking.version, Booking.starts_at).order_by(Booking.id)
            ).all()
            tables = (Occupancy, BookingEvent, Hold, HoldEnd, OutboxMessage, AuditEntry, Note)
            counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
        return [*bookings, *counts]


@pytest.fixture
def scene(stage: Stage, cast: Cast, book: Any) -> Scene:
    book(cast.member, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z", voucher="none")
    return Scene(stage, cast, book(cast.member, starts_at=STARTS, ends_at=ENDS, voucher="none"))


def codes_of(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer.json().get("reasons", [])]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_every_path_refuses_alike_and_changes_nothing(scene: Scene, case: Case) -> None:
    stage, cast = scene.stage, scene.cast
    case.breaks(stage, cast)
    member, manager = stage.api(cast.member), stage.api(cast.manager)
    for_someone = scene.ask(email="member@example.com")
    writes: dict[str, Callable[[], Any]] = {
        "create": lambda: member.post("/bookings", scene.ask()),
        "move": lambda: member("PATCH", scene.path, scene.move()),
        "move by lab": lambda: manager("PATCH", scene.path, scene.move()),
        "for someone": lambda: manager.post("/lab/bookings", for_someone),
    }
    forms: dict[str, Callable[[], Any]] = {
        "create": lambda: scene.form(
            cast.member, "/bookings", equipment_id=str(cast.sem.public_id), voucher="none", **WALL
        ),
        "move": lambda: scene.form(cast.member, f"{scene.path}/move", version=scene.waiting["version"], **WALL),
        "for someone": lambda: scene.form(
            cast.manager, "/lab/bookings", equipment_id=str(cast.sem.public_id), email="member@example.com", **WALL
        ),
    }
    if case.on_approval:
        writes["approve"] = lambda: manager.post(f"{scene.path}/approval")
        forms["approve"] = lambda: scene.form(cast.manager, f"{scene.path}/approval")

    quoted = member.post("/quotes", scene.ask()).json()
    assert case.code in [problem["code"] for problem in quoted["problems"]]
    shown = stage.browser(cast.member).get(f"/equipment/{cast.sem.public_id}", params=WALL).text
    assert case.words in shown
    for name, write in writes.items():
        before = _without_sign_in(scene)
        refused = write()
        assert refused.status_code == 422, (name, refused.text)
        assert refused.json()["code"] == "rules_broken", name
        assert case.code in codes_of(refused), (name, refused.text)
        reason = next(one for one in refused.json()["reasons"] if one["code"] == case.code)
        assert case.words in reason["message"], name
        assert _without_sign_in(scene) == before, name
        by_lab = case.code in refused.json().get("overridable", [])
        assert by_lab == (case.by_lab and name not in ("create", "move")), name
    for name, post in forms.items():
        before = _without_sign_in(scene)
        refused = post()
        assert refused.status_code == 422, (name, refused.text[:300])
        assert case.words in refused.text, name
        offered = f'name="override" value="{case.code}"' in refused.text
        assert offered == (case.by_lab and name not in ("create", "move")), name
        assert _without_sign_in(scene) == before, name


def _without_sign_in(scene: Scene) -> list[Any]:
    """Signing in writes to the trail; what stands in it about bookings is counted with the events."""
    *found, _audit, notes = scene.snapshot()
    return [*found, notes]


@pytest.mark.parametrize("case", [case for case in CASES if not case.on_approval], ids=lambda case: case.code)
def test_lead_time_and_horizon_are_over_once_it_was_asked(scene: Scene, case: Case) -> None:
    case.breaks(scene.stage, scene.cast)

    assert scene.stage.api(scene.cast.manager).post(f"{scene.path}/approval").json()["state"] == "approved"


OVERRIDES = [
    (case, verb)
    for case in CASES
    if case.by_lab
    for verb in ("requested", "moved", "approved")
    if case.on_approval or verb != "approved"
]


@pytest.mark.parametrize(("case", "verb"), OVERRIDES, ids=[f"{n}-{c.code}-{v}" for n, (c, v) in enumerate(OVERRIDES)])
def test_a_lab_sets_it_aside_with_a_reason_that_is_kept(scene: Scene, case: Case, verb: str) -> None:
    stage, cast = scene.stage, scene.cast
    case.breaks(stage, cast)
    manager = stage.api(cast.manager)

    def act(**more: Any) -> Any:
        if verb == "moved":
            return manager("PATCH", scene.path, scene.move(**more))
        if verb == "requested":
            return manager.post("/lab/bookings", scene.ask(email="member@example.com", **more))
        return manager.post(f"{scene.path}/approval", more)

    silent = act(override=[case.code], reason=" ")
    done = act(override=[case.code], reason="客户急件")

    assert (silent.status_code, silent.json()["code"]) == (422, "reason_missing")
    assert done.status_code in (200, 201), done.text
    assert done.json()["state"] == "approved"
    with read_session(stage.engine) as session:
        told = session.scalars(select(BookingEvent).where(BookingEvent.verb == "overridden")).one()
        assert told.data == {"override": [case.code], "for": verb}
        assert session.get_one(Note, told.note_id).body == "客户急件"
        lab = session.get_one(Lab, cast.sem.lab_id).public_id
    story = stage.browser(cast.member).get(f"/bookings/{done.json()['id']}").text
    for page in (story, stage.browser(cast.manager).get(f"/labs/{lab}/exceptions").text):
        assert "Rules set aside" in page
        assert "客户急件" in page


def test_exactly_what_is_named_passes(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    set_rules(length_minutes_max=60, horizon_days=2)(stage, cast)
    manager = stage.api(cast.manager)
    wish = scene.ask(email="member@example.com", override=["too_long"], reason="急件")

    refused = manager.post("/lab/bookings", wish)

    assert codes_of(refused) == ["too_far_ahead"]
    assert refused.json()["overridable"] == ["too_far_ahead"]
    both = manager.post("/lab/bookings", wish | {"override": ["too_long", "too_far_ahead"]})
    assert both.status_code == 201, both.text


@pytest.mark.parametrize("code", ["in_past", "slot_taken", "unit_blocked", "price_missing", "voucher_not_found", "x"])
def test_what_nobody_may_set_aside_is_refused_by_name(scene: Scene, code: str) -> None:
    before = scene.snapshot()[:2]

    refused = scene.stage.api(scene.cast.manager).post(
        "/lab/bookings", scene.ask(email="member@example.com", override=[code], reason="急件")
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "override_unknown")
    assert scene.snapshot()[:2] == before


def test_a_startup_sets_nothing_aside(scene: Scene) -> None:
    set_rules(length_minutes_max=60)(scene.stage, scene.cast)

    refused = scene.stage.api(scene.cast.owner)(
        "PATCH", scene.path, scene.move(override=["too_long"], reason="我们着急")
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "may_not_override")


def test_a_suspension_is_set_aside_by_the_zone_alone(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    suspend(stage, cast)
    wanted = {"override": ["organisation_suspended"], "reason": "已补缴"}
    manager = stage.api(cast.manager)
    assert manager.post(f"{scene.path}/approval", wanted).json()["code"] == "may_not_override"
    with unit_of_work(stage.engine) as session:
        session.add(Membership(person_id=cast.manager.id, organisation_id=cast.office.id, role=Role.ZONE_ADMIN))

    refused = stage.api(cast.manager).post(f"{scene.path}/approval")
    done = stage.api(cast.manager).post(f"{scene.path}/approval", wanted)

    assert refused.json()["overridable"] == ["organisation_suspended"]
    assert done.json()["state"] == "approved"


def test_what_was_set_aside_once_is_not_asked_again(scene: Scene) -> None:
    """A lab that lets a rule pass for a booking does not meet it again when it decides on it, until it moves."""
    stage, cast = scene.stage, scene.cast
    set_rules(length_minutes_max=60)(stage, cast)
    with unit_of_work(stage.engine) as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == UUID(scene.waiting["id"]))).one()
        session.add(
            BookingEvent(
                booking_id=booking.id, at=stage.clock.now(), verb="overridden", to_state=booking.state,
                data={"override": ["too_long"], "for": "moved"},
            )
        )  # fmt: skip

    assert stage.api(cast.manager).post(f"{scene.path}/approval").status_code == 200


def test_a_form_sets_aside_what_it_offers(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    close_fridays(stage, cast)
    offered = scene.form(cast.manager, f"{scene.path}/approval").text
    assert "Set aside for once" in offered

    done = scene.form(
        cast.manager, f"{scene.path}/approval", override="outside_opening_hours", override_reason="周五加班"
    )

    assert done.status_code == 303, done.text[:400]
    assert "周五加班" in stage.browser(cast.member).get(scene.path).text


def test_a_lab_moves_all_the_same_from_the_question_before_it(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    close_fridays(stage, cast)
    asked = stage.browser(cast.manager).get(f"{scene.path}/move", params=WALL).text
    assert 'value="outside_opening_hours"' in asked
    assert "Move all the same" in asked
    assert 'name="override"' not in stage.browser(cast.member).get(f"{scene.path}/move", params=WALL).text
    version = scene.waiting["version"]
    silent = scene.form(cast.manager, f"{scene.path}/move", version=version, override="outside_opening_hours", **WALL)
    refused = scene.form(cast.manager, f"{scene.path}/move", version=version, **WALL)

    done = scene.form(
        cast.manager, f"{scene.path}/move", version=version, override="outside_opening_hours",
        override_reason="周五加班", **WALL,
    )  # fmt: skip

    assert (silent.status_code, refused.status_code, done.status_code) == (422, 422, 303)
    assert "Say why" in silent.text
    assert 'name="override"' in refused.text


def test_the_page_says_what_is_broken_before_the_lab_decides(scene: Scene) -> None:
    close_fridays(scene.stage, scene.cast)

    page = scene.stage.browser(scene.cast.manager).get(scene.path).text

    assert "closed for part of this time" in page
    assert 'value="outside_opening_hours"' in page
    assert 'name="override"' not in scene.stage.browser(scene.cast.member).get(scene.path).text


def test_a_suspension_that_is_over_refuses_nothing(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    zone = actor_of(stage.engine, cast.zone)
    with unit_of_work(stage.engine) as session:
        standing.suspend(
            session, zone, cast.startup.public_id, code=SuspensionCode.OTHER, words="试行",
            until=datetime.fromisoformat("2026-11-24T16:00:00Z"), now=stage.clock.now(),
        )  # fmt: skip
    member = stage.api(cast.member)
    assert codes_of(member.post("/bookings", scene.ask())) == ["organisation_suspended"]

    stage.clock.at = datetime.fromisoformat("2026-11-24T16:00:00Z")

    assert member.post("/bookings", scene.ask()).status_code == 201


def test_the_last_day_of_a_qualification_counts(scene: Scene) -> None:
    qualify(date(2026, 11, 27))(scene.stage, scene.cast)

    assert scene.stage.api(scene.cast.member).post("/bookings", scene.ask()).status_code == 201


def test_a_limit_of_a_person_does_not_bind_a_colleague(scene: Scene) -> None:
    set_limit(Reach.EQUIPMENT, PERSON, DAY, 2, None)(scene.stage, scene.cast)

    assert codes_of(scene.stage.api(scene.cast.member).post("/bookings", scene.ask())) == ["day_bookings_used_up"]
    assert scene.stage.api(scene.cast.owner).post("/bookings", scene.ask()).status_code == 201


def test_an_instrument_without_limits_asks_nothing_more(stage: Stage, cast: Cast) -> None:
    seen: list[str] = []
    event.listen(stage.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    asked = Scene(stage, cast, {}).ask()

    assert stage.api(cast.member).post("/quotes", asked).status_code == 200
    without = [statement for statement in seen if "FROM qualifications" in statement or _counts(statement)]
    set_limit(Reach.ZONE, PERSON, MONTH, 5, None)(stage, cast)
    seen.clear()
    assert stage.api(cast.member).post("/quotes", asked).status_code == 200

    assert without == []
    assert len([statement for statement in seen if _counts(statement)]) == 1


def _counts(statement: str) -> bool:
    return "bookings.starts_at >=" in statement and "FROM bookings" in statement
