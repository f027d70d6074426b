"""The people of the tests, with what they run, and clients that act as them over real HTTP routes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.testclient import TestClient

from core.clock import Clock
from core.config import Settings
from core.db import read_session, unit_of_work
from equipment.models import ApprovalMode, Equipment
from members import queries, service
from members.actor import Actor
from members.models import Organisation, OrganisationKind, Person, Role
from tests import factories
from vouchers.models import Programme, Voucher
from web.app import create_app

# A slot that is open, three days ahead: Friday 27 November 2026, 14:00-16:00 in Wuhan.
STARTS, ENDS = "2026-11-27T06:00:00Z", "2026-11-27T08:00:00Z"


@dataclass
class Cast:
    """A university with a lab, another one, two startups, and the zone's offices."""

    university: Organisation
    other_university: Organisation
    startup: Organisation
    rival: Organisation
    office: Organisation
    owner: Person
    member: Person
    stranger: Person
    researcher: Person
    manager: Person
    operator: Person
    other_manager: Person
    finance: Person
    zone: Person
    auditor: Person
    sem: Equipment
    printer: Equipment
    foreign: Equipment
    programme: Programme
    voucher: Voucher


@pytest.fixture
def cast(engine: Engine) -> Cast:
    """Everybody, with an instrument that the lab approves, one that approves by itself, and one of another lab."""
    with unit_of_work(engine) as session:
        university = factories.make_organisation(
            session, OrganisationKind.UNIVERSITY, "江城大学", "Jiangcheng University"
        )
        other = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "东湖大学", "East Lake University")
        startup = factories.make_organisation(session, OrganisationKind.COMPANY, "星环传感", "Starloop Sensors")
        rival = factories.make_organisation(session, OrganisationKind.TEAM, "清源团队", "Qingyuan team")
        office = factories.make_organisation(session, OrganisationKind.AUTHORITY, "园区办公室", "Zone office")

        def person(name: str, organisation: Organisation, role: Role, email: str) -> Person:
            return factories.make_person(session, name, organisation, role, email=f"{email}@example.com")

        manager = person("林静", university, Role.LAB_MANAGER, "lab")
        operator = person("马超", university, Role.LAB_OPERATOR, "operator")
        other_manager = person("吴越", other, Role.LAB_MANAGER, "otherlab")
        lab = factories.make_lab(session, university, "分析测试中心", [manager, operator])
        other_lab = factories.make_lab(session, other, "工程训练中心", [other_manager])
        programme = factories.make_programme(session)
        return Cast(
            university=university, other_university=other, startup=startup, rival=rival, office=office,
            owner=person("陈晓", startup, Role.STARTUP_OWNER, "owner"),
            member=person("李想", startup, Role.STARTUP_MEMBER, "member"),
            stranger=person("苏晴", rival, Role.STARTUP_OWNER, "stranger"),
            researcher=person("周宁", university, Role.RESEARCHER, "researcher"),
            manager=manager, operator=operator, other_manager=other_manager,
            finance=person("王芳", office, Role.FINANCE_OFFICER, "finance"),
            zone=person("赵岚", office, Role.ZONE_ADMIN, "zone"),
            auditor=person("孙明", office, Role.AUDITOR, "auditor"),
            sem=factories.make_equipment(session, lab),
            printer=factories.make_equipment(
                session, lab, "金属 3D 打印机", units=2, approval=ApprovalMode.AUTOMATIC, always_open=True
            ),
            foreign=factories.make_equipment(session, other_lab, "示波器"),
            programme=programme,
            voucher=factories.make_voucher(session, programme, startup),
        )  # fmt: skip


def actor_of(engine: Engine, person: Person) -> Actor:
    with read_session(engine) as session:
        actor = queries.get_actor(session, person.id)
    assert actor is not None
    return actor


class StillClock(Clock):
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = factories.NOW

    def now(self):  # type: ignore[no-untyped-def]
        return self.at


@dataclass
class Stage:
    """The application over the test's database, with its clock and clients for people."""

    client: TestClient
    clock: StillClock
    engine: Engine

    def api(self, person: Person | None) -> "Api":
        """JSON as a person with a bearer token; None: not signed in."""
        headers = {"Accept-Language": "en"}
        if person is not None:
            with unit_of_work(self.engine) as session:
                token = service.issue_api_token(session, person, now=self.clock.now())
            headers["Authorization"] = f"Bearer {token}"
        return Api(self.client, headers)

    def browser(self, person: Person | None, lang: str = "en") -> TestClient:
        """Pages as a person, with cookies of its own."""
        browser = TestClient(self.client.app, follow_redirects=False, headers={"Accept-Language": lang})
        if person is not None:
            with unit_of_work(self.engine) as session:
                token = service.start_session(session, person, now=self.clock.now())
            browser.cookies.set("yx_session", token)
        return browser


class Api:
    """A client whose requests carry one person's token."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    def __call__(self, method: str, path: str, json: object = None, **headers: str):  # type: ignore[no-untyped-def]
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, f"/api/v1{path}", json=json, headers=self._headers | names)

    def get(self, path: str):  # type: ignore[no-untyped-def]
        return self("GET", path)

    def post(self, path: str, json: object = None, **headers: str):  # type: ignore[no-untyped-def]
        return self("POST", path, {} if json is None else json, **headers)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        secret_key=SecretStr("test"),
        demo=False,
        _env_file=None,  # type: ignore[call-arg]
    )


@pytest.fixture
def stage(engine: Engine, settings: Settings) -> Iterator[Stage]:
    app = create_app(settings, engine=engine)
    clock = StillClock()
    app.state.site.clock = clock
    # The test client reads an answer to its end.
    app.state.site.live.lifetime_s = 0
    with TestClient(app, follow_redirects=False) as client:
        yield Stage(client, clock, engine)


@pytest.fixture
def book(stage: Stage, cast: Cast) -> Callable[..., dict[str, object]]:
    """Request a slot through JSON and give the answer's body."""

    def request(person: Person | None = None, **changes: object) -> dict[str, object]:
        body = {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes
        answer = stage.api(person or cast.owner).post("/bookings", body)
        assert answer.status_code == 201, answer.text
        found: dict[str, object] = answer.json()
        return found

    return request


def csrf_of(browser: TestClient, path: str = "/settings") -> str:
    """The token that forms on a page carry."""
    page = browser.get(path).text
    return page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
