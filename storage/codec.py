"""Events and answers as JSON, with the name of their type."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import msgspec

from domain.events import BY_NAME, Event

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
    names = [field.name for field in fields(Illegible)]
    return Illegible(**{name: said[name] for name in names if isinstance(said.get(name), str)})


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
