"""Whether every row can be read as the program reads it, and agrees with itself.

A database keeps whatever text it is given; words, dates and JSON are only looked at when somebody asks for
the row. Here every row is asked for: words and dates by the database itself, JSON by the program. SQLite even
keeps bytes that are no text, which is looked at first: whoever reads them must know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import date, timedelta
from functools import cache, partial
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Boolean, Date, Integer, Table

from domain.errors import IdentityKeyMissing
from domain.events import BY_NAME
from domain.injection import Dose
from domain.recipient import PersonDetails, identity_digest, spelled
from domain.statement import CertificateFacts, DoseFacts
from storage import tables as t
from storage.codec import text_of
from storage.engine import is_illegible
from storage.identity import IDENTITY_KEY, key_of
from storage.moment import Moment
from storage.types import UNREADABLE, Instant, Json, Word


class Found(NamedTuple):
    """A row, and the rule that it breaks."""

    rule: int
    table: str
    row: str
    says: str
    found: str = ""
    value: str = ""
    """What stands there instead of a value of its kind. It may be anybody's, and is not to be shown."""


Named = set[tuple[str, str]]
"""Tables and rows of which something was found to be no value of its kind: nothing more is asked of them."""


def illegible(moment: Moment) -> Iterator[Found]:
    """Every row of which a column cannot be read, or says otherwise than another.

    When there is one with a value that is none of its kind, the moment is read leniently from here on.
    """
    damaged: list[Found] = []
    named: Named = set()
    for look in (_no_texts, _no_values):
        damaged += [found for found in look(moment) if (found.table, found.row) not in named]
        named = {(found.table, found.row) for found in damaged}
        if damaged:
            moment.read_leniently()
    yield from damaged
    key = _identity_key(moment)
    if not key and moment.ask("SELECT seq FROM recipient LIMIT 1").fetchone():
        yield Found(0, "secret", IDENTITY_KEY, "the key by which people are found is there")
    yield from _of_table(moment, t.recipient, partial(_recipient, key), named)
    for table, judge in _JUDGES.items():
        yield from _of_table(moment, table, judge, named)
    yield from _events(moment, named)
    yield from _certified(moment, named)


# -- bytes that are no text -----------------------------------------------------------------------


def _no_texts(moment: Moment) -> Iterator[Found]:
    """A server keeps none. Of a table that the driver reads to its end no text has to be looked at."""
    if moment.on_sqlite:
        for table in t.metadata.sorted_tables:
            texts = " || ' ' || ".join(f"COALESCE({name}, '')" for name in _texts(table))
            try:
                for _ in moment.rows(f"SELECT {texts} FROM {table.name}"):
                    pass
            except moment.error as problem:
                if not is_illegible(problem):
                    raise
                yield from _no_text(moment, table)


def _no_text(moment: Moment, table: Table) -> Iterator[Found]:
    names = _texts(table)
    kept = ", ".join(f"CAST({name} AS BLOB)" for name in (_key(table), *names))
    for key, *values in moment.rows(f"SELECT {kept} FROM {table.name}"):
        for name, value in zip(names, values, strict=True):
            try:
                _ = (value or b"").decode()
            except UnicodeDecodeError:
                yield _unread(table.name, key, name, value)


def _texts(table: Table) -> list[str]:
    return [c.name for c in table.columns if not isinstance(c.type, (Integer, Boolean))]


# -- numbers, words and dates ---------------------------------------------------------------------


def _no_values(moment: Moment) -> Iterator[Found]:
    for sql, name in _plain(moment.dialect.name):
        for row, column, value in moment.rows(sql):
            yield _unread(name, row, column, value)


def _unread(table: str, key: Any, column: str, value: str | bytes) -> Found:
    return Found(0, table, _row(key), f"its {column} can be read", value=text_of(value))


@cache
def _plain(dialect: str) -> list[tuple[str, str]]:
    """A question a table for what is no text, no number, no word of its enumeration, and no date."""
    questions = []
    as_kept = "BLOB" if dialect == "sqlite" else "TEXT"
    for table in t.metadata.sorted_tables:
        wrong = {c.name: _unlike(c.name, c.type, dialect) for c in table.columns if c.name}
        if wrong := {name: says for name, says in wrong.items() if says}:
            names = " ".join(f"WHEN {says} THEN '{name}'" for name, says in wrong.items())
            kept = " ".join(f"WHEN '{name}' THEN CAST({name} AS {as_kept})" for name in wrong)
            found = f"SELECT *, CASE {names} END AS wrong FROM {table.name}"
            questions.append((
                f"SELECT {_key(table)}, wrong, CASE wrong {kept} END FROM ({found}) found "
                "WHERE wrong IS NOT NULL",
                table.name,
            ))  # fmt: skip
    return questions


