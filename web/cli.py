"""The command `yixiang`."""

import logging
import os
import shutil
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine, text

from core.config import Settings
from core.db import SQLITE, make_engine, read_session, unit_of_work
from core.errors import Refusal
from core.i18n import Lang, translate
from core.migrating import migrate as migrate_database
from equipment import reindexing
from equipment.importing import service as importing
from members import queries as members
from members import service as members_service
from members.models import OrganisationKind, Role
from web import bench as benchmark
from web import checking, import_command
from web.app import make_site
from web.demo import loader, people
from web.scheduler import start_clock

app = typer.Typer(help="Yixiang 仪享: shared instruments, bookings and vouchers.", no_args_is_help=True)
console = Console(stderr=True)
main = app


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def open_engine(settings: Settings) -> Engine:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return make_engine(settings.url, threads=settings.threads)


@app.command()
def serve(workers: Annotated[int, typer.Option(min=1, max=64)] = 1) -> None:
    """Serve pages and JSON, and do the due work."""
    settings = Settings()
    engine = open_engine(settings)
    migrate_database(engine)
    with read_session(engine) as session:
        if not settings.demo and people.are_present(session):
            console.print(
                "[red]This database holds the people of the demonstration. A real site does not start with it."
            )
            raise typer.Exit(2)
    engine.dispose()
    run_server(settings, workers)


def run_server(settings: Settings, workers: int = 1) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    uvicorn.run(
        "web.serving:app",
        host=settings.host,
        port=settings.port,
        workers=workers if workers > 1 else None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )


@app.command()
def migrate() -> None:
    """Bring the database to this program's tables."""
    engine = open_engine(Settings())
    migrate_database(engine)
    console.print("The database is up to date.")


@app.command()
def reindex() -> None:
    """Write anew what instruments are found by; after an update that changed synonyms."""
    engine = open_engine(Settings())
    migrate_database(engine)
    console.print(f"{reindexing.reindex(engine):,} instruments written anew.")


@app.command(name="import")
def import_catalogue(
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None,
    institution: Annotated[str, typer.Option(help="Code of the institution: five digits for a university.")] = "",
    full: Annotated[bool, typer.Option(help="The file is the whole list: what is missing in it is retired.")] = False,
    preview: Annotated[bool, typer.Option(help="Only compare, and print what would change.")] = False,
    apply: Annotated[UUID | None, typer.Option(help="Apply what was previewed, by its id.")] = None,
    names: Annotated[list[str] | None, typer.Option("--map", help="What a heading means: 甲=asset_number")] = None,
    lang: str = "zh-CN",
) -> None:
    """Take in an institution's own list of instruments: SJ1, SJ3, CSV, XLSX."""
    engine = open_engine(Settings())
    language: Lang = "en" if lang == "en" else "zh-CN"
    if (file is None or not institution) if apply is None else file is not None:
        raise typer.BadParameter("FILE --institution CODE, or --apply ID")
    try:
        if apply is not None:
            importing.apply_previewed(engine, apply, now=datetime.now(UTC))
            import_command.report(engine, console, apply, language, whole=False)
        elif file is not None:
            public_id = import_command.take_in(
                engine, file, institution, is_full=full, preview=preview, names=import_command.read_names(names or []),
                bars=progress,
            )  # fmt: skip
            import_command.report(engine, console, public_id, language, whole=preview)
    except ValueError as error:
        raise typer.BadParameter("--map HEADING=FIELD") from error
    except Refusal as refusal:
        console.print(f"[red]{translate(language, refusal.message, **refusal.fields)}[/red] ({refusal.code})")
        raise typer.Exit(1) from refusal


