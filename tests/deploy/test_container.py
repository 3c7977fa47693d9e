"""The Containerfile, as its linter judges it, and what it has in common with the rest."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from kiosk.locations import ASSETS
from kiosk.supervisor import GRACE
from tests.deploy.conftest import tool
from tests.deploy.files import CONTAINERFILE, GUIDE, workloads

TEXT = CONTAINERFILE.read_text()


def _lint(file: Path) -> tuple[int, str]:
    done = subprocess.run(
        [tool("hadolint"), "--no-color", "--strict-labels", file], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_linter_finds_nothing_wrong() -> None:
    code, said = _lint(CONTAINERFILE)
    assert code == 0, said


def test_the_linter_would_have_found_a_base_without_a_version(tmp_path: Path) -> None:
    wrong = tmp_path / "Containerfile"
    wrong.write_text(TEXT.replace("python:3.11-slim", "python"))
    assert _lint(wrong)[0] != 0


def test_only_the_pinned_versions_come_in_and_no_address_is_named() -> None:
    assert re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE) == ["python:3.11-slim"] * 2
    assert "-c constraints.txt" in TEXT
    assert "://" not in TEXT


def test_all_that_is_copied_is_here_and_all_that_is_needed_is_copied() -> None:
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--)(.+)$", TEXT, re.MULTILINE)]
    names = {name for words in copied for name in words}
    assert all((ASSETS.parent / name).exists() for name in names)
    assert names >= {"domain", "storage", "kiosk", "assets", "pyproject.toml", "constraints.txt"}


def test_its_user_is_the_one_that_the_cluster_runs_it_as(cluster: list[dict[str, Any]]) -> None:
    [user, group] = re.findall(r"^USER (\d+):(\d+)$", TEXT, re.MULTILINE)[0]
    assert f"--uid {user}" in TEXT
    for workload in workloads(cluster):
        context = workload.pod["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (int(user), int(group))
        assert context["fsGroup"] == int(group)


def test_the_guide_gives_a_container_its_volume_and_time_to_end() -> None:
    [guide] = re.findall(r"## In a container\n(.*?)\n## ", GUIDE.read_text(), re.DOTALL)
    runs = re.findall(r"^podman run (.*)$", guide.replace("\\\n", ""), re.MULTILINE)
    assert len(runs) == 2
    assert all("-v clinic-data:/var/lib/clinic-kiosk" in line for line in runs)
    [waits] = [re.findall(r"--stop-timeout (\d+)", line) for line in runs if "supervise" in line]
    assert int(waits[0]) > GRACE
