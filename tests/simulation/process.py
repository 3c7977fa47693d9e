"""A process of the clinic: the real gateway, writer, relay, parts and reader, wired as in `storage.open`."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from domain.actors import SYSTEM, Actor
from domain.gateway import Gateway
from domain.messages import Command
from domain.parts import Part, Task
from domain.resilience import Breakers
from domain.workflows import carry_out
from storage.changes import Changes
from storage.fresh import FreshPages
from storage.leases import Leases
from storage.open import Storage
from storage.reader import SqlReader
from storage.relay import Relay
from tests.simulation.records import StepEngine
from tests.simulation.scheduler import HOST, Host
from tests.simulation.stand_ins import Others, PlainPress, StumblingPage, Tray, WatchedOutbox, WorldLocks
from tests.simulation.writer import StepWriter
from tests.unit.memory import PlainSigner

if TYPE_CHECKING:
    from tests.simulation.world import World

R = TypeVar("R")
SERVES = 0.7
"""How likely a process is to be one that serves people."""

FOUND_BY = b"a key of this clinic"
"""The key under which people are found."""


class Died(Exception):
    """The process that was asked is no more."""


class Process(Host):
    """One life of a process: killed or closed, it does not come back; another takes its place."""

    def __init__(self, world: World, name: str, parts: tuple[Part, ...]) -> None:
        super().__init__(name)
        self.world = world
        self.parts = parts
        self.context = contextvars.copy_context()
        self.context.run(HOST.set, self)
        self._calls: dict[asyncio.Future[Any], None] = {}
        self.others = Others()
        self.closing = False

    def open(self) -> None:
        """Put it together and to work."""
        self.context.run(self._open)

    def _open(self) -> None:
        world, chance = self.world, self.world.chance
        self.writer = StepWriter(world.records, world, chance)
        engine = cast(Any, StepEngine(world.records, chance))
        outbox = WatchedOutbox(engine, world)
        mypage = StumblingPage(cast(Any, StepEngine(world.mypage, chance)), world)
        leases = Leases(WorldLocks(world, self))
        serves = chance.happens(SERVES)
        self.relay = Relay(outbox, leases, lambda: serves)
        changes = Changes(self.others)
        changes.listen(self.relay.wake)
        self.writer.on_commit(changes.notify_from_thread)
        self.writer.on_commit(partial(world.committed, self))
        page = FreshPages(engine, mypage).page_of
        reader = SqlReader(engine, world.clinic, (), page, mypage.position)
        self.gateway = Gateway(
            clinic=world.clinic,
            clock=world,
            writer=self.writer,
            reader=reader,
            signer=PlainSigner(),
            press=PlainPress(world),
            archive=Tray(world),
            pins=cast(Any, None),
            identity_key=FOUND_BY,
            breakers=self._breakers(),
        )
        self.storage = Storage(self.writer, reader, outbox, self.relay, mypage, changes, b"", leases, engine)
        self.storage.start(
            self.parts,
            now=partial(self.gateway.context, SYSTEM),
            carry_out=self._carry_out,
            print_once=world.prints_once,
        )

    def _breakers(self) -> Breakers:
        """The clinic's own, by the clock of the simulation."""
        breakers = Breakers.for_server() if self.world.chance.on_server else Breakers()
        for breaker in (breakers.records, breakers.my_page, breakers.issuing, breakers.printing):
            if breaker:
                breaker.now = self.world.loop.time
        return breakers

    # -- what the world asks of it ----------------------------------------------------------------

    async def send(self, command: Command[R], actor: Actor, command_id: str) -> R:
        """Say this at its door. Raises `Died` when it is killed before it has answered."""
        return await self.call(self.gateway.send(command, actor, command_id))

    async def call(self, work: Coroutine[Any, Any, R]) -> R:
        """Have it do this. Cancelling the call cancels the work."""
        task = self.world.loop.create_task(work, context=self.context.copy())
        answer: asyncio.Future[R] = self.world.loop.create_future()
        self._calls[answer] = None
        task.add_done_callback(partial(_pass_on, answer))
        try:
            return await answer
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._calls.pop(answer, None)

    def kill(self) -> None:
        """Nothing of it takes another step; the kernel frees what it held."""
        self.dead = True
        self.world.freed(self)
        for answer in list(self._calls):
            if not answer.done():
                answer.set_exception(Died(self.name))

    async def close(self) -> None:
        """Finish what was begun."""
        self.closing = True
        await self.call(self.storage.close())
        self.kill()

    async def _carry_out(self, task: Task) -> None:
        with self.world.at_task(self, task):
            await carry_out(self.gateway, task)


def _pass_on(answer: asyncio.Future[Any], task: asyncio.Task[Any]) -> None:
    if answer.done():
        return
    if task.cancelled():
        answer.cancel()
    elif problem := task.exception():
        answer.set_exception(problem)
    else:
        answer.set_result(task.result())
