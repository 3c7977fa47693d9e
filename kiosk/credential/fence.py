"""The fence around what parses strangers' input: inside it the input is to blame, outside it we are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Malformed(ValueError):
    """What was scanned is not what it should be."""


def fenced(parse: Callable[P, R], *given: P.args, **options: P.kwargs) -> R:
    """What a parser makes of the input. Raises Malformed, whatever the parser throws.

    For a single call of a library: a mistake in our own code must never look like a damaged certificate.
    """
    try:
        return parse(*given, **options)
    except Exception as error:
        raise Malformed((str(error) or type(error).__name__)[:200]) from error


def mapping(value: object) -> Mapping[Any, Any]:
    """The value, when it is a map. Raises Malformed."""
    if not isinstance(value, Mapping):
        raise Malformed("no map where there should be one")
    return value
