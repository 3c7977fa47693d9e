"""`kiosk check`: whether the records keep every rule of the clinic."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict

from kiosk.commands.counted import counted
from kiosk.settings import Settings
from kiosk.upkeep import check_clinic


def arguments(parser: argparse.ArgumentParser) -> None:
    """Two flags."""
    parser.add_argument("--my-page", action="store_true", help="compare my page with the events too; slower")
    parser.add_argument("--json", action="store_true", help="everything as one JSON document")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """One line a violation on stdout; exit 1 when there is any."""
    begun = time.monotonic()
    checked = asyncio.run(check_clinic(settings, my_page=asked.my_page))
    if asked.json:
        sound = not checked.violations
        print(json.dumps({"sound": sound, **asdict(checked)}, ensure_ascii=False, indent=2))
    else:
        for violation in checked.violations:
            rule = f"rule {violation.rule}" if violation.rule else "database"
            found = f" ({violation.found})" if violation.found else ""
            print(f"{rule}\t{violation.table} {violation.code}\t{violation.says}{found}")
    seconds = time.monotonic() - begun
    count = len(checked.violations)
    tested = checked.rows and not checked.missing
    looked_at = f"{counted(checked.rows)}, in {seconds:.1f} s" if tested else "the rules were not tested"
    said = f"{count} {'row breaks' if count == 1 else 'rows break'} a rule" if count else "Every rule holds"
    print(f"{said}: {looked_at}.", file=sys.stderr)
    return 1 if count else 0
