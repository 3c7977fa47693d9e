"""What a command answers, on a stdout whose errors name it, as those of a file do."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

STDOUT = "stdout"
"""What it is called in an `OSError`."""


class _Named(io.TextIOBase):
    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """See `io.TextIOBase`. Raises OSError."""
        with _naming_it():
            return self._out.write(text)

    def flush(self) -> None:
        """See `io.TextIOBase`. Raises OSError."""
        with _naming_it():
            self._out.flush()


@contextmanager
def answering() -> Iterator[None]:
    """What is printed meanwhile has arrived in the end. Raises OSError, named after stdout."""
    out, named = sys.stdout, _Named(sys.stdout)
    sys.stdout = named
    try:
        yield
        named.flush()
    finally:
        sys.stdout = out
        try:
            out.flush()
        except OSError:  # nobody gets the rest: Python itself shall not try once more when it ends
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


@contextmanager
def _naming_it() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        problem.filename = STDOUT
        raise
