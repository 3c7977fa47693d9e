"""Passport spellings of Korean surnames: suggested, and used only when their bearer says so."""

from __future__ import annotations

import tomllib
from functools import cache

from kiosk.locations import ASSETS


@cache
def _table() -> dict[str, str]:
    text = (ASSETS / "names" / "surnames.toml").read_text(encoding="utf-8")
    surnames: dict[str, str] = tomllib.loads(text)["surnames"]
    return surnames


def passport_surname(name: str) -> str:
    """The usual spelling of the surname that this Korean name begins with; empty when there is none."""
    first = name.split(" ", maxsplit=1)[0]
    if " " in name and first in _table():
        return _table()[first]
    joined = name.replace(" ", "")
    if len(joined) > 3 and joined[:2] in _table():
        return _table()[joined[:2]]
    if len(joined) == 3 and joined[:2] in {"남궁", "황보", "제갈", "사공", "독고"}:
        return _table()[joined[:2]]
    return _table().get(joined[:1], "")
