"""The paper a page is meant for, in the printer's own words; and never scaled: a QR has its size in mm."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kiosk.paper.ipp import Attribute, Tag
from kiosk.paper.ipp_client import PrinterFacts

_SIZE = re.compile(r"_(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(mm|in)$")
_IN_MM = {"mm": 1.0, "in": 25.4}
_CLOSE_MM = 1.0
Size = tuple[float, float]


def how_to_print(facts: PrinterFacts, page: Size) -> list[Attribute]:
    """What the job says about paper and scaling: only what the printer knows, or it might refuse."""
    how = []
    medium = _medium(facts.media, page)
    if medium:
        how.append(Attribute(Tag.KEYWORD, "media", (medium,)))
    if "none" in facts.scalings:
        how.append(Attribute(Tag.KEYWORD, "print-scaling", ("none",)))
    return how


def _medium(known: Iterable[str], page: Size) -> str:
    """The sheet of this size; on a roll a piece as long as the page; empty when there is neither."""
    least, most = (0.0, 0.0), (0.0, 0.0)
    for name in known:
        size = _size(name)
        if name.startswith("custom_min_"):
            least = size
        elif name.startswith("custom_max_"):
            most = size
        elif all(abs(a - b) <= _CLOSE_MM for a, b in zip(size, page, strict=True)):
            return name
    if all(low <= side <= high for low, side, high in zip(least, page, most, strict=True)):
        return f"custom_kiosk_{page[0]:.2f}x{page[1]:.2f}mm"
    return ""


def _size(name: str) -> Size:
    found = _SIZE.search(name)
    if not found:
        return 0.0, 0.0
    unit = _IN_MM[found[3]]
    return float(found[1]) * unit, float(found[2]) * unit
