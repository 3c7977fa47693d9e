"""`kiosk check`: whether the records keep every rule of the clinic."""

from __future__ import annotations

import argparse
import asyncio
import sys

from kiosk.bootstrap import check_clinic
from kiosk.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """One line a violation on stdout; exit 1 when there is any."""
    violations = asyncio.run(check_clinic(settings))
    for violation in violations:
        print(f"rule {violation.rule}\t{violation.code}\t{violation.says}")
    print(f"{len(violations)} violations", file=sys.stderr)
    return 1 if violations else 0
