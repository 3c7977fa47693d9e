"""Whether the records keep the rules of the clinic, and whether the database can be trusted with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from domain.errors import NoRecords, RecordsUnread
from storage import tables as t
from storage.legible import Found, illegible
from storage.migrate import LAYOUT
from storage.moment import Moment, moment_of, one_moment
from storage.rules import BOOKINGS, CERTIFICATES, INJECTIONS, PROMISES, STOCK, Rule
from storage.rules_of_events import FOLLOWED, TOLD

RULES = (*STOCK, *BOOKINGS, *INJECTIONS, *CERTIFICATES, *TOLD, *FOLLOWED)
MOST = 100
"""Rows that are named for one rule; of more only their number is said."""


@dataclass(frozen=True)
class Violation:
    """One row that breaks a rule, by its number in `docs/domain.md`; 0 is the database itself."""

    rule: int
    says: str
    """The rule, in words."""
    code: str
    """Which row: its code, or its number."""
    table: str = ""
    found: str = ""
    """What contradicts the rule; codes, numbers and states only."""


@dataclass(frozen=True)
class Checked:
    """What a check has found, and what it has looked at."""

    violations: list[Violation]
    rows: dict[str, int]
    """How many there are, by table."""
    last_event: int = 0


def check(connection: Connection) -> list[Violation]:
    """Every violation of rules 1 to 9 in the records; empty when all is well.

    One read transaction, so that all rules see the same moment.
    """
    with one_moment(connection) as moment:
        return _rules_broken(moment)


def check_records(url: str) -> Checked:
    """Everything that can be wrong with the records there, at one moment, beside those who work.

    Raises NoRecords when there are none, RecordsUnread when they cannot be reached.
    """
    try:
        with moment_of(url) as moment:
            return checked(moment)
    except RecordsUnread as problem:
        reason = str(problem.facts["reason"])
        if not any(sign in reason for sign in ("not a database", "malformed", "corrupt")):
            raise
        return Checked([Violation(0, "the file is sound", "-", "file", reason)], {})


def checked(moment: Moment) -> Checked:
    """The database first: on one that is damaged nothing else can be judged."""
    violations = list(_faults(moment))
    if violations and not all(v.table in t.metadata.tables for v in violations):
        return Checked(violations, {})
    broken = _rules_broken(moment)  # before the promises: it sees whether every text is one
    for rule in PROMISES:
        violations += _broken(moment, rule)
    violations += broken
    count = " UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM {name}" for name in t.metadata.tables)
    [[last]] = moment.ask("SELECT COALESCE(MAX(seq), 0) FROM event").fetchall()
    return Checked(violations, dict(moment.ask(count).fetchall()), last)


def layout_of(moment: Moment) -> str:
    """The layout of the records. Raises NoRecords."""
    try:
        [[found]] = moment.ask("SELECT version_num FROM alembic_version").fetchall()
    except (moment.error, ValueError) as problem:
        if isinstance(problem, ValueError) or "alembic_version" in str(problem):
            raise NoRecords(where=moment.where) from problem
        raise
    return str(found)


def _faults(moment: Moment) -> Iterator[Violation]:
    """What the database should see to by itself: its pages, its layout, its indexes."""
    found = layout_of(moment)
    if moment.on_sqlite:
        said = [str(row[0]) for row in moment.ask(f"PRAGMA integrity_check({MOST})")]
        # What a constraint should have refused, the rules find by its row.
        if pages := [page for page in said if page != "ok" and not page.startswith("CHECK")]:
            yield from (Violation(0, "the file is sound", "-", "file", page) for page in pages)
            return
    if found < LAYOUT:
        yield Violation(0, f"the layout is {LAYOUT}: open the kiosk, or wait for it", found, "records")
        return
    if found == LAYOUT:
        yield from _missing_indexes(moment)


def _missing_indexes(moment: Moment) -> Iterator[Violation]:
    if moment.on_sqlite:
        names = "SELECT name FROM sqlite_master WHERE type = 'index'"
    else:
        names = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    there = {row[0] for row in moment.ask(names)}
    for table in t.metadata.sorted_tables:
        for index in table.indexes:
            if index.name not in there:
                yield Violation(0, "every index is there", str(index.name), table.name)


def _rules_broken(moment: Moment) -> list[Violation]:
    found = list(illegible(moment))
    problems = list(_limited(found))
    unread = {row.row for row in found if row.table == "event"}
    for rule in RULES:
        problems += _broken(moment, rule, unread)
    return sorted(problems, key=lambda found: found.rule)


def _broken(moment: Moment, rule: Rule, unread: Iterable[str] = ()) -> Iterator[Violation]:
    sql = _asked_of(moment.dialect.name, rule.sql)
    if unread:  # their payload would end the question
        readable = f"(SELECT * FROM event WHERE seq NOT IN ({', '.join(unread)}))"
        sql = re.sub(r"\bFROM event\b(?! [a-z]\b)", f"FROM {readable} AS event", sql)
    found = moment.ask(sql)
    names = [column[0].replace("_", " ") for column in found.description[1:]]
    for row in found.fetchmany(MOST):
        facts = (f"{name} {'none' if v in {None, ''} else v}" for name, v in zip(names, row[1:], strict=True))
        yield Violation(rule.number, rule.says, str(row[0]), rule.table, ", ".join(facts))
    if more := sum(1 for _ in found):
        yield Violation(rule.number, rule.says, f"and {more} more", rule.table)


@lru_cache(maxsize=256)
def _asked_of(dialect: str, sql: str) -> str:
    """The same question to PostgreSQL, which has to be told that a text holds JSON."""
    return re.sub(r"((?:\be\.)?\bpayload) ->>", r"CAST(\1 AS JSON) ->>", sql) if dialect != "sqlite" else sql


def _limited(problems: Iterable[Found]) -> Iterator[Violation]:
    count: Counter[tuple[int, str, str]] = Counter()
    for problem in problems:
        kind = problem.rule, problem.table, problem.says
        count[kind] += 1
        if count[kind] <= MOST:
            yield Violation(problem.rule, problem.says, problem.row, problem.table, problem.found)
    for (rule, table, says), number in count.items():
        if number > MOST:
            yield Violation(rule, says, f"and {number - MOST} more", table)
