"""Bringing the records to the layout that this version writes.

A migration first expands: it only adds, so that kiosks of the version before go on working beside
kiosks of this one. What nobody needs any more is taken away a version later, by a migration that says in
``layout.oldest`` which programs can still work with the records. New kinds of events come with a new
layout, even if nothing else does: the version before leaves them, and what comes after them, to the new one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from domain.errors import RecordsNewer
from storage.engine import backend

LAYOUT = "0004"
"""The newest revision in ``migrations/versions``; Alembic is only imported when it differs."""


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction.

    Raises RecordsNewer when a newer version has taken away what this one needs.
    """
    with engine.connect() as connection:
        if _fits(connection):
            return
        connection.rollback()
        # Another kiosk may be at it: whoever comes second finds it done.
        with backend(connection.dialect.name).taking_turn(connection):
            if _fits(connection):
                return
            lay_out(connection)
            connection.commit()


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
    found = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if found <= LAYOUT:
        return found == LAYOUT
    oldest = str(connection.scalar(text("SELECT oldest FROM layout")))
    if oldest > LAYOUT:
        raise RecordsNewer(found=found, known=LAYOUT)
    return True
