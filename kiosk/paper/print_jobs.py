"""Print jobs that are on their way, remembered on disk until they have verifiably ended.

A job that nobody waits for any more must never come out: into whose hands? It is cancelled until the
printer confirms its end, however long that takes, and also by the next start of the kiosk if this one is
killed. Each job is a file, locked by the process that sent it: what is locked is looked after.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kiosk.credential.files import private_folder, sync
from kiosk.paper.address import Address, parse_printer
from kiosk.paper.ipp_client import IppClient, IppError, Job, JobState, Refused

log = logging.getLogger("kiosk.printer")

PAUSE_SECONDS = 0.25
"""Short, because a print service that comes back begins with what it finds in its queue."""
CLOSE_SECONDS = 3.0


@dataclass(frozen=True)
class Slip:
    """One job's file; open, and so locked, while somebody looks after the job."""

    path: Path
    descriptor: int
    printer: Address
    job: int
    name: str

    @classmethod
    def write(cls, folder: Path, printer: Address, job: int, name: str) -> Slip:
        """Remember the job, on disk for certain. Raises OSError."""
        private_folder(folder)
        path = folder / f"{name}.json"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, json.dumps({"printer": printer.uri, "job": job, "name": name}).encode())
            os.fsync(descriptor)
            sync(folder)
        except OSError:
            path.unlink()
            os.close(descriptor)
            raise
        return cls(path, descriptor, printer, job, name)

    @classmethod
    def find(cls, path: Path) -> Slip | None:
        """The slip, now ours, of a process that is gone; None while somebody looks after it."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:  # else its owner threw it away while we came
                about = json.loads(os.read(descriptor, 65536))
                printer = parse_printer(about["printer"])
                return cls(path, descriptor, printer, int(about["job"]), str(about["name"]))
        except BlockingIOError:
            pass
        except (OSError, ValueError, KeyError, TypeError):
            # Written before the document is sent, so a slip cut short has nothing behind it.
            path.unlink(missing_ok=True)
        os.close(descriptor)
        return None

    def discard(self) -> None:
        """The job has ended."""
        with suppress(OSError):  # what cannot be removed is found to have ended at the next start
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


class PrintJobs:
    """Looks after every job of this kiosk that has not ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._withdrawals: dict[Slip, asyncio.Task[JobState | None]] = {}

    def start(self) -> None:
        """Cancel, in the background, what a kiosk that was killed left behind."""
        for path in sorted(self._folder.glob("*.json")):
            slip = Slip.find(path)
            if slip:
                log.warning("job %s of %s was left behind; cancelling it", slip.job, slip.printer.uri)
                self.withdraw(slip)

    async def begin(self, printer: Address, job: int, name: str) -> Slip:
        """Remember a job before its document is sent. Raises OSError."""
        return await asyncio.to_thread(Slip.write, self._folder, printer, job, name)

    def withdraw(self, slip: Slip) -> asyncio.Task[JobState | None]:
        """Cancel the job until it has verifiably ended; answers how it did, None when it is gone."""
        task = self._withdrawals.get(slip)
        if task is None:
            task = self._withdrawals[slip] = asyncio.create_task(self._withdraw(slip))
        return task

    async def settled(self) -> None:
        """Wait until nothing is left to cancel, so that no two jobs are ever on their way."""
        while self._withdrawals:
            await asyncio.wait(self._withdrawals.values())

    async def close(self) -> None:
        """Give what is being cancelled a moment; what is not done then, the next start does."""
        tasks = list(self._withdrawals.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for slip, task in list(self._withdrawals.items()):
            task.cancel()
            await asyncio.wait([task])
            os.close(slip.descriptor)
        self._withdrawals.clear()

    async def _withdraw(self, slip: Slip) -> JobState | None:
        client, said = IppClient(slip.printer), ""
        while True:
            try:
                job = await find_job(client, slip)
                if job is None:
                    break
                if not job.has_ended:
                    await client.cancel(slip.job)
                elif not job.may_be_stopping or not (await client.printer()).is_printing:
                    break
            except Exception as error:  # given up, it could still come out; and whoever is next waits for it
                if said != str(error):
                    said = str(error)
                    log.warning(
                        "job %s of %s cannot be cancelled yet: %s", slip.job, slip.printer.uri, said,
                        exc_info=None if isinstance(error, IppError) else error,
                    )  # fmt: skip
            await asyncio.sleep(PAUSE_SECONDS)
        end = job.state if job else None
        log.info("job %s of %s ended: %s", slip.job, slip.printer.uri, end.name if end else "gone")
        self._withdrawals.pop(slip, None)
        slip.discard()
        return end


async def find_job(client: IppClient, slip: Slip) -> Job | None:
    """The job as it is now; None when the printer knows it no more. Raises IppError."""
    try:
        job = await client.job(slip.job)
    except Refused as refusal:
        if refusal.is_unknown:
            return None
        raise
    # A printer that was switched off may count from one again: that job is somebody else's.
    return job if job.name in {"", slip.name} else None
