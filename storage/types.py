"""Column types: how the domain's values are written on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

Converter = Callable[[Any], Any]
UNREADABLE = (ValueError, TypeError, KeyError, msgspec.MsgspecError)
"""What is raised of a value in a row that is none of its kind. Its words may show the value."""


class Instant(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps UTC text of fixed width, which sorts as time does."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, ``timestamptz`` elsewhere."""
        return String(32) if dialect.name == "sqlite" else DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Converter:
        """Naive values are refused: nobody knows which zone they are in."""
        return instant_text if dialect.name == "sqlite" else _aware

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        """Always aware, in UTC."""
        return _instant_from_text if dialect.name == "sqlite" else _aware


class Word(TypeDecorator[StrEnum]):
    """One word of an enumeration of the domain."""

    impl = String(24)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Converter:
        """The word itself."""
        return lambda word: None if word is None else str(word)

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        """The member of the enumeration."""
        kind = self.kind
        return lambda word: None if word is None else kind(word)


class Json(TypeDecorator[Any]):
    """A value object of the domain as JSON text, validated against its type when it is read."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Converter:
        """Compact JSON; None stays NULL."""
        encode = msgspec.json.Encoder().encode
        return lambda value: None if value is None else encode(value).decode()

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        """The value object."""
        decode = msgspec.json.Decoder(self.kind).decode
        return lambda text: None if text is None else decode(text)


def _aware(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


@lru_cache(maxsize=256)  # a command writes the same instant into several rows
def instant_text(instant: datetime | None) -> str | None:
    """UTC text of fixed width. Raises ValueError for an instant that has no zone."""
    aware = _aware(instant)
    return None if aware is None else aware.isoformat(timespec="microseconds")


def _instant_from_text(text: str | None) -> datetime | None:
    return None if text is None else _aware(datetime.fromisoformat(text))
