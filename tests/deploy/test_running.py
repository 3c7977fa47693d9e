"""The units' own command lines, started as systemd starts them: without rights, and able to write only where
the units allow it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk.bootstrap import open_clinic
from kiosk.commands import COMMANDS
from kiosk.credential.keys import KeyFolder, open_keys
from kiosk.settings import Settings
from tests.deploy.conftest import tool
from tests.deploy.files import GUIDE, PROGRAM, SYSTEMD, UNITS, lines_of, variables, workloads
from tests.journeys.terminal import Terminal

PATIENCE = 60.0
CONFINED = """
for folder in "$WRITABLE"/*; do mount --bind "$folder" "$folder"; done
mount -o remount,ro,bind /
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


@dataclass
class Place:
    """The folders of the services, and what listens to them."""

    folder: Path
    heard: socket.socket

    @property
    def environment(self) -> dict[str, str]:
        """What systemd would give to a service, with the folders here."""
        chosen = variables(SYSTEMD / "environment.example")
        folders = {name: str(self.folder / name) for name in chosen if name.endswith("_FOLDER")}
        return {
            **folders,
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": "/nonexistent",
            "TMPDIR": str(self.folder / "tmp"),
            "WRITABLE": str(self.folder),
            "NOTIFY_SOCKET": str(self.folder / "tmp" / "notify"),
            "WATCHDOG_USEC": "500000",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def command(self, unit: str) -> list[str]:
        """The unit's ``ExecStart=``, confined as its hardening confines it."""
        [line] = lines_of(UNITS / unit, "ExecStart")
        command = shlex.split(line.replace(PROGRAM, f"{sys.executable} -m kiosk").replace("%i", "issuing"))
        return ["unshare", "-m", "--propagation", "private", "sh", "-ec", CONFINED, "sh", *command]

    def start(self, unit: str) -> subprocess.Popen[str]:
        """Start it without a terminal."""
        return subprocess.Popen(
            self.command(unit), env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def hear(self, word: str) -> None:
        """Wait until the service has said this."""
        deadline = time.monotonic() + PATIENCE
        while word not in self.heard.recv(4096).decode():
            assert time.monotonic() < deadline, f"never said {word}"

    def hears(self, word: str) -> bool:
        """Whether the service has said this by now."""
        while select.select([self.heard], [], [], 0)[0]:
            if word in self.heard.recv(4096).decode():
                return True
        return False


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests here, as on a machine on which the kiosk was opened once."""
    tool("setpriv")
    if os.getuid() != 0 or subprocess.run([tool("unshare"), "-m", "true"], check=False).returncode:
        pytest.skip("only root may take rights away from a process and make folders read-only for it")
    folder = tmp_path_factory.mktemp("services")
    for name in [*(n for n in variables(SYSTEMD / "environment.example") if n.endswith("_FOLDER")), "tmp"]:
        (folder / name).mkdir(mode=0o700)
    asyncio.run(begun(Settings(folder / "KIOSK_DATA_FOLDER", paper_folder=folder / "KIOSK_PAPER_FOLDER")))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "tmp" / "notify"))
        heard.settimeout(PATIENCE)
        yield Place(folder, heard)


async def begun(settings: Settings) -> None:
    """Begin the clinic, as the kiosk does on its first start."""
    await (await open_clinic(settings)).close()


@pytest.mark.parametrize("unit", ["clinic-worker@.service", "clinic-workers.service"])
def test_a_service_says_that_it_is_ready_and_alive_and_ends_when_told_to(place: Place, unit: str) -> None:
    process = place.start(unit)
    try:
        place.hear("READY=1")
        place.hear("WATCHDOG=1")
        asked = [sys.executable, "-m", "kiosk", "health", "--live"]
        health = subprocess.run(asked, env=place.environment, capture_output=True, text=True, check=False)
        assert health.returncode == 0, health.stdout
        process.send_signal(signal.SIGTERM)
        place.hear("STOPPING=1")
        said = process.communicate(timeout=PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # as a control group would end with it
    assert process.returncode == 0, said
    assert "Read-only" not in said[1]


def test_the_screens_say_so_too_from_their_terminal(place: Place) -> None:
    with Terminal(place.command("clinic-kiosk@.service"), 80, 24, place.environment) as terminal:
        for word in ("READY=1\nSTATUS=the clinic is open", "WATCHDOG=1"):
            terminal.until(lambda word=word: place.hears(word), word)  # type: ignore[misc]
        os.kill(terminal.pid, signal.SIGTERM)
        assert [str(terminal.wait_for_end())] == lines_of(
            UNITS / "clinic-kiosk@.service", "SuccessExitStatus"
        )
    assert place.hears("STOPPING=1")


@pytest.mark.parametrize("unit", ["clinic-check.service", "clinic-backup.service"])
def test_a_nightly_job_does_its_work_with_what_it_may_touch(place: Place, unit: str) -> None:
    command = lines_of(UNITS / unit, "ExecStart")[0].split()[1]
    if command not in COMMANDS:
        pytest.skip(f"there is no kiosk {command} yet")
    process = place.start(unit)
    said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said


def test_the_keys_are_unpacked_from_the_secret_as_they_were_packed(
    tmp_path: Path, cluster: list[dict[str, Any]]
) -> None:
    kept, secret, unpacked = tmp_path / "keys", tmp_path / "secret", tmp_path / "unpacked"
    for folder in (kept, secret, unpacked):
        folder.mkdir()
    made = open_keys(kept, country="KR", clinic="A clinic", now=datetime(2026, 11, 22, tzinfo=UTC))
    [packing] = [line.strip() for line in GUIDE.read_text().splitlines() if line.strip().startswith("tar ")]
    packing = packing.replace("/var/lib/clinic-kiosk/keys", str(kept))
    subprocess.run(packing.split(), check=True, cwd=secret)
    [command] = {
        tuple(container["command"])
        for workload in workloads(cluster)
        for container in workload.pod.get("initContainers", [])
    }
    assert command[-2:] == ("/secrets/keys.tar", "/keys")
    subprocess.run([sys.executable, *command[1:-2], secret / "keys.tar", unpacked], check=True)
    assert KeyFolder(unpacked).active().kid == made.kid
    assert (kept / "clinic" / "root.key").exists()
    assert not (unpacked / "clinic" / "root.key").exists()
