"""Whether the records keep the rules of the clinic, and whether the database can be trusted with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from domain.errors import NoRecords, RecordsUnread
from storage import tables as t
from storage.codec import text_of
from storage.legible import Found, illegible
from storage.migrate import LAYOUT, missing_indexes
from storage.moment import Moment, moment_of, one_moment
from storage.rules import BOOKINGS, CERTIFICATES, INJECTIONS, PROMISES, STOCK, Rule
from storage.rules_of_events import FOLLOWED, TOLD

RULES = (*STOCK, *BOOKINGS, *INJECTIONS, *CERTIFICATES, *TOLD, *FOLLOWED)
_INDEX = "every index is there; opening the clinic makes it again"
FILE, SCHEMA, OLDER = "file", "schema", "records"
"""What stands for a table where it is not a row that is wrong: pages, tables, or an older layout."""
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
    """How many there are, by table; none where the database itself is damaged."""
    last_event: int = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Tables and columns that are not there; the rules were not tested then."""
        return tuple(v.code for v in self.violations if v.table == SCHEMA)


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
        return Checked([Violation(0, "the file is sound", "-", FILE, reason)], {})


def checked(moment: Moment) -> Checked:
    """The database first: on one that is damaged nothing else can be judged."""
    violations = list(_faults(moment))
    if any(v.table in {FILE, OLDER} for v in violations):
        return Checked(violations, {})
    if not any(v.table == SCHEMA for v in violations):
        violations += _rules_broken(moment, (*PROMISES, *RULES))
    there = t.metadata.tables.keys() & columns_of(moment).keys()
    count = " UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM {name}" for name in there)
    events = "SELECT COALESCE(MAX(seq), 0) FROM event" if "event" in there else "SELECT 0"
    [[last]] = moment.ask(events).fetchall()
    return Checked(violations, dict(moment.ask(count).fetchall()), last)


def layout_of(moment: Moment) -> str:
    """The layout of the records; empty when they do not say. Raises NoRecords when there are none."""
    there = columns_of(moment)
    if there.keys().isdisjoint(t.metadata.tables):
        raise NoRecords(where=moment.where)
    if "alembic_version" not in there:
        return ""
    kept = "CAST(version_num AS BLOB)" if moment.on_sqlite else "version_num"
    said = [text_of(row[0] or "") for row in moment.ask(f"SELECT {kept} FROM alembic_version")]
    return said[0] if len(said) == 1 and said[0].isdecimal() else ""


def columns_of(moment: Moment) -> dict[str, set[str]]:
    """What tables there are, and which columns they have."""
    if moment.on_sqlite:
        names = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
    else:
        names = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema()"
        )
    there: dict[str, set[str]] = {}
    for table, column in moment.ask(names):
        there.setdefault(table, set()).add(column)
    return there


def _faults(moment: Moment) -> Iterator[Violation]:
    """What the database should see to by itself: its pages, its layout, its tables and indexes."""
    found = layout_of(moment)
    if moment.on_sqlite:
        said = [str(row[0]) for row in moment.ask(f"PRAGMA integrity_check({MOST})")]
        # What a constraint should have refused, the rules find by its row.
        if pages := [page for page in said if page != "ok" and not page.startswith("CHECK")]:
            yield from (Violation(0, "the file is sound", "-", FILE, page) for page in pages)
            return
    if not found:
        yield Violation(0, "the records say of which layout they are", "alembic_version", "layout")
    elif found < LAYOUT:
        yield Violation(0, f"the layout is {LAYOUT}: open the kiosk, or wait for it", found, OLDER)
        return
    missing = list(_missing(moment))
    yield from missing
    if found in {LAYOUT, ""} and not missing:
        yield from _missing_indexes(moment)


def _missing(moment: Moment) -> Iterator[Violation]:
    there = columns_of(moment)
    for table in t.metadata.sorted_tables:
        if table.name not in there:
            yield Violation(0, "every table is there", str(table.name), SCHEMA, f"{table.name} is missing")
            continue
        for column in table.columns:
            if column.name not in there[table.name]:
                yield Violation(0, "every column is there", str(column), SCHEMA, f"{column} is missing")


def _missing_indexes(moment: Moment) -> Iterator[Violation]:
    for index in missing_indexes(moment.dialect.name, moment.ask):
        yield Violation(0, _INDEX, str(index.name), str(index.table))


def _rules_broken(moment: Moment, rules: Iterable[Rule] = RULES) -> list[Violation]:
    found = list(illegible(moment))
    problems = list(_limited(found))
    unread = {row.row for row in found if row.table == "event"}
    unshown = {row.value for row in found if row.value}
    for rule in rules:
        problems += _broken(moment, rule, unread, unshown)
    return sorted(problems, key=lambda found: found.rule)


def _broken(
    moment: Moment, rule: Rule, unread: Collection[str], unshown: Collection[str]
) -> Iterator[Violation]:
    def shown(value: Any) -> str:
        said = "none" if value in {None, ""} else str(text_of(value))
        return "…" if said in unshown else said

    sql = _asked_of(moment.dialect.name, rule.sql)
    if unread:  # their payload would end the question
        readable = f"(SELECT * FROM event WHERE seq NOT IN ({', '.join(unread)}))"
        sql = re.sub(r"\bFROM event\b(?! [a-z]\b)", f"FROM {readable} AS event", sql)
    found = moment.ask(sql)
    names = [column[0].replace("_", " ") for column in found.description[1:]]
    for row in found.fetchmany(MOST):
        facts = (f"{name} {shown(value)}" for name, value in zip(names, row[1:], strict=True))
        yield Violation(rule.number, rule.says, shown(row[0]), rule.table, ", ".join(facts))
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
