"""`kiosk bench overload`: two hundred people at once, and four times as many as can be served."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from kiosk.bench.overload import Overload, Row, temporary_folder
from kiosk.settings import Settings

HEAD = (
    f"{'':27}{'accepted':>9}{'sold out':>9}{'refused':>9}{'failed':>7}{'oversold':>9}"
    f"{'x bare':>8}{'x cap.':>7}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'fair':>6}"
)
ORIGINAL = "The services this grew from, 100 clients: 84 % answered, 16 % failed."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which load, on which disk."""
    parser.add_argument("load", choices=("overload",), help="closed loop, then more and more arrivals")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (10)")
    parser.add_argument("--folder", type=Path, help="on the disk of this folder; nothing stays there")
    parser.add_argument(
        "--flush-ms", type=float, default=0.0, metavar="MS", help="every flush slowed, as on a cheap disk"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a load, one a line")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """A table on stdout; exit 1 when anybody failed or a dose was sold twice."""
    if asked.folder and not asked.folder.is_dir():
        print(f"kiosk bench: {asked.folder} is no folder", file=sys.stderr)
        return 2
    well = True
    with temporary_folder(asked.folder) as folder:
        overload = Overload(Path(folder), asked.seconds, asked.flush_ms)
        if not asked.json:
            print(HEAD, flush=True)
        for row in overload.rows():
            well = well and not row.failed and not row.oversold
            print(json.dumps(asdict(row)) if asked.json else _line(row), flush=True)
            for problem, times in row.problems.items():
                print(f"{row.load}: {problem}, {times} times", file=sys.stderr)
            if not asked.json:
                print(f"  1.00 is {row.bare:,.0f} bare bookings a second", file=sys.stderr)
    print(ORIGINAL, file=sys.stderr if asked.json else sys.stdout)
    return 0 if well else 1


def _line(row: Row) -> str:
    of_capacity = "" if row.of_capacity is None else f"{row.of_capacity:.2f}"
    return (
        f"{row.load:27}{row.accepted:9}{row.sold_out:9}{row.refused:9}{row.failed:7}{row.oversold:9}"
        f"{row.of_bare:8.2f}{of_capacity:>7}{row.p50:8.1f}{row.p99:8.1f}{row.longest:8.1f}{row.fairness:6.2f}"
    )
