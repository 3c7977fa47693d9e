"""What was said to people, held against what the records say afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection, Engine, select

from domain import events as e
from domain.events import Event
from storage import codec
from storage import tables as t
from storage.check import check

Told = tuple[int, str, Event]
"""An event with its place and its id."""

INTAKE, ISSUING = "injection-intake", "issuing"
NOT_DONE = {"refused", "unavailable"}
ANYTHING = {"unknown", "asking"}
HOLDS = {
    "booked": {"reserved", "waiting", "cancelled", "completed"},
    "cancelled": {"cancelled"},
    "arrived": {"reserved", "completed"},
    "screened": {"reserved", "completed"},
    "completed": {"completed"},
    "refused": {"reserved", "waiting", "completed"},
}
"""The statuses that a booking may have after this was said of it."""


@dataclass
class Said:
    """The last word on each command, and what it was about."""

    words: dict[str, tuple[str, str]] = field(default_factory=dict)

    def hear(self, lines: Iterable[str]) -> None:
        """More lines of a load; of a line that the end has torn nothing was heard."""
        for line in lines:
            match line.split(" "):
                case [word, about, command_id] if command_id != "-":
                    self.words[command_id] = (word, about)

    def count(self, word: str) -> int:
        """On how many commands this was the last word."""
        return sum(1 for said, _ in self.words.values() if said == word)


def broken(engine: Engine, said: Said) -> list[str]:
    """Everything in the records that was promised otherwise, in words; while nobody writes to them."""
    with engine.connect() as connection:
        rules = [f"rule {found.rule}: {found.says}: {found.code}" for found in check(connection)]
    with engine.connect() as connection:
        events = events_of(connection)
        return [*rules, *_words(connection, said), *_told(connection, events), *_parts(connection, events)]


def _words(connection: Connection, said: Said) -> list[str]:
    done = set(connection.scalars(select(t.command.c.id)))
    statuses: dict[str, str] = dict(connection.execute(select(t.booking.c.code, t.booking.c.status)).all())
    applications = set(connection.scalars(select(t.application.c.code)))
    problems = []
    for command_id, (word, about) in said.words.items():
        if word in ANYTHING:
            continue
        if (command_id in done) is (word in NOT_DONE):
            problems.append(f"{command_id} was {word}, and is {'done' if word in NOT_DONE else 'not done'}")
        elif word == "applied" and about not in applications:
            problems.append(f"{command_id} was acknowledged, and there is no application {about}")
        elif about in statuses and statuses[about] not in HOLDS[word]:
            problems.append(f"{command_id} was {word}, and {about} is {statuses[about]}")
        elif word == "booked" and about not in statuses:
            problems.append(f"{command_id} was acknowledged, and there is no booking {about}")
    return problems


def _told(connection: Connection, events: list[Told]) -> list[str]:
    """Each person is told of once, and nothing is told of by a command that was not done."""
    done = set(connection.scalars(select(t.command.c.id)))
    people = set(connection.scalars(select(t.recipient.c.code)))
    registered = [event.recipient for _, _, event in events if isinstance(event, e.RecipientRegistered)]
    return [
        *(f"event {id_} is of a command that was not done" for _, id_, _ in events
          if id_.rpartition(":")[0] not in done),
        *(f"nobody was told of {code}" for code in people - set(registered)),
        *(f"there is no {code}, who was told of" for code in set(registered) - people),
        *(f"{code} was told of twice" for code, times in Counter(registered).items() if times > 1),
    ]  # fmt: skip


def _parts(connection: Connection, events: list[Told]) -> list[str]:
    """Each part has done what follows from the events up to its place, and nothing of what comes later.

    What was taken back meanwhile it may have done or not.
    """
    places: dict[str, int] = dict(connection.execute(select(t.position.c.listener, t.position.c.seq)).all())
    expected, applied = _held(events, places.get(INTAKE, 0)), _applied(events, places.get(ISSUING, 0))
    holding = select(t.booking.c.code).where(t.booking.c.status.in_(("reserved", "completed")))
    visits = select(t.injection.c.booking).where(t.injection.c.status.notin_(("withdrawn", "voided")))
    standing = select(t.application.c.code).where(t.application.c.status.in_(("applied", "issued")))
    issues = select(t.certificate.c.application)
    return [
        *_unlike("visit of", expected, set(connection.scalars(holding)), set(connection.scalars(visits))),
        *_unlike("issue for", applied, set(connection.scalars(standing)), set(connection.scalars(issues))),
    ]


def _unlike(what: str, told: set[str], standing: set[str], done: set[str]) -> list[str]:
    return [
        *(f"{what} {code}: its part says that it is done, and it is not" for code in told & standing - done),
        *(f"{what} {code}: it is done, and its part says that it is not" for code in done - told),
    ]


def _held(events: list[Told], place: int) -> set[str]:
    held: set[str] = set()
    for seq, _, event in events:
        if seq > place:
            break
        match event:
            case e.Booked() | e.BookingPromoted() | e.BookingReopened():
                held.add(event.booking)
            case e.BookingCancelled() | e.BookingNoShow() | e.BookingWaitlisted():
                held.discard(event.booking)
    return held


def _applied(events: list[Told], place: int) -> set[str]:
    told = (event for seq, _, event in events if seq <= place)
    return {event.application for event in told if isinstance(event, e.CertificateApplied)}


def events_of(connection: Connection) -> list[Told]:
    """Every event of the clinic, in order."""
    c = t.event.c
    rows = connection.execute(select(c.seq, c.id, c.name, c.payload).order_by(c.seq))
    return [(seq, id_, _event(name, payload)) for seq, id_, name, payload in rows]


@lru_cache(maxsize=100_000)
def _event(name: str, payload: str) -> Event:
    return codec.load_event(name, payload)
