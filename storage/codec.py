"""Events and answers as JSON, with the name of their type."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import msgspec

from domain.events import BY_NAME, Event

_encoder = msgspec.json.Encoder()


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


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(BY_NAME[name])
