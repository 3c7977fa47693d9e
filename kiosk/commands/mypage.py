"""`kiosk mypage rebuild`: my page told again from the events, beside kiosks that go on."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page

LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal to draw a bar on."""

Progress = Callable[[int, int], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """One action."""
    parser.add_argument("action", choices=("rebuild",), help="tell it again from the events")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """With progress on stderr; the number of events on stdout."""
    began = time.monotonic()
    with _progress(asked.quiet) as progress:
        count = asyncio.run(rebuild_my_page(settings, progress))
    if not asked.quiet:
        rate = count / max(time.monotonic() - began, 0.001)
        print(f"my page: told again, {rate:,.0f} events/s", file=sys.stderr)
    print(count)
    return 0


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _lines()


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("my page", BarColumn(), MofNCompleteColumn(), "events", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Progress:
    """A line now and then, and one when all is told."""
    last = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            print(f"my page: {done} of {total} events", file=sys.stderr, flush=True)

    return line
