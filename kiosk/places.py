"""The places that home leads to, and how a screen is loaded by its name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from textual.screen import Screen

PLACES = {
    "booking": "kiosk.screens.booking:BookingScreen",
    "my_page": "kiosk.screens.my_page:MyPageScreen",
    "application": "kiosk.screens.application:ApplicationScreen",
    "staff": "kiosk.screens.pin:PinScreen",
}
"""Where one can go from home; each module is imported when somebody goes there."""


def load_screen(name: str) -> Callable[..., Screen[Any]]:
    """The class behind ``module:Class``."""
    module, _, attribute = name.partition(":")
    loaded: Callable[..., Screen[Any]] = getattr(importlib.import_module(module), attribute)
    return loaded
