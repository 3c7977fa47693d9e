"""A clinic with as many bookings as one likes: a few people's stories, lived once through the gateway and
then told of everybody else by bulk SQL. Five years of days, each day's events in the order of the day.

The rows are the clinic's own, with other codes and days, so `kiosk check` finds nothing.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3
from sqlalchemy import URL, make_url

from domain.application import ApplyForCertificate
from domain.booking import CancelBooking
from domain.certificate import CertificateStatus, IssueCertificate, ListCertificates
from domain.codes import ALPHABET, Kind, check_character
from domain.recipient import identity_digest
from domain.vaccine import AddStock
from kiosk.settings import Settings
from storage import tables as t
from storage.engine import prepare_folder, writer_engine
from storage.identity import IDENTITY_KEY, key_of
from storage.migrate import migrate
from tests.clinics import MONDAY, STAFF, OpenClinic, TestClock, clinic_in, person

DAYS = 1_800
SPARE_DOSES = 1_000_000
"""For those who book at the clinic itself."""
DELIVERED = 100
"""Doses for those who live the stories; in the end as many are said to have come as everybody needs."""
BOOKINGS_EACH = 2
TELLING = ("recipient", "booking", "injection", "application", "certificate", "ledger")
"""What a person's story is written into, beside the events."""

_NUMBERS = count(1)
_PEOPLE = count(50_000_000)
"""Their numbers, which are their phones': none of those who book at the clinic itself."""
_PAIRS = [one + other for one in ALPHABET for other in ALPHABET]
_DATE = re.compile(r"20\d\d-\d\d-\d\d")
_NULL = r"\N"


# -- stories, lived once --------------------------------------------------------------------------


async def _vaccinated(clinic: OpenClinic, vaccine: str, number: int) -> None:
    first = await clinic.book(vaccine, number, slot=await clinic.slot(day=1))
    clinic.clock.move(days=1)
    await clinic.vaccinate(first.booking)
    clinic.clock.move(days=21)
    await clinic.book(vaccine, number, slot=await clinic.slot(day=2))


async def _certified(clinic: OpenClinic, vaccine: str, number: int) -> None:
    first = await clinic.book(vaccine, number, slot=await clinic.slot(day=1))
    clinic.clock.move(days=1)
    visit = await clinic.vaccinate(first.booking)
    clinic.clock.move(days=2)
    await clinic.gateway.send(ApplyForCertificate(visit.code), await clinic.recipient(first.booking))
    await clinic.services.settle()
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    await clinic.gateway.send(IssueCertificate(ready.certificate.code), STAFF)
    clinic.clock.move(days=19)
    await clinic.book(vaccine, number, slot=await clinic.slot(day=2))


async def _cancelled(clinic: OpenClinic, vaccine: str, number: int) -> None:
    first = await clinic.book(vaccine, number, slot=await clinic.slot(day=2))
    await clinic.services.settle()
    clinic.clock.move(days=1)
    await clinic.gateway.send(CancelBooking(first.booking), STAFF)
    await clinic.book(vaccine, number, slot=await clinic.slot(day=1))


Live = Callable[[OpenClinic, str, int], Awaitable[None]]
_STORIES: tuple[Live, ...] = (_certified, _vaccinated, _cancelled)
_OF_TEN = (0, 1, 1, 1, 1, 1, 1, 1, 1, 2)
"""Which story each of ten people lives."""


