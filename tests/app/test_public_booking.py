"""Booking at the public terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pytest
from textual.pilot import Pilot

from domain.attempts import MOST_WRONG, PAUSE
from domain.booking import Book, CancelBooking
from domain.codes import Kind, new_code
from domain.errors import ClinicError, NotIdentified
from domain.mypage import GetMyPage, IdentifyByCode, IdentifyByDetails, MyPageItem
from domain.vaccine import AddStock, ListLots, ListVaccines, WriteOffStock
from kiosk.app import ClinicApp
from kiosk.screens.base import PublicScreen
from kiosk.screens.booking import BookingScreen
from kiosk.screens.booking_done import BookingDoneScreen
from kiosk.widgets.modals import Message
from kiosk.widgets.on_top import READING_SECONDS
from tests.app.conftest import Kiosk
from tests.app.desks import book, services_of, vaccinate
from tests.app.terminal import press_at_once, press_soon, readable, screen_text, see, type_text, wait_for
from tests.clinics import STAFF, TestClock, person

ANSWERS = {
    "name": ("이름은 무엇", "홍길동"),
    "birth_date": ("생년월일은", "19450815"),
    "phone": ("전화번호는", "01012345678"),
    "passport_surname": ("영문 성은", ""),
    "passport_given": ("영문 이름은", "gildong"),
}
"""What is asked of the person, and an answer to each; Enter alone takes the offered surname."""


async def choose_time(pilot: Pilot[int], vaccine: str = "1", day: str = "1") -> None:
    """Vaccine, the day, its first hour, the first slot."""
    await pilot.press("1")
    await see(pilot, "어떤 백신", "> 1")
    await pilot.press(vaccine)
    for question, answer in (("언제 오시", day), ("몇 시에", "1"), ("정확히 몇 분", "1")):
        await see(pilot, question, "> 1")
        await pilot.press(answer)


async def tell(pilot: Pilot[int], fields: Iterable[str] = ANSWERS) -> None:
    """Answer these questions about the person."""
    for field in fields:
        question, answer = ANSWERS[field]
        await see(pilot, question)
        if answer:
            await type_text(pilot, answer)
        await pilot.press("enter")


async def fill_in(pilot: Pilot[int], vaccine: str = "1", day: str = "1") -> None:
    """Answer every question up to the review, and read it."""
    await choose_time(pilot, vaccine, day)
    await tell(pilot)
    await see(pilot, "성별")
    await pilot.press("2")
    await see(pilot, "모두 맞습니까")
    await was_read(pilot)


async def was_read(pilot: Pilot[int]) -> None:
    """Until the page has stood long enough to be read."""
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, PublicScreen) and readable(pilot.app.screen))


async def my_items(app: ClinicApp) -> list[MyPageItem]:
    """What the clinic knows of the person who booked."""
    assert app.services
    await app.services.settle()
    gateway = app.services.gateway
    try:
        me = await gateway.ask(IdentifyByDetails("홍길동", "19450815", "01012345678"))
    except NotIdentified:
        return []
    return (await gateway.ask(GetMyPage(), me)).items


async def test_everything_is_read_back_and_enter_pressed_twice_books_once(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await fill_in(pilot)
        await see(pilot, "홍길동", "1945년 8월 15일", "010-1234-5678", "HONG GILDONG", "남성", "코미나티")
        await press_at_once(pilot, "enter", "enter")
        await see(pilot, "예약되었습니다")
        assert [item.status for item in await my_items(app)] == ["reserved"]


async def test_a_confirmation_sent_twice_has_one_command_id(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        screen = app.screen
        assert isinstance(screen, BookingScreen)
        screen._book()
        screen.busy = False  # as if the first had not been noticed
        screen._book()
        await see(pilot, "예약되었습니다")
        assert len(await my_items(app)) == 1


async def test_the_second_enter_of_the_last_question_does_not_book(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await choose_time(pilot)
        await tell(pilot)
        await see(pilot, "성별")
        await press_at_once(pilot, "enter", "enter")
        await see(pilot, "모두 맞습니까")
        assert await my_items(app) == []


async def test_the_key_that_answers_a_question_pressed_twice_does_not_answer_the_next(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await pilot.press("1")
        await see(pilot, "어떤 백신", "> 1")
        screen = app.screen
        assert isinstance(screen, BookingScreen)
        await press_soon(pilot, "1", 0.2)
        assert screen.step.name == "vaccine", "it opened this page"
        await press_soon(pilot, "enter", 0.2)
        await see(pilot, "언제 오시", "> 1")
        await press_soon(pilot, "enter", 0.4)
        assert screen.step.name == "day", "it chose the vaccine"
        await press_soon(pilot, "enter", READING_SECONDS)
        await see(pilot, "몇 시에", "> 1")
        await press_soon(pilot, "1", 0.0)
        await see(pilot, "정확히 몇 분")


async def closes_only_when_read(app: ClinicApp, pilot: Pilot[int]) -> None:
    """The message that is shown stays when the key that led to it was pressed twice."""
    message = app.screen
    assert isinstance(message, Message)
    for key in ("enter", "space", "escape"):
        await press_soon(pilot, key, 0.35)
        assert app.screen is message, f"{key}: nobody has read it yet"
    await press_soon(pilot, "enter", READING_SECONDS)
    await wait_for(pilot, lambda: app.screen is not message)


async def test_the_result_says_the_code_in_threes_and_makes_a_ticket(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다", "신분증")
        screen = app.screen
        assert isinstance(screen, BookingDoneScreen)
        code = screen._receipt.booking
        assert f"{code[:3]}-{code[3:6]}-{code[6:]}" in screen_text(app)
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "만들었습니다", f"ticket-{code}.pdf")
        await closes_only_when_read(app, pilot)
        assert (app.settings.paper_folder / f"ticket-{code}.pdf").read_bytes().startswith(b"%PDF")


async def test_a_sold_out_vaccine_is_booked_as_a_place_on_the_wait_list_and_called_so(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await pilot.press("1")
        await see(pilot, "대기 신청만 가능")
        await pilot.press("escape")
        await fill_in(pilot, vaccine="2")
        await see(pilot, "대기 신청합니다", "대기 신청입니다")
        await pilot.press("1")
        await see(pilot, "아직 예약된 것은")
        assert [item.status for item in await my_items(app)] == ["waiting"]


async def test_when_the_last_dose_goes_meanwhile_the_wait_list_is_offered(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot, vaccine="3")
        screen, services = app.screen, app.services
        assert services
        assert isinstance(screen, BookingScreen)
        level = (await services.gateway.ask(ListVaccines()))[2]
        await services.gateway.send(Book(person(7), level.vaccine.code, screen._slot))
        await pilot.press("1")
        await see(pilot, "대기 신청을 하시겠습니까?", level.vaccine.presentation.name_ko)
        assert level.vaccine.presentation.name_en not in screen_text(app)
        await pilot.press("1")
        await see(pilot, "대기 신청되었습니다")
        assert [item.status for item in await my_items(app)] == ["waiting"]


async def test_one_line_is_changed_and_the_others_stay(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await fill_in(pilot)
        await pilot.press("4")
        await see(pilot, "이름은 무엇", "홍길동")
        await pilot.press(*["backspace"] * 3)
        await type_text(pilot, "홍길순")
        await pilot.press("enter")
        await see(pilot, "모두 맞습니까", "홍길순", "010-1234-5678", "HONG GILDONG")


async def put_name_right(pilot: Pilot[int], name: str) -> None:
    """The line of the name, from the review."""
    await was_read(pilot)
    await pilot.press("4")
    await see(pilot, "이름은 무엇")
    await pilot.press(*["backspace"] * 3)
    await type_text(pilot, name)
    await pilot.press("enter")


async def test_a_surname_that_was_suggested_by_another_name_is_asked_again(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (_, pilot):
        await fill_in(pilot)
        await put_name_right(pilot, "김길동")
        await see(pilot, "영문 성은", "KIM 그대로")
        await pilot.press("escape")
        await see(pilot, "이름은 무엇", "김길동")
        await pilot.press("escape")
        await see(pilot, "영문 성은", "KIM 그대로")
        await pilot.press("enter")
        await see(pilot, "영문 이름은", "gildong")
        await pilot.press("enter")
        await see(pilot, "모두 맞습니까", "KIM GILDONG")


async def test_a_surname_that_nothing_is_suggested_for_is_not_that_of_the_name_before(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        await put_name_right(pilot, "Anna")
        await see(pilot, "영문 성은", "여권에 적힌 성을")
        await pilot.press("enter")
        await see(pilot, "! 아래 내용을")
        assert isinstance(app.screen, BookingScreen)
        assert app.screen.field.value == ""


async def test_a_surname_that_was_typed_stays_when_the_name_changes(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await choose_time(pilot)
        await tell(pilot, ["name", "birth_date", "phone"])
        await see(pilot, "영문 성은", "HONG 그대로")
        await type_text(pilot, "hong")
        await pilot.press("enter")
        await tell(pilot, ["passport_given"])
        await see(pilot, "성별")
        await pilot.press("3")
        await see(pilot, "모두 맞습니까")
        await put_name_right(pilot, "김길동")
        await see(pilot, "모두 맞습니까", "김길동", "HONG GILDONG")


async def test_esc_keeps_what_was_typed(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await choose_time(pilot)
        await tell(pilot, ["name"])
        await see(pilot, "생년월일은")
        await type_text(pilot, "1945")
        await pilot.press("escape")
        await see(pilot, "이름은 무엇", "홍길동")
        await pilot.press("enter")
        await see(pilot, "생년월일은", "1945")


async def test_another_spelling_than_the_suggested_surname_is_kept(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await choose_time(pilot)
        await tell(pilot, ["name", "birth_date", "phone"])
        await see(pilot, "영문 성은", "HONG 그대로")
        await type_text(pilot, "hoang")
        await pilot.press("enter")
        await tell(pilot, ["passport_given"])
        await see(pilot, "성별")
        await pilot.press("3")
        await see(pilot, "HOANG GILDONG")


async def test_no_given_name_is_meant_only_when_it_was_asked_again_and_read(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await choose_time(pilot)
        await tell(pilot, list(ANSWERS)[:-1])
        await see(pilot, ANSWERS["passport_given"][0])
        await press_at_once(pilot, "enter", "enter")
        await see(pilot, "! 아래 내용을", ANSWERS["passport_given"][0])
        assert app.screen.query(".-wrong")
        await was_read(pilot)
        await pilot.press("enter")
        await see(pilot, "성별")


WRONG = {
    "name": ("", "x" * 10_000, "[/red]", "홍길동😀", "\u202e홍", "1234"),
    "birth_date": ("", "1" * 10_000, "[/red]", "😀", "20991231", "19450231", "어제", "18000101"),
    "phone": ("", "0" * 10_000, "[/red]", "😀", "010-12", "전화"),
    "passport_surname": ("x" * 10_000, "[/red]", "홍", "😀", unicodedata.normalize("NFD", "홍")),
    "passport_given": ("", "y" * 10_000, "[bold]", "길동", "😀"),
}


@pytest.mark.parametrize("field", WRONG)
async def test_wrong_entries_are_refused_in_words_beside_the_field_and_can_be_put_right(
    kiosk: Kiosk, field: str
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await choose_time(pilot)
        await tell(pilot, list(ANSWERS)[: list(ANSWERS).index(field)])
        question, right = ANSWERS[field]
        await see(pilot, question)
        screen = app.screen
        assert isinstance(screen, BookingScreen)
        for wrong in WRONG[field]:
            screen.field.value = ""
            await type_text(pilot, wrong)
            await pilot.press("enter")
            await see(pilot, "! 아래 내용을", question)
            assert screen.field.has_class("-wrong")
            assert screen.field.value == wrong
        screen.field.value = ""
        await type_text(pilot, right or "HONG")
        await pilot.press("enter")
        await wait_for(pilot, lambda: screen.step.name != field)
        assert await my_items(app) == []


async def test_a_name_typed_in_decomposed_hangul_is_the_same_name(kiosk: Kiosk) -> None:
    async with kiosk() as (_, pilot):
        await choose_time(pilot)
        await see(pilot, "이름은 무엇")
        await type_text(pilot, unicodedata.normalize("NFD", "홍길동"))
        await pilot.press("enter")
        await tell(pilot, ["birth_date", "phone"])
        await see(pilot, "HONG 그대로")


async def test_a_second_booking_of_the_same_vaccine_is_refused_and_says_where_the_first_is(
    kiosk: Kiosk,
) -> None:
    async with kiosk() as (app, pilot):
        for expected in ("예약되었습니다", "이미 예약하셨습니다"):
            await fill_in(pilot)
            await pilot.press("1")
            await see(pilot, expected)
            if expected.startswith("이미"):
                await closes_only_when_read(app, pilot)
            await app.go_home()
        assert len(await my_items(app)) == 1


async def test_a_dose_that_is_due_after_every_day_that_can_be_booked_says_from_when(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app, 12345678)
        await vaccinate(app, receipt.booking)
        await fill_in(pilot, vaccine="2")  # 90 days after any dose against the same disease
        await pilot.press("1")
        await see(pilot, "아직 예약할 수 없습니다", "2027년 2월 21일", "그 무렵 다시 예약해 주세요")
        await pilot.press("enter")
        await see(pilot, "모두 맞습니까")


async def test_a_dose_that_is_due_within_the_days_that_can_be_booked_asks_for_the_day_again(
    kiosk: Kiosk,
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app, 12345678)
        await vaccinate(app, receipt.booking)
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "언제 오시", "2026년 12월 14일")


async def test_a_day_after_the_last_lot_expires_asks_for_the_day_again(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        services = services_of(app)
        code = (await services.gateway.ask(ListVaccines()))[0].vaccine.code
        for lot in await services.gateway.ask(ListLots(code), STAFF):
            await services.gateway.send(WriteOffStock(code, lot.number, lot.remaining, "broken"), STAFF)
        today = services.clinic.today(services.clock.now())
        await services.gateway.send(AddStock(code, "EARLY", today, 5), STAFF)
        await fill_in(pilot, day="2")
        await pilot.press("1")
        await see(pilot, "언제 오시", "남은 백신의 유효기간이")


async def test_a_booking_is_cancelled_from_its_result_page_after_asking(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다")
        await was_read(pilot)
        await pilot.press("2")
        await see(pilot, "정말 취소하시겠습니까?")
        await pilot.press("enter")  # the careful answer is under the cursor
        await see(pilot, "예약되었습니다")
        await was_read(pilot)
        await pilot.press("2")
        await see(pilot, "정말 취소하시겠습니까?")
        await pilot.press("1")
        await see(pilot, "취소되었습니다")
        assert [item.status for item in await my_items(app)] == ["cancelled"]


async def test_a_booking_cancelled_elsewhere_gets_no_ticket_and_is_told_why(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다")
        [booked] = await my_items(app)
        await services_of(app).gateway.send(CancelBooking(booked.code), STAFF)
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "이미 끝난 예약입니다 (취소됨)")
        assert not list(app.settings.paper_folder.glob("ticket-*.pdf"))


async def test_answers_that_somebody_guessed_before_keep_nobody_from_their_ticket_for_long(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        await fill_in(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다")
        for _ in range(MOST_WRONG):
            with pytest.raises(NotIdentified):
                await services_of(app).gateway.ask(IdentifyByCode(new_code(Kind.BOOKING)))
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "초 뒤에 다시")
        clock.move(seconds=PAUSE.total_seconds())
        await pilot.press("enter")
        await see(pilot, "예약되었습니다")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "만들었습니다")


async def test_what_is_left_is_told_while_somebody_looks(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await pilot.press("1")
        await see(pilot, "50회분 남음")
        services = app.services
        assert services
        level = (await services.gateway.ask(ListVaccines()))[0]
        days = services.clinic.bookable_days(services.clock.now())
        slot = services.clinic.slots_on(days[1])[0]
        await services.gateway.send(Book(person(3), level.vaccine.code, slot))
        await see(pilot, "49회분 남음")


async def test_a_storage_that_fails_is_said_in_words_and_keeps_the_answers(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domain.errors import StorageUnavailable
    from domain.gateway import Gateway

    async def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable(reason="disk full")

    async with kiosk(size=(40, 16)) as (app, pilot):
        await fill_in(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(Gateway, "send", fail)
            await pilot.press("1")
            await see(pilot, "저장하지 못했습니다", "홍길동")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "예약되었습니다")
        assert len(await my_items(app)) == 1
        assert issubclass(StorageUnavailable, ClinicError)
