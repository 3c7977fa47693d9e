"""Processes to be killed, cut off and mutated: forked from one that has imported the clinic already.

That one may stand behind `shim.c`, which then sees what its children do to their files.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Self

SHIM = Path(__file__).with_name("shim.c")
PATIENCE_SECONDS = 60.0
DIED = "died"
"""What a child says last that met an error of its own."""


class NoShim(RuntimeError):
    """Why the shim cannot be had here."""


@cache
def _shim() -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        raise NoShim("power cuts and failing disks are simulated on Linux, with a C compiler (gcc)")
    library = Path(tempfile.mkdtemp(prefix="kiosk-shim-")) / "shim.so"
    done = subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", library, SHIM, "-ldl", "-lpthread"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise NoShim(f"the shim cannot be compiled here: {done.stderr.partition(chr(10))[0]}")
    return library


class Faults:
    """The shim as a process behind it sees it."""

    def __init__(self) -> None:
        self._shim = ctypes.CDLL(None)

    def watch(self, folder: Path, log: Path | None, words: int) -> None:
        """From now on, log what is done below this folder and what is said on ``words``."""
        self._shim.shim_watch(bytes(folder), bytes(log) if log else None, words)

    def fail(self, call: str, suffix: str, error: int, every: int = 1) -> None:
        """One in so many of these calls fails (``open,read,write,sync``), on files that end so."""
        self._shim.shim_fail(call.encode(), suffix.encode(), every, error)

    def heal(self) -> None:
        """Nothing fails any more."""
        self.fail("", "", 0, every=0)


@dataclass
class Child:
    """A process at work; what it says comes line by line."""

    pid: int
    errors: Path
    _words: int
    _heard: bytes = b""
    ended: bool = False
    lines: list[str] = field(default_factory=list)

    def hear(self, until: Callable[[list[str]], bool], seconds: float = PATIENCE_SECONDS) -> list[str]:
        """Listen until something was said, or so long, or to its end; answers everything said so far."""
        deadline = monotonic() + seconds
        while not self.ended and not until(self.lines) and (left := deadline - monotonic()) > 0:
            self._listen(left)
        return self.lines

    def hear_out(self, seconds: float = PATIENCE_SECONDS) -> list[str]:
        """Everything it says until it ends by itself. Raises AssertionError when it does not, or fails."""
        self.hear(lambda lines: False, seconds)
        assert self.ended, f"still at it after {seconds:g} s"
        assert DIED not in self.lines, self.errors.read_text()
        return self.lines

    def kill(self) -> list[str]:
        """kill -9; answers everything that it managed to say. Raises AssertionError if it had died before."""
        self.end()
        assert DIED not in self.lines, self.errors.read_text()
        return self.lines

    def end(self) -> None:
        """kill -9, however it has fared."""
        while not self.ended and self._listen(0.0):
            pass  # when it has ended by itself, its number may be another process's by now
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.hear(lambda lines: False)

    def _listen(self, seconds: float) -> bool:
        import select

        ready, _, _ = select.select([self._words], [], [], seconds)
        if not ready:
            return False
        chunk = os.read(self._words, 1 << 16)
        if not chunk:
            self.ended = True
            os.close(self._words)
            return True
        *whole, self._heard = (self._heard + chunk).split(b"\n")
        self.lines += [line.decode() for line in whole]
        return True


class Nursery:
    """Starts children; ends with all that are left."""

    def __init__(self) -> None:
        """Behind the shim, or else with the reason why not."""
        environment, self.without_shim = {**os.environ}, ""
        try:
            environment["LD_PRELOAD"] = str(_shim())
        except NoShim as problem:
            self.without_shim = str(problem)
        self._folder = Path(tempfile.mkdtemp(prefix="kiosk-nursery-"))
        self._children: list[Child] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, work: str, **arguments: Any) -> Child:
        """Run ``module:function`` in a child, with what it says on its first argument."""
        number = len(self._children)
        pipe, errors = self._folder / f"words-{number}", self._folder / f"errors-{number}"
        os.mkfifo(pipe)
        errors.touch()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"work": work, "arguments": arguments, "words": str(pipe), "errors": str(errors)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery itself has ended"
        child = Child(int(answer), errors, os.open(pipe, os.O_RDONLY))
        self._children.append(child)
        return child

    def end(self) -> None:
        """Kill whoever is still there."""
        for child in self._children:
            child.end()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)


def _bring_up(asked: dict[str, Any]) -> None:
    """In a child: its own streams, then its work."""
    os.setpgid(0, 0)
    words = os.open(asked["words"], os.O_WRONLY)
    errors = os.open(asked["errors"], os.O_WRONLY | os.O_APPEND)
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    module, _, name = asked["work"].partition(":")
    try:
        getattr(importlib.import_module(module), name)(words, **asked["arguments"])
    except BaseException:  # noqa: BLE001 - a child says what it met, and goes
        traceback.print_exc()
        sys.stderr.flush()
        os.write(words, f"{DIED}\n".encode())


def main() -> None:
    """Read a line, fork a child, say its number; until there are no more lines."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for module in ("tests.faults.children", "alembic.command", "alembic.config"):
        importlib.import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _bring_up(json.loads(line))
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
