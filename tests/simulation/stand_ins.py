"""What stands in for the world around a process: locks, paper, the notice of others' commits.

Two real things are watched on the way: which events a part is brought, and what my page is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from domain.booking import TicketFacts
from domain.events import Event, Recorded
from domain.parts import Part
from domain.ports import Place
from domain.statement import CertificateFacts, Credential
from storage.changes import Notify
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from tests.simulation.chance import PerhapsOut, Sheet

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World


class Others:
    """Stands in for `storage.changes.Others`: the world tells what other processes commit."""

    def __init__(self) -> None:
        self.changed: Notify = lambda: None
        self.due = False

    async def watch(self, changed: Notify) -> None:
        """See `storage.changes.Others.watch`."""
        self.changed = changed
        changed()
        await asyncio.get_running_loop().create_future()

    def tell(self) -> None:
        """Somebody else has committed."""
        self.due = False
        self.changed()


class WorldLocks:
    """Stands in for `storage.leases.Locks`: the world knows who holds what."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    async def take(self, number: int) -> bool:
        """See `Locks.take`."""
        await self._world.chance.pause()
        return self._world.held.setdefault(number, self._process) is self._process

    async def give(self, number: int) -> None:
        """See `Locks.give`. No step of its own: it is also called when a killed process is cleared away."""
        if not self._process.dead and self._world.held.get(number) is self._process:
            del self._world.held[number]

    async def close(self) -> None:
        """See `Locks.close`."""
        self._world.freed(self._process)


class WatchedOutbox(Outbox):
    """The world remembers which events were brought."""

    def __init__(self, engine: Any, world: World) -> None:
        super().__init__(engine)
        self._world = world

    async def after(self, *about: Any) -> Any:
        """See `Outbox.after`."""
        stretch = await super().after(*about)
        self._world.brought(stretch.events)
        return stretch


class StumblingPage(MyPageStore):
    """My page, which meets events that it cannot tell."""

    def __init__(self, engine: Any, world: World) -> None:
        super().__init__(engine)
        self._chance = world.chance

    async def open(self) -> None:
        """Its tables are there from the beginning."""

    async def tell(self, events: Sequence[Recorded], after: int = 0) -> int:
        """See `MyPageStore.tell`."""
        self._stumble(events)
        return await super().tell(events, after)

    def _stumble(self, events: Sequence[Recorded]) -> None:
        for recorded in events:
            if type(recorded.event) is not Event:
                self._chance.deal(Part.MY_PAGE, recorded.seq)


class PlainPress:
    """Paper takes a third of a second; this is about records."""

    def __init__(self, world: World) -> None:
        self._chance = world.chance

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        """See `Press.certificate`."""
        await self._chance.pause()
        self._chance.paper()
        return credential.text.encode()

    async def ticket(self, ticket: TicketFacts) -> bytes:
        """See `Press.ticket`."""
        return ticket.code.encode()


class Tray:
    """Stands in for a printer: the world counts the sheets."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def keep(self, name: str, content: bytes) -> Place:
        """See `Archive.keep`."""
        chance = self._world.chance
        await chance.pause()
        sheet = chance.sheet()
        if sheet is not Sheet.NOT_OUT_UNHEARD:
            self._world.sheets[name] += 1
        await chance.pause()
        if sheet is not Sheet.OUT:
            raise PerhapsOut(reason="who knows")
        return Place("tray", printed=True)
