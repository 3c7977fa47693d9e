"""What can be said to the gateway: a command changes something, a query asks something.

Each names who may say it; its type parameter is what the gateway answers with.
"""

from __future__ import annotations

from random import Random
from time import time_ns
from typing import ClassVar, Generic, TypeVar

from domain.actors import ANYONE, Role

_random = Random()
"""Begun by the system's randomness: an id has to be nobody else's, and is no secret. To ask the system for
each would hand the interpreter to another thread each time, most often when there is most to do."""
R_co = TypeVar("R_co", covariant=True)


class Command(Generic[R_co]):
    """A wish to change something; the answer is what was done."""

    allowed: ClassVar[frozenset[Role]] = ANYONE


class Query(Generic[R_co]):
    """A question; asking it changes nothing."""

    allowed: ClassVar[frozenset[Role]] = ANYONE


def new_command_id() -> str:
    """Made once per confirmation: the same wish sent twice is done once.

    Laid out as a UUID of version 7 (RFC 9562): it begins with the time, so that the records keep what comes
    together side by side. Random ids would touch a page of the disk each.
    """
    return f"{time_ns() // 1_000_000:012x}7{_random.getrandbits(76):019x}"
