"""Texts: what the screens say, in Korean first and in English.

One file per screen and language in ``assets/locales``. The first word of a key names its file, which
is read when the first of its keys is asked for, so that the first paint reads one file only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from enum import Enum
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from domain.codes import spoken
from domain.errors import ClinicError
from domain.presentation import Presentation
from kiosk.locations import LOCALES

LANGUAGES = ("ko", "en")

_FILES = {
    "key": "shell",
    "error": "errors",
    **dict.fromkeys(("status", "concern", "sex", "role"), "words"),
}
"""Tables that are not named like the file they are in."""
_CODES = frozenset({"application"})
"""Facts of refusals that are codes, which people read in threes."""


class Texts:
    """The texts of one language; called with a key and the facts that fill its text in."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **facts: object) -> str:
        """The text under this key; the key itself when there is none, so that nothing stops for it."""
        template = table(self.language, _file_of(key)).get(key)
        if template is None:
            return key
        return template.format_map({name: self.fact(value) for name, value in facts.items()})

    def has(self, key: str) -> bool:
        """Whether there is a text under this key."""
        return key in table(self.language, _file_of(key))

    def error(self, error: ClinicError) -> str:
        """A refusal in words, its facts as people say them."""
        key = f"error.{error.code}"
        if error.variant:
            key += f"-{error.variant}"
        facts = {name: spoken(str(fact)) if name in _CODES else fact for name, fact in error.facts.items()}
        return self(key, **facts) if self.has(key) else str(error)

    def fact(self, value: object) -> str:
        """A date, a product, a status, a list of concerns or anything else as this language has it."""
        if isinstance(value, Presentation):
            return value.name_ko if self.language == "ko" else value.name_en
        if isinstance(value, Enum):
            return self.word(str(value.value))
        if isinstance(value, date):
            day = self.day(value)
            return f"{day} {self.clock(value)}" if isinstance(value, datetime) else day
        if isinstance(value, tuple | list | frozenset):
            return ", ".join(self.fact(part) for part in value)
        text = str(value)
        if isinstance(value, str) and self.has(f"status.{text}"):
            return self.word(text)
        return table(self.language, "reasons").get(f"reasons.{text}", text)

    def word(self, value: str) -> str:
        """The word for a status, a concern, a role or another value of the code."""
        for kind in ("status", "concern", "sex", "role"):
            if self.has(f"{kind}.{value}"):
                return self(f"{kind}.{value}")
        return value

    def day(self, day: date) -> str:
        """A day with its weekday: ``2026년 11월 22일 (일)`` or ``Sun 22 Nov 2026``."""
        weekday = self("words.weekdays").split()[day.weekday()]
        if self.language == "ko":
            return f"{day.year}년 {day.month}월 {day.day}일 ({weekday})"
        return f"{weekday} {day.day} {self.month(day)} {day.year}"

    def short_day(self, day: date) -> str:
        """A day of this year's calendar: ``11월 22일 (일)`` or ``Sun 22 Nov``."""
        weekday = self("words.weekdays").split()[day.weekday()]
        if self.language == "ko":
            return f"{day.month}월 {day.day}일 ({weekday})"
        return f"{weekday} {day.day} {self.month(day)}"

    def month(self, day: date) -> str:
        """The short name of the month."""
        return self("words.months").split()[day.month - 1]

    def clock(self, moment: datetime | time) -> str:
        """A time of day: ``오후 2:30`` or ``2:30 pm``."""
        half = self("words.halves").split()[moment.hour >= 12]
        figure = f"{(moment.hour - 1) % 12 + 1}:{moment.minute:02}"
        return f"{half} {figure}" if self.language == "ko" else f"{figure} {half}"


Words = str | Callable[[Texts], str]
"""What a widget says: the key of a text, or what makes one, asked again when the language changes."""


def put_in_words(words: Words, texts: Texts) -> str:
    """The words in this language; a key that is no key is said as it stands."""
    return texts(words) if isinstance(words, str) else words(texts)


@lru_cache(maxsize=64)
def table(language: str, file: str) -> Mapping[str, str]:
    """Every text of one file, by its whole key; empty when there is no such file."""
    if file not in _files(language):  # never a path made of what somebody typed
        return MappingProxyType({})
    whole = tomllib.loads((LOCALES / language / f"{file}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(dict(_flat(whole, "")))


@cache
def _files(language: str) -> frozenset[str]:
    return frozenset(path.stem for path in (LOCALES / language).glob("*.toml"))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict):
            yield from _flat(value, key)
        else:
            yield key, str(value).strip()


def _file_of(key: str) -> str:
    first = key.partition(".")[0]
    return _FILES.get(first, first)
