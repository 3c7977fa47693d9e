"""What moves the paper in the test's printer: ippeveprinter runs this for every job it prints.

``ippeveprinter -c`` starts it with the received file. It reports trouble as a printer does, stops when
its job was cancelled, and otherwise puts the sheet into the tray.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

from kiosk.paper.address import parse_printer
from kiosk.paper.ipp_client import IppClient, IppError, JobState


def main(folder: Path, received: Path) -> int:
    """Print one file; exit 1 when it was cancelled or the engine broke."""
    if (folder / "trouble").exists():
        reason, uri = (folder / "trouble").read_text(), (folder / "uri").read_text()
        print(f"STATE: +{reason}", file=sys.stderr, flush=True)
        cancelled = False
        while (folder / "trouble").exists() and not cancelled:
            time.sleep(0.02)
            cancelled = was_cancelled(uri)
        # ippeveprinter itself waits while a tray is said to be empty, so it is told the end of that too.
        print(f"STATE: -{reason}", file=sys.stderr, flush=True)
        if cancelled:
            return 1
    if (folder / "broken").exists():
        return 1
    tray = folder / "tray"
    shutil.copyfile(received, tray / ".coming")
    (tray / ".coming").rename(tray / received.name)
    return 0


def was_cancelled(uri: str) -> bool:
    """Whether the printer has been told to cancel this engine's job."""
    try:
        job = asyncio.run(IppClient(parse_printer(uri)).job(int(os.environ["IPP_JOB_ID"])))
    except IppError:
        return True  # the printer was switched off
    return job.state is JobState.CANCELED or "processing-to-stop-point" in job.reasons


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
