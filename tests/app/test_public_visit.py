"""A visit at the public terminal: it begins empty, speaks two languages, ends by itself, survives faults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from domain.errors import StorageUnavailable
from domain.gateway import Gateway
from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.screens import trouble
from kiosk.screens.help import HelpModal
from kiosk.screens.question import QuestionScreen
from kiosk.screens.still_there import StillThere
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.themes import CLINIC, HIGH_CONTRAST
from kiosk.widgets.bars import KeyBar
from kiosk.widgets.choice_list import ChoiceList
from tests.app.conftest import Kiosk
from tests.app.terminal import Hands, message_was_read, press_at_once, screen_text, see, type_text, wait_for
from tests.app.test_public_booking import choose_time, fill_in, my_items
from tests.clinics import TestClock

SECRET = "홍길동"


class StillClock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def stop_time(app: ClinicApp) -> StillClock:
    """Nobody grows impatient but by this clock."""
    clock = StillClock()
    app.idle.clock = clock
    app.idle.touch()
    return clock


async def type_a_name(pilot: Pilot[int]) -> None:
    """Get as far as a name."""
    await choose_time(pilot)
    await see(pilot, "이름은 무엇")
    await type_text(pilot, SECRET)
    await see(pilot, SECRET)


async def test_an_abandoned_visit_is_announced_and_then_emptied(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        time, home = stop_time(app), app.home
        await type_a_name(pilot)
        time.seconds += app.settings.idle_seconds - 10
        await see(pilot, "계속하시겠습니까?", "10초 뒤에")
        time.seconds += 4
        await see(pilot, "6초 뒤에")
        time.seconds += 6
        await wait_for(pilot, lambda: app.home is not home and app.home.focused)
        assert SECRET not in screen_text(app)
        await choose_time(pilot)
        await see(pilot, "이름은 무엇")
        assert SECRET not in screen_text(app)
        await pilot.press("ctrl+v")
        assert isinstance(app.screen, QuestionScreen)
        assert app.screen.field.value == ""


async def test_any_key_extends_the_visit_and_does_nothing_else(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        time = stop_time(app)
        await type_a_name(pilot)
        time.seconds += app.settings.idle_seconds - 5
        await see(pilot, "계속하시겠습니까?")
        await pilot.press("x")
        await wait_for(pilot, lambda: isinstance(app.screen, QuestionScreen))
        assert isinstance(app.screen, QuestionScreen)
        assert app.screen.field.value == SECRET
        time.seconds += app.settings.idle_seconds - 20
        await app._watch_idle()
        assert not isinstance(app.screen, StillThere)


async def test_nothing_of_a_visit_can_be_pasted_by_the_next_visitor(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await type_a_name(pilot)
        await pilot.press("ctrl+a", "shift+home", "ctrl+c", "shift+home", "ctrl+x")
        await app.go_home()
        assert app.clipboard == ""


async def test_the_language_changes_at_once_and_keeps_what_is_typed(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await type_a_name(pilot)
        await pilot.press("f9")
        await see(pilot, "Who is to be vaccinated?", SECRET, "Step 5 of 11", "Help")
        await pilot.press("f9")
        await see(pilot, "이름은 무엇", SECRET)
        await pilot.press("f9")
        await app.go_home()
        await see(pilot, "무엇을 도와드릴까요?")


async def test_home_goes_back_to_the_clinics_language_when_nobody_is_there(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        time = stop_time(app)
        await pilot.press("f9", "f10")
        await see(pilot, "How can we help you?")
        assert app.theme == HIGH_CONTRAST
        time.seconds += app.settings.idle_seconds + 1
        await see(pilot, "무엇을 도와드릴까요?")
        assert app.theme == CLINIC


async def test_help_names_the_keys_of_the_screen(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await pilot.press("1")
        await see(pilot, "어떤 백신")
        await pilot.press("f1")
        await see(pilot, "도움말", "Esc  뒤로", "F9  English")
        await pilot.press("f1", "escape")
        await see(pilot, "어떤 백신")


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c", "ctrl+z", "ctrl+p", "ctrl+d", "escape", "f4"])
async def test_no_key_ends_the_kiosk(kiosk: Kiosk, key: str) -> None:
    async with kiosk() as (app, pilot):
        await pilot.press(key, key)
        await see(pilot, "무엇을 도와드릴까요?")
        assert app.is_running


async def test_a_choice_made_before_the_clinic_is_open_waits_for_it(
    settings: Settings, clock: TestClock
) -> None:
    door = asyncio.Event()

    async def opener() -> Services:
        await door.wait()
        return await open_clinic(settings, clock)

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)) as pilot:
        await see(pilot, "무엇을 도와드릴까요?")
        await pilot.press("1")
        await see(pilot, "곧 열립니다")
        door.set()
        await see(pilot, "어떤 백신")


@pytest.mark.parametrize("error", [StorageUnavailable(reason="disk full"), RuntimeError("홍길동 010")])
async def test_a_clinic_that_cannot_be_opened_says_whom_to_call_and_can_be_tried_again(
    settings: Settings, clock: TestClock, error: Exception
) -> None:
    attempts: list[Exception] = [error]

    async def opener() -> Services:
        if attempts:
            raise attempts.pop()
        return await open_clinic(settings, clock)

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)) as pilot:
        await see(pilot, "이용할 수 없습니다", "직원을 불러", "Enter")
        assert SECRET not in screen_text(app)
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.services is not None)
        await see(pilot, "무엇을 도와드릴까요?")


async def test_a_clinic_that_cannot_be_opened_is_tried_again_by_itself(
    settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "AGAIN_SECONDS", 0.05)
    attempts: list[int] = []

    async def opener() -> Services:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise StorageUnavailable(reason="the server is away")
        return await open_clinic(settings, clock)

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)) as pilot:
        await wait_for(pilot, lambda: app.services is not None)
        await see(pilot, "무엇을 도와드릴까요?")
    assert len(attempts) == 3


async def test_it_is_not_tried_by_itself_behind_the_help(settings: Settings, clock: TestClock) -> None:
    attempts: list[int] = []

    async def opener() -> Services:
        attempts.append(len(attempts))
        raise StorageUnavailable(reason="the server is away")

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)) as pilot:
        await see(pilot, "이용할 수 없습니다", "스스로 다시 시도합니다")
        opening_failed = app.screen
        assert isinstance(opening_failed, trouble.OpeningFailedScreen)
        await pilot.press("f1")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpModal))
        opening_failed.action_again()
        await message_was_read(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is opening_failed)
    assert len(attempts) == 1


@pytest.mark.parametrize("where", ["action", "handler", "worker"])
async def test_a_screen_that_breaks_ends_the_visit_only_and_logs_no_personal_data(
    settings: Settings, clock: TestClock, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def opener() -> Services:
        return await open_clinic(settings, clock)

    def fail(*_: object) -> None:
        name = SECRET
        raise RuntimeError(f"no room for {name}")

    async def fail_later() -> None:
        fail()

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)):
        pilot = Hands(app)
        await wait_for(pilot, lambda: app.services is not None)
        await type_a_name(pilot)
        screen = app.screen
        assert isinstance(screen, QuestionScreen)
        if where == "action":
            screen.action_back = fail  # type: ignore[method-assign]
            await pilot.press("escape")
        elif where == "handler":
            screen.call_later(fail)
        else:
            screen.run_worker(fail_later())
        await see(pilot, "문제가 생겼습니다")
        assert SECRET not in screen_text(app)
        assert SECRET not in caplog.text
        assert "RuntimeError" in app.crashes[0]
        assert SECRET not in app.crashes[0]
        await pilot.press("enter")
        await see(pilot, "무엇을 도와드릴까요?")
        await type_a_name(pilot)
        app._exception = None


async def test_the_first_pin_is_shown_once_and_esc_does_not_lose_it(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "d", paper_folder=tmp_path / "p", log_folder=tmp_path / "l")

    async def opener() -> Services:
        return await open_clinic(settings)

    app = ClinicApp(opener, settings)
    async with app.run_test(size=(40, 16)) as pilot:
        await see(pilot, "운영자 PIN", "적어 두세요", "등록하세요")
        assert app.services
        assert app.services.first_pin
        pin = " ".join(app.services.first_pin)
        await pilot.press("escape")
        await see(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "적어 두셨습니까?")
        await pilot.press("2")
        await see(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "적어 두셨습니까?")
        await pilot.press("1")
        await see(pilot, "무엇을 도와드릴까요?")
        assert pin not in screen_text(app)


async def test_the_mouse_can_do_what_the_keys_do(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await pilot.click(ChoiceList, offset=(10, 1))
        await see(pilot, "어떤 백신", "> 1")
        for question in ("언제 오시", "몇 시에", "정확히 몇 분", "이름은 무엇"):
            await pilot.click(ChoiceList, offset=(10, 0))
            await see(pilot, question)
            await wait_for(pilot, lambda: "> 1" in screen_text(app) or "Enter" in screen_text(app))
        await pilot.click(".go")
        await see(pilot, "! 이 칸을 채워")
        await pilot.click(KeyBar, offset=(2, 0))
        await see(pilot, "정확히 몇 분")


async def test_keys_typed_fast_stay_in_order(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await choose_time(pilot)
        await see(pilot, "이름은 무엇")
        for key in ("a", "b", "backspace", "c", "left", "d", "end", "e"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        screen = app.screen
        assert isinstance(screen, QuestionScreen)
        await wait_for(pilot, lambda: screen.field.value == "adce")


async def test_what_was_sent_is_finished_although_the_visit_ends(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = asyncio.Event()
    send = Gateway.send

    async def slow(self: Gateway, *args: Any, **more: Any) -> Any:
        await door.wait()
        return await send(self, *args, **more)

    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        monkeypatch.setattr(Gateway, "send", slow)
        await pilot.press("1")
        await wait_for(pilot, lambda: app._writes)
        await app.go_home()
        door.set()
        await wait_for(pilot, lambda: not app._writes)
        assert [item.status for item in await my_items(app)] == ["reserved"]


async def test_while_the_kiosk_closes_it_waits_for_nobody(kiosk: Kiosk) -> None:
    """Its last writes may take longer than its screens."""
    seen: list[float | None] = []

    async def last_write(app: ClinicApp) -> None:
        while app.screen_stack:  # noqa: ASYNC110 - Textual has no event for it
            await asyncio.sleep(0)
        seen.append(app.idle_limit)

    async with kiosk() as (app, _):
        write = asyncio.create_task(app.shielded(last_write(app)))
        await asyncio.sleep(0)
    await write
    assert seen == [None]


async def test_keys_pressed_twice_lead_one_screen_on_and_one_screen_back(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        home = app.screen
        await press_at_once(pilot, "2", "2")
        await see(pilot, "번호")
        assert len(app.screen_stack) == 3, "textual's own, home, and my page once"
        await press_at_once(pilot, "escape", "escape")
        await wait_for(pilot, lambda: app.screen is home)
