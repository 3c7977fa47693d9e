"""The whole clinic under one seed: its processes, the people, and what befalls them."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any

import pytest

from domain import codes, messages, policies
from domain.certificate import IssueCertificate
from domain.clinic import Clinic, Schedule
from domain.errors import TaskClosed
from domain.events import Event, Recorded
from domain.messages import Command
from domain.mypage import MyPage
from domain.parts import Part, ResumePart, RetryTask, Task, subject_of
from domain.policies import HEARS
from domain.ports import Context, UnitOfWork
from domain.vaccine import AddStock, RegisterVaccine
from storage import listeners, migrate, mypage, writer
from storage.identity import IDENTITY_KEY
from tests.clinics import MONDAY, presentation
from tests.simulation.accounts import Accounts
from tests.simulation.chance import Chance
from tests.simulation.people import Somebody
from tests.simulation.process import FOUND_BY, Died, Process
from tests.simulation.records import add_applied, databases, statements, view_tables
from tests.simulation.scheduler import HOST, SeededLoop

PEOPLE, WISHES = 4, 7
VACCINATED = 2
"""So many have had each vaccine already and wait for their certificates: few others come so far in a day."""
PARTS = tuple(Part)
SHELF_LIFE = timedelta(days=30)
SECONDS_TO_CATCH_UP = 200
"""Once nothing goes wrong any more: a breaker may still rest for a minute."""


class World:
    """One seed. ``shuffled`` False is plain asyncio's order, in which everything takes equally long."""

    def __init__(self, seed: int, shuffled: bool = True) -> None:
        self.seed = seed
        self.random = Random(f"world {seed}")
        self.loop = SeededLoop(Random(f"steps {seed}"), shuffled)
        self.chance = Chance(Random(f"chance {seed}"), shuffled)
        self.records, self.mypage = databases()
        self.clinic = Clinic(schedule=Schedule(capacity=3))
        self.start: datetime = MONDAY
        self.shelf_life = SHELF_LIFE
        self.slots = list(self.clinic.slots_from(MONDAY, days=2))[20:40:9]
        self.vaccines: list[str] = []
        self.processes: list[Process] = []
        """Those that live."""
        self.hosts: list[Process] = []
        """All that ever lived."""
        self.accounts = Accounts()
        self.held: dict[int, Process] = {}
        """Leases, by the number of their lock."""
        self.sheets: Counter[str] = Counter()
        """That came out of the printer, by name."""
        self.tried: Counter[str] = Counter()
        """How often somebody issued a certificate by hand or tried a print again, by its code."""
        self.prints_once = self.random.random() < 0.5
        self.pages: list[tuple[str, MyPage]] = []
        """That somebody looked at."""
        self.history: list[str] = []
        self.wrong: list[str] = []
        self._moved = timedelta()
        self._closing_time = False
        self._returning = 0
        self._brought: dict[int, Recorded] = {}
        self._at_task: dict[str, Process] = {}
        self._leases_broke = False

    def run(self) -> None:
        """The whole of it. Raises `Stuck` and `TooLate`."""
        stock_the_clinic()
        self.records.begin_anew()
        self.mypage.begin_anew()
        self.vaccines = [code for (code,) in self.records.rows("SELECT code FROM vaccine ORDER BY seq")]
        self._play(self._day())

    def prepare(self) -> None:
        """What is there when the day begins."""
        self._play(self._eve())

    def _play(self, play: Coroutine[Any, Any, None]) -> None:
        with _nothing_by_chance(self):
            try:
                self.loop.run(play)
            finally:
                self.loop.end(self.hosts)

    async def _eve(self) -> None:
        self.chance.calm = True
        kiosk = self._open("kiosk", PARTS)
        staff = Somebody(self, "eve", self.random)
        for key, doses in (("first", 3), ("second", 2)):
            facts = presentation(key, interval_days=0, primary_doses=1, booster_interval_days=0)
            vaccine = await staff.surely(RegisterVaccine(facts))
            delivery = AddStock(
                vaccine.code, "LOT1", self.clinic.today(MONDAY) + SHELF_LIFE, doses + VACCINATED
            )
            await staff.surely(delivery)
            for slot in islice(self.clinic.slots_from(MONDAY, days=1), VACCINATED):
                await staff.vaccinate(vaccine.code, slot)
        await kiosk.call(kiosk.relay.settle())
        await kiosk.close()

    async def _day(self) -> None:
        for number in range(self.random.choice((1, 2, 2, 3))):
            self._open(f"kiosk-{number}")
        people = [
            asyncio.create_task(Somebody(self, f"p{number}", Random(f"{self.seed} p{number}")).live(WISHES))
            for number in range(PEOPLE)
        ]
        trouble = asyncio.create_task(self._trouble())
        await asyncio.gather(*people)
        self._closing_time = True
        await trouble
        await self._calm_down()

    # -- what processes ask of the world --------------------------------------------------------------

    def now(self) -> datetime:
        """See `domain.ports.Clock`."""
        return self.start + self._moved + timedelta(seconds=self.loop.time())

    def committed(self, process: Process) -> None:
        """The others notice, sooner or later."""
        for other in self.processes:
            if other is not process and not other.others.due:
                other.others.due = True
                delay = 0.5 * self.random.random()
                self.loop.call_later(delay, other.others.tell, context=other.context)

    def freed(self, process: Process) -> None:
        """Whatever it held."""
        for number in [number for number, holder in self.held.items() if holder is process]:
            del self.held[number]

    def brought(self, events: Sequence[Recorded]) -> None:
        """These events, as they are in memory, are these of the records."""
        self._brought.update((id(recorded.event), recorded) for recorded in events)

    def follow(self, part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        """Stands before `policies.follow_by_relay`: it may fail, and what is done is written down."""
        seq = self._brought[id(event)].seq
        self.chance.deal(part, seq)
        policies.follow_by_relay(part, uow, event, context)
        prepared = add_applied(self.records.engine.dialect)
        values = {"part": part, "seq": seq, "subject": subject_of(part, event)}
        uow._on.run(prepared, prepared.row(values[name] for name in prepared.names))  # type: ignore[attr-defined]

    @contextmanager
    def at_task(self, process: Process, task: Task) -> Iterator[None]:
        """A lease keeps every other process away from it meanwhile."""
        other = self._at_task.get(task.code)
        if other and not other.dead and not self._leases_broke:
            self.wrong.append(f"{other.name} and {process.name} are both at {task.kind} {task.code}")
        self._at_task[task.code] = process
        try:
            yield
        finally:
            if self._at_task.get(task.code) is process:
                del self._at_task[task.code]

    # -- what people ask of it ----------------------------------------------------------------------

    async def door(self, random: Random) -> Process:
        """Some process that takes commands, once there is one."""
        while not (doors := [one for one in self.processes if not one.closing]):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return random.choice(doors)

    def asks(self, command: Command[Any]) -> None:
        """Somebody wants paper."""
        if isinstance(command, IssueCertificate):
            self.tried[command.certificate] += 1
        elif isinstance(command, RetryTask):
            self.tried.update(
                code for (code,) in self.records.rows("SELECT subject FROM task WHERE code = ?", command.task)
            )

    def note(self, what: str) -> None:
        """For whoever wants to know how it came to that."""
        host = HOST.get()
        self.history.append(f"{self.loop.time():9.4f} {host.name if host else '-':12} {what}")

    def asked_for(self, certificate: str) -> int:
        """How many sheets of it people wanted."""
        sql = "SELECT COUNT(*) FROM task WHERE kind = 'print' AND subject = ?"
        return int(self.records.rows(sql, certificate)[0][0]) + self.tried[certificate]

    # -- what befalls it ----------------------------------------------------------------------------

    def _open(self, name: str, parts: Sequence[Part] = ()) -> Process:
        some = tuple(part for part in PARTS if self.random.random() < 0.7)
        process = Process(self, name, tuple(parts) or self.random.choice((PARTS, some)))
        self.note(f"{name} opens with {', '.join(process.parts)}")
        self.processes.append(process)
        self.hosts.append(process)
        process.open()
        return process

    async def _trouble(self) -> None:
        kinds = [kind for kind in TROUBLES if self.random.random() < 0.5]
        while not self._closing_time:
            await asyncio.sleep(0.5 * self.random.random())
            if kinds and not self._closing_time:
                await self.random.choice(kinds)(self)

    async def _kill(self) -> None:
        if self.processes:
            process = self.processes.pop(self.random.randrange(len(self.processes)))
            self.note(f"{process.name} is killed")
            process.kill()
            self._return(process.name)

    async def _restart(self) -> None:
        if self.processes:
            process = self.random.choice(self.processes)
            if process.closing or process.frozen:
                return
            self.note(f"{process.name} is closed")
            try:
                await process.close()
            except Died:
                return
            self.processes.remove(process)
            self._return(process.name)

    def _return(self, name: str) -> None:
        def again() -> None:
            self._open(f"{name}'")
            self._returning -= 1

        self._returning += 1
        self.loop.call_later(self.random.random(), again)

    async def _freeze(self) -> None:
        if self.processes:
            process = self.random.choice(self.processes)
            self.note(f"{process.name} stands still")
            process.frozen = True
            self.loop.call_later(self.random.choice((0.3, 2.0, 15.0)), self.loop.thaw, process)

    async def _lose_leases(self) -> None:
        """As on a server to which their connection broke: nobody tells their holders."""
        if self.chance.on_server and self.held:
            self.note("leases are lost")
            self._leases_broke = True
            self.held.clear()

    async def _move_clock(self) -> None:
        step = self.random.choice((timedelta(seconds=-2), timedelta(hours=1), timedelta(days=1)))
        self.note(f"the clock moves by {step}")
        self._moved += step

    async def _calm_down(self) -> None:
        """Nothing goes wrong any more; whatever was put aside is tried again; then everybody closes."""
        self.note("nothing goes wrong any more")
        self.chance.calm = True
        for process in self.processes:
            self.loop.thaw(process)
        while self._returning or any(process.writer.at_work for process in self.processes):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # a pause may be under way whose asker was told that it is not certain
        if not {part for process in self.processes for part in process.parts} >= set(PARTS):
            self._open("last", PARTS)
        staff = Somebody(self, "last", Random(self.seed))
        for (part,) in self.records.rows("SELECT name FROM part WHERE paused ORDER BY name"):
            await staff.surely(ResumePart(part))
        while True:
            await self._caught_up()
            aside = self.records.rows("SELECT code FROM task WHERE status = 'aside' ORDER BY seq")
            if not aside:
                break
            for (code,) in aside:  # one may be in the way of another, or bring it back with it
                with suppress(TaskClosed):
                    await staff.surely(RetryTask(code))
        await self.processes[0].call(self.processes[0].relay.settle())
        for process in list(self.processes):
            await process.close()

    async def _caught_up(self) -> None:
        """By themselves, woken by nobody but the commits."""
        for _ in range(SECONDS_TO_CATCH_UP):
            await asyncio.sleep(1.0)
            behind = list(self.behind())
            if not behind:
                return
        self.wrong.append(f"after {SECONDS_TO_CATCH_UP} seconds: {behind}")
        raise TooLate(behind)

    def behind(self) -> Iterator[str]:
        """What the parts have not done yet."""
        positions = dict(self.records.rows("SELECT listener, seq FROM position"))
        positions[Part.MY_PAGE] = self.mypage.rows("SELECT position FROM mypage_state")[0][0]
        for part, names in HEARS.items():
            marks = ", ".join("?" * len(names))
            sql = f"SELECT COUNT(*) FROM event WHERE seq > ? AND name IN ({marks})"
            if count := self.records.rows(sql, positions.get(part, 0), *names)[0][0]:
                yield f"{part} has not dealt with {count} events"
        for process in self.processes:
            if process.writer.at_work:  # on behalf of somebody who has left
                yield f"{process.name} has not done all that it was asked"
        waiting = "SELECT code, part, kind FROM task WHERE status IN ('waiting', 'in-progress')"
        for code, part, kind in self.records.rows(waiting):
            yield f"{part} has not done {kind} {code}"


@lru_cache(maxsize=1)
def stock_the_clinic() -> None:
    """Two vaccines with a few doses each and those who have had theirs, from which every seed begins."""
    records, page = databases()
    records.driver.execute("CREATE TABLE alembic_version AS SELECT ? AS version_num", (migrate.LAYOUT,))
    records.driver.execute("INSERT INTO secret VALUES (?, ?)", (IDENTITY_KEY, FOUND_BY.hex()))
    page.driver.execute("INSERT INTO mypage_state VALUES (?, 0)", (mypage.LAYOUT,))
    World(0).prepare()
    records.keep()
    page.keep()


class TooLate(AssertionError):
    """A part does not catch up."""


@contextmanager
def _nothing_by_chance(world: World) -> Iterator[None]:
    """Codes and ids are drawn from the seed too, and the relay's policies are watched."""
    drawn = Random(f"codes {world.seed}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_bytes", drawn.randbytes)
        patch.setattr(codes, "_drawn", [])
        patch.setattr(codes, "_side_by_side", [])
        patch.setattr(secrets, "token_hex", lambda size: f"{drawn.getrandbits(8 * size):0{2 * size}x}")
        patch.setattr(messages, "_random", drawn)
        patch.setattr(messages, "time_ns", lambda: int(1e9 * world.loop.time()))
        patch.setattr(listeners, "follow_by_relay", world.follow)
        patch.setattr(writer, "Statements", statements)
        patch.setattr(mypage, "ViewTables", view_tables)
        patch.setattr(mypage, "follow_the_file", lambda engine: None)
        yield


TROUBLES = (World._kill, World._kill, World._restart, World._freeze, World._lose_leases, World._move_clock)
