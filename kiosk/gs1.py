"""What a GS1 bar code on a box or a vial says, as a scanner types it: product, lot, expiry date.

The DataMatrix of a vaccine holds (01) product, (17) expiry date, (10) lot and often (21) serial number.
A lot ends at the group separator (FNC1) or at the end of the code. Many scanners swallow the separator;
then a lot that is not the last element is told from an expiry date behind it only.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from domain.codes import in_capitals

GROUP_SEPARATOR = "\x1d"
SEPARATOR_SIGN = "|"
"""How a separator is shown in an input; no lot holds it."""
LOT_LIMIT = 20

_SYMBOLOGY = re.compile(r"\][A-Za-z]\d")
_BEGINS_LIKE_A_BOX = re.compile(r"\][A-Za-z]\d|\(01\)|01[0-9]{14}")
_FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_VARIABLE = {"10": LOT_LIMIT, "21": 20, "22": 20, "30": 8, "37": 8}
_LONGER = re.compile(r"(71[0-6]|240|241|250)")
"""Three-digit element names that end at a separator too."""
_IN_PARENTHESES = re.compile(r"\((\d{2,4})\)([^(]*)")
_EXPIRY_BEHIND = re.compile(r"(?P<lot>.{1,20}?)17(?P<day>\d{6})(?P<rest>(?:21.{1,20})?)")
_LOT = re.compile(r"[!-~]{1,20}")


@dataclass(frozen=True)
class Scanned:
    """What was read; what the code did not hold is None. ``product`` is a GTIN of 14 digits."""

    lot: str | None = None
    expires_on: date | None = None
    product: str | None = None
    other_lots: tuple[str, ...] = ()
    """What the lot may be as well, when a swallowed separator leaves its end open."""


def read_gs1(text: str, today: date) -> Scanned | None:
    """What the code says; None when this is no GS1 code (a lot number typed by hand, say).

    A scanner in Hangul mode types the keys of the same letters.
    """
    code = text.strip()
    code = code if code.isascii() else in_capitals(code)
    marked = bool(_SYMBOLOGY.match(code))
    code = code[3:] if marked else code
    lots: tuple[str, ...] = ()
    if code.startswith("("):
        elements = {name: value.strip() for name, value in _IN_PARENTHESES.findall(code)}
    else:
        code = code.replace(SEPARATOR_SIGN, GROUP_SEPARATOR).strip(GROUP_SEPARATOR + " ")
        elements = _elements(code) if marked or _begins_with_product(code) else {}
    if "10?" in elements:
        value = elements.pop("10?")
        split = None if "17" in elements else _expiry_behind(value, today)
        if split:
            value, elements["17"] = split
        lots = (value,) if split else _possible_lots(value)
    elif "10" in elements:
        lots = (elements["10"],)
    if not lots and "17" not in elements:
        return None
    product, expiry = elements.get("01"), elements.get("17")
    if (product is not None and not is_gtin(product)) or not all(_LOT.fullmatch(lot) for lot in lots):
        return None
    expires_on = read_date(expiry, today) if expiry else None
    return Scanned(lots[0] if lots else None, expires_on, product, lots[1:])


def is_misread(text: str) -> bool:
    """Whether what `read_gs1` cannot read is no lot either, but begins like the code of a box."""
    code = text.strip()
    code = code if code.isascii() else in_capitals(code)
    return len(code) > LOT_LIMIT and bool(_BEGINS_LIKE_A_BOX.match(code))


def read_date(digits: str, today: date) -> date | None:
    """Six digits, year month day; day 00 is the last of the month. None when there is no such day."""
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return None
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    # GS1 General Specifications 7.12: the century that brings the year nearest to today.
    year = today.year - today.year % 100 + short
    if short - today.year % 100 >= 51:
        year -= 100
    elif short - today.year % 100 <= -50:
        year += 100
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    day = day or last
    return date(year, month, day) if day <= last else None


def is_gtin(digits: str) -> bool:
    """Whether these are 14 digits with the right check digit."""
    if not re.fullmatch(r"[0-9]{14}", digits):
        return False
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits[:13]))
    return (10 - total % 10) % 10 == int(digits[13])


def _begins_with_product(code: str) -> bool:
    return code.startswith("01") and is_gtin(code[2:16])


def _elements(code: str) -> dict[str, str]:
    """The elements of a code without parentheses, by their digits; ``10?`` is a lot that may hold more."""
    found: dict[str, str] = {}
    while code:
        name = code[:2]
        if length := _FIXED.get(name):
            value, code = code[2 : 2 + length], code[2 + length :].lstrip(GROUP_SEPARATOR)
            if len(value) < length:
                return {}
        elif name in _VARIABLE or _LONGER.match(code):
            value, separator, rest = code[2:].partition(GROUP_SEPARATOR)
            if name == "10" and not separator:
                name = "10?"
            code = rest
        else:
            break
        found.setdefault(name, value)
    return found


def _expiry_behind(value: str, today: date) -> tuple[str, str] | None:
    """A lot with an expiry date right behind it, where the separator was swallowed."""
    match = _EXPIRY_BEHIND.fullmatch(value)
    if match and (day := read_date(match["day"], today)) and abs(day.year - today.year) <= 15:
        return match["lot"], match["day"]
    return None


def _possible_lots(value: str) -> tuple[str, ...]:
    """Where a lot may end whose separator was swallowed: before each possible serial number, or not at all.

    Medicines carry serial numbers, so the lot in front of one comes first.
    """
    cuts = [
        value[: match.start()]
        for match in re.finditer("(?=21)", value)
        if 1 <= match.start() <= LOT_LIMIT and 1 <= len(value) - match.start() - 2 <= _VARIABLE["21"]
    ]
    return tuple(cuts) + ((value,) if len(value) <= LOT_LIMIT or not cuts else ())
