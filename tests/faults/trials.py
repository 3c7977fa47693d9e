"""What a clinic is put through. Each trial answers the first promise that was broken, in words; None when all
were kept. With a mutant in the clinic's place it must find one: then it is known to look.
"""

from __future__ import annotations

import errno
import json
from copy import deepcopy
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from domain.errors import ClinicError
from domain.parts import Part, ResumePart
from domain.staff import Unlock
from kiosk.credential.ceremony import states_of
from kiosk.credential.certificates import key_id
from kiosk.credential.errors import KeysUnusable
from kiosk.credential.keys import KeyFolder, open_keys
from tests.clinics import MONDAY, STAFF, clinic_in, settings_in
from tests.faults.cuts import Cut, anywhere, at_writes_to, cuts
from tests.faults.disk import Disk, Record, read_log
from tests.faults.nursery import DIED, Nursery
from tests.faults.recovered import Recovered, content_of
from tests.faults.witness import Said

CHILDREN = "tests.faults.children"
PAGES = 60
"""Of SQLite's log, until it is copied back: often enough to be cut off in the middle of that too."""


def logged(nursery: Nursery, folder: Path, work: str, **arguments: Any) -> tuple[Disk, list[Record]]:
    """What a child does to this folder: the disk before, and the log that leads to what is there."""
    log = folder.with_name("log")
    disk = Disk(folder)
    nursery.start(f"{CHILDREN}:{work}", folder=str(folder), log=str(log), **arguments).hear_out()
    records = read_log(log)
    played = deepcopy(disk)
    for record in records:
        played.play(record)
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    seen = played.seen()
    assert seen.keys() == there.keys(), "the shim has missed a file"
    for name, content in seen.items():
        assert content is None or content == there[name].read_bytes(), f"the shim has missed a write: {name}"
    return disk, records


class PowerCuts:
    """One clinic that is cut off many times, from one log of its load."""

    def __init__(self, nursery: Nursery, place: Path, seed: int, people: int, mutant: str = "") -> None:
        """In two folders of this place: the clinic, and what a cut has left of it."""
        self.clinic, self.left = place / "clinic", place / "left"
        self.clinic.mkdir(exist_ok=True)
        self.random = Random(seed)
        arguments = {"seed": seed, "people": people, "pages": PAGES, "mutant": mutant}
        self.disk, self.log = logged(nursery, self.clinic, "serve_logged", **arguments)
        self.said = Said()
        self.recovered = Recovered(self.left)

    @property
    def syncs(self) -> int:
        """How often something was made safe."""
        return sum(1 for record in self.log if record.kind == "S")

    async def broken(self, places: list[int], opened: int = 0, before: Said | None = None) -> str | None:
        """Cut at these places; ``opened`` times the clinic is opened afterwards, as people do."""
        every = len(places) // opened if opened else len(places) + 1
        for index, cut in enumerate(cuts(deepcopy(self.disk), self.log, places, self.random), 1):
            cut.put(self.left)
            self.said = Said({**(before or Said()).words})
            self.said.hear(cut.words)
            problems = await self.recovered.problems(self.said)
            if index % every == 0 and not problems:
                problems = await self.recovered.problems_once_open(self.said)
            if problems:
                return f"{cut}: {problems[0]}"
        return None


async def power_cuts(nursery: Nursery, place: Path, mutant: str) -> str | None:
    """The load of a morning, cut off anywhere."""
    clinic = PowerCuts(nursery, place, seed=1, people=40, mutant=mutant)
    for _ in range(4):  # each from beginning to end: what is found late is found soon
        if problem := await clinic.broken(anywhere(clinic.log, 25, clinic.random)):
            return problem
    return None


async def power_cuts_at_my_page(nursery: Nursery, place: Path, mutant: str) -> str | None:
    """The same, cut off while my page is told."""
    clinic = PowerCuts(nursery, place, seed=1, people=40, mutant=mutant)
    return await clinic.broken(at_writes_to("mypage.db-wal", clinic.log, 60, clinic.random))


