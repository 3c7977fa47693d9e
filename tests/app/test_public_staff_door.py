"""The way to the desks, and the staff members' own page."""

from __future__ import annotations

import pytest

from domain.actors import Role
from domain.attempts import MOST_WRONG, PAUSE
from domain.errors import WrongPin
from domain.staff import EnrolStaff, ListStaff, Unlock
from kiosk.screens.home import HomeScreen
from kiosk.screens.staff_members import StaffMembersScreen
from tests.app.conftest import Kiosk
from tests.app.desks import services_of
from tests.app.terminal import press_soon, screen_text, see, type_text, wait_for
from tests.clinics import STAFF, TestClock


async def test_a_wrong_pin_is_refused_and_cannot_be_read(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        for wrong in ("", "[/red]", "x" * 10_000):
            await type_text(pilot, wrong)
            assert not wrong or wrong not in screen_text(app)
            await pilot.press("enter")
            await see(pilot, "! ")
            await wait_for(pilot, lambda: not app.screen.busy)  # type: ignore[attr-defined]


async def test_after_too_many_wrong_pins_the_seconds_are_counted_down_until_one_may_go_on(
    kiosk: Kiosk, clock: TestClock, pin: str
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        for _ in range(MOST_WRONG):
            with pytest.raises(WrongPin):
                await services_of(app).gateway.ask(Unlock("000000" if pin != "000000" else "111111"))
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "! 여러 번 틀렸습니다")
        seconds = PAUSE.seconds
        for passed in (7, 22):
            clock.move(seconds=passed)
            seconds -= passed
            await see(pilot, f"{seconds + 1}초 뒤에")
        clock.move(seconds=2)
        await wait_for(pilot, lambda: "!" not in screen_text(app), "it may be tried again")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "어디에서 일하시겠습니까?")


async def test_the_menu_shows_the_desks_of_ones_roles_and_locks(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        assert app.services
        new = await app.services.gateway.send(EnrolStaff("김접종", frozenset({Role.VACCINATOR})), STAFF)
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, new.pin)
        await pilot.press("enter")
        await see(pilot, "어디에서 일하시겠습니까?", "접종 창구", "김접종")
        assert "백신 관리" not in screen_text(app)
        assert "직원 관리" not in screen_text(app)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_the_kiosk_is_left_from_the_staff_menu_only_and_after_asking(kiosk: Kiosk, pin: str) -> None:
    async with kiosk() as (app, pilot):
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "프로그램 끝내기")
        await pilot.press("8")
        await see(pilot, "프로그램을 끝낼까요?")
        await pilot.press("1")
        await wait_for(pilot, lambda: app.return_code == 0)
    assert app.services is None


async def test_somebody_new_is_enrolled_and_the_pin_is_shown_once(kiosk: Kiosk, pin: str) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        assert app.services
        gateway = app.services.gateway
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "직원 관리")
        await pilot.press("4")
        await see(pilot, "직원 등록", "관리자")
        await pilot.press("f2")
        await see(pilot, "! 이 칸을 채워")
        await type_text(pilot, "이접종")
        await pilot.press("f2")
        await see(pilot, "역할을 하나 이상")
        await pilot.press("enter")
        await pilot.press("2", "f2")
        await see(pilot, "이접종 님을 등록합니다. 역할: 접종 관리자")
        await pilot.press("1")
        await see(pilot, "새 PIN", "다시 보여 드리지 않습니다")
        shown = next(line for line in screen_text(app).splitlines() if line.replace(" ", "").isdigit())
        actor = await gateway.ask(Unlock(shown.replace(" ", "")))
        assert (actor.name, actor.roles) == ("이접종", frozenset({Role.VACCINATOR}))
        message = app.screen
        await press_soon(pilot, "enter", 0.35)
        await pilot.press("escape", "space")
        assert app.screen is message, "it is said once, so no key loses it"
        await pilot.press("enter")
        await see(pilot, "적어 두셨습니까?")
        await pilot.press("enter")
        await see(pilot, shown, "적으신 뒤에")
        await pilot.press("enter")
        await see(pilot, "적어 두셨습니까?")
        await pilot.press("1")
        await wait_for(pilot, lambda: isinstance(app.screen, StaffMembersScreen))
        await see(pilot, "이접종")
        assert len(await gateway.ask(ListStaff(), STAFF)) == 2


async def test_staff_screens_lock_when_nobody_is_there(kiosk: Kiosk, pin: str) -> None:
    async with kiosk() as (app, pilot):
        seconds = [0.0]
        app.idle.clock = lambda: seconds[0]
        app.idle.touch()
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "어디에서 일하시겠습니까?")
        seconds[0] += 290
        await see(pilot, "10초 뒤에")
        seconds[0] += 11
        await wait_for(pilot, lambda: isinstance(app.screen, HomeScreen))
