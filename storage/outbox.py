"""Reading what waits for the parts: the events in the order in which they happened, and the tasks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Text,
    bindparam,
    cast,
    column,
    exists,
    false,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.events import BY_NAME, Recorded
from domain.parts import LIVE_TASK, Part, Task, TaskKind, TaskStatus
from storage import codec
from storage import tables as t
from storage.engine import rows_of
from storage.migrate import LAYOUT
from storage.statements import columns_of, one_of

_E, _K = t.event.c, t.task.c
_KEPT = LargeBinary().with_variant(Text(), "postgresql")


def as_kept(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as the database keeps it, for `codec.text_of`: one damaged row must not keep back the others.

    SQLite's driver refuses a whole answer for one text that is none, PostgreSQL's for an instant that Python
    does not know.
    """
    return cast(column, _KEPT)


_ID = as_kept(_E.id)
KEPT = (as_kept(_E.name), as_kept(_E.payload), as_kept(_E.at))
"""For `codec.event_columns`."""
# Built once: every part asks these after every commit.
_LAST = select(func.coalesce(func.max(_E.seq), 0))
_LAYOUT = select(column("version_num")).select_from(table("alembic_version")).scalar_subquery()
_NEWEST = select(_E.seq, _ID, _LAYOUT).order_by(_E.seq.desc()).limit(1)
_NEWER = select(func.min(_E.seq)).where(
    _E.seq > bindparam("after"), _E.seq <= bindparam("upto"), ~one_of(_E.name, BY_NAME)
)
_POSITION = select(t.position.c.seq).where(t.position.c.listener == bindparam("listener"))
_PAUSED = select(t.part.c.paused).where(t.part.c.name == bindparam("part"))
_EVENTS = select(_E.seq, _ID, *KEPT)
_earlier = t.task.alias()
_LIVE = one_of(_K.status, LIVE_TASK)
"""Said beside the one status that is meant: the index of live tasks is used for just these words."""
_DUE = select(*columns_of(t.task, Task)).where(
    _LIVE,
    one_of(_K.status, (TaskStatus.WAITING,)),
    or_(
        _K.event == 0,
        ~exists().where(
            _earlier.c.part == _K.part,
            _earlier.c.subject == _K.subject,
            _earlier.c.event < _K.event,
            one_of(_earlier.c.kind, (TaskKind.EVENT,)),
            one_of(_earlier.c.status, LIVE_TASK),
        ),
    ),
)
_BEGUN = select(*columns_of(t.task, Task)).where(
    _LIVE, one_of(_K.status, (TaskStatus.IN_PROGRESS,)), _K.part == bindparam("part")
)
_AHEAD = select(
    _LAST.scalar_subquery(),
    select(_ID).where(_E.seq == bindparam("seen")).scalar_subquery(),
    func.coalesce(_PAUSED.scalar_subquery(), false()),
    or_(_DUE.where(_K.part == bindparam("part")).exists(), _BEGUN.exists()),
)
_TASKS = (
    _DUE.where(_K.part == bindparam("part"))
    .order_by(_K.attempts, _K.seq)
    .limit(bindparam("most", type_=Integer))
)
_TASK = _DUE.where(_K.code == bindparam("code"))
_OF_PERSON = _EVENTS.where(
    _E.seq >= bindparam("since"),
    _E.seq <= bindparam("upto"),
    _E.payload.contains(bindparam("recipient")),
    ~exists().where(
        one_of(_K.part, (Part.MY_PAGE,)),
        _K.event == _E.seq,
        _K.event != bindparam("since"),
        ~one_of(_K.status, (TaskStatus.DONE,)),
    ),
).order_by(_E.seq)


def heard_by(names: Collection[str]) -> ColumnElement[bool]:
    """Whether an event has one of these names, or one that is damaged: it may have been any."""
    return or_(one_of(_E.name, names), ~one_of(_E.name, BY_NAME))


@lru_cache(maxsize=8)
def _events(names: tuple[str, ...]) -> Select[Any]:
    """Those after one place and up to another, oldest first; of these names only, if any are given."""
    statement = _EVENTS.where(_E.seq > bindparam("after"), _E.seq <= bindparam("upto"))
    if names:
        statement = statement.where(heard_by(names))
    return statement.order_by(_E.seq).limit(bindparam("most", type_=Integer))


