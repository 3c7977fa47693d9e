"""Those who come to the clinic and those who work there: random wishes at random doors.

Some leave before they are answered, some press the key twice, some ask again when they do not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from domain.actors import RECIPIENT, STAFF_ROLES, Actor
from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import Book, CancelBooking, MarkNoShow
from domain.certificate import IssueCertificate, ReissueCertificate, RevokeCertificate
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import (
    ClinicBusy,
    ClinicError,
    OutcomeUnknown,
    PaperFailed,
    Resting,
    StorageUnavailable,
)
from domain.messages import Command
from domain.mypage import GetMyPage
from domain.orders import OrderIssue
from domain.parts import Part, PausePart, ResumePart, RetryTask
from domain.presentation import Site
from domain.recipient import PersonDetails
from domain.vaccine import AddStock, QuarantineLot, WriteOffStock
from domain.visit import CheckIn, CompleteInjection, FinishObservation, Screen
from tests.simulation.process import Died

if TYPE_CHECKING:
    from tests.simulation.world import World

NURSE = Actor("STEST", STAFF_ROLES, "김간호")
PEOPLE = 7
HONG = PersonDetails("홍길동", date(1945, 8, 15), "", "HONG", "GILDONG")
LOTS = ("LOT1", "LOT2")
MOST_TRIES = 4


class Somebody:
    """One of those who use the clinic, with a number of wishes."""

    def __init__(self, world: World, name: str, random: Random) -> None:
        self.world = world
        self.name = name
        self.random = random
        self.said = 0

    async def live(self, wishes: int) -> None:
        """One wish after the other."""
        for _ in range(wishes):
            await asyncio.sleep(self.random.random() * 0.2)
            wish = self.random.choices(list(WISHES), weights=list(WISHES.values()))[0]
            await wish(self)

    async def say(self, command: Command[Any], actor: Actor = NURSE) -> Any:
        """Until it is answered, or given up; answers None when it was refused or nobody knows."""
        self.said += 1
        command_id = f"{self.name}:{self.said}"
        name = type(command).__name__
        for _ in range(MOST_TRIES):
            if self.random.random() < 0.1:
                twice = [self._once(command, actor, command_id, name) for _ in range(2)]
                answer = (await asyncio.gather(*twice))[0]
            else:
                answer = await self._once(command, actor, command_id, name)
            if answer is not None or self.random.random() < 0.3:
                return answer[0] if answer else None
            await asyncio.sleep(self.random.random())
        return None

    async def surely(self, command: Command[Any]) -> Any:
        """Until it is answered, when nothing goes wrong any more but what rests or is slow from before."""
        self.said += 1
        self.world.asks(command)
        while True:
            door = await self.world.door(self.random)
            try:
                return await door.send(command, NURSE, f"{self.name}:{self.said}")
            except (Resting, StorageUnavailable, OutcomeUnknown):
                await asyncio.sleep(1.0)

    async def vaccinate(self, vaccine: str, slot: datetime) -> None:
        """Somebody new, from the booking to the wish for a certificate."""
        person = replace(HONG, phone=f"+8210{1_000 + self.said:08d}")
        receipt = await self.surely(Book(person, vaccine, slot))
        door = await self.world.door(self.random)
        await door.call(door.relay.settle())
        [(code,)] = self.world.records.rows("SELECT code FROM injection WHERE booking = ?", receipt.booking)
        await self.surely(CheckIn(code))
        await self.surely(Screen(code))
        await self.surely(CompleteInjection(code, LOTS[0], Site.LEFT_ARM, NURSE.name))
        await self.surely(ApplyForCertificate(code))

    async def _once(self, command: Command[Any], actor: Actor, command_id: str, name: str) -> Any:
        """The answer in a tuple; empty when it was refused for good, None when asking again makes sense."""
        self.world.asks(command)
        account = self.world.accounts
        door = await self.world.door(self.random)
        patience = self.random.choice((None, None, None, 0.02, 12.0))
        try:
            async with asyncio.timeout(patience):
                answer = await door.send(command, actor, command_id)
        except (Died, TimeoutError, OutcomeUnknown) as problem:
            self.world.note(f"{command_id} {name} at {door.name}: {type(problem).__name__}")
            account.nobody_knows(command_id)
            return None
        except ClinicError as refusal:
            self.world.note(f"{command_id} {name} at {door.name}: {refusal.code}")
            account.refused(command_id, refusal)
            return None if isinstance(refusal, PASSING) else ()
        self.world.note(f"{command_id} {name} at {door.name}: done")
        account.answered(command_id, name, answer)
        return (answer,)

    # -- wishes -----------------------------------------------------------------------------------

    async def book(self) -> None:
        number = self.random.randrange(PEOPLE)
        person = replace(HONG, phone=f"+8210{number:08d}")
        slot = self.random.choice(self.world.slots)
        join = self.random.random() < 0.9
        vaccine = self.random.choice(self.world.vaccines)
        await self.say(Book(person, vaccine, slot, join_wait_list=join))

    async def cancel(self) -> None:
        if row := self._one("SELECT code, recipient FROM booking"):
            await self.say(CancelBooking(row[0]), Actor(row[1], RECIPIENT))

    async def stay_away(self) -> None:
        if row := self._one("SELECT code FROM booking WHERE status = 'reserved'"):
            await self.say(MarkNoShow(row[0]))

    async def treat(self) -> None:
        """The next step of a visit, or all of them."""
        row = self._one("SELECT code, status FROM injection WHERE status IN ('expected', 'checked-in')")
        if row is None:
            return
        code, status = row
        if status == "expected":
            await self.say(CheckIn(code))
        if self.random.random() < 0.7:
            await self.say(Screen(code))
            await self.say(CompleteInjection(code, self.random.choice(LOTS), Site.LEFT_ARM, NURSE.name))

    async def observe(self) -> None:
        if row := self._one("SELECT code FROM injection WHERE status = 'completed'"):
            await self.say(FinishObservation(row[0]))

    async def correct(self) -> None:
        if row := self._one("SELECT code FROM injection WHERE status = 'completed'"):
            lot, site = self.random.choice((*LOTS, None)), self.random.choice(list(Site))
            await self.say(CorrectInjection(row[0], "seen on the vial", lot=lot, site=site))

    async def void(self) -> None:
        if row := self._one("SELECT code FROM injection WHERE status = 'completed'"):
            await self.say(VoidInjection(row[0], "another person", self.random.random() < 0.5))

    async def apply(self) -> None:
        if row := self._one("SELECT code, recipient FROM injection WHERE status = 'completed'"):
            await self.say(ApplyForCertificate(row[0]), Actor(row[1], RECIPIENT))

    async def cancel_application(self) -> None:
        if row := self._one("SELECT code, recipient FROM application"):
            await self.say(CancelApplication(row[0]), Actor(row[1], RECIPIENT))

    async def order(self) -> None:
        if ready := self._all("SELECT code FROM certificate WHERE status IN ('ready', 'cancelled')"):
            await self.say(OrderIssue(tuple(code for (code,) in ready)))

    async def issue(self) -> None:
        if row := self._one("SELECT code FROM certificate WHERE status = 'ready'"):
            await self.say(IssueCertificate(row[0]))

    async def replace(self) -> None:
        if row := self._one("SELECT code FROM certificate WHERE status = 'issued'"):
            change = self.random.choice((RevokeCertificate, ReissueCertificate))
            await self.say(change(row[0], "asked for"))

    async def deliver(self) -> None:
        expires_on = self.world.clinic.today(self.world.start) + self.world.shelf_life
        vaccine, lot = self.random.choice(self.world.vaccines), self.random.choice(LOTS)
        await self.say(AddStock(vaccine, lot, expires_on, self.random.randint(1, 3)))

    async def lose(self) -> None:
        vaccine, lot = self.random.choice(self.world.vaccines), self.random.choice(LOTS)
        if self.random.random() < 0.2:
            await self.say(QuarantineLot(vaccine, lot, "recalled"))
        else:
            await self.say(WriteOffStock(vaccine, lot, 1, "fell down"))

    async def pause(self) -> None:
        """For a while."""
        part = self.random.choice(list(Part))
        await self.say(PausePart(part))
        await asyncio.sleep(self.random.random())
        await self.say(ResumePart(part))

    async def retry(self) -> None:
        if row := self._one("SELECT code FROM task WHERE status = 'aside'"):
            await self.say(RetryTask(row[0]))

    async def look(self) -> None:
        """At a page."""
        row = self._one("SELECT code FROM recipient")
        if row is None:
            return
        door = await self.world.door(self.random)
        try:
            page = await door.call(door.gateway.ask(GetMyPage(), Actor(row[0], RECIPIENT)))
        except (ClinicError, Died):
            return
        self.world.pages.append((row[0], page))

    def _all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.world.records.rows(f"{sql} ORDER BY seq" if " ORDER " not in sql else sql)

    def _one(self, sql: str) -> tuple[Any, ...] | None:
        """Any; the newest most often, for there is most to come of it."""
        rows = self._all(sql)
        if not rows:
            return None
        return rows[-1] if self.random.random() < 0.5 else self.random.choice(rows)


PASSING = (StorageUnavailable, ClinicBusy, Resting, PaperFailed)
"""Refusals after which people try again."""

WISHES: dict[Callable[[Somebody], Awaitable[None]], int] = {
    Somebody.book: 8,
    Somebody.cancel: 5,
    Somebody.stay_away: 1,
    Somebody.treat: 8,
    Somebody.observe: 1,
    Somebody.correct: 2,
    Somebody.void: 2,
    Somebody.apply: 4,
    Somebody.cancel_application: 2,
    Somebody.order: 6,
    Somebody.issue: 1,
    Somebody.replace: 1,
    Somebody.deliver: 4,
    Somebody.lose: 2,
    Somebody.pause: 1,
    Somebody.retry: 2,
    Somebody.look: 2,
}
"""How often each is wished for, against the others."""
