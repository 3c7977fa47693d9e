"""A backup or a restore in a process of its own, which is killed before one of its steps."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.clinics import settings_in
from tests.integration.backups import backed_up, restored

STEPS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
"""What Python does to the disk; between two of them SQLite and the server do theirs."""


def back_up(words: int, folder: str, step: int) -> None:
    """Say ``done`` unless killed before."""
    _die_before(step, folder)
    backed_up(settings_in(Path(folder)))
    os.write(words, b"done\n")


def restore(words: int, folder: str, archive: str, step: int) -> None:
    """Say ``done`` unless killed before."""
    _die_before(step, folder)
    restored(settings_in(Path(folder)), Path(archive))
    os.write(words, b"done\n")


def _die_before(step: int, folder: str) -> None:
    left = step

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in STEPS or not arguments or not str(arguments[0]).startswith(folder):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
