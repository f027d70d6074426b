"""`yixiang import`: applies at once, or prints what would change and applies it by its id."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from core.db import read_session, unit_of_work
from equipment.models import Equipment
from members import service as members
from members.models import OrganisationKind
from web import cli


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    with unit_of_work(engine) as session:
        members.register_organisation(session, kind=OrganisationKind.UNIVERSITY, code="10497", name_zh="武汉理工大学")
    monkeypatch.setattr(cli, "open_engine", lambda _settings: engine)
    path = tmp_path / "list.csv"

    def invoke(content: str, *options: str) -> Result:
        path.write_text(content)
        return CliRunner().invoke(cli.app, ["import", str(path), "--institution", "10497", "--lang", "en", *options])

    return invoke


def makers(engine: Engine) -> list[str]:
    with read_session(engine) as session:
        return list(session.scalars(select(Equipment.maker).order_by(Equipment.asset_number)))


def test_a_preview_prints_each_change_and_is_applied_by_its_id(engine: Engine, run) -> None:  # type: ignore[no-untyped-def]
    head = "仪器编号,仪器名称,生产厂商\n"
    assert run(f"{head}1,电镜,ZEISS\n2,示波器,A\n").exit_code == 0

    shown = run(f"{head}1,电镜,FEI\n3,[新],B\n4,,C\n", "--preview", "--full").output

    for line in ("Changed 1 电镜", "Maker: ZEISS -> FEI", "New 3 [新]", "Gone 2 示波器", "row 4, 仪器名称"):
        assert line in shown
    assert makers(engine) == ["ZEISS", "A"]
    found = re.search(r"--apply ([0-9a-f-]{36})", shown)
    assert found is not None
    applied = CliRunner().invoke(cli.app, ["import", "--apply", found[1], "--lang", "en"])
    assert applied.exit_code == 0
    assert makers(engine) == ["FEI", "A", "B"]
    assert CliRunner().invoke(cli.app, ["import", "--apply", found[1]]).exit_code == 1


def test_unknown_headings_are_named_in_the_command(engine: Engine, run) -> None:  # type: ignore[no-untyped-def]
    content = "甲,乙,丙\n1,电镜,ZEISS\n"
    assert "columns_not_known" in run(content).output

    names = [part for pair in ("甲=asset_number", "乙=name_zh", "丙=maker") for part in ("--map", pair)]

    assert run(content, *names).exit_code == 0
    assert makers(engine) == ["ZEISS"]
    for wrong in ("丁=maker", "丙=colour"):
        assert "heading_unknown" in run(content, "--map", wrong).output
    assert run(content, "--map", "丙").exit_code == 2
