"""The wait list in words: a place on it is no booking, and nobody is told that it is one."""

from __future__ import annotations

from datetime import date

from domain.booking import BookingStatus
from domain.vaccine import AddStock, QuarantineLot
from tests.app.conftest import Kiosk
from tests.app.desks import book, levels, services_of
from tests.app.terminal import screen_text, see, wait_for
from tests.app.test_public_booking import fill_in, was_read
from tests.app.test_public_my_page import identify
from tests.clinics import STAFF


async def test_who_waits_is_asked_about_their_place_and_not_about_a_dose(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await fill_in(pilot, vaccine="2")
        await pilot.press("1")
        await see(pilot, "대기 신청되었습니다", "대기표 만들기")
        await was_read(pilot)
        await pilot.press("2")
        await see(pilot, "대기 신청이 취소됩니다", "맨 뒤에서 기다립니다")
        assert "다음 분" not in screen_text(app)
        app.speak("en")
        await see(pilot, "you leave the wait list")


async def test_who_booked_is_told_that_the_dose_goes_to_the_next(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다", "예약표 만들기")
        await was_read(pilot)
        await pilot.press("2")
        await see(pilot, "백신은 다음 분에게 돌아갑니다")


async def test_my_page_calls_a_place_on_the_wait_list_so(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app, vaccine=1)
        assert receipt.status is BookingStatus.WAITING
        await identify(pilot, "2", receipt.booking)
        await see(pilot, "대기: 코미나티", "아직 예약 아님", "원하는 일시: 11월 23일 (월)")
        await pilot.press("1")
        await see(pilot, "대기: 코미나티", "원하는 일시:", "대기표 만들기", "대기 신청 취소하기")
        assert "예약:" not in screen_text(app)
        await pilot.press("f9")
        await see(pilot, "Wait list: Comirnaty", "Wished:", "Leave the wait list")
        await pilot.press("f9")
        await was_read(pilot)
        await pilot.press("2" if "QR 코드" not in screen_text(app) else "3")
        await see(pilot, "대기 신청을 취소할까요?", "맨 뒤에서 기다립니다")
        await pilot.press("1")
        await wait_for(pilot, lambda: "상태: 취소됨" in screen_text(app))


async def test_who_lost_their_dose_is_told_why_they_wait_again(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app)
        [level, *_] = await levels(app)
        await services_of(app).gateway.send(QuarantineLot(level.vaccine.code, "LOT1", "recall"), STAFF)
        await services_of(app).settle()
        await identify(pilot, "2", receipt.booking)
        await see(pilot, "대기: 코미나티", "백신이 모자라 대기 명단으로 돌아간 예약입니다", "원하는 일시:")
        await pilot.press("1")
        await see(pilot, "상태: 대기 중", "백신이 모자라 대기 명단으로 돌아간 예약입니다")
        await pilot.press("f9")
        await see(pilot, "Doses ran short: the booking is back on the wait list.")
        await services_of(app).gateway.send(AddStock(level.vaccine.code, "LOT2", date(2028, 1, 1), 5), STAFF)
        await see(pilot, "State: booked")
        assert "ran short" not in screen_text(app)