async def power_cuts_after_a_retry(
    nursery: Nursery, place: Path, mutant: str, number: int = 40
) -> str | None:
    """Events that were put aside are told to my page again: what is known as told is told once it is back."""
    clinic, left, random = place / "clinic", place / "left", Random(5)
    clinic.mkdir()
    async with clinic_in(clinic):
        pass  # it is there already
    disk, log = logged(nursery, clinic, "try_again", mutant=mutant)
    for cut in cuts(disk, log, anywhere(log, number, random), random):
        cut.put(left)
        async with clinic_in(left) as opened:
            await opened.gateway.send(ResumePart(Part.MY_PAGE), STAFF)  # it may have been cut off in a pause
            await opened.services.settle()
        _, rows = content_of(settings_in(left).data_folder / "mypage.db")
        known = {code for row in rows["mypage_item"] for code in row}
        for word, booking in (line.split(" ") for line in cut.words):
            if booking not in known:
                return f"{cut}: {booking} was {word}, and is not shown"
    return None


async def power_cuts_at_the_first_opening(
    nursery: Nursery, place: Path, mutant: str, number: int = 8
) -> str | None:
    """A clinic opens for the first time: its folders, its keys, its tables, its first PIN."""
    clinic, left, random = place / "clinic", place / "left", Random(2)
    clinic.mkdir()
    disk, log = logged(nursery, clinic, "open_first", mutant=mutant)
    step = len(log) / number
    places = [round((index + random.random()) * step) for index in range(number)]
    for cut in cuts(disk, log, places, random):
        cut.put(left)
        if problem := await _opens_again(left, cut):
            return f"{cut}: {problem}"
    return None


async def _opens_again(folder: Path, cut: Cut) -> str | None:
    said = dict(line.split(" ", 1) for line in cut.words)
    try:
        async with clinic_in(folder) as clinic:
            root = key_id(KeyFolder(clinic.settings.key_folder).root()).hex()
            if said.get("opened", root) != root:
                return "the clinic has another root than before"
            if "pin" in said:
                await clinic.gateway.ask(Unlock(said["pin"]))
            return next(iter(await Recovered(folder).problems(Said())), None)
    except ClinicError as problem:
        return f"it does not open again: {problem}"


async def power_cuts_while_keys_turn(
    nursery: Nursery, place: Path, mutant: str, number: int = 60
) -> str | None:
    """New signers, and withdrawn ones."""
    clinic, left, random = place / "clinic", place / "left", Random(3)
    clinic.mkdir()
    open_keys(settings_in(clinic).key_folder, country="KR", clinic="Clinic", now=MONDAY)
    disk, log = logged(nursery, clinic, "turn_keys", mutant=mutant)
    for cut in cuts(disk, log, anywhere(log, number, random), random):
        cut.put(left)
        if problem := _keys_broken(KeyFolder(settings_in(left).key_folder), cut.words):
            return f"{cut}: {problem}"
    return None


def _keys_broken(keys: KeyFolder, words: list[str]) -> str | None:
    try:
        active = key_id(keys.active().signer).hex()
        states = {state.kid: state for state in states_of(keys, MONDAY)}
    except (KeysUnusable, OSError, ValueError) as problem:
        return f"the keys are damaged: {problem}"
    last = {line.split(" ")[1]: line.split(" ")[0] for line in words}
    for signer, word in last.items():
        if signer not in states:
            return f"{signer} was {word}, and is not known"
        if word == "withdrawn" and not states[signer].withdrawn:
            return f"{signer} was withdrawn, and is trusted"
    if words and words[-1].startswith("rotated") and active != words[-1].split(" ")[1]:
        return f"{active} signs, not the newest"
    return None


async def power_cuts_while_paper_is_made(
    nursery: Nursery, place: Path, mutant: str, number: int = 150
) -> str | None:
    """Certificates into the folder; and slips of print jobs, each on the disk before its document is sent."""
    clinic, left, random = place / "clinic", place / "left", Random(4)
    (clinic / "data").mkdir(parents=True)
    disk, log = logged(nursery, clinic, "keep_paper", seed=4, mutant=mutant)
    for cut in cuts(disk, log, anywhere(log, number, random), random):
        cut.put(left)
        if problem := _paper_broken(left, cut.words):
            return f"{cut}: {problem}"
    return None


