"""What the README promises is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_readmes_day_as_a_library_ends_with_a_certificate(tmp_path: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    environment = {f"KIOSK_{kind}_FOLDER": str(tmp_path / kind) for kind in ("DATA", "PAPER", "LOG")}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "KIOSK_CONFIG": ""},
        capture_output=True, text=True, check=False, timeout=120, cwd=ROOT, umask=0o022,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).read_bytes().startswith(b"%PDF")
    made = [tmp_path / "DATA", *(tmp_path / "DATA").rglob("*"), *(tmp_path / "PAPER").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == [], "only their owner reads them"


PAGES = ["README.md", "README.ko.md", "CONTRIBUTING.md"]
PAGES += sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_pages_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.M):
        assert re.search(rf"^{command}:", makefile, re.M), command
