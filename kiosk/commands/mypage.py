"""`kiosk mypage rebuild`: my page told again from the events."""

from __future__ import annotations

import argparse
import asyncio
import sys

from kiosk.bootstrap import rebuild_my_page
from kiosk.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """One action."""
    parser.add_argument("action", choices=("rebuild",), help="tell it again from the events")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """With progress on stderr; the number of events on stdout."""

    def progress(done: int, total: int) -> None:
        print(f"\rmy page: {done} of {total} events", end="", file=sys.stderr, flush=True)

    count = asyncio.run(rebuild_my_page(settings, progress))
    print(file=sys.stderr)
    print(count)
    return 0
