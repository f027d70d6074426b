"""Imports from upload to catalogue: preview, whole lists, stale previews, columns to be named, and bookings meanwhile."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from core.db import read_session, unit_of_work
from equipment.errors import ImportNotReady, ImportStale
from equipment.importing import queries, service
from equipment.importing.staging import LEASE, stage, stage_waiting
from equipment.models import Equipment, EquipmentChange, ImportFile, ImportRun, ImportState, Lab, RowKind
from members import service as members
from members.models import Organisation, OrganisationKind
from tests.cast import Cast, Stage

HEAD = "仪器编号,仪器名称,生产厂商,型号,原值(元),联系人,所在实验室\n"


def lines(*numbers: int, maker: str = "ZEISS", contact: str = "林静") -> bytes:
    rows = (f"A-{n},扫描电镜 {n},{maker},GeminiSEM {n},600000,{contact},分析中心\n" for n in numbers)
    return (HEAD + "".join(rows)).encode()


@pytest.fixture
def owner(engine: Engine) -> int:
    with unit_of_work(engine) as session:
        return members.register_organisation(
            session, kind=OrganisationKind.UNIVERSITY, code="10497", name_zh="武汉理工大学"
        ).id


def upload(
    engine: Engine, owner: int, content: bytes, now: datetime, *, is_full: bool = False, name: str = "list.csv"
) -> UUID:
    """Upload and compare, as the clock does it."""
    with unit_of_work(engine) as session:
        run = service.start_import(session, None, owner, name=name, content=content, is_full=is_full, now=now)
        public_id = run.public_id
    assert stage_waiting(engine, now=now, limit=5) == 1
    return public_id


def act(engine: Engine, public_id: UUID, do: Callable[[Session, ImportRun], object]) -> None:
    with unit_of_work(engine) as session:
        do(session, queries.get_run(session, public_id))


def apply(engine: Engine, public_id: UUID, now: datetime) -> ImportRun:
    act(engine, public_id, lambda session, run: service.apply_import(session, None, run, now=now))
    return seen(engine, public_id)


def seen(engine: Engine, public_id: UUID) -> ImportRun:
    with read_session(engine) as session:
        return queries.get_run(session, public_id)


def count(engine: Engine, table: type) -> int:
    with read_session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_preview_says_what_would_change_and_changes_nothing(engine: Engine, owner: int, now: datetime) -> None:
    apply(engine, upload(engine, owner, lines(1, 2), now), now)

    public_id = upload(engine, owner, lines(1, maker="FEI") + lines(3)[len(HEAD.encode()) :], now)

    run = seen(engine, public_id)
    assert (run.state, run.rows_new, run.rows_changed, run.rows_same) == (ImportState.PREVIEW, 1, 1, 0)
    with read_session(engine) as session:
        (changed,) = queries.find_rows(session, run.id, RowKind.CHANGED)
        assert (changed.before["maker"], changed.values["maker"]) == ("ZEISS", "FEI")
        assert session.scalar(select(Equipment.maker).where(Equipment.asset_number == "A-1")) == "ZEISS"
    assert count(engine, Equipment) == 2


def test_applying_writes_history_without_personal_values(engine: Engine, owner: int, now: datetime) -> None:
    apply(engine, upload(engine, owner, lines(1), now), now)
    run = apply(engine, upload(engine, owner, lines(1, contact="吴越", maker="FEI"), now), now)

    assert run.state is ImportState.APPLIED
    assert count(engine, ImportFile) == 0
    with read_session(engine) as session:
        newest = session.scalars(select(EquipmentChange).order_by(EquipmentChange.id.desc())).first()
        assert newest is not None
        assert newest.fields == {"maker": ["ZEISS", "FEI"], "contact_name": None}
        entry = session.scalars(select(Equipment)).one()
        assert (entry.contact_name, entry.is_due_for_sharing, entry.version) == ("吴越", True, 2)


def test_a_whole_list_retires_what_is_missing_and_brings_it_back(engine: Engine, owner: int, now: datetime) -> None:
    apply(engine, upload(engine, owner, lines(1, 2), now), now)

    gone = apply(engine, upload(engine, owner, lines(1), now, is_full=True), now)
    assert gone.rows_gone == 1
    with read_session(engine) as session:
        assert session.scalar(select(Equipment.retired_at).where(Equipment.asset_number == "A-2")) == now
    assert count(engine, Equipment) == 2

    back = apply(engine, upload(engine, owner, lines(1, 2), now, is_full=True), now)
    assert (back.rows_changed, back.rows_gone) == (1, 0)
    with read_session(engine) as session:
        assert session.scalar(select(Equipment.retired_at).where(Equipment.asset_number == "A-2")) is None


def test_a_row_that_is_refused_is_not_missing(engine: Engine, owner: int, now: datetime) -> None:
    apply(engine, upload(engine, owner, lines(1, 2), now), now)

    broken = lines(1) + b"A-2,,ZEISS,,600000,,\n"

    assert seen(engine, upload(engine, owner, broken, now, is_full=True)).rows_gone == 0


def test_a_preview_of_a_catalogue_that_changed_is_refused(engine: Engine, owner: int, now: datetime) -> None:
    apply(engine, upload(engine, owner, lines(1), now), now)
    first = upload(engine, owner, lines(1, maker="FEI"), now)
    second = upload(engine, owner, lines(1, maker="JEOL"), now)
    apply(engine, second, now)

    with pytest.raises(ImportStale):
        apply(engine, first, now)
    act(engine, first, lambda session, run: service.compare_again(session, ACTOR, run, is_full=False, now=now))
    stage_waiting(engine, now=now, limit=1)
    apply(engine, first, now)

    with read_session(engine) as session:
        assert session.scalars(select(Equipment.maker)).one() == "FEI"


ACTOR: None = None


def test_two_previews_of_the_same_new_rows_add_them_once(engine: Engine, owner: int, now: datetime) -> None:
    first, second = upload(engine, owner, lines(1), now), upload(engine, owner, lines(1), now)
    apply(engine, first, now)

    with pytest.raises(ImportStale):
        apply(engine, second, now)
    with pytest.raises(ImportNotReady):
        apply(engine, first, now)
    assert count(engine, Equipment) == 1


def test_unknown_columns_are_named_once_and_remembered(engine: Engine, owner: int, now: datetime) -> None:
    content = "甲,乙,丙\nA-1,示波器,Keysight\n".encode()
    public_id = upload(engine, owner, content, now)
    assert seen(engine, public_id).state is ImportState.MAPPING

    named = {"0": "asset_number", "1": "name_zh", "2": "maker"}
    act(engine, public_id, lambda session, run: service.map_columns(session, ACTOR, run, named, now=now))
    stage_waiting(engine, now=now, limit=1)
    apply(engine, public_id, now)

    again = seen(engine, upload(engine, owner, content.replace(b"Keysight", b"Tektronix"), now))
    assert (again.state, again.rows_changed) == (ImportState.PREVIEW, 1)


def test_staging_that_died_is_begun_anew_by_another(engine: Engine, owner: int, now: datetime) -> None:
    with unit_of_work(engine) as session:
        run = service.start_import(session, None, owner, name="x.csv", content=lines(1), is_full=False, now=now)
        run.claimed_until = now + LEASE
        run_id = run.id

    assert stage(engine, run_id, now=now) is False
    assert stage(engine, run_id, now=now + LEASE + timedelta(seconds=1)) is True


def test_an_edit_of_the_lab_is_not_overwritten_by_what_a_file_does_not_say(
    engine: Engine, owner: int, now: datetime
) -> None:
    apply(engine, upload(engine, owner, lines(1), now), now)
    with unit_of_work(engine) as session:
        entry = session.scalars(select(Equipment)).one()
        entry.capability_zh, entry.name_en = "断面形貌", "SEM"
        lab = session.scalars(select(Lab)).one()
        assert lab.name_zh == "分析中心"

    run = seen(engine, upload(engine, owner, lines(1), now))

    assert (run.rows_changed, run.rows_same) == (0, 1)


@pytest.mark.parametrize("rows", [5_000])
def test_bookings_go_on_while_five_thousand_rows_come_in(stage: Stage, cast: Cast, rows: int) -> None:
    """Every request is answered 201, and the writing of the import never holds the lock for long."""
    engine, now = stage.engine, stage.clock.now()
    with unit_of_work(engine) as session:
        session.add(Organisation(kind=OrganisationKind.UNIVERSITY, code="77777", name_zh="大学校", sort_key="d"))
        session.flush()
        owner = session.scalar(select(Organisation.id).where(Organisation.code == "77777")) or 0
    statuses: list[int] = []
    stop = threading.Event()

    def keep_booking() -> None:
        api = stage.api(cast.owner)
        number = 0
        while not stop.is_set():
            start = now + timedelta(days=3 + number // 20, hours=number % 20)
            body = {
                "equipment_id": str(cast.printer.public_id), "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(hours=1)).isoformat(), "voucher": "none",
            }  # fmt: skip
            statuses.append(api.post("/bookings", body).status_code)
            number += 1
            time.sleep(0.02)

    longest = _Longest(engine)
    thread = threading.Thread(target=keep_booking)
    thread.start()
    try:
        apply(engine, upload(engine, owner, lines(*range(rows)), now), now)
    finally:
        stop.set()
        thread.join()

    assert count(engine, Equipment) >= rows
    assert statuses
    assert set(statuses) == {201}
    print(f"{rows} rows: the longest unit of work took {longest.seconds:.2f} s, {len(statuses)} bookings meanwhile")


class _Longest:
    """The longest time between the beginning and the end of a writing unit of work."""

    def __init__(self, engine: Engine) -> None:
        self.seconds = 0.0
        self._since = threading.local()
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._commit)

    def _begin(self, _connection: object) -> None:
        self._since.at = time.perf_counter()

    def _commit(self, _connection: object) -> None:
        self.seconds = max(self.seconds, time.perf_counter() - self._since.at)
