"""Whoever waits for paper is told so, for how long at most, and sees that something moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from textual.pilot import Pilot

from domain.booking import TicketFacts
from domain.ports import Press
from domain.statement import CertificateFacts, Credential
from kiosk.app import ClinicApp
from kiosk.screens.certificate_issue import CertificateIssueScreen
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.help import HelpModal
from kiosk.widgets.countdown import Countdown
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.field import Field
from kiosk.widgets.patience import Wait
from kiosk.widgets.progress import Progress
from tests.app.conftest import Kiosk
from tests.app.desks import apply, at_desk, levels, services_of
from tests.app.terminal import screen_text, see, wait_for
from tests.app.test_public_booking import was_read
from tests.app.test_public_my_page import book, identify
from tests.app.test_turned_away import crowd
from tests.clinics import STAFF

SMALLEST = (40, 16)


@dataclass
class HeldPress:
    """Makes no paper until the test lets it."""

    press: Press
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        await self.go.wait()
        return await self.press.certificate(facts, credential)

    async def ticket(self, ticket: TicketFacts) -> bytes:
        await self.go.wait()
        return await self.press.ticket(ticket)


@contextmanager
def held_press(app: ClinicApp) -> Iterator[HeldPress]:
    """The screens that are opened from now on wait for their paper, at most to the end of the block."""
    services = services_of(app)
    press = HeldPress(services.gateway.press)
    app.services = replace(services, gateway=replace(services.gateway, press=press))
    try:
        yield press
    finally:
        press.go.set()


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def ask_for_a_ticket(app: ClinicApp, pilot: Pilot[int]) -> None:
    receipt = await book(app)
    await identify(pilot, "2", receipt.booking)
    await see(pilot, "무엇을 보시겠습니까?", "> 1")
    await pilot.press("1")
    await see(pilot, "예약표 만들기")
    await was_read(pilot)
    await pilot.press("1")


async def test_a_person_who_waits_for_paper_sees_what_is_done_and_how_long_it_takes(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        with held_press(app) as press:
            await ask_for_a_ticket(app, pilot)
            await see(pilot, "종이를 만들고 있습니다", "바로 알려 드립니다", "길어도")
            app.speak("en")
            await see(pilot, "Your paper is being made", "seconds at most")
            app.speak("ko")
            await pilot.press("escape", "enter", "1")
            assert isinstance(app.screen, Wait), "no key cuts it short or begins it twice"
            press.go.set()
            await see(pilot, "만들었습니다", "ticket-")
            await pilot.press("enter")
            await see(pilot, "예약표 만들기")
            assert len(list(app.settings.paper_folder.glob("ticket-*.pdf"))) == 1


async def test_at_a_printer_it_says_so_and_the_terminal_does_not_count_as_abandoned(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        with held_press(app) as press:
            app.settings = replace(app.settings, printer="office", print_deadline_seconds=25)
            await ask_for_a_ticket(app, pilot)
            await see(pilot, "출력하고 있습니다", "프린터에서 종이가 나올 때까지")
            app.speak("en")
            await see(pilot, "Printing", "until the paper comes out of the printer")
            clock = Clock(app.idle.clock())
            app.idle.clock = clock
            for _ in range(2):
                clock.seconds += app.settings.idle_seconds / 2
                await wait_for(pilot, lambda: app.idle.left(600) == 600, "somebody is there")
            assert isinstance(app.screen, Wait)
            press.go.set()
            await see(pilot, "ticket-")


async def test_help_over_the_notice_does_not_keep_the_answer_back(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        with held_press(app) as press:
            await ask_for_a_ticket(app, pilot)
            await see(pilot, "종이를 만들고 있습니다")
            app.action_help()
            await wait_for(pilot, lambda: isinstance(app.screen, HelpModal) and app.screen.is_mounted)
            press.go.set()
            await see(pilot, "만들었습니다")
            await pilot.press("enter", "escape")
            await see(pilot, "예약표 만들기", "> 1")
            assert not any(isinstance(screen, Wait) for screen in app.screen_stack)


async def test_a_form_whose_answer_takes_a_while_says_so_and_closes_behind_help(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        vaccine, told = (await levels(app))[0].vaccine, []
        form = AddStockScreen(services_of(app), STAFF, told.append, vaccine)
        await app.push_screen(form)
        for entry, value in zip(form.query(Field), ("LOT9", "20280101", "7"), strict=True):
            entry.value = value
        async with crowd(app):
            await pilot.press("f2")
            await see(pilot, "잠시만 기다려 주세요", "기록하고 있습니다")
            app.action_help()
            await wait_for(pilot, lambda: isinstance(app.screen, HelpModal) and app.screen.is_mounted)
        await wait_for(pilot, lambda: not form.busy)
        assert isinstance(app.screen, HelpModal), "what is being read is not taken away"
        await pilot.press("escape")
        await wait_for(pilot, lambda: told and form not in app.screen_stack)


async def test_an_officer_waits_for_the_one_certificate_with_the_same_notice(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await apply(app, 1, "홍길동")
        with held_press(app) as press:
            await at_desk(app, CertificateIssueScreen)
            await wait_for(pilot, lambda: app.screen.query_one(DeskTable).row_count)
            await pilot.press("enter")
            await see(pilot, "종이를 만들고 있습니다")
            press.go.set()
            await see(pilot, "발급했습니다: 홍길동")


async def test_the_seconds_go_down_and_the_bar_moves_until_the_time_is_over(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        clock = Clock()
        countdown = Countdown(30, "shell.wait.left", "shell.wait.nearly", clock)
        await app.screen.mount(countdown)
        await wait_for(pilot, lambda: "길어도 30초" in screen_text(app))
        places = set()
        for _ in range(8):
            clock.seconds += 0.5
            places.add(countdown.filled(40))
            assert 0 <= countdown.filled(40).start < countdown.filled(40).stop <= 40
        assert len(places) > 4
        await wait_for(pilot, lambda: "길어도 26초" in screen_text(app))
        clock.seconds += 30
        await wait_for(pilot, lambda: "거의 끝났습니다" in screen_text(app))


async def test_no_syllable_is_cut_by_the_end_of_the_bar(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        progress = Progress()
        await app.screen.mount(progress)
        progress.total = 40
        for done in range(41):
            progress.done = done
            await wait_for(pilot, lambda done=done: f"40건 중 {done}건" in screen_text(app))  # type: ignore[misc]