def _unlike(name: str, kind: object, dialect: str) -> str:
    if isinstance(kind, Word):
        words = ", ".join(f"'{word}'" for word in kind.kind)
        return f"{name} NOT IN ({words})"
    dated = isinstance(kind, (Instant, Date))
    if dialect != "sqlite":  # it takes no other, but some dates that Python does not know
        return f"{name} < '0001-01-01' OR {name} >= '10000-01-01'" if dated else ""
    if isinstance(kind, Boolean):
        return f"{name} NOT IN (0, 1)"
    kept = f"typeof({name}) NOT IN ('{'integer' if isinstance(kind, Integer) else 'text'}', 'null')"
    if not dated:
        return kept
    # Of fixed width, so that text stands in the order of time; SQLite's own functions would mend a date.
    like = f"{name} NOT GLOB '????-??-??{'T??:??:??.??????+00:00' if isinstance(kind, Instant) else ''}'"
    day = f"datetime({name}) IS NULL OR date({name}) <> substr({name}, 1, 10)"
    return f"{kept} OR {name} IS NOT NULL AND ({like} OR {day})"


def _key(table: Table) -> str:
    """The column by which a row is named."""
    return next((name for name in ("code", "number") if name in table.c), next(iter(table.primary_key)).name)


def _row(key: Any) -> str:
    return str(text_of(key))


# -- JSON, and what a row says of itself ----------------------------------------------------------

Judge = Callable[[dict[str, Any]], Iterator[tuple[int, str]]]


def _of_table(moment: Moment, table: Table, judge: Judge, named: Named) -> Iterator[Found]:
    names = [column.name for column in table.columns]
    key = names.index(_key(table))
    decoders = [
        (n, msgspec.json.Decoder(column.type.kind).decode)
        for n, column in enumerate(table.columns)
        if isinstance(column.type, Json)
    ]
    for row in moment.rows(f"SELECT {', '.join(names)} FROM {table.name}"):
        if (table.name, code := _row(row[key])) in named:
            continue
        values = list(row)
        try:
            for n, decode in decoders:
                if values[n] is not None:
                    values[n] = decode(values[n])
        except UNREADABLE:
            yield Found(0, table.name, code, f"its {names[n]} can be read")
            continue
        for rule, problem in judge(dict(zip(names, values, strict=True))):
            yield Found(rule, table.name, code, problem)


def _events(moment: Moment, named: Named) -> Iterator[Found]:
    decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in BY_NAME.items()}
    for seq, name, payload in moment.rows("SELECT seq, name, payload FROM event"):
        if ("event", str(seq)) in named:
            continue
        if name not in decoders:
            yield Found(8, "event", str(seq), "it is of a kind that this version knows")
            continue
        try:
            decoders[name](payload)
        except UNREADABLE:
            yield Found(0, "event", str(seq), "its payload can be read")


def _identity_key(moment: Moment) -> bytes:
    """Empty when there is none, or what is kept of it is none."""
    said = moment.ask(f"SELECT value FROM secret WHERE name = '{IDENTITY_KEY}'").fetchone()
    with suppress(IdentityKeyMissing):
        return key_of(text_of(said[0]) if said else "")
    return b""


