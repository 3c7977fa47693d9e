"""The databases of a simulation: real SQLite in memory, which every simulated process shares.

One connection serves all: a transaction is one step of the simulation, so none is ever open while somebody
else reads or writes. Tables and compiled statements are made once and serve every seed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import pysqlite3
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    insert,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from domain.parts import Part
from storage import mypage
from storage import tables as t
from storage.fold import ViewTables
from storage.prepared import Prepared
from storage.statements import Statements
from storage.types import Word
from tests.simulation.chance import Chance, Commit

watching = MetaData()
applied = Table(
    "applied",
    watching,
    Column("number", Integer, primary_key=True),
    Column("part", Word(Part), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("subject", String, nullable=False),
)
"""What each part has done about each event: written in the same transaction, so it is as true as that."""


class _Shared(pysqlite3.Connection):  # type: ignore[misc]
    """Outlives those who close it."""

    def close(self) -> None:
        """It is kept for the next."""


class Database:
    """A SQLite in memory, with an engine whose every connection is the same one."""

    def __init__(self, *metadata: MetaData) -> None:
        self.driver = pysqlite3.connect(":memory:", factory=_Shared, isolation_level=None)
        self.driver.execute("PRAGMA foreign_keys=ON")
        self.engine: Engine = create_engine(
            "sqlite://",
            module=pysqlite3,
            creator=lambda: self.driver,
            poolclass=NullPool,
            pool_reset_on_return=None,  # it would roll back whoever is at work when a session is cleared away
        )
        for tables in metadata:
            tables.create_all(self.engine)
        self._tables = [table.name for tables in metadata for table in tables.sorted_tables]
        self._prepared: dict[Any, Prepared] = {}
        self._kept: list[tuple[str, list[tuple[Any, ...]]]] = []
        self.connection: Connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def keep(self) -> None:
        """From now on a new beginning is what is there now."""
        for name in self._tables:
            if rows := self.rows(f"SELECT * FROM {name}"):
                self._kept.append((f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows))

    def begin_anew(self) -> None:
        """As it was when it was kept."""
        if self.driver.in_transaction:
            self.driver.rollback()
        self.driver.execute("PRAGMA foreign_keys=OFF")
        self.driver.execute("BEGIN")
        for name in self._tables:
            self.driver.execute(f"DELETE FROM {name}")
        for sql, rows in self._kept:
            self.driver.executemany(sql, rows)
        self.driver.execute("COMMIT")
        self.driver.execute("PRAGMA foreign_keys=ON")

    def prepared(self, statement: Any) -> Prepared | None:
        """None for a statement that is asked for the first time: most are made for that one time."""
        known = self._prepared.get(statement)
        if known is None and getattr(statement, "asked_before", False):
            known = self._prepared[statement] = Prepared(statement, self.engine.dialect)
        statement.asked_before = True
        return known

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """For whoever sees everything: the answer as the driver gives it."""
        found: list[tuple[Any, ...]] = self.driver.execute(sql, values).fetchall()
        return found

    def dump(self) -> str:
        """Every row, as text."""
        return "\n".join(repr(row) for name in self._tables for row in self.rows(f"SELECT * FROM {name}"))


@lru_cache(maxsize=1)
def databases() -> tuple[Database, Database]:
    """The records, and my page."""
    return Database(t.metadata, watching), Database(mypage.metadata)


@lru_cache(maxsize=1)
def statements(dialect: Any) -> Statements:
    """Compiled once for all writers of all seeds."""
    return Statements(dialect)


@lru_cache(maxsize=1)
def view_tables(*about: Any) -> ViewTables:
    """The same for my page."""
    return ViewTables(*about)


@lru_cache(maxsize=1)
def add_applied(dialect: Any) -> Prepared:
    """Writes one row of `applied`."""
    columns = (applied.c.part, applied.c.seq, applied.c.subject)
    binds = {column.name: bindparam(column.name, type_=column.type) for column in columns}
    return Prepared(insert(applied).values(binds), dialect)


class StepEngine:
    """Stands in for an `AsyncEngine`: asking takes a while, and is then one step. It may fail."""

    def __init__(self, database: Database, chance: Chance) -> None:
        self._database = database
        self._chance = chance
        self.dialect = database.engine.dialect

    def execution_options(self, **options: Any) -> StepEngine:
        """Its transactions take the write lock anyway."""
        return self

    async def dispose(self) -> None:
        """It is kept for the next."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[StepConnection]:
        """For reading."""
        await self._chance.pause()
        if self._chance.read_fails():
            raise _broken()
        yield StepConnection(self._database)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StepConnection]:
        """A transaction: nobody else comes between its statements."""
        await self._chance.pause()
        driver, luck = self._database.driver, self._chance.of_commit()
        driver.execute("BEGIN IMMEDIATE")
        self._chance.within = True
        try:
            yield StepConnection(self._database)
            if luck is Commit.FAILS:
                raise _broken()
        except BaseException:
            driver.execute("ROLLBACK")
            raise
        finally:
            self._chance.within = False
        driver.execute("COMMIT")
        await self._chance.pause()
        if luck is Commit.IS_NOT_HEARD_OF:
            raise _broken()


class StepConnection:
    """Stands in for an `AsyncConnection`: what it is asked it answers at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def driver_connection(self) -> StepConnection:
        """See `execute_fetchall`."""
        return self

    async def get_raw_connection(self) -> StepConnection:
        """What has a driver's connection."""
        return self

    async def execute_fetchall(self, sql: str, row: list[Any]) -> list[Any]:
        """As `aiosqlite.Connection` has it."""
        found: list[Any] = self._database.driver.execute(sql, row).fetchall()
        return found

    async def execute(self, statement: Any, values: Any = None) -> Any:
        """What is asked again and again is compiled once, as the write path does it."""
        prepared = self._database.prepared(statement)
        if prepared is None:
            return self._database.connection.execute(statement, values)
        return Answer(prepared.all(cast(Any, self), **(values or {})))

    async def scalar(self, statement: Any) -> Any:
        """The first column of the first row."""
        rows = (await self.execute(statement)).all()
        return rows[0][0] if rows else None

    async def exec_driver_sql(self, sql: str, rows: list[Any]) -> None:
        """The same for every row."""
        self._database.driver.executemany(sql, rows)

    def run(self, statement: Prepared, row: list[Any]) -> Any:
        """See `storage.deferred.Deferred.run`."""
        return self._database.driver.execute(statement.sql, row)


@dataclass(frozen=True)
class Answer:
    """Stands in for a `CursorResult`."""

    rows: list[Any]

    def all(self) -> list[Any]:
        """Every row."""
        return self.rows


def _broken() -> OperationalError:
    return OperationalError("", {}, OSError("the connection broke"))
