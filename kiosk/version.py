"""Which version of the kiosk this is."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """As it was installed."""
    from importlib.metadata import PackageNotFoundError, version  # 25 ms: not on the way to the screen

    try:
        return version("clinic-kiosk")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0 (source)"
