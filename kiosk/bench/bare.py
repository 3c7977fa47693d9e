"""The other side of the comparison: one bare connection, one reserve-a-dose transaction after the other."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import pysqlite3

_LAYOUT = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS vaccine (code TEXT PRIMARY KEY, stock INTEGER, reserved INTEGER);
CREATE TABLE IF NOT EXISTS booking (seq INTEGER PRIMARY KEY, code TEXT UNIQUE, recipient TEXT, vaccine TEXT);
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, name TEXT, payload TEXT);
INSERT OR IGNORE INTO vaccine VALUES ('V', 1000000000, 0);
"""


def bare_connection(folder: Path) -> Any:
    """To a file of its own, with the same SQLite and the same care for what is committed."""
    connection = pysqlite3.connect(str(folder / "bare.db"), isolation_level=None)
    connection.executescript(_LAYOUT)
    return connection


def book_one_by_one(connection: Any, seconds: float) -> tuple[int, float]:
    """How many in how many seconds, without validation, ledger, readable codes or command ids."""
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        code = secrets.token_hex(5)
        connection.execute("BEGIN IMMEDIATE")
        reserved = "UPDATE vaccine SET reserved = reserved + 1 WHERE code = 'V' AND reserved < stock"
        connection.execute(reserved)
        connection.execute("INSERT INTO booking (code, recipient, vaccine) VALUES (?, ?, 'V')", (code, code))
        connection.execute("INSERT INTO event (name, payload) VALUES ('Booked', ?)", (code,))
        connection.execute("COMMIT")
        done += 1
    return done, spent
