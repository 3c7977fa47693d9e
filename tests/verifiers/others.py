"""Verifiers that were written elsewhere, each installed into a cache folder of the tests' own.

They are never part of the product: they answer whether strangers' software agrees with ours.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

CWT = "cwt==3.3.0"
NODE_PACKAGES = ("dcc-utils@0.4.0", "kill-the-clipboard@1.1.0")
HERE = Path(__file__).parent
_PATIENCE = 600


class CannotInstall(Exception):
    """The other verifier is not to be had here, and why."""


def cache() -> Path:
    """Where they are installed, once for all runs."""
    chosen = os.environ.get("KIOSK_TEST_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("clinic-kiosk-tests")


def ask_cwt(cases: list[dict[str, Any]]) -> list[str]:
    """What the CWT library says of each case. Raises CannotInstall."""
    python = _installed(cache() / CWT.replace("==", "-"), _install_cwt) / "bin" / "python"
    return _answers([str(python), str(HERE / "ask_cwt.py")], cases)


def ask_dcc_utils(cases: list[dict[str, Any]]) -> list[str]:
    """What dcc-utils says of each case. Raises CannotInstall."""
    return _answers(["node", str(HERE / "ask_dcc_utils.cjs"), str(_node_packages())], cases)


def ask_card_reader(cases: list[dict[str, Any]]) -> list[str]:
    """What kill-the-clipboard says of each card. Raises CannotInstall."""
    return _answers(["node", str(HERE / "ask_card_reader.cjs"), str(_node_packages())], cases)


def _answers(command: list[str], cases: list[dict[str, Any]]) -> list[str]:
    run = subprocess.run(
        command, input=json.dumps(cases), capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if run.returncode != 0:
        raise AssertionError(f"{command[1]} broke:\n{run.stderr[-3000:]}")
    answers: list[str] = json.loads(run.stdout.strip().splitlines()[-1])
    assert len(answers) == len(cases)
    return answers


def _node_packages() -> Path:
    if not shutil.which("node") or not shutil.which("npm"):
        raise CannotInstall("node and npm are not on this machine")
    return _installed(cache() / "node", _install_node_packages)


def _installed(folder: Path, install: Callable[[Path], None]) -> Path:
    """Installed whole: whoever comes while another process installs waits for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock")):
        done = folder / "installed"
        wanted = " ".join((CWT, *NODE_PACKAGES))
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            done.write_text(wanted)
    return folder


def _install_cwt(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", CWT])


def _install_node_packages(folder: Path) -> None:
    (folder / "package.json").write_text('{"private": true}')
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(["npm", "install", *options, "--prefix", str(folder), *NODE_PACKAGES])


def _run(command: list[str]) -> None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(f"{Path(command[0]).name}: {error}") from error
    if run.returncode != 0:
        raise CannotInstall(f"{' '.join(command[:4])} …: {(run.stderr or run.stdout).strip()[-400:]}")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
