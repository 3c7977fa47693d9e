"""What the value of a setting must keep to beyond its kind, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from domain.clinic import Opening

DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_SERVER = re.compile(r"([^:/]*(:[^@]*)?@)?(\[[^/?]+\]|[^/:?]+)?(:(?P<port>[0-9]{1,5}))?(/[^?]*)?(\?.*)?")
"""What follows ``postgresql://``, as SQLAlchemy takes it apart, which is imported after the first screen."""
LONGEST_PRINT = 60
"""Seconds: in the time that whoever is told to go has (`supervisor.GRACE`, the units) a sheet can end."""


@dataclass(frozen=True)
class Rule:
    """A check, and what would be right, in words. The check may raise ValueError."""

    holds: Callable[[Any], bool]
    says: str


def _at_least(least: int) -> Rule:
    return Rule(lambda value: least <= value <= 1_000_000, f"a whole number of at least {least}")


def _like(form: str, says: str) -> Rule:
    return Rule(lambda value: re.fullmatch(form, value, re.ASCII) is not None, says)


def _is_database(url: str) -> bool:
    kind, known, where = url.partition("://")
    if not known or kind not in DATABASES:
        return not url
    if kind == "sqlite":
        file = where.partition("?")[0][1:]
        return where.startswith("/") and bool(file) and not file.startswith((":", "file:"))
    server = _SERVER.fullmatch(where)
    return server is not None and 0 < int(server["port"] or 1) < 65536


def _is_printer(name: str) -> bool:
    from kiosk.paper.address import parse_printer

    return not name or bool(parse_printer(name))


def _is_issuer(url: str) -> bool:
    # A card's verifier puts "/.well-known/jwks.json" behind it, and asks nobody without https.
    good = url.startswith("https://") and not url.endswith("/") and len(url) <= 100 and url.isascii()
    return good or not url


def _are_parts(names: tuple[str, ...] | None) -> bool:
    from domain.parts import Part

    return not names or set(names) <= set(Part)


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, OSError):
        return False


def _are_openings(openings: tuple[Opening, ...]) -> bool:
    ordered = sorted(openings, key=lambda opening: opening.since)
    apart = all(one.until <= next_.since for one, next_ in pairwise(ordered))
    minutes = all(not (t.second or t.microsecond) for one in openings for t in (one.since, one.until))
    return apart and minutes and all(opening.since < opening.until for opening in openings)


_DATABASE = Rule(
    _is_database, "an address like sqlite:////srv/clinic.db or postgresql+psycopg://clinic@server:5432/clinic"
)
_NAME = Rule(lambda name: bool(name.strip()), "a name")

RULES: dict[str, Rule] = {
    "database_url": _DATABASE,
    "mypage_url": _DATABASE,
    "printer": Rule(_is_printer, "the name of a queue, or an address like ipp://printer/ipp/print"),
    "print_deadline_seconds": Rule(
        lambda seconds: 1 <= seconds <= LONGEST_PRINT,
        f"a whole number of at least 1, {LONGEST_PRINT} at most",
    ),
    "issuer_url": Rule(_is_issuer, "an https:// address without a slash at its end"),
    "log_megabytes": _at_least(1),
    "log_files": _at_least(1),
    "formulary_file": Rule(lambda file: file is None or file.is_file(), "a file that is there"),
    "idle_seconds": _at_least(1),
    "parts": Rule(
        _are_parts, "a list of parts (injection-intake, issuing, printing, my-page), or none, or all"
    ),
    "patience_seconds": Rule(lambda seconds: 0 < seconds <= 3600, "a number of seconds above 0"),
    "backup_hours": _at_least(0),
    "backup_keep": _at_least(1),
    "clinic.name_ko": _NAME,
    "clinic.name_en": _NAME,
    "clinic.code": _like("[A-Z0-9]{1,20}", "capitals and digits, 20 at most"),
    "clinic.country": _like("[A-Z]{2}", "a country's two capitals, like KR"),
    "clinic.time_zone": Rule(_is_zone, "a time zone like Asia/Seoul"),
    "clinic.schedule.openings": Rule(
        _are_openings, "a list of openings like 09:00-12:00, none within another"
    ),
    "clinic.schedule.weekdays": Rule(
        lambda days: days <= frozenset(range(7)), "a list of weekdays from 0 (Monday) to 6"
    ),
    "clinic.schedule.slot_minutes": Rule(
        lambda minutes: 1 <= minutes <= 240, "a whole number of at least 1, 240 at most"
    ),
    "clinic.schedule.capacity": _at_least(1),
    "clinic.schedule.horizon_days": _at_least(1),
}