def _recipient(key: bytes, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    person: PersonDetails = row["person"]
    if row["name"] != person.name:
        yield 0, "it is found under its own name"
    if key and row["identity"] != identity_digest(person.name, person.birth_date, person.phone, key):
        yield 0, "it is found by its own name, birth date and phone"


def _vaccine(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    if row["presentation_key"] != row["presentation"].key:
        yield 0, "it is found under its own presentation"


def _injection(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    dose: Dose | None = row["dose"]
    if (dose is not None) != (row["status"] in {"completed", "voided"}):
        yield 4, "it has a dose exactly when one was given"
    if row["lot"] != (dose.lot if dose else ""):
        yield 9, "it is found under the lot of its dose"
    if dose is None:
        return
    if not 1 <= dose.dose_number <= dose.dose_total:
        yield 6, "a dose is one of its series"
    if (dose.next_due_on is None) != (dose.dose_number == dose.dose_total):
        yield 6, "a next dose is due exactly when the series is incomplete"
    if abs(dose.given_at.date() - dose.given_on) > timedelta(days=1):  # days begin where the clinic is
        yield 6, "a dose was given on the day of the instant at which it was given"
    if row["checked_in_at"] is None or row["screening"] is None:
        yield 4, "who was injected was checked in and screened"


def _certificate(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    was_issued = row["status"] in {"issued", "revoked"}
    if was_issued != (row["facts"] is not None) or was_issued != (row["credential"] is not None):
        yield 7, "it states something, and is signed, exactly when it was issued"
    elif row["facts"] and row["facts"].number != row["code"]:
        yield 6, "it states its own number"
    if row["status"] == "revoked" and not row["reason"]:
        yield 7, "it was revoked for a reason"
    if row["prints"] < 0:
        yield 7, "it was printed, or not"


def _staff(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    if not row["roles"]:
        yield 0, "it has a role"


_JUDGES: dict[Table, Judge] = {
    t.vaccine: _vaccine,
    t.injection: _injection,
    t.certificate: _certificate,
    t.staff: _staff,
}


# -- what certificates say of injections ----------------------------------------------------------


def _certified(moment: Moment, named: Named) -> Iterator[Found]:
    """Rule 6 for whoever and every dose that a certificate states: an earlier one of the series may have
    changed too."""
    issued = "SELECT code, recipient, injection, facts FROM certificate WHERE status = 'issued'"
    found = (row for row in moment.rows(issued) if ("certificate", _row(row[0])) not in named)
    while batch := list(islice(found, 500)):
        certificates = [read for row in batch if (read := _with_facts(row))]
        injections = _injections(
            moment, {dose.injection for *_, facts in certificates for dose in facts.doses}
        )
        people = _people(moment, {recipient for _, recipient, *_ in certificates})
        for code, recipient, injection, facts in certificates:
            if recipient in people and people[recipient] != _who(facts):
                yield Found(6, "certificate", code, "it states name and birth date as they are known")
            if not facts.doses or facts.dose.injection not in {injection, ""}:
                yield Found(6, "certificate", code, "it states the injection that was applied for")
            for dose in facts.doses:
                if dose.injection and (problem := _misstated(dose, recipient, injections)):
                    yield Found(6, "certificate", code, problem, f"injection {dose.injection}")


def _with_facts(row: Any) -> tuple[str, str, str, CertificateFacts] | None:
    try:
        return (*row[:3], msgspec.json.decode(row[3], type=CertificateFacts))
    except UNREADABLE:
        return None  # reported with its row


def _people(moment: Moment, codes: set[str]) -> dict[str, tuple[str, date]]:
    """Who has which name and birth date; passport spelling and sex may be told anew with a booking."""
    listed = ", ".join(f"'{code}'" for code in ("-", *codes) if code == "-" or code.isalnum())
    people = {}
    for code, person in moment.ask(f"SELECT code, person FROM recipient WHERE code IN ({listed})"):
        with suppress(*UNREADABLE):  # reported with its row
            people[code] = _who(msgspec.json.decode(person, type=PersonDetails))
    return people


def _who(said: PersonDetails | CertificateFacts) -> tuple[str, date]:
    return spelled(said.name), said.birth_date


def _injections(moment: Moment, codes: set[str]) -> dict[str, tuple[str, str, str | None]]:
    listed = ", ".join(f"'{code}'" for code in ("-", *codes) if code == "-" or code.isalnum())
    found = moment.ask(f"SELECT code, recipient, status, dose FROM injection WHERE code IN ({listed})")
    return {code: (recipient, status, dose) for code, recipient, status, dose in found}


def _misstated(
    stated: DoseFacts, recipient: str, injections: dict[str, tuple[str, str, str | None]]
) -> str | None:
    owner, status, dose_text = injections.get(stated.injection, ("", "missing", None))
    if status != "completed" or dose_text is None:
        return "every dose that it states was given, and stands"
    if owner != recipient:
        return "every dose that it states is of its own person"
    try:
        dose = msgspec.json.decode(dose_text, type=Dose)
    except UNREADABLE:
        return None
    names = [field.name for field in fields(DoseFacts) if field.name != "injection"]
    same = all(
        getattr(stated, name) == getattr(dose if hasattr(dose, name) else dose.presentation, name)
        for name in names
    )
    return None if same else "it states every dose as it is recorded"