@app.command()
def create_admin(
    email: str,
    name: str,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Register the zone's first administrator."""
    if email.lower().endswith(people.DOMAIN):
        console.print("[red]example.com belongs to the demonstration. Use a real address.")
        raise typer.Exit(2)
    engine = open_engine(Settings())
    migrate_database(engine)
    now = datetime.now(UTC)
    try:
        with unit_of_work(engine) as session:
            office = members.find_authority(session) or members_service.register_organisation(
                session, kind=OrganisationKind.AUTHORITY, code="OFFICE", name_zh="园区管理办公室", name_en="Zone office"
            )
            person = members_service.register_person(session, email=email, name=name, password=password, now=now)
            members_service.grant_role(session, person, office, Role.ZONE_ADMIN, now=now)
    except Refusal as refusal:
        console.print(f"[red]{translate('en', refusal.message, **refusal.fields)}")
        raise typer.Exit(1) from refusal
    console.print(f"{email} can sign in as zone administrator.")


@app.command()
def demo(fresh: Annotated[bool, typer.Option(help="Begin anew.")] = False) -> None:
    """A demonstration with a real catalogue, an invented cast, and a clock that can be moved."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    os.environ.setdefault("YIXIANG_DATABASE_URL", f"sqlite:///{Settings().data_dir / 'demo.db'}")
    os.environ |= {"YIXIANG_DEMO": "true", "YIXIANG_HOST": host, "YIXIANG_PORT": str(port)}
    os.environ.setdefault("YIXIANG_BASE_URL", f"http://{host}:{port}")
    settings = Settings()
    if fresh:
        loader.remove(settings.url)
    engine = open_engine(settings)
    migrate_database(engine)
    with progress() as bar:
        loader.load(engine, settings, bar)
    engine.dispose()
    console.print(f"\n[bold]http://{host}:{port}[/bold]  ({settings.url.split('?')[0]})")
    table = Table("e-mail", "", "password")
    for part in people.CAST:
        table.add_row(part.email, part.shows, people.PASSWORD)
    console.print(table)
    run_server(settings)


@app.command()
def check() -> None:
    """Prove the ledger and the calendar: floors, holds, sums, overlaps."""
    engine = open_engine(Settings())
    with read_session(engine, snapshot=True) as session:
        findings = checking.check_everything(session)
    for finding in findings:
        console.print(f"[red]✗[/red] {finding}")
    if findings:
        raise typer.Exit(1)
    console.print("[green]✓[/green] ledger, holds, claims and sums are right")


@app.command()
def bench(
    database: Annotated[str, typer.Option(help="An empty database; a SQLite file of its own if left out.")] = "",
    units: Annotated[int, typer.Option(min=1)] = 2_000,
    bookings: Annotated[int, typer.Option(min=0)] = 100_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each kind of request is measured.")] = 5,
    clients: Annotated[int, typer.Option(min=1, max=64)] = 8,
    servers: Annotated[int, typer.Option(min=1, max=16)] = 1,
    only: Annotated[list[str] | None, typer.Option(help="Measure only this kind, as its row is called.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="Write the figures there as well.")] = None,
) -> None:
    """Fill a database with units and bookings and measure what people wait for."""
    size = benchmark.Size(units, bookings, seconds, clients, servers, tuple(only or ()))
    try:
        benchmark.run(database, size, console=Console(), out=out)
    except benchmark.NotABenchDatabase as error:
        console.print(f"[red]{error}")
        raise typer.Exit(2) from error


@app.command()
def backup(target: Path) -> None:
    """Copy a SQLite database while it is in use; for PostgreSQL use pg_dump or a base backup."""
    engine = open_engine(Settings())
    if engine.dialect.name != "sqlite":
        console.print("This site uses PostgreSQL: back it up with pg_dump or pg_basebackup.")
        raise typer.Exit(2)
    if target.exists():
        console.print(f"[red]{target} exists already.")
        raise typer.Exit(2)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw = connection.connection.driver_connection
        copy: sqlite3.Connection = SQLITE.connect(str(target))
        with copy:
            raw.backup(copy)  # type: ignore[union-attr]
        copy.close()
    console.print(f"{target}: {target.stat().st_size:,} bytes")


@app.command()
def restore(source: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], target: Path) -> None:
    """Put a backup in a new place and prove it: integrity, migrations, ledger."""
    if target.exists():
        console.print(f"[red]{target} exists already.")
        raise typer.Exit(2)
    shutil.copyfile(source, target)
    engine = make_engine(f"sqlite:///{target}")
    migrate_database(engine)
    with read_session(engine) as session:
        whole = session.execute(text("PRAGMA integrity_check")).scalar()
        findings = checking.check_everything(session)
    console.print(f"integrity: {whole}; findings: {len(findings)}")
    if whole != "ok" or findings:
        raise typer.Exit(1)


@app.command()
def worker() -> None:
    """Do the due work without serving."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings()
    stop = start_clock(make_site(settings, open_engine(settings)))
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        stop()


if __name__ == "__main__":
    app()
