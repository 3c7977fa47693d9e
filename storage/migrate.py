"""Bringing the records to the layout that this version writes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from storage.engine import backend

LAYOUT = "0001"
"""The newest revision in ``migrations/versions``; Alembic is only imported when it differs."""


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction."""
    with engine.connect() as connection:
        known = inspect(connection).get_table_names()
        if "alembic_version" in known:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if found == LAYOUT:
                return
        connection.rollback()
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        # Another kiosk may be at it: whoever comes second finds it done.
        backend(connection.dialect.name).take_turn(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, LAYOUT)
        connection.commit()