def _paper_broken(folder: Path, words: list[str]) -> str | None:
    kept: dict[str, set[str]] = {}
    slips: set[str] = set()
    for line in words:
        match line.split(" "):
            case ["keeping", name, content]:
                kept.setdefault(name, {"nothing"}).add(content)
            case ["kept", name, content]:
                kept[name] = {content}
            case ["begun", name]:
                slips.add(name)
            case ["ended", name]:
                slips.discard(name)
    for name, contents in kept.items():
        path = folder / "paper" / name
        found = sha256(path.read_bytes()).hexdigest() if path.exists() else "nothing"
        if found not in contents:
            return f"{name} was kept, and is {'missing' if found == 'nothing' else 'damaged'}"
    for name in slips:
        path = folder / "data" / "print-jobs" / f"{name}.json"
        if not path.exists() or json.loads(path.read_bytes() or b"{}").get("name") != name:
            return f"{name} has begun, and nobody remembers it"
    return None


async def failing_sync(nursery: Nursery, place: Path, mutant: str) -> str | None:
    """The disk fails to make commits safe; as soon as somebody has been told so, the process is killed."""
    fault = Fault("sync", "clinic.db-wal", errno.EIO, every=7)
    lines, problem = await on_a_failing_disk(nursery, place, fault, mutant, until="unavailable")
    assert mutant or any(line.startswith("unavailable") for line in lines), "nobody was told of the fault"
    return problem


@dataclass(frozen=True)
class Fault:
    """What fails on a disk: one in so many of these calls, on files that end so."""

    call: str
    suffix: str
    error: int
    every: int = 1


async def on_a_failing_disk(
    nursery: Nursery, place: Path, fault: Fault, mutant: str = "", until: str = "over"
) -> tuple[list[str], str | None]:
    """The disk fails, is mended, and the process is killed: what each was told is so. With what was told."""
    arguments = {"seed": 5, "people": 40, "fault": asdict(fault), "mutant": mutant}
    child = nursery.start(f"{CHILDREN}:serve_with_fault", folder=str(place), **arguments)
    child.hear(lambda lines: any(line.split(" ")[0] in {until, "over", DIED} for line in lines))
    lines = child.kill()
    said, recovered = Said(), Recovered(place)
    said.hear(lines)
    problems = await recovered.problems(said) or await recovered.problems_once_open(said)
    return lines, problems[0] if problems else None


async def lost_answers(nursery: Nursery, place: Path, mutant: str) -> str | None:
    """Commits that are done and seem to have failed."""
    arguments = {"folder": str(place), "seed": 6, "people": 60, "mutant": mutant}
    said = Said()
    said.hear(nursery.start(f"{CHILDREN}:serve_with_lost_answers", **arguments).hear_out())
    return await _kept(place, said)


async def many_kiosks(nursery: Nursery, place: Path, mutant: str) -> str | None:
    """Three processes on one file."""
    said, work = Said(), f"{CHILDREN}:serve_beside_others"
    nursery.start(work, folder=str(place), seed=7, people=1, mutant="").hear_out()
    children = [
        nursery.start(work, folder=str(place), seed=seed, people=30, mutant=mutant) for seed in (8, 9, 10)
    ]
    for child in children:
        lines = child.hear(lambda lines: False)
        if DIED in lines:
            return f"one of them ended: {child.errors.read_text().splitlines()[-1]}"
        said.hear(lines)
    return await _kept(place, said)


async def _kept(place: Path, said: Said) -> str | None:
    """On a disk that never failed: everybody was answered, and rightly."""
    for command_id, (word, about) in said.words.items():
        if word in {"unavailable", "unknown"}:
            return f"{command_id} was {word}: {about}"
    return next(iter(await Recovered(place).problems(said)), None)