@dataclass(frozen=True)
class Stretch:
    """Events in order, and the place up to which there are no others of their kinds."""

    events: list[Recorded]
    upto: int
    mark: str = ""
    """The id of the event at that place, if it is known: the place itself may be given twice."""


@dataclass(frozen=True)
class Ahead:
    """What may lie before a part."""

    last: int
    """The newest event's place; 0 when nothing has happened yet."""
    mark: str
    """The id of the event at the place that the part has seen; empty when there is none."""
    paused: bool
    """Whether the administrator has paused it."""
    tasks: bool
    """Whether there are tasks that it can do, or that somebody has begun."""


class Outbox:
    """Events are only ever appended; listeners remember how far they have come."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ahead(self, part: Part, seen: int = 0) -> Ahead:
        """Asked by every part after every commit, mostly in vain: so all of it at once."""
        last, mark, paused, tasks = (await self._rows(_AHEAD, part=part, seen=seen))[0]
        return Ahead(int(last), codec.text_of(mark or ""), bool(paused), bool(tasks))

    async def after(self, seq: int, limit: int, names: Collection[str] = ()) -> Stretch:
        """The events after this one, oldest first; of these names only, if any are given.

        They end before the first of a kind that only a newer version knows, which sees to it.
        """
        upto, mark, layout = next(iter(await self._rows(_NEWEST)), (0, "", LAYOUT))
        if layout > LAYOUT and (newer := (await self._rows(_NEWER, after=seq, upto=upto))[0][0]):
            upto, mark = newer - 1, ""
        events = await self._recorded(_events(tuple(names)), after=seq, upto=upto, most=limit)
        if len(events) == limit:
            return Stretch(events, events[-1].seq, events[-1].id)
        return Stretch(events, upto, codec.text_of(mark)) if upto > seq else Stretch(events, seq)

    async def event(self, seq: int) -> Recorded:
        """The event at this place."""
        return (await self.after(seq - 1, 1)).events[0]

    async def last(self) -> int:
        """The newest event's place; 0 when nothing has happened yet."""
        return int((await self._rows(_LAST))[0][0])

    async def position(self, listener: str) -> int:
        """How far a listener has come that keeps its place in the records."""
        rows = await self._rows(_POSITION, listener=listener)
        return int(rows[0][0]) if rows else 0

    async def is_paused(self, part: Part) -> bool:
        """Whether the administrator has paused this part."""
        rows = await self._rows(_PAUSED, part=part)
        return bool(rows and rows[0][0])

    async def of_person(self, recipient: str, since: int, upto: int) -> list[Recorded]:
        """The event at ``since`` and all about the same person from there up to another place, for my page.

        Without what else was put aside. Seldom asked, and of all events: no index leads there.
        """
        if not recipient:  # it was about nobody: my page shows nothing of it
            return []
        near = await self._recorded(_OF_PERSON, recipient=recipient, since=since, upto=upto)
        return [recorded for recorded in near if getattr(recorded.event, "recipient", "") == recipient]

    async def tasks(self, part: Part, limit: int) -> list[Task]:
        """What this part can do, what failed least before the rest: of events about the same subject one."""
        return [Task(*row) for row in await self._rows(_TASKS, part=part, most=limit)]

    async def begun(self, part: Part) -> list[Task]:
        """What somebody is at, or was when they died."""
        return [Task(*row) for row in await self._rows(_BEGUN, part=part)]

    async def due(self, code: str) -> Task | None:
        """The task as it is now; None when it is done, or not its turn."""
        rows = await self._rows(_TASK, code=code)
        return Task(*rows[0]) if rows else None

    async def _recorded(self, statement: Select[Any], **values: Any) -> list[Recorded]:
        found = []
        for seq, id_, *kept in await self._rows(statement, **values):
            name, payload, at = codec.event_columns(*kept)
            found.append(Recorded(seq, codec.text_of(id_), at, codec.read_event(name, payload)))
        return found

    async def _rows(self, statement: Select[Any], **values: Any) -> Any:
        return await rows_of(self._engine, statement, values)
