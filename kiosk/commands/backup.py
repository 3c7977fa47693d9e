"""`kiosk backup`: records and keys in one file, beside a kiosk that is running."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from kiosk.commands.counted import counted, size
from kiosk.settings import Settings
from kiosk.upkeep import back_up_clinic


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument(
        "place", type=Path, nargs="?", metavar="FILE|FOLDER",
        help="a name that ends in .backup, or a folder; the backup folder of the settings when not given",
    )  # fmt: skip
    parser.add_argument(
        "--scheduled", action="store_true", help="for a timer: the oldest beyond backup_keep are taken away"
    )
    parser.add_argument("--anyway", action="store_true", help="also records that break a rule of the clinic")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """The file's name on stdout; what is in it, and that it was read back, on stderr."""
    begun = time.monotonic()
    if asked.scheduled and asked.place:
        print("kiosk backup: a scheduled one goes to backup_folder; leave PLACE out", file=sys.stderr)
        return 2
    made = back_up_clinic(settings, asked.place, scheduled=asked.scheduled, anyway=asked.anyway)
    manifest, seconds = made.manifest, time.monotonic() - begun
    none = f"; no keys, for there are none in {settings.key_folder}"
    keys = ", and the signing keys" if manifest.has_keys else none
    print(made.path)
    print(f"{size(made.size)}: {counted(manifest.rows)}{keys}.", file=sys.stderr)
    rules = f"{manifest.violations} rows break a rule" if manifest.violations else "every rule holds"
    print(f"Read back and checked, {rules}; {seconds:.1f} s.", file=sys.stderr)
    if manifest.missing:
        print(f"The records lack {', '.join(manifest.missing)}, and so does the backup.", file=sys.stderr)
    sign = " and sign certificates" if manifest.has_keys else ""
    print(f"Whoever has this file can read the records{sign}: keep it safe.", file=sys.stderr)
    return 0
