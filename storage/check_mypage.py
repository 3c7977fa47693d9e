"""Whether my page shows what the events tell: it is told again on the side, and every row compared."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Set
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import ClinicError, RecordsUnread
from domain.mypage import Person, project
from domain.parts import Part, TaskStatus, subject_of
from storage.check import MOST, Violation
from storage.engine import in_short, is_server, read_model_engine, reader_engine, rows_of, writer_engine
from storage.moment import BATCH, file_of
from storage.mypage import MyPageStore, state
from storage.outbox import Outbox
from storage.tables import task

SHOWS = "my page shows what the events tell"


async def check_my_page(records_url: str, mypage_url: str) -> list[Violation]:
    """Every row of the view that differs. What changes meanwhile is left out, as is what was put aside."""
    if not await asyncio.to_thread(_was_told, mypage_url):
        return []
    view, engine = MyPageStore(read_model_engine(mypage_url)), reader_engine(records_url)
    try:
        before, shown, after = await view.position(), await view.everything(), await view.position()
        outbox = Outbox(engine)
        if after > (last := await outbox.last()):
            found = f"position {after}, last event {last}"
            return [Violation(8, "no part is ahead of the events", Part.MY_PAGE, "mypage", found)]
        aside = await _put_aside(engine, outbox)
        told, meanwhile = await _told_again(outbox, before, after, aside)
    except ClinicError as problem:
        return [Violation(8, "my page can be read", "-", "mypage", problem.code)]
    finally:
        await view.close()
        await engine.dispose()
    differing = {str(row[0]) for row in set(shown) ^ set(told) if aside.isdisjoint(row)} - meanwhile
    violations = [Violation(8, SHOWS, code, "mypage") for code in sorted(differing)[:MOST]]
    if len(differing) > MOST:
        violations.append(Violation(8, SHOWS, f"and {len(differing) - MOST} more", "mypage"))
    return violations


async def _put_aside(engine: AsyncEngine, outbox: Outbox) -> set[str]:
    """Whose page may lack something: it waits for an administrator, or was discarded by one."""
    left = select(task.c.subject, task.c.event).where(
        task.c.part == Part.MY_PAGE, task.c.status != TaskStatus.DONE
    )
    people = set()
    for person, seq in await rows_of(engine, left):
        people.add(person)
        if not person:  # nobody could read whom it is about; it may have been mended since
            events = (await outbox.after(seq - 1, 1)).events
            people.update(subject_of(Part.MY_PAGE, recorded.event) for recorded in events)
    return people - {""}


async def _told_again(
    outbox: Outbox, before: int, after: int, aside: Set[str]
) -> tuple[list[tuple[Any, ...]], set[str]]:
    """The view as it is to be after the last of these events, and the rows that changed since the first."""
    meanwhile: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="mypage-") as folder:
        view = MyPageStore(read_model_engine(f"sqlite:///{folder}/told.db"))
        try:
            await view.open()
            position = 0
            while position < after:
                found = (await outbox.after(position, BATCH)).events
                events = [recorded for recorded in found if recorded.seq <= after]
                position = found[-1].seq if found else after
                await view.tell([r for r in events if getattr(r.event, "recipient", "") not in aside])
                for recorded in events:
                    if recorded.seq > before:
                        meanwhile.update(map(_row_of, project(recorded.event, recorded.at)))
            return await view.everything(), meanwhile
        finally:
            await view.close()


def _was_told(url: str) -> bool:
    """A view that is not there yet, or was thrown away, is told when the clinic opens."""
    if not is_server(url) and not file_of(url).exists():
        return False
    engine = writer_engine(url)
    try:
        return inspect(engine).has_table(state.name)
    except DBAPIError as problem:
        raise RecordsUnread(reason=in_short(problem)) from problem
    finally:
        engine.dispose()


def _row_of(change: Any) -> str:
    return str(change.recipient if isinstance(change, Person) else change.code)
