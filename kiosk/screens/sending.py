"""Commands whose answer got lost: asked for again under the same id, so that nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from domain.actors import Actor
from domain.errors import ClinicBusy, OutcomeUnknown, RecordsResting, StorageUnavailable
from domain.messages import Command

if TYPE_CHECKING:
    from domain.gateway import Gateway

R = TypeVar("R")

LOOK_AGAIN = (0.0, 1.0, 3.0)
"""Seconds before each attempt, while nobody can say what became of the first."""

SAY_NOTHING = (ClinicBusy, RecordsResting, StorageUnavailable)
"""Nothing was changed by an attempt that ends like this, which says nothing of the ones before it."""


class Wishes:
    """Remembers, as long as the visit lasts, what was sent and never answered."""

    def __init__(self) -> None:
        self._open: list[tuple[Actor, Command[Any], str]] = []

    def forget(self) -> None:
        """The visit is over; whose wishes these were must not be kept."""
        self._open.clear()

    async def send(self, gateway: Gateway, command: Command[R], actor: Actor, command_id: str) -> R:
        """Do it once, whatever becomes of the answer: one that got lost is asked for again.

        Raises what the gateway raises; OutcomeUnknown when nobody can say, even after several seconds.
        Sent again by anything that makes the same wish, it is looked up under the id it was sent with.
        """
        lost = self._taken(command, actor)
        wish = lost or command_id
        for pause in LOOK_AGAIN:
            await asyncio.sleep(pause)
            try:
                return await gateway.send(command, actor, wish)
            except OutcomeUnknown:
                lost = wish
            except SAY_NOTHING:
                if not lost:
                    raise
        self._open.append((actor, command, wish))
        raise OutcomeUnknown

    def _taken(self, command: Command[Any], actor: Actor) -> str:
        """The id under which this was sent before, and not answered; empty when there is none."""
        for wish in self._open:
            if wish[:2] == (actor, command):
                self._open.remove(wish)
                return wish[2]
        return ""
