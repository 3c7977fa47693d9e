"""This same program as another process: what runs here, whatever lies in the current folder."""

from __future__ import annotations

import os
import sys


def command(module: str = "kiosk") -> list[str]:
    """What starts a module of it, in an environment like `environment`."""
    return [sys.executable, "-P", "-m", module]


def environment() -> dict[str, str]:
    """This process's, and modules are found where it finds them: installed, or in a source tree."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
