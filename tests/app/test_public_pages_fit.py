"""Letters of 12 mm leave 40 x 16 cells: every public page shows its whole question on them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from kiosk.app import ClinicApp
from kiosk.screens.booking_done import BookingDoneScreen
from kiosk.screens.question import QuestionScreen
from kiosk.widgets.choice_list import ChoiceList
from kiosk.widgets.field import Field
from kiosk.widgets.modals import Confirm
from tests.app.conftest import Kiosk
from tests.app.terminal import readable, screen_text, see, type_text, wait_for
from tests.app.test_public_my_page import book, vaccinate

SMALLEST = (40, 16)


def whole(app: ClinicApp) -> None:
    """Everything of the page stands on the terminal, above the line of keys, and the list shows a choice."""
    height = app.size.height
    for widget in app.screen.query("#page > *"):
        if widget.display and widget.region.height:
            assert widget.region.bottom < height, f"{widget} ends below:\n{screen_text(app)}"
            assert widget.virtual_size.height <= widget.size.height or isinstance(widget, Field)
    for choices in app.screen.query(ChoiceList):
        if choices.display:
            assert "> 1" in screen_text(app)
    for line in screen_text(app).splitlines():
        assert "…" not in line.rstrip("…"), line


async def next_page(pilot: Pilot[int], key: str, text: str = "") -> None:
    """Answer a question, and look at the page that follows."""
    app = pilot.app
    assert isinstance(app, ClinicApp)
    if text:
        await type_text(pilot, text)
    before = screen_text(app)
    await pilot.press(key)
    await wait_for(pilot, lambda: (screen_text(app) != before and "> 1" in screen_text(app)) or _types(app))
    await pilot.pause(0.3)
    whole(app)


def _types(app: ClinicApp) -> bool:
    screen = app.screen
    return isinstance(screen, QuestionScreen) and screen.step.parse is not None


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_booking(kiosk: Kiosk, language: str) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        app.speak(language)
        whole(app)
        for key in ("1", "2", "1", "1", "1"):
            await next_page(pilot, key)
        for wrong, right in (
            ("[/red] (((((", "홍길동"), ("2099-12-31", "19450815"), ("전화번호", "01012345678"),
            ("홍", "HONG"), ("길동", "GILDONG"),
        ):  # fmt: skip
            await next_page(pilot, "enter", wrong)
            assert isinstance(app.screen, QuestionScreen)
            app.screen.field.value = ""
            await next_page(pilot, "enter", right)
        await next_page(pilot, "3")
        screen = app.screen
        assert isinstance(screen, QuestionScreen)
        await wait_for(pilot, lambda: readable(screen))
        await pilot.press("1")
        await wait_for(pilot, lambda: isinstance(app.screen, BookingDoneScreen))
        await pilot.pause(0.3)
        whole(app)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_my_page_and_certificates(kiosk: Kiosk, language: str) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        app.speak(language)
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        for place in ("2", "3"):
            await next_page(pilot, place)
            await next_page(pilot, "1")
            await next_page(pilot, "enter", "wrong code")
            assert isinstance(app.screen, QuestionScreen)
            app.screen.field.value = ""
            await next_page(pilot, "enter", receipt.booking)
            await wait_for(pilot, lambda: "> 1" in screen_text(app))
            await next_page(pilot, "2" if place == "2" else "1")
            await app.go_home()
            app.speak(language)


async def test_the_staff_door(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        whole(app)


@pytest.mark.parametrize("size", [SMALLEST, (80, 24)])
async def test_a_question_that_is_longer_than_its_room_is_read_by_the_arrows_and_answered_by_number(
    kiosk: Kiosk, size: tuple[int, int]
) -> None:
    lines, answers = [f"({number})" for number in range(30)], []
    async with kiosk(size=size) as (app, pilot):
        question = Confirm("shell.welcome.sure", lambda _: "\n".join(lines), yes="shell.welcome.yes")
        await app.push_screen(question, answers.append)
        await see(pilot, lines[0], "아래로")
        for there, back in (("down", "up"), ("pagedown", "pageup")):
            await pilot.press(there)
            await wait_for(pilot, lambda: lines[0] not in screen_text(app))
            await pilot.press(back)
            await see(pilot, lines[0])
            await pilot.press(*[there] * len(lines))
            await see(pilot, lines[-1])
            assert question.query_one(ChoiceList).cursor == 1
            await pilot.press(*[back] * len(lines))
            await see(pilot, lines[0])
        await pilot.press("1")
        await wait_for(pilot, lambda: answers == [True])


async def test_in_a_question_that_fits_the_arrows_choose(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        question = Confirm("shell.welcome.sure", "shell.welcome.sure_body", yes="shell.welcome.yes")
        await app.push_screen(question)
        await wait_for(pilot, lambda: question.query_one(ChoiceList).cursor == 1)
        assert "아래로" not in screen_text(app)
        await pilot.press("up")
        await wait_for(pilot, lambda: question.query_one(ChoiceList).cursor == 0)
