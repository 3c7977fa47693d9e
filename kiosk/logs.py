"""The log: one JSON object a line, of everything that this program does, and of nobody's data.

Each process writes a file of its own, named after what it does; the second of a kind has a number behind
(``worker-issuing-2.log``). It holds a lock on that name as long as it lives, so nobody else writes or
rotates the file, and the next process goes on with the files of one that is gone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import ClinicError
from kiosk.crash import describe
from kiosk.discretion import OURS, message_of
from kiosk.settings import Settings
from kiosk.version import version

MEGABYTE = 1_000_000
MOST_OF_A_KIND = 100
"""Processes that do the same thing and log to the same folder."""

log = logging.getLogger("kiosk.log")


class JsonLines(logging.Formatter):
    """One object a line. Errors are told by their types and places alone."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        import json

        line = {
            "time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            "role": self._role,
            "pid": record.process,
            "version": version(),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


class LogFile(logging.Handler):
    """Appends to the first free file of its kind; begins a new one when that is full or gone.

    What cannot be written is counted, and said as soon as something can be written again. ``aloud`` that it
    cannot is said once on stderr too, for a command may be gone by then.
    """

    def __init__(self, folder: Path, kind: str, megabytes: int, files: int, *, aloud: bool = False) -> None:
        super().__init__()
        self._folder, self._kind = folder, kind
        self._largest, self._files = megabytes * MEGABYTE, files
        self._path = folder / f"{kind}.log"
        self._file = self._lock = -1
        self._lost = 0
        self._aloud = aloud

    def try_out(self) -> None:
        """Begin, before there is anything to write."""
        try:
            self.open()
        except OSError as problem:
            self._say(problem)

    def open(self) -> None:
        """Take the first name that no other process has. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, MOST_OF_A_KIND + 1):
            name = self._kind if number == 1 else f"{self._kind}-{number}"
            lock = os.open(self._folder / f".{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._path = self._folder / f"{name}.log"
                self._file, self._lock = _appending(self._path), lock
                return
            except BlockingIOError:
                os.close(lock)
            except OSError:
                os.close(lock)
                raise
        raise OSError(f"{MOST_OF_A_KIND} processes log here already")

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`. Nothing that goes wrong here stops what the line is about."""
        try:
            lines = [self.format(record)]
            if self._lost:
                lines.insert(0, self.format(_lost(self._lost)))
            self._append("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
            self._lost = 0
        except Exception as problem:  # noqa: BLE001 - whatever it met, the line is lost
            self._lost += 1
            self._say(problem)

    def close(self) -> None:
        """Let the name go."""
        self._release()
        super().close()

    def _say(self, problem: Exception) -> None:
        if self._aloud:
            self._aloud = False
            why = problem.strerror or problem if isinstance(problem, OSError) else type(problem).__name__
            with suppress(OSError, ValueError):  # nobody reads it any more
                print(f"kiosk: no log in {self._folder}: {why}", file=sys.stderr)

    def _append(self, content: bytes) -> None:
        if self._file < 0 or self._is_gone():
            self._release()
            self.open()
        size = os.fstat(self._file).st_size
        if size and size + len(content) > self._largest:
            self._rotate()
            size = 0
        if os.write(self._file, content) != len(content):
            os.ftruncate(self._file, size)  # no line is cut short
            raise OSError("the disk is full")

    def _is_gone(self) -> bool:
        """Whether the file was taken away, or another folder was mounted over it."""
        try:
            there, mine = self._path.stat(), os.fstat(self._file)
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _release(self) -> None:
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def _rotate(self) -> None:
        """``kiosk.log`` becomes ``kiosk.log.1``, and so on; what is too old goes."""
        files = self._folder.glob(f"{self._path.name}.*")
        older = {int(file.suffix[1:]): file for file in files if file.suffix[1:].isdecimal()}
        for number in sorted(older, reverse=True):
            if number >= self._files - 1:
                older[number].unlink()
            else:
                older[number].rename(f"{self._path}.{number + 1}")
        if self._files > 1:
            self._path.rename(f"{self._path}.1")
        else:
            self._path.unlink()
        fresh = _appending(self._path)
        os.close(self._file)
        self._file = fresh


class StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """For containers and journals, which keep what a process says."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Nobody reads it any more: no reason to stop."""


@contextmanager
def open_log(settings: Settings, role: str, *, has_screen: bool = False) -> Iterator[None]:
    """Everything that is logged meanwhile is kept, under this role. Where there is a screen, it is stderr."""
    handler = _handler(settings, role, has_screen)
    handler.setFormatter(JsonLines(role))
    root, hook = logging.getLogger(), threading.excepthook
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    root.addHandler(handler)
    threading.excepthook = _thread_ended
    if not has_screen:  # there the first line comes after the first paint
        log.info("begins")
    try:
        yield
        log.info("ends")
    except ClinicError as refusal:
        log.error("refused with %s", refusal.code)
        raise
    except Exception as error:
        log.critical("ended by %s", describe(error))
        raise
    finally:
        threading.excepthook = hook
        root.removeHandler(handler)
        handler.close()


def _handler(settings: Settings, role: str, has_screen: bool) -> logging.Handler:
    """A folder that cannot be written to is no reason to stop; it is said once, not across a screen."""
    if settings.log_to == "stderr" and not has_screen:
        return StandardError()
    megabytes, files = settings.log_megabytes, settings.log_files
    file = LogFile(settings.log_folder, role, megabytes, files, aloud=not has_screen)
    file.try_out()
    return file


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value and not isinstance(ended.exc_value, SystemExit):
        log.critical("a thread ended by %s", describe(ended.exc_value))


def _lost(lines: int) -> logging.LogRecord:
    return log.makeRecord(
        log.name, logging.WARNING, __file__, 0, "lines that could not be written: %d", (lines,), None
    )


def _appending(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
