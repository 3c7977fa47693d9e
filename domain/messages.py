"""What can be said to the gateway: a command changes something, a query asks something.

Each names who may say it; its type parameter is what the gateway answers with.
"""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from domain.actors import ANYONE, Role

R_co = TypeVar("R_co", covariant=True)


class Command(Generic[R_co]):
    """A wish to change something; the answer is what was done."""

    allowed: ClassVar[frozenset[Role]] = ANYONE


class Query(Generic[R_co]):
    """A question; asking it changes nothing."""

    allowed: ClassVar[frozenset[Role]] = ANYONE
