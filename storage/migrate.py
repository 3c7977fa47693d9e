"""Bringing the records to the layout that this version writes.

A migration first expands: it only adds, so that kiosks of the version before go on working beside
kiosks of this one. What nobody needs any more is taken away a version later, by a migration that says in
``layout.oldest`` which programs can still work with the records. New kinds of events come with a new
layout, even if nothing else does: the version before leaves them, and what comes after them, to the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Index, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.errors import RecordsNewer
from storage.engine import backend, in_short
from storage.tables import metadata

LAYOUT = "0005"
"""The newest revision in ``migrations/versions``; Alembic is only imported when it differs."""

_INDEXES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}

log = logging.getLogger(__name__)


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction; make again what indexes are missing.

    Raises RecordsNewer when a newer version has taken away what this one needs.
    """
    with engine.connect() as connection:
        if not _fits(connection):
            connection.rollback()
            # Another kiosk may be at it: whoever comes second finds it done.
            with backend(connection.dialect.name).taking_turn(connection):
                if not _fits(connection):
                    lay_out(connection)
                    connection.commit()
        elif _layout(connection) == LAYOUT:  # those of a newer one are not known
            _make_missing_indexes(connection)


def missing_indexes(dialect: str, ask: Callable[[str], Iterable[Any]]) -> list[Index]:
    """The indexes of this layout that are not there; ``ask`` answers a question to the records."""
    there = {row[0] for row in ask(_INDEXES[dialect])}
    indexes = (index for table in metadata.sorted_tables for index in table.indexes)
    return sorted((index for index in indexes if index.name not in there), key=lambda index: str(index.name))


def _make_missing_indexes(connection: Connection) -> None:
    """The clinic can do without them, so it opens also when they cannot be made."""
    ask = partial(missing_indexes, connection.dialect.name, connection.exec_driver_sql)
    if not ask():
        return
    connection.rollback()
    try:
        with backend(connection.dialect.name).taking_turn(connection):
            for index in ask():
                _make(index, connection)
            connection.commit()
    except (DBAPIError, OSError) as problem:
        log.error("the indexes that are missing cannot be made: %s", in_short(problem))


def _make(index: Index, connection: Connection) -> None:
    try:
        with connection.begin_nested():
            index.create(connection)
        log.warning("the index %s was missing, and is made again", index.name)
    except IntegrityError as problem:  # rows have come that it would have refused
        log.error("the index %s cannot be made again (%s): see kiosk check", index.name, in_short(problem))


def lay_out(connection: Connection) -> None:
    """Run the migrations that are missing within the transaction that the connection is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, LAYOUT)


def _fits(connection: Connection) -> bool:
    """Whether this version can work with the records as they are."""
    if "alembic_version" not in inspect(connection).get_table_names():
        return False
    found = _layout(connection)
    if found <= LAYOUT:
        return found == LAYOUT
    oldest = str(connection.scalar(text("SELECT oldest FROM layout")))
    if oldest > LAYOUT:
        raise RecordsNewer(found=found, known=LAYOUT)
    return True


def _layout(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
