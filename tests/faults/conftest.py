"""What the crash tests share: processes to be broken, a quick place for files, and a table at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.nursery import Nursery
from tests.postgresql import Server, running_if_it_can

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Processes to be killed, behind the shim where there can be one."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own, to be killed."""
    with running_if_it_can() as server:
        yield server


@pytest.fixture
def behind_shim(nursery: Nursery) -> Nursery:
    """Processes whose files are watched, and may be made to fail."""
    if nursery.without_shim:
        pytest.skip(nursery.without_shim)
    return nursery


Told = Callable[[str], None]


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """Say a line at the end of the run."""
    return lambda line: record_property("told", line)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: a power cut is simulated, and needs no disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="kiosk-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was done, and which mutants were caught by what."""
    lines = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == "told"
    ]
    if lines:
        terminalreporter.section("what the crash suite did")
        for line in sorted(lines):
            terminalreporter.line(str(line))