def _code(kind: Kind) -> str:
    """Looks as random as `new_code`, and never comes twice: among millions random ones would."""
    number = next(_NUMBERS) * 17_523_466_561 % 31**7
    number, digit = divmod(number, 31)
    pairs = _PAIRS[number // 961**2] + _PAIRS[number // 961 % 961] + _PAIRS[number % 961]
    body = f"{kind.value}{pairs}{ALPHABET[digit]}"
    return body + check_character(body)


# -- and told of others ---------------------------------------------------------------------------


@dataclass
class _Story:
    """What one person's story wrote: a template for each table, and for the events of each of its days."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    """The codes in it."""
    rows: dict[str, str] = field(default_factory=dict)
    events: dict[int, str] = field(default_factory=dict)
    offsets: set[int] = field(default_factory=set)
    """The days that are named in it, counted from the first."""
    key: bytes = b""
    """Under which people are found."""

    def words(self) -> dict[str, str]:
        """Codes and numbers of another person."""
        codes = {name: _code(kind) for name, kind in self.kinds.items()}
        somebody = person(next(_PEOPLE))
        identity = identity_digest(somebody.name, somebody.birth_date, somebody.phone, self.key)
        command = f"{random.getrandbits(128):032x}"
        return {**codes, "identity": identity, "phone": somebody.phone, "id": command}


async def make_many(settings: Settings, bookings: int) -> str:
    """Fill the empty records of these settings; answers the vaccine, of which there are doses left."""
    prepare_folder(settings.records_url)
    with tempfile.TemporaryDirectory() as folder:
        vaccine, stories = await _lived(Path(folder))
        sink = _sink(settings.records_url, Path(folder) / "data" / "clinic.db")
        shutil.copytree(Path(folder) / "data" / "keys", settings.key_folder)
    for table, lines in _told(stories, max(1, bookings // BOOKINGS_EACH)):
        sink.add(table, lines)
    sink.finish(vaccine, bookings)
    return vaccine


def _sink(records_url: str, lived: Path) -> _Sqlite | _Postgresql:
    """The records, with those in them who have lived the stories."""
    url = make_url(records_url)
    if url.get_backend_name() == "sqlite":
        shutil.copy(lived, str(url.database))
        return _Sqlite(str(url.database))
    engine = writer_engine(records_url)
    migrate(engine)
    engine.dispose()
    sink = _Postgresql(url)
    _copy_what_is_there(lived, sink)
    return sink


async def _lived(folder: Path) -> tuple[str, list[_Story]]:
    shift = DAYS + 60  # so that the last of the others books about today
    async with clinic_in(folder, clock=TestClock(MONDAY - timedelta(days=shift - shift % 7))) as clinic:
        vaccine = await clinic.vaccine(doses=0)
        keeps = AddStock(vaccine, "LOT1", MONDAY.date() + timedelta(days=shift), DELIVERED)
        await clinic.gateway.send(keeps, STAFF)
        starts = []
        for number, live in enumerate(_STORIES):
            clinic.clock.move(days=-((clinic.clock.now() - MONDAY).days % 7) % 7)
            starts.append(clinic.today)
            await live(clinic, vaccine, number)
            await clinic.services.settle()
    with pysqlite3.connect(folder / "data" / "clinic.db") as records:
        records.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        people = [code for (code,) in records.execute("SELECT code FROM recipient ORDER BY seq")]
        return vaccine, [_story(records, code, start) for code, start in zip(people, starts, strict=True)]


def _story(records: Any, recipient: str, start: date) -> _Story:
    story, names = _Story(), {recipient: "R0"}
    for table in ("booking", "injection", "application", "certificate"):
        theirs = f"SELECT code FROM {table} WHERE recipient = ? ORDER BY seq"
        for (code,) in records.execute(theirs, [recipient]):
            names[code] = f"{code[0]}{len(names)}"
    story.kinds = {name: Kind(name[0]) for name in names.values()}
    [(key,)] = records.execute("SELECT value FROM secret WHERE name = ?", [IDENTITY_KEY])
    story.key = key_of(key)
    [(identity, phone)] = records.execute(
        "SELECT identity, person ->> 'phone' FROM recipient WHERE code = ?", [recipient]
    )

    def template(row: Iterable[Any]) -> str:
        line = "\t".join(_NULL if cell is None else str(cell) for cell in row).replace("%", "%%")
        for code, name in names.items():
            line = line.replace(code, f"%({name})s")
        line = line.replace(identity, "%(identity)s").replace(phone, "%(phone)s")

        def day(found: re.Match[str]) -> str:
            offset = (date.fromisoformat(found[0]) - start).days
            story.offsets.add(offset)
            return f"%({offset})s"

        return _DATE.sub(day, line)

    mine = [*names]
    marks = ", ".join("?" * len(mine))
    for table in TELLING:
        of = "code" if table == "recipient" else "reference" if table == "ledger" else "recipient"
        which, values = (f"{of} IN ({marks})", mine) if table == "ledger" else (f"{of} = ?", [recipient])
        columns = ", ".join(_columns(table))
        rows = records.execute(f"SELECT {columns} FROM {table} WHERE {which} ORDER BY rowid", values)
        if lines := "".join(template(row) + "\n" for row in rows):
            story.rows[table] = lines
    events = records.execute(
        "SELECT '%(id)s:' || seq, name, payload, at FROM event WHERE payload LIKE ? ORDER BY seq",
        [f"%{recipient}%"],
    )
    for row in events:
        offset = (date.fromisoformat(row[-1][:10]) - start).days
        line = template(row).replace("%%(id)s", "%(id)s")
        story.events[offset] = story.events.get(offset, "") + line + "\n"
    return story


def _told(stories: list[_Story], people: int) -> Iterable[tuple[str, list[str]]]:
    """For each day the rows of its people, and what happened on it, as lines of tab-separated text."""
    start = MONDAY.date() - timedelta(days=DAYS)
    numbers, due = iter(range(people)), defaultdict[int, list[str]](list)
    offsets = sorted(set().union(*(story.offsets for story in stories)))
    longest = max(max(story.events) for story in stories)
    for day in range(DAYS + longest + 1):
        dates = {str(offset): (start + timedelta(days=day + offset)).isoformat() for offset in offsets}
        rows = defaultdict[str, list[str]](list)
        today = people if day == DAYS - 1 else people // DAYS + 1
        for number in islice(numbers, today if day < DAYS else 0):
            story = stories[_OF_TEN[number % 10]]
            words = {**dates, **story.words()}
            for table, template in story.rows.items():
                rows[table].append(template % words)
            for offset, template in story.events.items():
                due[day + offset].append(template % words)
        rows["event"] = due.pop(day, [])
        yield from rows.items()


def _columns(table: str) -> list[str]:
    """But for the row's own number."""
    columns = t.metadata.tables[table].columns
    return [column.name for column in columns if not (column.primary_key and column.name == "seq")]


def _copy_what_is_there(template: Path, sink: _Postgresql) -> None:
    with pysqlite3.connect(template) as records:
        for table in t.metadata.sorted_tables:
            if table is t.layout:  # the migrations have written it
                continue
            columns = ", ".join(_columns(table.name))
            order = "seq" if "seq" in table.columns else "1"
            rows = records.execute(f"SELECT {columns} FROM {table.name} ORDER BY {order}")
            lines = ["\t".join(_NULL if cell is None else str(cell) for cell in row) + "\n" for row in rows]
            sink.add(table.name, lines)


def _settled(vaccine: str, bookings: int) -> list[str]:
    """Enough doses for all, in the ledger as in the event, and counters that are the ledger's sums."""
    doses = bookings + SPARE_DOSES

    def total(delta: str, more: str = "") -> str:
        return f"(SELECT COALESCE(SUM({delta}), 0) FROM ledger WHERE vaccine = '{vaccine}'{more})"

    return [
        f"UPDATE ledger SET stock_delta = {doses} WHERE vaccine = '{vaccine}' AND kind = 'received'",
        f"""UPDATE event SET payload = REPLACE(payload, '"doses":{DELIVERED}', '"doses":{doses}')"""
        " WHERE name = 'StockAdded'",
        f"UPDATE vaccine SET stock = {total('stock_delta')}, reserved = {total('reserved_delta')}"
        f" WHERE code = '{vaccine}'",
        "UPDATE position SET seq = (SELECT MAX(seq) FROM event)",
        f"UPDATE lot SET remaining = {total('stock_delta')} WHERE vaccine = '{vaccine}'",
    ]


class _Sqlite:
    """Without a journal and with the indexes last: a file that nobody else has open."""

    def __init__(self, path: str) -> None:
        self._on = pysqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1500000", "foreign_keys=OFF"):
            self._on.execute(f"PRAGMA {pragma}")
        self._indexes = self._on.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in self._indexes:
            self._on.execute(f"DROP INDEX {name}")
        self._on.execute("BEGIN")

    def add(self, table: str, lines: list[str]) -> None:
        columns = _columns(table)
        nullable = {column.name for column in t.metadata.tables[table].columns if column.nullable}
        values = ", ".join(rf"NULLIF(?, '{_NULL}')" if name in nullable else "?" for name in columns)
        rows = [line.split("\t") for line in "".join(lines).splitlines()]
        self._on.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)

    def finish(self, vaccine: str, bookings: int) -> None:
        for _, sql in self._indexes:
            self._on.execute(sql)
        for statement in _settled(vaccine, bookings):
            self._on.execute(statement)
        self._on.execute("COMMIT")
        self._on.execute("PRAGMA journal_mode=WAL")
        self._on.close()


class _Postgresql:
    """With COPY, whose text format the lines are."""

    def __init__(self, url: URL) -> None:
        self._on = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        self._on.execute("SET session_replication_role = replica")  # foreign keys hold by construction

    def add(self, table: str, lines: list[str]) -> None:
        with self._on.cursor().copy(f"COPY {table} ({', '.join(_columns(table))}) FROM STDIN") as copy:
            copy.write("".join(lines))

    def finish(self, vaccine: str, bookings: int) -> None:
        for statement in _settled(vaccine, bookings):
            self._on.execute(statement.encode())
        self._on.commit()
        self._on.autocommit = True
        self._on.execute("VACUUM ANALYZE")
        self._on.close()


__all__ = ["BOOKINGS_EACH", "SPARE_DOSES", "make_many", "person"]
