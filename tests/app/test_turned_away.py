"""Turned away for a while: why, what was kept, when to come back, in words; nothing is done twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot

from domain.errors import ClinicBusy, OutcomeUnknown, StorageUnavailable
from domain.ports import Foreseen, UnitOfWork, Writer
from domain.resilience import Breaker, Breakers
from domain.staff import ListStaff, Unlock
from kiosk.app import ClinicApp
from kiosk.screens import sending
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.my_page import MyPageListScreen
from kiosk.screens.staff_members import StaffMembersScreen
from kiosk.settings import Settings
from kiosk.widgets.field import Field
from kiosk.widgets.patience import ComeBack
from tests.app.conftest import Kiosk
from tests.app.desks import at_desk, levels, lots, services_of
from tests.app.terminal import screen_text, see, type_text, wait_for
from tests.app.test_public_booking import choose_time, fill_in, my_items, was_read
from tests.app.test_public_my_page import book, identify, issue, vaccinate
from tests.clinics import STAFF

R = TypeVar("R")
SMALLEST = (40, 16)


@asynccontextmanager
async def crowd(app: ClinicApp) -> AsyncIterator[None]:
    """The writer is at something long, and somebody waits already."""
    writer: Any = services_of(app).gateway.writer
    begun, go = threading.Event(), threading.Event()

    def long(uow: UnitOfWork) -> None:
        begun.set()
        go.wait()

    jobs = [asyncio.create_task(writer.run_behind(long, "long-1", "Long"))]
    await asyncio.to_thread(begun.wait)
    jobs.append(asyncio.create_task(writer.run_behind(long, "long-2", "Long")))
    while not writer.queued:  # noqa: ASYNC110 - the writer has its own thread
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        go.set()
        await asyncio.gather(*jobs)


class Rest:
    """A part that has failed often enough to be let alone, until the test says that its time is over."""

    def __init__(self, breaker: Breaker, seconds: float = 1.0) -> None:
        self._seconds, self._now = seconds, 0.0
        self._breaker = breaker
        breaker.rest, breaker.now = seconds, lambda: self._now

    async def begin(self) -> Rest:
        for _ in range(self._breaker.failures):
            with pytest.raises(StorageUnavailable):
                await self._breaker.call(self._fails)
        return self

    async def _fails(self) -> None:
        raise StorageUnavailable(reason="disk I/O error")

    def end(self) -> None:
        self._now += self._seconds


@dataclass
class LostAnswers:
    """The real writer: what it is asked is done, but the next answers get lost on their way back."""

    writer: Writer
    name: str
    lost: int
    then: list[Exception] = field(default_factory=list)
    """How later attempts end before they are begun."""
    ids: list[str] = field(default_factory=list)

    def admit(self) -> None:
        self.writer.admit()

    async def run(
        self, work: Callable[[UnitOfWork], R], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> R:
        if name != self.name:
            return await self.writer.run(work, command_id, name, foreseen)
        self.ids.append(command_id)
        if not self.lost and self.then:
            raise self.then.pop(0)
        answer = await self.writer.run(work, command_id, name, foreseen)
        if self.lost:
            self.lost -= 1
            raise OutcomeUnknown
        return answer


def lose_answers(app: ClinicApp, name: str, lost: int, then: list[Exception] | None = None) -> LostAnswers:
    """From now on the screens that are opened get no answers to these commands."""
    services = services_of(app)
    losing = LostAnswers(services.gateway.writer, name, lost, then or [])
    app.services = replace(services, gateway=replace(services.gateway, writer=losing))
    return losing


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What became of a command is looked up without a pause."""
    monkeypatch.setattr(sending, "LOOK_AGAIN", (0.0, 0.0, 0.0))


def calm(app: ClinicApp) -> bool:
    """Nothing on the screen says that somebody did something wrong."""
    return (
        isinstance(app.screen, ComeBack)
        and not app.screen.has_class("-alarm")
        and "!" not in screen_text(app)
    )


# -- too many people --------------------------------------------------------------------------------


