"""What is left of a clinic's files after a power cut: opened, and held against what it had said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.exc import DatabaseError

from domain.booking import Book
from domain.events import Recorded
from domain.vaccine import ListVaccines
from storage import codec
from storage import tables as t
from storage.engine import read_model_engine, writer_engine
from storage.mypage import MyPageStore
from tests.clinics import STAFF, clinic_in, person, settings_in
from tests.faults.aftermath import my_page_told_again
from tests.faults.load import CAPACITY
from tests.faults.witness import Said, broken

Rows = dict[str, list[Any]]
"""By the name of their table."""


class Recovered:
    """One folder whose files are replaced for each cut; what can be kept from cut to cut is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings_in(folder)
        self._engine: Engine = writer_engine(self.settings.records_url)
        self._pages: dict[tuple[int, str], Rows] = {}

    async def problems(self, said: Said) -> list[str]:
        """Everything that is not as it was promised."""
        lost = [f"{len(said.words)} words were said, and there are no records"] if said.words else []
        if not (self.settings.data_folder / "clinic.db").exists():
            return lost
        try:
            with self._engine.connect() as connection:
                if t.event.name not in inspect(connection).get_table_names():
                    return lost
                found = [
                    f"the records are damaged: {line}"
                    for line in connection.scalars(text("PRAGMA integrity_check"))
                    if line != "ok"
                ]
                found += broken(self._engine, said)
                return found + await self._my_page(connection)
        except DatabaseError as problem:
            return [f"the records cannot be read: {problem.orig}"]

    async def problems_once_open(self, said: Said) -> list[str]:
        """The same once the clinic is open and has caught up; and whoever asks again hears the same again."""
        async with clinic_in(self.folder, capacity=CAPACITY) as clinic:
            await clinic.services.settle()
            problems = await self.problems(said)
            booked = [(id_, about) for id_, (word, about) in said.words.items() if word == "booked"]
            for id_, code in booked[-3:]:
                [level] = await clinic.gateway.ask(ListVaccines())
                book = Book(person(int(id_.rpartition("-")[2])), level.vaccine.code, await clinic.slot())
                again = await clinic.gateway.send(book, STAFF, id_)
                if again.booking != code:
                    problems.append(f"{id_} was {code} and is {again.booking} when asked again")
        before, after = await my_page_told_again(self.settings)
        return [*problems, *(["my page, told again, is another one"] if before != after else [])]

    async def _my_page(self, connection: Connection) -> list[str]:
        """It may be behind, or gone; what it shows is what the events up to its place tell."""
        file = self.settings.data_folder / "mypage.db"
        if not file.exists():
            return []
        try:
            place, rows = content_of(file)
        except pysqlite3.DatabaseError as problem:
            return [f"my page cannot be read: {problem}"]
        events = self._events(connection, place)
        if place > (events[-1].seq if events else 0):
            return [f"my page is at {place}, ahead of the records"]
        if rows and rows != await self._told(events):
            return [f"my page at {place} is not what the events tell"]
        return []

    def _events(self, connection: Connection, place: int) -> list[Recorded]:
        c = t.event.c
        told = select(c.seq, c.id, c.at, c.name, c.payload).where(c.seq <= place)
        rows = connection.execute(told.order_by(c.seq))
        return [Recorded(seq, id_, at, codec.load_event(name, body)) for seq, id_, at, name, body in rows]

    async def _told(self, events: list[Recorded]) -> Rows:
        """My page as these events tell it, in a database of its own."""
        key = (events[-1].seq, events[-1].id) if events else (0, "")
        if key not in self._pages:
            file = self.folder.with_name("told.db")
            store = MyPageStore(read_model_engine(f"sqlite:///{file}"))
            await store.open()
            await store.tell(events)
            await store.close()
            _, self._pages[key] = content_of(file)
            file.unlink()
        return self._pages[key]


def content_of(file: Path) -> tuple[int, Rows]:
    """The place that my page has come to, and its other rows; read plainly, for it is done very often."""
    place, content = 0, {}
    with closing(pysqlite3.connect(file)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
            if "position" not in names:
                content[table] = sorted(rows, key=repr)
            elif rows:
                place = rows[0][names.index("position")]
    return place, content
