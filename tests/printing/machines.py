"""A real IPP printer (ippeveprinter) and a real print service (cupsd), each in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path

from kiosk.locations import ASSETS
from kiosk.paper.address import Address, parse_printer
from kiosk.paper.ipp_client import IppClient, IppError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0
MISSING = [
    f"{name} ({package})"
    for name, package in (
        ("ippeveprinter", "cups-ipp-utils"),
        ("dbus-daemon", "dbus-daemon"),
        ("cupsd", "cups-daemon"),
        ("lpadmin", "cups-client"),
    )
    if not shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
]


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for it to become true."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if await answer if isawaitable(answer) else answer:
            return
        assert time.monotonic() < deadline, f"did not come true: {what}"
        await asyncio.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """The processes that this one started, and those that they did."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def answers(address: Address) -> bool:
    """Whether a printer or a print service is there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("localhost", address.port)) == 0


class Machine:
    """A program that is switched on and off; off is off at once, as with a plug."""

    def __init__(self, folder: Path, address: Address) -> None:
        self.folder, self.address = folder, address
        self._program: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What to run."""
        raise NotImplementedError

    async def switch_on(self) -> None:
        """Start, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._program = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=self.environment(), cwd=self.folder
            )
        await until(self._is_up, f"{self.command()[0]} answers")

    def _is_up(self) -> bool:
        assert self._program is not None
        assert self._program.poll() is None, (self.folder / "log").read_text()
        return answers(self.address)

    def switch_off(self) -> None:
        """Pull the plug: what it started goes with it, as a service manager sees to it."""
        if self._program is not None:
            os.kill(self._program.pid, signal.SIGSTOP)
            stopped = set[int]()
            while started := set(descendants(self._program.pid)) - stopped:  # which may be starting more
                for pid in started:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
                stopped |= started
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._program.kill()
            self._program.wait()
            self._program = None

    def environment(self) -> dict[str, str]:
        """What the program finds around it."""
        return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}


@dataclass
class Bus:
    """A private message bus: without any, ippeveprinter does not start."""

    folder: Path
    _program: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix:path={self.folder / 'bus'}"

    async def start(self) -> None:
        """Start, and wait for its socket."""
        self._program = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self.address}"],
            stderr=subprocess.DEVNULL,
        )
        await until(self._listens, "the bus listens")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "bus")) == 0

    def stop(self) -> None:
        """End it."""
        if self._program is not None:
            self._program.kill()
            self._program.wait()


class Printer(Machine):
    """A printer with one tray, that takes one job at a time and forgets all when it is switched off."""

    def __init__(self, folder: Path, bus: Bus) -> None:
        super().__init__(folder, parse_printer(f"ipp://localhost:{free_port()}/ipp/print"))
        self._bus = bus
        self.tray = folder / "tray"
        for name in ("tray", "spool"):
            (folder / name).mkdir(parents=True)
        (folder / "uri").write_text(self.address.uri)
        engine = folder / "engine"
        engine.write_text(
            f'#!/bin/sh\nfile=$(realpath "$1")\ncd "{ROOT}"\n'
            f'exec "{sys.executable}" -m tests.printing.engine "{folder}" "$file"\n'
        )
        engine.chmod(0o755)

    def command(self) -> list[str]:
        """See `Machine`; nothing is announced in the network."""
        return [
            "ippeveprinter", "-p", str(self.address.port), "-d", str(self.folder / "spool"), "-k",
            "-r", "off", "-f", "application/pdf", "-c", str(self.folder / "engine"), "Test printer",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """See `Machine`."""
        return {**super().environment(), "DBUS_SYSTEM_BUS_ADDRESS": self._bus.address}

    def trouble(self, reason: str) -> None:
        """From now on nothing comes out, and the printer says why."""
        (self.folder / "trouble").write_text(reason)

    def put_right(self) -> None:
        """Paper is filled in, the cover closed."""
        (self.folder / "trouble").unlink()

    def empty_tray(self) -> None:
        """Empty both trays by the printer's own panel, a web form."""
        sheets = {
            "size1": "iso_a4_210x297mm", "type1": "stationery", "level1": "0",
            "size3": "iso_dl_110x220mm", "type3": "envelope", "level3": "0",
        }  # fmt: skip
        query = urllib.parse.urlencode(sheets)
        urllib.request.urlopen(f"http://localhost:{self.address.port}/media?{query}", timeout=5).close()

    def sheets(self) -> list[bytes]:
        """What lies in the tray."""
        return [path.read_bytes() for path in sorted(self.tray.iterdir()) if path.name[0] != "."]

    async def jobs(self) -> dict[int, str]:
        """Every job since it was switched on, and how it stands."""
        client, known = IppClient(self.address), {}
        for number in range(1, 100):
            try:
                known[number] = (await client.job(number)).state.name
            except IppError:
                break
        return known


class PrintService(Machine):
    """cupsd with a spool folder of its own, which survives its being killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, parse_printer(f"ipp://localhost:{free_port()}/printers"))
        for name in ("root", "state", "cache", "spool/tmp"):
            (folder / name).mkdir(parents=True)
        files = {
            "ServerRoot": "root", "StateDir": "state", "CacheDir": "cache", "RequestRoot": "spool",
            "TempDir": "spool/tmp", "ErrorLog": "error_log", "AccessLog": "access_log", "PageLog": "page_log",
        }  # fmt: skip
        (folder / "cups-files.conf").write_text(
            "".join(f"{name} {folder / place}\n" for name, place in files.items())
        )
        (folder / "cupsd.conf").write_text(
            f"Listen localhost:{self.address.port}\nBrowsing Off\nWebInterface No\nPreserveJobFiles No\n"
            "DirtyCleanInterval 0\n<Location />\nOrder allow,deny\nAllow all\n</Location>\n"
            "<Policy default>\n"
            # As Debian has it: jobs are their owner's. Queues are made without a password here.
            "<Limit Send-Document Cancel-Job>\nRequire user @OWNER @SYSTEM\nOrder deny,allow\n</Limit>\n"
            "<Limit All>\nOrder deny,allow\n</Limit>\n</Policy>\n"
        )

    def command(self) -> list[str]:
        """See `Machine`."""
        return [
            "cupsd",
            "-f",
            "-c",
            str(self.folder / "cupsd.conf"),
            "-s",
            str(self.folder / "cups-files.conf"),
        ]

    def empty_queue(self) -> None:
        """What the service manager does before each start, as `assets/deploy` tells it to."""
        for line in (ASSETS / "deploy" / "systemd" / "cups-empty-queue.conf").read_text().splitlines():
            if line.startswith("ExecStartPre="):
                command = line.removeprefix("ExecStartPre=")
                command = command.replace("/var/spool/cups", str(self.folder / "spool"))
                command = command.replace("/var/cache/cups", str(self.folder / "cache"))
                subprocess.run(shlex.split(command), check=True)

    def add_queue(self, name: str, printer: Printer, model: str) -> Address:
        """A queue for this printer."""
        server = f"localhost:{self.address.port}"
        subprocess.run(
            ["lpadmin", "-h", server, "-p", name, "-v", printer.address.uri, "-m", model, "-E"],
            check=True, capture_output=True, env=self.environment(),
        )  # fmt: skip
        return parse_printer(f"ipp://{server}/printers/{name}")
