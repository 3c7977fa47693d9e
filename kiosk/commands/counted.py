"""Rows, bytes and times as an administrator reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

SHOWN = ("booking", "injection", "certificate", "event")


def counted(rows: Mapping[str, int]) -> str:
    """How many of the things that people know by name."""
    return ", ".join(f"{rows[t]:,} {t}{'s' if rows[t] != 1 else ''}" for t in SHOWN if t in rows)


def size(count: int) -> str:
    """Bytes, in the unit that fits."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in words."""
    age = now - then
    if age < timedelta(0):
        return "in the future"
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // 60 // 24} days ago"
