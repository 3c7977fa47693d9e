"""The whole day in a real terminal, by keyboard alone, and the paper that comes out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pypdfium2

from tests.journeys import the_day as day


def test_the_clinics_day_by_keyboard_alone(tmp_path: Path) -> None:
    with day.kiosk_in(tmp_path) as terminal:
        day.the_whole_day(terminal, day.nothing_to_look_at)

    [paper] = (tmp_path / "paper").glob("certificate-*.pdf")
    assert list((tmp_path / "paper").glob("ticket-*.pdf"))
    text = pypdfium2.PdfDocument(paper)[0].get_textpage().get_text_range()
    assert day.NAME in text
    assert "FF2839" in text

    verified = subprocess.run(
        [sys.executable, "-m", "kiosk", "verify", str(paper), "--json"],
        env={**os.environ, **day.environment(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "HONG" in json.dumps(json.loads(verified.stdout))
