"""Events and answers as JSON, with the name of their type."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from domain.codes import parse_code
from domain.errors import NotACode
from domain.events import BY_NAME, Event

NEVER = datetime.min.replace(tzinfo=UTC)
"""The instant of an event whose row does not say when it happened."""

BEFORE_RECIPIENT = '"recipient":"'
"""So a payload says whom it is about; within a text its quotation marks would be escaped."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Illegible(Event):
    """A row of the records that is no event any more; what it is about, as far as it still says."""

    booking: str = ""
    application: str = ""
    certificate: str = ""
    recipient: str = ""


def dump(value: object) -> str:
    """Any plain value as JSON."""
    return _encoder.encode(value).decode()


def event_payload(event: Event) -> str:
    """An event's fields; its name is stored beside it."""
    return dump(event)


def load_event(name: str, payload: str) -> Event:
    """The event of this name with these fields."""
    event: Event = _decoder(name).decode(payload)
    return event


def read_event(name: str, payload: str) -> Event:
    """The same, or `Illegible`: one damaged row must not keep back all that came after it."""
    try:
        return load_event(name, payload)
    except (KeyError, msgspec.MsgspecError):
        pass
    try:
        said = msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.MsgspecError:
        return Illegible()
    return Illegible(**{field.name: _code(said.get(field.name)) for field in fields(Illegible)})


def event_columns(name: str | bytes, payload: str | bytes, at: str | bytes) -> tuple[str, str, datetime]:
    """These columns of an event, from what the database keeps in them, for `read_event` and `load_event`.

    Where one of them is damaged the event has no name any more, and so is of no kind that could be told.
    """
    try:
        return _text(name), _text(payload), _instant(_text(at))
    except (ValueError, OverflowError):
        return "", text_of(payload), NEVER


def text_of(kept: str | bytes) -> str:
    """A text as the database keeps it, with a � for each byte that belongs to none."""
    return kept.decode(errors="replace") if isinstance(kept, bytes) else kept


def dump_answer(answer: object) -> str:
    """What a command answered, so that the same command id can be answered the same again."""
    kind = type(answer)
    name = "" if kind.__module__ == "builtins" else f"{kind.__module__}:{kind.__qualname__}"
    return dump([name, answer])


def load_answer(text: str) -> Any:
    """The answer as it was given the first time."""
    name, raw = msgspec.json.decode(text, type=tuple[str, msgspec.Raw])
    if not name:
        return msgspec.json.decode(raw)
    module, _, kind = name.partition(":")
    if not module.startswith("domain."):
        raise ValueError(f"not an answer of the domain: {name}")
    return msgspec.json.decode(raw, type=getattr(sys.modules[module], kind))


def _text(kept: str | bytes) -> str:
    return kept.decode() if isinstance(kept, bytes) else kept


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


def _code(said: object) -> str:
    """The code; empty when it is none: a damaged one would belong to nobody, and may fit no column."""
    try:
        return parse_code(said) if isinstance(said, str) else ""
    except NotACode:
        return ""


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(BY_NAME[name])
