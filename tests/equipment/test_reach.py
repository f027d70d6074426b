"""Whose entries an import touches: a manager's labs only; everything for the zone and the command."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, event, func, select

from core.db import read_session, unit_of_work
from equipment.errors import ImportNotYours
from equipment.importing import queries, service
from equipment.importing.staging import stage_waiting
from equipment.models import Equipment, EquipmentChange, ImportRow, ImportRun, Lab, LabStaff, RowKind
from members.models import Person
from tests import factories
from tests.cast import Cast, Stage, actor_of

HEAD = "仪器编号,仪器名称,型号,所在实验室,现状\n"


@pytest.fixture
def elsewhere(stage: Stage, cast: Cast) -> Equipment:
    """An instrument of the same university in a lab that the manager does not run."""
    with unit_of_work(stage.engine) as session:
        lab = factories.make_lab(session, cast.university, "激光实验室", [])
        return factories.make_equipment(session, lab, "光谱仪")


def upload(stage: Stage, cast: Cast, person: Person | None, rows: str, *, is_full: bool = False) -> UUID:
    now = stage.clock.now()
    actor = actor_of(stage.engine, person) if person else None
    with unit_of_work(stage.engine) as session:
        run = service.start_import(
            session,
            actor,
            cast.university.id,
            name="list.csv",
            content=(HEAD + rows).encode(),
            is_full=is_full,
            now=now,
        )
        public_id = run.public_id
    stage_waiting(stage.engine, now=now, limit=5)
    return public_id


def staged(stage: Stage, public_id: UUID) -> list[tuple[str, str, str]]:
    """Kind, number and the first thing that is said of each row."""
    with read_session(stage.engine) as session:
        run = queries.get_run(session, public_id)
        return [
            (row.kind.value, row.asset_number, row.problems[0]["code"] if row.problems else "")
            for row in queries.find_rows(session, run.id)
        ]


def apply(stage: Stage, person: Person | None, public_id: UUID) -> ImportRun:
    actor = actor_of(stage.engine, person) if person else None
    with unit_of_work(stage.engine) as session:
        run = queries.get_run(session, public_id)
        return service.apply_import(session, actor, run, now=stage.clock.now())


def test_a_manager_touches_entries_of_their_labs_only(stage: Stage, cast: Cast, elsewhere: Equipment) -> None:
    rows = (
        f"{cast.sem.asset_number},电镜,M2,,\n{elsewhere.asset_number},光谱仪,M2,,\n"
        "N-1,新一,,分析测试中心,\nN-2,新二,,激光实验室,\nN-3,新三,,没有的实验室,\nN-4,新四,,,\n"
    )

    public_id = upload(stage, cast, cast.manager, rows)

    assert sorted(staged(stage, public_id)) == sorted([
        ("changed", cast.sem.asset_number, ""), ("refused", elsewhere.asset_number, "other_lab"), ("new", "N-1", ""),
        ("refused", "N-2", "lab_not_yours"), ("refused", "N-3", "lab_not_yours"), ("new", "N-4", ""),
    ])  # fmt: skip
    apply(stage, cast.manager, public_id)
    with read_session(stage.engine) as session:
        found = session.execute(
            select(Equipment.asset_number, Lab.name_zh).join(Lab).where(Equipment.asset_number.like("N-%"))
        ).all()
        assert sorted(tuple(row) for row in found) == [("N-1", "分析测试中心"), ("N-4", "分析测试中心")]
        assert session.scalar(select(func.count()).select_from(Lab).where(Lab.name_zh == "没有的实验室")) == 0


def test_who_runs_several_labs_says_which(stage: Stage, cast: Cast, elsewhere: Equipment) -> None:
    with unit_of_work(stage.engine) as session:
        session.add(LabStaff(lab_id=elsewhere.lab_id, person_id=cast.manager.id))

    public_id = upload(stage, cast, cast.manager, "N-1,新一,,,\nN-2,新二,,激光实验室,\n")

    assert sorted(staged(stage, public_id)) == [("new", "N-2", ""), ("refused", "N-1", "lab_missing")]


def test_a_managers_whole_list_retires_nothing_of_another_lab(stage: Stage, cast: Cast, elsewhere: Equipment) -> None:
    public_id = upload(stage, cast, cast.manager, f"{cast.sem.asset_number},电镜,M2,,\n", is_full=True)

    gone = {number for kind, number, _ in staged(stage, public_id) if kind == "gone"}

    assert cast.printer.asset_number in gone
    assert elsewhere.asset_number not in gone


@pytest.mark.parametrize("who", ["zone", "command"])
def test_the_zone_and_the_command_import_for_the_whole_institution(
    stage: Stage, cast: Cast, elsewhere: Equipment, who: str
) -> None:
    person = cast.zone if who == "zone" else None

    public_id = upload(stage, cast, person, f"{elsewhere.asset_number},光谱仪,M2,,\nN-3,新三,,没有的实验室,\n")
    apply(stage, person, public_id)

    assert {kind for kind, _, _ in staged(stage, public_id)} == {"changed", "new"}


def test_who_applies_another_ones_preview_must_run_its_labs_too(stage: Stage, cast: Cast, elsewhere: Equipment) -> None:
    changed = upload(stage, cast, cast.zone, f"{elsewhere.asset_number},光谱仪,M2,,\n")
    added = upload(stage, cast, cast.zone, "N-3,新三,,没有的实验室,\n")

    for public_id in (changed, added):
        with pytest.raises(ImportNotYours):
            apply(stage, cast.manager, public_id)


def test_who_lost_a_lab_meanwhile_changes_nothing_there(stage: Stage, cast: Cast) -> None:
    public_id = upload(stage, cast, cast.manager, f"{cast.sem.asset_number},电镜,M2,,\n")
    with unit_of_work(stage.engine) as session:
        for row in session.scalars(select(LabStaff).where(LabStaff.person_id == cast.manager.id)):
            session.delete(row)

    with pytest.raises(ImportNotYours):
        apply(stage, cast.zone, public_id)


def test_what_is_scrapped_is_taken_out_of_booking_and_said_before(stage: Stage, cast: Cast) -> None:
    with read_session(stage.engine) as session:
        assert session.scalar(select(Equipment.is_bookable).where(Equipment.id == cast.sem.id))

    public_id = upload(stage, cast, cast.manager, f"{cast.sem.asset_number},{cast.sem.name_zh},,,报废\n")
    assert staged(stage, public_id) == [("changed", cast.sem.asset_number, "leaves_booking")]
    apply(stage, cast.manager, public_id)

    with read_session(stage.engine) as session:
        state, bookable = session.execute(
            select(Equipment.asset_state, Equipment.is_bookable).where(Equipment.id == cast.sem.id)
        ).one()
        assert (state, bookable) == ("scrapped", False)
        fields = session.scalars(select(EquipmentChange.fields).order_by(EquipmentChange.id.desc())).first()
        assert fields == {"asset_state": ["in_use", "scrapped"], "is_bookable": [True, False]}


def test_applying_takes_as_many_statements_for_many_rows_as_for_few(stage: Stage, cast: Cast) -> None:
    counts = []
    for many in (3, 300):
        rows = "".join(f"X{many}-{number},仪器,M,分析测试中心,\n" for number in range(many))
        public_id = upload(stage, cast, None, rows)
        counts.append(_count_statements(stage.engine, lambda chosen=public_id: apply(stage, None, chosen)))  # type: ignore[misc]

    assert counts[0] == counts[1] < 30


def _count_statements(engine: Engine, act) -> int:  # type: ignore[no-untyped-def]
    seen: list[str] = []

    def note(_connection, _cursor, statement, _parameters, _context, many) -> None:  # type: ignore[no-untyped-def]
        assert not many, "rows travel one by one"
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("after", ["99999999999999999999", "-1", "x"])
def test_a_position_that_no_row_has_is_refused(stage: Stage, cast: Cast, after: str) -> None:
    public_id = upload(stage, cast, cast.manager, "N-1,新一,,,\n")

    assert stage.browser(cast.manager).get(f"/lab/imports/{public_id}?after={after}").status_code == 422
    assert stage.api(cast.manager).get(f"/imports/{public_id}/rows?after={after}").status_code == 422


def test_the_page_says_what_is_left_out(stage: Stage, cast: Cast) -> None:
    with unit_of_work(stage.engine) as session:
        content = "仪器编号,仪器名称,学科领域,邮编\nN-1,新一,材料,430070\n".encode()
        run = service.start_import(
            session, None, cast.university.id, name="l.csv", content=content, is_full=False, now=stage.clock.now()
        )
        public_id, run_id = run.public_id, run.id
    stage_waiting(stage.engine, now=stage.clock.now(), limit=5)
    with unit_of_work(stage.engine) as session:
        problem = {"column": "二〇二五", "code": "sheet_left_out", "reason": "x", "fields": {}}
        session.add(ImportRow(run_id=run_id, number=0, kind=RowKind.REFUSED, problems=[problem]))

    page = stage.browser(cast.manager).get(f"/lab/imports/{public_id}").text

    assert "Columns that are left out: 学科领域 · 邮编" in page
    assert "Sheets that are not read: 二〇二五" in page
