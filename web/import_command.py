"""What `yixiang import` does and prints."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine

from core.db import read_session
from core.i18n import N_, Lang, gettext, translate
from equipment.importing import queries, service
from equipment.importing.applying import INDEX
from equipment.importing.words import problem_column, problem_text
from equipment.models import ImportRow, ImportRun, RowKind
from equipment.words import FIELD_NAMES, ROW_KIND_NAMES, value_text

_SHOWN = (RowKind.NEW, RowKind.CHANGED, RowKind.GONE, RowKind.REFUSED)
_PAGE = 500


def read_names(pairs: Sequence[str]) -> dict[str, str]:
    """`heading=field` as a mapping. Raises ValueError for another shape."""
    names = dict(pair.rsplit("=", 1) for pair in pairs if "=" in pair)
    if len(names) != len(pairs):
        raise ValueError
    return names


def take_in(
    engine: Engine,
    file: Path,
    institution: str,
    *,
    is_full: bool,
    preview: bool,
    names: Mapping[str, str],
    bars: Callable[[], Progress],
) -> UUID:
    """Upload and compare with a bar, then apply unless it is a preview. Raises the refusals of imports."""
    with bars() as bar:
        task = bar.add_task(file.name, total=None)
        return service.import_file(
            engine, file, institution_code=institution, is_full=is_full, apply=not preview, names=names,
            now=datetime.now(UTC), progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip


def report(engine: Engine, console: Console, public_id: UUID, lang: Lang, *, whole: bool) -> None:
    """Counts and what was refused; of a preview every row that would change something, and how to apply it."""
    with read_session(engine) as session:
        run = queries.get_run(session, public_id)
    console.print(_counts(run, lang))
    for kind in _SHOWN if whole else (RowKind.REFUSED,):
        _print_rows(engine, console, run.id, kind, lang)
    if whole:
        command = f"yixiang import --apply {public_id}"
        text = translate(lang, N_("Nothing is changed yet. To apply it: %(command)s"), command=command)
        console.print(text, highlight=False, soft_wrap=True)


def _counts(run: ImportRun, lang: Lang) -> Table:
    headings = (N_("read"), N_("new"), N_("changed"), N_("same"), N_("gone"), N_("refused"))
    table = Table(*(translate(lang, heading) for heading in headings))
    numbers = (run.rows_read, run.rows_new, run.rows_changed, run.rows_same, run.rows_gone, run.rows_refused)
    table.add_row(*(str(number) for number in numbers))
    return table


def _print_rows(engine: Engine, console: Console, run_id: int, kind: RowKind, lang: Lang) -> None:
    """All rows of a kind, some at a time."""
    after = 0
    while True:
        with read_session(engine) as session:
            rows = queries.find_rows(session, run_id, kind, after=after, limit=_PAGE)
        if not rows:
            return
        for row in rows:
            for line in _lines(row, lang):
                console.print(escape(line), highlight=False, soft_wrap=True)
        after = rows[-1].id


def _lines(row: ImportRow, lang: Lang) -> list[str]:
    """`changed A-1 SEM`, below it old -> new, and what is to be said of the row."""
    lines = []
    if row.kind is not RowKind.REFUSED:
        lines.append(f"{gettext(lang, ROW_KIND_NAMES[row.kind])} {row.asset_number} {row.name_zh}")
    if row.kind is RowKind.CHANGED:
        lines += [
            f"    {gettext(lang, FIELD_NAMES.get(name, name))}: {value_text(row.before.get(name), name, lang)}"
            f" -> {value_text(value, name, lang)}"
            for name, value in row.values.items()
            if name not in INDEX
        ]
    for problem in row.problems:
        where = translate(lang, N_("row %(row)s, %(column)s"), row=row.number, column=problem_column(problem, lang))
        lines.append(f"    {where}: {problem_text(problem, lang)} ({problem['code']})")
    return lines
