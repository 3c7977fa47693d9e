"""Backups by the clock: one when the newest is too old, the oldest of its own taken away."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from domain.errors import BackupFailed, ClinicError
from domain.ports import Clock
from storage.archive import SUFFIX, Goes
from storage.backup import (
    SCHEDULED,
    Listed,
    Source,
    back_up,
    lineage_of,
    list_backups,
    only_one,
    uninterrupted,
)

SETTLED = 60.0
"""Seconds after the opening: people first."""
AGAIN = timedelta(hours=1)
"""A backup that failed is tried again after this; nothing else is waited for longer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How often, where, and how many are kept."""

    source: Source
    folder: Path
    hours: int
    keep: int
    clock: Clock

    def turn(self, goes: Goes = uninterrupted) -> timedelta:
        """Make a backup if one is due; answers when to look again."""
        now = self.clock.now()
        try:
            own = of_lineage(lineage_of(self.source.records_url), list_backups(self.folder))
            if (wait := due_in(own, self.hours, now)) > timedelta(0):
                return min(wait, AGAIN)
            made = back_up(self.source, self.folder, now, SCHEDULED, goes=goes)
            tidy(self.folder, made.manifest.lineage, self.keep, now)
        except BackupFailed as problem:
            if isinstance(problem.__cause__, BlockingIOError):
                log.info("another process is making a backup")
            else:
                log.error("%s", problem)
        except ClinicError as problem:
            log.error("no backup was made: %s", problem)
        else:
            log.info("backup %s: %d bytes, %d events", made.path.name, made.size, made.manifest.last_event)
        return AGAIN


async def run_schedule(schedule: Schedule, settled: float = SETTLED) -> None:
    """Until it is cancelled. The work is done beside the event loop, and ends soon after a cancellation."""
    over = threading.Event()

    def goes() -> None:
        if over.is_set():
            raise BackupFailed(reason="the kiosk was closed")

    try:
        await asyncio.sleep(settled)
        while schedule.hours > 0:
            try:
                wait = await asyncio.to_thread(schedule.turn, goes)
            except Exception as problem:  # noqa: BLE001 - whatever it met, tomorrow's must still be made
                log.error("no backup was made: %s", type(problem).__name__)
                wait = AGAIN
            await asyncio.sleep(wait.total_seconds())
    finally:
        over.set()


def of_lineage(lineage: str, backups: Sequence[Listed]) -> list[Listed]:
    """Those of the same records: another clinic may keep its own in the same folder."""
    return [backup for backup in backups if backup.manifest and backup.manifest.lineage == lineage]


def due_in(backups: Sequence[Listed], hours: int, now: datetime) -> timedelta:
    """How long until the next is due; negative once it is overdue, zero when there is none at all.

    One that was made in the future, by a clock that was wrong, does not count.
    """
    made = [b.manifest.made_at for b in backups if b.manifest and b.manifest.made_at <= now + AGAIN]
    return max(made) + timedelta(hours=hours) - now if made else timedelta(0)


def tidy(folder: Path, lineage: str, keep: int, now: datetime) -> None:
    """Take away all but the newest of the scheduled backups of these records, and no others.

    The newest with signing keys stays, too, while newer ones have none: it may be the last that has any. One
    that was made in the future, by a clock that was wrong, neither counts nor goes. While another process
    is at work in the folder they all stay: the next one takes them away.
    """
    try:
        with only_one(folder):
            own = [
                b for b in of_lineage(lineage, list_backups(folder))
                if b.path.name.startswith(SCHEDULED) and b.manifest and b.manifest.made_at <= now + AGAIN
            ]  # fmt: skip
            with_keys = next((b for b in own if b.manifest and b.manifest.has_keys), None)
            for backup in own[max(1, keep) :]:
                assert backup.path.suffix == SUFFIX
                if backup is not with_keys:
                    backup.path.unlink(missing_ok=True)
    except BackupFailed as problem:
        if not isinstance(problem.__cause__, BlockingIOError):
            raise
        log.info("another process is at work in the folder of the backups")
