"""Where the kiosk finds what is not code."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LOCALES = ASSETS / "locales"
STYLES = ASSETS / "styles"