async def test_a_busy_clinic_asks_to_come_back_and_keeps_everything_that_was_entered(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk(size=SMALLEST, settings=replace(settings, patience_seconds=0.0)) as (app, pilot):
        await fill_in(pilot)
        review = app.screen
        async with crowd(app):
            await pilot.press("1")
            await see(
                pilot, "잠시 뒤에 다시", "이용하는 분이 많습니다", "바뀐 것은 없습니다", "그대로 있습니다"
            )
            assert calm(app)
            app.speak("en")
            await see(pilot, "Please try again in a moment", "in about 1 seconds", "is still here")
            assert calm(app)
            app.speak("ko")
            await see(pilot, "이제 다시 하실 수 있습니다")
            await pilot.press("escape")
            await wait_for(pilot, lambda: app.screen is review)
            await see(pilot, "모두 맞습니까", "홍길동")
            await was_read(pilot)
            await pilot.press("1")
            await wait_for(pilot, lambda: isinstance(app.screen, ComeBack))
        assert await my_items(app) == []
        await pilot.press("enter")
        await see(pilot, "예약되었습니다")
        assert len(await my_items(app)) == 1


async def test_a_desk_is_asked_to_come_back_too_and_its_form_stays_as_it_is(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk(settings=replace(settings, patience_seconds=0.0)) as (app, pilot):
        vaccine = (await levels(app))[0].vaccine
        form = AddStockScreen(services_of(app), STAFF, lambda words: None, vaccine)
        await app.push_screen(form)
        for field_, value in zip(form.query(Field), ("LOT9", "20280101", "7"), strict=True):
            field_.value = value
        async with crowd(app):
            await pilot.press("f2")
            await see(pilot, "이용하는 분이 많습니다", "입력하신 내용은 그대로")
            assert calm(app)
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is not form and not isinstance(app.screen, ComeBack))
        assert [lot.remaining for lot in await lots(app) if lot.number == "LOT9"] == [7]


# -- parts that rest ----------------------------------------------------------------------------------


async def test_my_page_that_rests_says_what_is_kept_and_comes_by_itself(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        receipt = await book(app)
        my_page = await Rest(services_of(app).gateway.breakers.my_page).begin()
        await identify(pilot, "2", receipt.booking)
        await see(
            pilot, "내 정보를 보여 드릴 수 없습니다", "예약과 신청은 그대로 남아 있습니다", "약 1초 뒤에"
        )
        assert calm(app)
        my_page.end()
        await see(pilot, "무엇을 보시겠습니까?", "예약됨")


async def test_whoever_does_not_want_to_wait_for_my_page_is_let_go(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        receipt = await book(app)
        await Rest(services_of(app).gateway.breakers.my_page, 60).begin()
        app.speak("en")
        await identify_in_english(pilot, receipt.booking)
        await see(
            pilot, "My page cannot be shown just now", "booked and applied for is kept", "about 60 seconds"
        )
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, MyPageListScreen))
        await pilot.pause(0.3)
        assert isinstance(app.screen, MyPageListScreen), "it is not said again and again"
        await pilot.press("escape")
        await see(pilot, "무엇을 도와드릴까요?")


async def identify_in_english(pilot: Pilot[int], code: str) -> None:
    await pilot.press("2")
    await see(pilot, "> 1")
    await pilot.press("1")
    await see(pilot, "Enter")
    await type_text(pilot, code)
    await pilot.press("enter")


async def test_news_that_cannot_be_fetched_disturb_nobody_and_come_later(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await identify(pilot, "2", receipt.booking)
        await see(pilot, "무엇을 보시겠습니까?", "예약됨")
        page = app.screen
        my_page = await Rest(services_of(app).gateway.breakers.my_page).begin()
        await vaccinate(app, receipt.booking)
        await pilot.pause(0.3)
        assert app.screen is page
        my_page.end()
        await see(pilot, "접종 완료")
        assert app.screen is page


async def test_records_that_cannot_be_reached_are_asked_for_again_by_the_booking(kiosk: Kiosk) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        services = services_of(app)
        breakers = Breakers.for_server()
        app.services = replace(services, gateway=replace(services.gateway, breakers=breakers))
        assert breakers.records
        records = await Rest(breakers.records).begin()
        await pilot.press("1")
        await see(pilot, "기록에 연결할 수 없습니다", "약 1초 뒤에", "직원에게")
        records.end()
        await see(pilot, "어떤 백신", "50회분 남음")
        await pilot.press("escape")
        await choose_time(pilot)
        await see(pilot, "이름은 무엇")


@pytest.mark.parametrize(
    ("part", "korean", "english"),
    [
        ("issuing", "지금은 증명서를 만들 수 없습니다. 신청은 그대로", "The application is kept"),
        ("printing", "지금은 출력할 수 없습니다. 기록은 안전합니다", "The record itself is safe"),
    ],
)
async def test_paper_that_cannot_be_made_now_is_made_by_enter_later(
    kiosk: Kiosk, part: str, korean: str, english: str
) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await identify(pilot, "3", receipt.booking)
        await see(pilot, "신청 안 함")
        await pilot.press("1")
        await see(pilot, "증명서 신청하기")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "증명서를 신청할까요?")
        await pilot.press("1")
        await issue(app)
        await see(pilot, "증명서 만들기")
        await was_read(pilot)
        resting = await Rest(getattr(services_of(app).gateway.breakers, part)).begin()
        await pilot.press("1")
        await see(pilot, korean, "약 1초 뒤에")
        assert calm(app)
        app.speak("en")
        await see(pilot, english, "about 1 seconds", "You can try again now")
        app.speak("ko")
        resting.end()
        await pilot.press("enter")
        await see(pilot, "만들었습니다")


# -- answers that get lost ----------------------------------------------------------------------------


async def test_an_answer_that_gets_lost_is_looked_up_before_anybody_is_troubled(
    kiosk: Kiosk, at_once: None
) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        losing = lose_answers(app, "Book", lost=2)
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다", "예약 번호")
        assert len(losing.ids) == 3
        assert len(set(losing.ids)) == 1
        assert len(await my_items(app)) == 1


async def test_while_nobody_knows_trying_again_is_looking_it_up(kiosk: Kiosk, at_once: None) -> None:
    async with kiosk(size=SMALLEST) as (app, pilot):
        losing = lose_answers(app, "Book", lost=3)
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "확인이 필요합니다", "저장되었는지 아직 알 수 없습니다", "두 번 처리되지 않습니다")
        assert calm(app)
        app.speak("en")
        await see(pilot, "whether it was saved", "it is not done twice")
        app.speak("ko")
        await pilot.press("enter")
        await see(pilot, "예약되었습니다")
        assert len(set(losing.ids)) == 1
        assert len(await my_items(app)) == 1


