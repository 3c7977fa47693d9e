"""A machine on which the guide was followed, and the manifests as the cluster gets them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosk.locations import ASSETS
from tests.deploy.files import GUIDE, KUBERNETES, PROGRAM

SYSTEM_UNITS = [Path("/usr/lib/systemd/system"), Path("/lib/systemd/system")]


def tool(name: str) -> str:
    """Where it is; the test is skipped where it is not."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not here")
    return found


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of a machine on which the units were installed, line by line as the guide says."""
    for name in ("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles", "systemctl"):
        tool(name)
    root = tmp_path_factory.mktemp("machine")
    units = next(folder for folder in SYSTEM_UNITS if folder.is_dir())
    shutil.copytree(units, root / "usr/lib/systemd/system", symlinks=True)
    program = root / PROGRAM[1:]
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for folder in ("etc/systemd/system", "run", "var/lib", "var/log", "var/backups"):
        (root / folder).mkdir(parents=True)
    for line in installing():
        subprocess.run(["sh", "-ec", _within(root, line)], check=True, cwd=ASSETS.parent)
    return root


def installing() -> list[str]:
    """The lines of the guide that install the units."""
    [block] = re.findall(r"```sh\n(cp -r assets/deploy/systemd.*?)```", GUIDE.read_text(), re.DOTALL)
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def _within(root: Path, line: str) -> str:
    if line == "systemctl daemon-reload":
        return "true"
    if line.startswith("systemd-tmpfiles") and os.getuid() != 0:
        return "true"  # the folders belong to another user
    line = re.sub(r"^(systemd-(?:sysusers|tmpfiles))", rf"\1 --root={root}", line)
    return re.sub(r" (/etc|/usr)/", rf" {root}\1/", line)


@pytest.fixture(scope="session")
def cluster() -> list[dict[str, Any]]:
    """The manifests put together, as `kubectl apply -k` does it."""
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))
