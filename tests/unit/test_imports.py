"""What must not be loaded yet, or not at all, proven in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "sqlalchemy aiosqlite psycopg alembic reportlab fontTools cryptography cbor2 PIL argon2 qrcode zxingcpp "
    "pypdfium2"
)


def loaded_by(module: str) -> set[str]:
    script = f"import sys, {module}; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize("module", ["kiosk.cli", "kiosk.app", "kiosk.screens.home"])
def test_nothing_slow_is_loaded_before_the_first_screen(module: str) -> None:
    assert loaded_by(module).isdisjoint({*HEAVY.split(), "storage"})


def test_the_domain_is_standard_library_only() -> None:
    strangers = loaded_by("domain.gateway") - sys.stdlib_module_names - _site() - {"domain"}
    assert {name for name in strangers if not name.startswith("_sysconfigdata")} == set()


def _site() -> set[str]:
    """What the interpreter loads by itself here (path files of the environment)."""
    run = subprocess.run(
        [sys.executable, "-c", "import sys; print(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name.partition(".")[0] for name in run.stdout.split()}