async def test_the_same_wish_from_another_page_is_looked_up_too(kiosk: Kiosk, at_once: None) -> None:
    async with kiosk() as (app, pilot):
        losing = lose_answers(app, "Book", lost=3)
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "확인이 필요합니다")
        await pilot.press("escape", "escape")
        await see(pilot, "성별")
        await pilot.press("2")
        await see(pilot, "모두 맞습니까")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다")
        assert len(set(losing.ids)) == 1
        assert len(await my_items(app)) == 1


async def test_a_clinic_that_is_busy_then_does_not_claim_that_nothing_was_done(
    kiosk: Kiosk, at_once: None
) -> None:
    async with kiosk() as (app, pilot):
        lose_answers(
            app, "Book", lost=1, then=[ClinicBusy(seconds=1), StorageUnavailable(reason="disk I/O error")]
        )
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "저장되었는지 아직 알 수 없습니다")
        assert "바뀐 것은 없습니다" not in screen_text(app)
        await pilot.press("enter")
        await see(pilot, "예약되었습니다")
        assert len(await my_items(app)) == 1


async def test_a_wish_is_forgotten_with_the_visit(kiosk: Kiosk, at_once: None) -> None:
    async with kiosk() as (app, pilot):
        losing = lose_answers(app, "Book", lost=3)
        for expected in ("확인이 필요합니다", "이미 예약하셨습니다"):
            await fill_in(pilot)
            await pilot.press("1")
            await see(pilot, expected)
            await app.go_home()
        assert len(set(losing.ids)) == 2


async def test_a_pin_whose_answer_got_lost_is_made_anew_so_that_the_one_shown_opens(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        lose_answers(app, "RecordStaff", lost=1)
        await at_desk(app, StaffMembersScreen)
        await see(pilot, "관리자")
        await type_text(pilot, "이접종")
        await pilot.press("tab", "2", "f2")
        await see(pilot, "이접종 님을 등록합니다")
        await pilot.press("1")
        await see(pilot, "저장되었는지 확실하지 않습니다")
        await pilot.press("enter", "f2")
        await see(pilot, "이접종 님은 이미 등록되어 있습니다")
        await pilot.press("1")
        await see(pilot, "새 PIN")
        shown = next(line for line in screen_text(app).splitlines() if line.replace(" ", "").isdigit())
        gateway = services_of(app).gateway
        assert (await gateway.ask(Unlock(shown.replace(" ", "")))).name == "이접종"
        assert len(await gateway.ask(ListStaff(), STAFF)) == 2
