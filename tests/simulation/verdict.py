"""What must be true when everybody has gone home and the parts have caught up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.events import Recorded
from domain.mypage import MyPageItem, Person, project
from domain.parts import Part
from domain.policies import BY_RELAY
from storage import codec
from storage.check import check
from storage.mypage import item, person

if TYPE_CHECKING:
    from tests.simulation.world import World


def verdict(world: World) -> list[str]:
    """Everything that is wrong."""
    return [
        *world.wrong,
        *(f"met {problem!r}" for problem in world.loop.mistakes),
        *(repr(violation) for violation in check(world.records.connection)),
        *world.behind(),
        *world.accounts.differences(commands(world)),
        *twice_or_out_of_order(world),
        *wrong_pages(world),
        *pages_ahead_or_behind(world),
        *too_many_sheets(world),
    ]


def commands(world: World) -> dict[str, tuple[str, str]]:
    """Name and answer of each that is recorded, by its id."""
    return {row[0]: (row[1], row[2]) for row in world.records.rows("SELECT id, name, result FROM command")}


def twice_or_out_of_order(world: World) -> Iterator[str]:
    """Each event once by each part, and those about the same subject in their order."""
    for part, policies in BY_RELAY.items():
        names = [kind.__name__ for kind in policies]
        marks = ", ".join("?" * len(names))
        events = world.records.rows(f"SELECT seq FROM event WHERE name IN ({marks}) ORDER BY seq", *names)
        done = world.records.rows("SELECT seq, subject FROM applied WHERE part = ? ORDER BY number", part)
        settled = world.records.rows("SELECT event FROM task WHERE part = ? AND status = 'discarded'", part)
        expected = sorted({seq for (seq,) in events} - {seq for (seq,) in settled})
        if sorted(seq for seq, _ in done) != expected:
            yield f"{part} dealt with {sorted(seq for seq, _ in done)} of {expected}"
        last: dict[str, int] = {}
        for seq, subject in done:
            if seq < last.get(subject, 0):
                yield f"{part} dealt with event {seq} of {subject} after {last[subject]}"
            last[subject] = seq


def wrong_pages(world: World) -> Iterator[str]:
    """My page shows what all events tell, one after the other."""
    found = world.mypage.connection
    shown: dict[str, Any] = {row[0]: MyPageItem(*row) for row in found.execute(item.select()).all()}
    names = {row[0]: Person(*row) for row in found.execute(person.select()).all()}
    items, people = told(recorded_events(world))
    for code in sorted(items.keys() | shown.keys()):
        if items.get(code) != shown.get(code):
            yield f"my page shows {shown.get(code)}, the events tell {items.get(code)}"
    if names != people:
        yield f"my page knows {names}, the events tell of {people}"


def pages_ahead_or_behind(world: World) -> Iterator[str]:
    """Whoever looked at a page saw what the events told up to the one that it named."""
    events = recorded_events(world)
    doubtful = {row[0] for row in world.records.rows("SELECT subject FROM task WHERE part = ?", Part.MY_PAGE)}
    for recipient, page in world.pages:
        if recipient not in doubtful:
            items, _ = told([recorded for recorded in events if recorded.seq <= page.position])
            mine = {code: one for code, one in items.items() if one.recipient == recipient}
            if {one.code: one for one in page.items} != mine:
                yield f"the page of {recipient} showed {page.items} at event {page.position}, not {mine}"


def recorded_events(world: World) -> list[Recorded]:
    """All of them, in order."""
    rows = world.records.rows("SELECT seq, id, at, name, payload FROM event ORDER BY seq")
    return [
        Recorded(seq, id_, datetime.fromisoformat(at), codec.load_event(name, body))
        for seq, id_, at, name, body in rows
    ]


def told(events: list[Recorded]) -> tuple[dict[str, MyPageItem], dict[str, Person]]:
    """My page as these events tell it."""
    items: dict[str, MyPageItem] = {}
    people: dict[str, Person] = {}
    for recorded in events:
        for change in project(recorded.event, recorded.at):
            if isinstance(change, Person):
                people[change.recipient] = change
            elif isinstance(change, MyPageItem):
                items[change.code] = change
            elif change.code in items:
                items[change.code] = replace(items[change.code], **change.fields)  # type: ignore[arg-type]
    return items, people


def too_many_sheets(world: World) -> Iterator[str]:
    """Nothing comes out twice by itself: one for each order, and for each time that somebody tried again."""
    if not world.prints_once:
        return
    for name, sheets in sorted(world.sheets.items()):
        code = name.removeprefix("certificate-").removesuffix(".pdf")
        if sheets > world.asked_for(code):
            yield f"{sheets} sheets of {code} came out, {world.asked_for(code)} were asked for"


def log(world: World) -> str:
    """Everything that can differ between two runs of a seed."""
    draws = world.loop.fingerprint()
    return "\n".join([*world.history, world.records.dump(), world.mypage.dump(), str(draws)])
