"""Opening the storage of a clinic: records, outbox, relay and my page, ready to be used."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.clinic import Clinic
from domain.errors import IdentityKeyMissing, StorageUnavailable
from domain.parts import Part
from domain.policies import BY_RELAY
from domain.ports import Clock
from domain.presentation import Presentation
from storage.changes import Changes, others_of
from storage.engine import in_short, prepare_folder, read_model_engine, reader_engine, writer_engine
from storage.fresh import FreshPages
from storage.identity import IDENTITY_KEY, key_of
from storage.leases import Leases, leases_of
from storage.listeners import Listener, Now, PolicyListener, ProjectorListener
from storage.migrate import migrate
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from storage.reader import SqlReader
from storage.relay import Loop, Relay
from storage.tasks import CarryOut, TaskQueue
from storage.writer import SqlWriter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Storage:
    """The open storage; `close` finishes what was begun before it lets the databases go."""

    writer: SqlWriter
    reader: SqlReader
    outbox: Outbox
    relay: Relay
    mypage: MyPageStore
    changes: Changes
    identity_key: bytes
    _leases: Leases
    _reader_engine: AsyncEngine

    def start(self, parts: Collection[Part], now: Now, carry_out: CarryOut, print_once: bool) -> None:
        """Put these parts to work in this process; ``carry_out`` does their tasks.

        ``print_once``: paper cannot be taken back, so what may have come out is not printed again by itself.
        """
        listeners: dict[Part, Listener] = {
            part: PolicyListener(part, self.writer, self.outbox, now) for part in BY_RELAY
        }
        listeners[Part.MY_PAGE] = ProjectorListener(self.mypage, self.writer, self.outbox, now)
        loops = []
        for part in parts:
            queue = TaskQueue(part, self.outbox, self.writer, self._leases, carry_out, listeners.get(part))
            if part is Part.PRINTING:  # one after the other, in order
                queue = replace(queue, together=False, once=print_once)
            loops.append(Loop(part, listeners.get(part), queue))
        self.relay.start(loops, list(listeners.values()))

    async def close(self) -> None:
        """Relay first, then the writer, then the readers: each may still need the next."""
        await self.relay.close()
        await self.changes.close()
        await self.writer.close()
        await self.mypage.close()
        await self._reader_engine.dispose()


async def open_storage(
    *,
    records_url: str,
    mypage_url: str,
    clinic: Clinic,
    formulary: tuple[Presentation, ...],
    clock: Clock,
    patience: float,
) -> Storage:
    """Migrate when needed, and start the writer. The relay begins with `Storage.start`.

    Raises StorageUnavailable with what is in the way, IdentityKeyMissing.
    """
    try:
        writer = await asyncio.to_thread(open_writer, records_url, mypage_url, clock, patience)
    except (OSError, DatabaseError) as problem:
        raise StorageUnavailable(reason=in_short(problem)) from problem
    try:
        kept = await writer.run_behind(_identity_key, f"secret:{secrets.token_hex(8)}", "IdentityKey")
        identity_key = key_of(kept)
    except BaseException:
        await writer.close()
        raise
    engine = reader_engine(records_url)
    outbox = Outbox(engine)
    mypage = MyPageStore(read_model_engine(mypage_url))
    try:
        await mypage.open()
    except StorageUnavailable as problem:  # the one part; the clinic is open without it
        log.error("my page cannot be reached yet: %s", problem.facts["reason"])
    except BaseException:
        await writer.close()
        await engine.dispose()
        await mypage.close()
        raise
    leases = leases_of(engine)
    relay = Relay(outbox, leases, lambda: writer.serves)
    changes = Changes(others_of(engine, writer.origin))
    changes.listen(relay.wake)
    writer.on_commit(changes.notify_from_thread)
    reader = SqlReader(engine, clinic, formulary, FreshPages(engine, mypage).page_of, mypage.position)
    return Storage(writer, reader, outbox, relay, mypage, changes, identity_key, leases, engine)


def open_writer(records_url: str, mypage_url: str, clock: Clock, patience: float) -> SqlWriter:
    """Migrate when needed, and start the writer. Raises OSError, DatabaseError."""
    prepare_folder(records_url)
    prepare_folder(mypage_url)
    engine = writer_engine(records_url)
    migrate(engine)
    return SqlWriter(engine, clock, patience)


def _identity_key(uow: Any) -> str:
    """The key under which people are found, made when the clinic first opens. Raises IdentityKeyMissing."""
    key: str = uow.secret(IDENTITY_KEY, fresh := secrets.token_hex(32))
    if key == fresh and uow.knows_somebody():
        raise IdentityKeyMissing
    key_of(key)
    return key
