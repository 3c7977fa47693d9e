"""The one writer: commands queue, one thread runs as many as wait in one transaction.

Before the queue stands admission: who would have to wait too long is told so at once. Whoever has left
the queue before their command was begun is forgotten.

A commit costs the same for one command as for a hundred, and one writer needs no locks between
them. Nobody is acknowledged before the commit that holds their command; a command that is refused
takes nothing down with it: what it wrote is taken back, and the others are committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine

from domain.codes import draw_anew
from domain.errors import (
    ClinicError,
    CommandReused,
    OutcomeUnknown,
    RecordIllegible,
    RecordsRefused,
    StorageUnavailable,
)
from domain.ports import Clock, Foreseen, UnitOfWork
from storage.admission import Admission
from storage.engine import WAITED, Session, backend, in_short, is_illegible, open_session
from storage.statements import Statements
from storage.unit_of_work import NOT_DONE, SqlUnitOfWork

R = TypeVar("R")
LIMIT = 10.0
"""Seconds after which somebody who waits for an answer is told that there is none yet."""
AGAIN = 5.0
"""Seconds after which a writer that failed tries by itself whether it can: nobody may come all night."""
STUCK = 3.0
"""Seconds that no transaction takes, nor the wait for its turn, unless something is wrong."""
BATCH = 256
"""Commands in one transaction at most: past this the commit is a small part of the cost."""
LINGER, LONGEST = 0.3, 0.01
"""Of the time that the last transaction took, and seconds at most: so long as many commands as were in it are
waited for. Those who are served together come back together, and a commit costs the same for all of them."""
LATELY = 1.0
"""Seconds."""
AT_ONCE = 8
"""Answers given in one turn of an event loop, each of which may lead to the next command."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    """One command in the queue: its work, who waits for it, and how it went."""

    work: Callable[[Any], Any]
    command_id: str
    name: str
    foreseen: Foreseen | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    answer: Any = None
    error: BaseException | None = None
    begun: bool = False
    left: bool = False


class SqlWriter:
    """Runs work in group commits; see `domain.ports.Writer`."""

    def __init__(self, engine: Engine, clock: Clock, patience: float) -> None:
        self._clock = clock
        self._engine = engine
        self._database_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        # A value that does not fit its column is one command's fault too (SQLite would take it).
        self._refusals = (engine.dialect.loaded_dbapi.IntegrityError, engine.dialect.loaded_dbapi.DataError)
        self._pauses = backend(engine.dialect.name).PAUSES
        self._unreachable = False
        self._statements = Statements(engine.dialect)
        self.origin = secrets.token_hex(8)
        """Under this name its commits are told to others, so that they are not told back."""
        self._session: Session | None = None
        self._uow: SqlUnitOfWork | None = None
        self._committing = False
        self._changed = False
        """Whether anything was changed since the listeners were called."""
        self._failed: ClinicError | None = None
        """Why the last transaction was not committed, if it was not."""
        self._last = 1, 0.0
        """How many commands were in the last transaction, and how many seconds it took."""
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._boarding = threading.Lock()
        """Held while a batch is made up, and by those who leave the queue."""
        self.admission = Admission(BATCH, patience)
        self._listeners: list[Callable[[], None]] = []
        self._served = -LATELY
        self._closed = False
        self._start()

    def _start(self) -> None:
        """A thread of its own, so that a slow disk keeps no screen waiting."""
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call this, in the writer's thread, after every commit that changed anything."""
        self._listeners.append(listener)

    @property
    def queued(self) -> int:
        """How many commands wait."""
        return self._queue.qsize()

    @property
    def serves(self) -> bool:
        """Whether somebody was served lately."""
        return time.monotonic() - self._served < LATELY

    @property
    def problem(self) -> str:
        """Why nothing can be written just now, as far as is known; empty when something can."""
        if self.admission.at_work_for() > STUCK:
            return f"a transaction has not come to its end for {self.admission.at_work_for():.0f} s"
        return str(self._failed or "")

    def admit(self) -> None:
        """See `domain.ports.Writer.admit`."""
        self.admission.admit(self.queued)

    async def run(
        self, work: Callable[[UnitOfWork], R], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> R:
        """See `domain.ports.Writer.run`. Cancelling the caller drops the work only if it has not begun."""
        job = self._enqueue(work, command_id, name, foreseen)
        self._served = time.monotonic()
        limit = job.loop.call_later(LIMIT, self._give_up, job)
        try:
            answer: R = await job.future
        except asyncio.CancelledError:
            self._dropped(job)
            raise
        finally:
            limit.cancel()
        return answer

    async def run_behind(self, work: Callable[[UnitOfWork], R], command_id: str, name: str) -> R:
        """The same for the clinic's own parts, which are never turned away and wait as long as it takes."""
        answer: R = await self._enqueue(work, command_id, name).future
        return answer

    def _enqueue(
        self, work: Callable[[Any], Any], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> _Job:
        if self._closed:
            raise StorageUnavailable(reason="the clinic is closing")
        loop = asyncio.get_running_loop()
        job = _Job(work, command_id, name, foreseen, loop, loop.create_future())
        self._queue.put(job)
        return job

    def _dropped(self, job: _Job) -> bool:
        """Take it out of the queue; False when its work has begun."""
        with self._boarding:
            job.left = not job.begun
        return job.left

    def _give_up(self, job: _Job) -> None:
        """Nobody is kept waiting for ever."""
        if not job.future.done():
            dropped = self._dropped(job)
            job.future.set_exception(
                StorageUnavailable(reason="it took too long") if dropped else OutcomeUnknown()
            )

    async def close(self) -> None:
        """Finish what is queued, then stop. Nothing is taken any more."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()

    def _serve(self) -> None:
        while (batch := self._next_batch()) is not None:
            began = time.perf_counter()
            self.admission.began(len(batch))
            self._try(batch)
            self._acknowledge(batch)
            self.admission.ended()
            self._last = len(batch), time.perf_counter() - began
        self._disconnect()

    def _try(self, batch: list[_Job], again: bool = False, alone: bool = False) -> None:
        self._committing = False
        try:
            self._commit(*self._connected(), batch)
        except RecordIllegible as damage:  # in what all had read at once
            self._each_alone(batch, alone, damage, damage.facts["reason"])
        except self._database_error as problem:
            reason = in_short(problem)
            if is_illegible(problem):
                self._each_alone(batch, alone, RecordIllegible(reason=reason), reason)
            elif isinstance(problem, self._refusals):
                draw_anew()  # a code that is somebody's is another one then
                self._each_alone(batch, alone, RecordsRefused(), reason)
            else:
                log.error("a batch of %d commands was not committed: %s", len(batch), reason)
                self._find_out(batch, problem, again)
        except BaseException as problem:  # noqa: BLE001 - a thread that dies silently hangs its clients
            log.critical("the writer met %s", type(problem).__name__)
            self._find_out(batch, problem, again=True)

    def _each_alone(self, batch: list[_Job], alone: bool, refusal: ClinicError, reason: object) -> None:
        """One of them is to blame, and nobody else is refused for it."""
        level = logging.ERROR if alone else logging.WARNING  # tried again, it may well be done
        log.log(level, "%s, one of %d, met %s: %s", batch[0].name, len(batch), refusal.code, reason)
        self._disconnect()
        if alone:
            batch[0].error = refusal
            return
        for job in batch:
            job.error = None
            self._try([job], alone=True)

    def _connected(self) -> tuple[Session, SqlUnitOfWork]:
        if self._session is None or self._uow is None:
            self._session = self._reached()
            self._uow = SqlUnitOfWork(self._session, self._statements)
        return self._session, self._uow

    def _reached(self) -> Session:
        """A new connection. A server that went away is waited for once, then each batch tries once."""
        pauses = () if self._unreachable else self._pauses
        until = time.monotonic() + WAITED
        for pause in pauses:
            if time.monotonic() > until:
                break
            try:
                session = open_session(self._engine, self.origin)
            except self._database_error:
                time.sleep(pause)
            else:
                return session
        self._unreachable = True
        session = open_session(self._engine, self.origin)
        self._unreachable = False
        return session

    def _disconnect(self) -> None:
        session, self._session, self._uow = self._session, None, None
        if session is not None:
            session.close()

    def _find_out(self, batch: list[_Job], problem: BaseException, again: bool) -> None:
        """A commit that failed may have happened all the same: ask the records on a new connection.

        When only the connection was lost, what was not done is done now, once.
        """
        lost = self._session is not None and self._session.lost
        reason = in_short(problem)
        self._disconnect()
        try:
            session, uow = self._connected()
            session.settle(problem)
            uow.begin()
            uow.look_up([job.command_id for job in batch])
            undone = [job for job in batch if not _answered(job, uow)]
            self._changed = self._changed or len(undone) < len(batch)
        except (self._database_error, OSError):
            self._disconnect()
            self._changed = self._changed or self._committing  # perhaps; whoever listens had better look
            for job in batch:
                job.error = OutcomeUnknown() if self._committing else StorageUnavailable(reason=reason)
            return
        if lost and not again:
            for job in undone:
                job.error = None
            self._try(undone, again=True)
        for job in undone:
            if job.answer is NOT_DONE and job.error is None:
                job.error = StorageUnavailable(reason=reason)

    def _next_batch(self) -> list[_Job] | None:
        """Wait for a command, and take whatever else waits behind it; None when it is time to stop."""
        first = self._first()
        if first is None:
            return None
        batch, (expected, took) = [first], self._last
        until = time.perf_counter() + min(LINGER * took, LONGEST)
        while len(batch) < BATCH:
            pause = max(0.0, until - time.perf_counter()) if len(batch) < expected else 0.0
            try:
                job = self._queue.get(pause > 0, pause)
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            batch.append(job)
        return batch

    def _first(self) -> _Job | None:
        while self._failed:
            try:
                return self._queue.get(timeout=AGAIN)
            except queue.Empty:
                self._try_out()
        return self._queue.get()

    def _try_out(self) -> None:
        try:
            self._connected()[0].try_out()
            self._failed = None
        except (self._database_error, OSError) as problem:
            self._failed = StorageUnavailable(reason=in_short(problem))
            self._disconnect()

    def _boarded(self, waiting: list[_Job]) -> list[_Job]:
        """Those who have not left: from here on their work is begun."""
        with self._boarding:
            batch = [job for job in waiting if not job.left]
            for job in batch:
                job.begun = True
        return batch

    def _commit(self, session: Session, uow: SqlUnitOfWork, waiting: list[_Job]) -> None:
        uow.begin()
        session.begin()
        uow.look_up([job.command_id for job in waiting])
        batch = self._boarded(waiting)  # it is this writer's turn: whoever has left until now is not served
        uow.foresee([job.foreseen for job in batch if job.foreseen])
        at = self._clock.now()
        for job in batch:
            uow.mark()
            try:
                job.answer = uow.answer_of(job.command_id, job.name)
                if job.answer is NOT_DONE:
                    job.answer = job.work(uow)
                    uow.record(job.command_id, job.name, job.answer, at)
            except RecordIllegible as damage:
                log.error("%s met %s: %s", job.name, damage.code, damage.facts["reason"])
                job.error = damage
            except ClinicError as refusal:
                job.error = refusal
            except self._database_error:
                raise
            except Exception as mistake:  # noqa: BLE001 - of this command alone: its caller gets it
                log.error("%s met %s", job.name, type(mistake).__name__)
                job.error = mistake
            if job.error is not None:
                uow.undo()
        changed = uow.flush()
        self._committing = True
        session.commit(changed)
        self._changed = self._changed or changed

    def _acknowledge(self, batch: list[_Job]) -> None:
        errors = (job.error for job in batch if not job.left)
        self._failed = next((e for e in errors if isinstance(e, StorageUnavailable | OutcomeUnknown)), None)
        if self._changed:  # what was refused, or failed, wakes nobody
            self._changed = False
            for listener in self._listeners:
                listener()
        loops = {job.loop for job in batch}
        for loop in loops:
            mine = [job for job in batch if job.loop is loop]
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, loop, mine)


def _answered(job: _Job, uow: SqlUnitOfWork) -> bool:
    """Whether the records hold an answer to this command."""
    try:
        answer = uow.answer_of(job.command_id, job.name)
    except (CommandReused, RecordIllegible) as refusal:
        job.error = refusal
        return True
    if answer is NOT_DONE and isinstance(job.error, ClinicError):
        return False  # refused, whatever became of the others
    job.answer, job.error = answer, None
    return answer is not NOT_DONE


def _settle(loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
    """Some at a time: whoever waits for something else is not kept behind all of a batch."""
    if others := jobs[AT_ONCE:]:
        loop.call_soon(_settle, loop, others)
    for job in jobs[:AT_ONCE]:
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.answer)
        else:
            job.future.set_exception(job.error)
            job.future.exception()  # a caller that was cancelled is not there to hear it
