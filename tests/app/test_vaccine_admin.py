"""Vaccine admin on the real clinic, by keyboard."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.actors import SYSTEM, Role
from domain.booking import BookingStatus, CancelBooking, GetBooking
from domain.codes import spoken
from domain.correction import CorrectInjection, VoidInjection
from domain.injection import Severity
from domain.presentation import Disease
from domain.staff import EnrolStaff, Unlock
from domain.stock import EntryKind, LotStatus
from domain.vaccine import AddStock, RegisterVaccine, WriteOffStock
from domain.visit import ReportAdverseEvent
from kiosk.gs1 import SEPARATOR_SIGN
from kiosk.i18n import put_in_words
from kiosk.screens.desk import paged
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.given import GivenScreen
from kiosk.screens.desk.ledger import LedgerScreen
from kiosk.screens.desk.lot_days import LotDaysScreen
from kiosk.screens.desk.new_vaccine import NewVaccineScreen
from kiosk.screens.desk.paged import PAGE
from kiosk.screens.desk.register import PresentationScreen, RegisterScreen
from kiosk.screens.desk.take_out import QuarantineScreen, WriteOffScreen
from kiosk.screens.desk.vaccine_lots import VaccineLotsScreen
from kiosk.screens.vaccine_admin import VaccineAdminScreen
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.modals import Confirm, Message
from tests.app.conftest import Kiosk, settings_in
from tests.app.desks import (
    LONG,
    LOOSE,
    MARKUP,
    NOT_A_DATE,
    NOT_A_NUMBER,
    NOT_TEXT,
    at_desk,
    book,
    cells,
    error_of,
    keys_of,
    ledger,
    levels,
    lots,
    refuses,
    services_of,
    vaccinate,
)
from tests.app.terminal import screen_text, see, type_text, wait_for
from tests.app.test_public_my_page import identify
from tests.clinics import STAFF, TestClock, presentation

GTIN = "08806500012343"
SOON = date(2026, 12, 1)


async def deliver(app, lot: str, expires_on: date, doses: int, vaccine: int = 0) -> None:  # type: ignore[no-untyped-def]
    code = (await levels(app))[vaccine].vaccine.code
    await services_of(app).gateway.send(AddStock(code, lot, expires_on, doses), STAFF)


async def test_an_empty_clinic_says_what_to_do_and_registers_from_the_clinical_rules(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    async with kiosk(settings=settings_in(tmp_path / "new")) as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "아직 등록된 백신이 없습니다", "F2")
        assert keys_of(app) == {"Esc", "F1", "F2", "F9", "F10"}
        await pilot.press("f2")
        await see(pilot, "등록할 백신을 고르세요", "코미나티주 (보라색 뚜껑)")
        await pilot.press("enter")
        await see(pilot, "임상의의 확인이 필요합니다", "적용 시작", "2021년 1월 1일", "출처")
        assert isinstance(app.screen, PresentationScreen)
        await pilot.press("f2")
        await see(pilot, "등록했습니다: 코미나티주 (보라색 뚜껑)")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineAdminScreen))
        assert [level.vaccine.presentation.key for level in await levels(app)] == ["comirnaty-purple-2021"]
        await see(pilot, "입고된 백신이 없습니다")


async def test_the_first_delivery_after_registering_is_for_the_new_vaccine(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        screen = await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        before = await levels(app)
        await pilot.press("f2")
        await see(pilot, "등록할 백신을 고르세요")
        await pilot.press("down", "down", "down", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, PresentationScreen))
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineAdminScreen))
        new = (await levels(app))[3].vaccine
        await see(pilot, f"등록했습니다: {new.presentation.name_ko}", "이제 F3 키로 입고하세요")
        screen.post_message(screen.Listed(before))  # asked before, answered late
        await pilot.pause()
        assert screen.query_one("#levels", DeskTable).current == new.code
        await pilot.press("f3")
        await wait_for(pilot, lambda: isinstance(app.screen, AddStockScreen))
        form = app.screen
        assert isinstance(form, AddStockScreen)
        for field, value in {"lot": "NEW1", "expires_on": "20271231", "doses": "10"}.items():
            form.entry(field).value = value
        await pilot.press("f2")
        await see(pilot, f"입고했습니다: {new.presentation.name_ko}")
        assert [level.vaccine.stock for level in await levels(app)] == [50, 0, 1, 10]


async def test_what_is_registered_is_marked_and_not_registered_again(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f2")
        await see(pilot, "등록됨")
        await pilot.press("enter")
        await see(pilot, "이미 등록되어 있습니다")
        await pilot.press("f2")
        assert isinstance(app.screen, PresentationScreen)
        assert len(await levels(app)) == 3


async def test_the_counters_follow_a_booking_made_elsewhere(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        screen = await at_desk(app, VaccineAdminScreen)
        table = screen.query_one("#levels", DeskTable)
        await wait_for(pilot, lambda: cells(table)[0][1:] == ["50", "0", "50", "0"])
        await book(app)
        await wait_for(pilot, lambda: cells(table)[0][1:] == ["50", "1", "49", "0"])
        await book(app, 2, vaccine=1)
        await wait_for(pilot, lambda: cells(table)[1][1:] == ["0", "0", "0", "1"])


async def test_a_scanned_box_fills_lot_and_expiry_and_comes_in_once(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f3")
        await wait_for(pilot, lambda: isinstance(app.screen, AddStockScreen))
        form = app.screen
        assert isinstance(form, AddStockScreen)
        await type_text(pilot, f"01{GTIN}17271231\x1d10AB-77\x1d21S1")
        await wait_for(pilot, lambda: SEPARATOR_SIGN in form.entry("lot").value)
        await pilot.press("enter")
        await see(pilot, "바코드에서 읽었습니다")
        assert (form.entry("lot").value, form.entry("expires_on").value) == ("AB-77", "2027-12-31")
        await wait_for(pilot, lambda: form.focused is form.entry("doses").input)
        await type_text(pilot, "12")
        await pilot.press("enter", "enter")
        await wait_for(pilot, lambda: app.screen is not form)
        assert [(lot.number, lot.remaining) for lot in await lots(app)] == [("AB-77", 12), ("LOT1", 50)]


async def test_a_separator_that_a_keyboard_has_not_is_kept(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f3")
        await wait_for(pilot, lambda: isinstance(app.screen, AddStockScreen))
        await pilot.press("A", "ctrl+right_square_bracket", "B")
        assert isinstance(app.screen, AddStockScreen)
        assert app.screen.entry("lot").value == f"A{SEPARATOR_SIGN}B"


async def test_a_lot_whose_end_is_open_asks_to_look_at_the_label(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f3")
        await wait_for(pilot, lambda: isinstance(app.screen, AddStockScreen))
        await type_text(pilot, f"01{GTIN}1727123110AB12321SER999")
        await pilot.press("enter")
        await see(pilot, "끝이 분명하지 않습니다", "AB123")


async def test_a_delivery_refuses_every_wrong_entry_beside_its_field(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f3", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, AddStockScreen))
        form = app.screen
        assert isinstance(form, AddStockScreen)
        await wait_for(pilot, lambda: all(error_of(form, f) for f in ("lot", "expires_on", "doses")))
        before = await ledger(app)
        form.entry("lot").value, form.entry("expires_on").value = "NEW1", "20271231"
        form.entry("doses").value = "10"
        await refuses(pilot, form, "lot", *NOT_TEXT, LOOSE, "A" * 21)
        await refuses(pilot, form, "expires_on", *NOT_A_DATE)
        await refuses(pilot, form, "doses", *NOT_A_NUMBER, "0", "100001")
        assert await ledger(app) == before
        form.entry("lot").value = "LOT1"
        await pilot.press("f2")
        await see(pilot, "기록된 유효기간은 2028년 1월 1일")
        assert await ledger(app) == before


async def test_writing_off_says_how_many_bookings_go_back_before_it_does(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        first = await book(app, 1, vaccine=2)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "스파이크박스")
        await pilot.press("down", "down", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineLotsScreen))
        await see(pilot, "LOT1")
        await pilot.press("f5")
        await wait_for(pilot, lambda: isinstance(app.screen, WriteOffScreen))
        await type_text(pilot, "1")
        await pilot.press("enter", "1", "f2")
        await see(pilot, "예약 1건이 백신이 모자라 대기로 돌아갑니다", "파손")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, WriteOffScreen))
        assert (await levels(app))[2].vaccine.stock == 1, "Enter alone changes nothing"
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(pilot, "폐기했습니다: 제조번호 LOT1, 1회분")
        level = (await levels(app))[2]
        assert (level.vaccine.stock, level.vaccine.reserved, level.waiting) == (0, 0, 1)
        detail = await services_of(app).gateway.ask(GetBooking(first.booking), STAFF)
        assert detail.booking.status is BookingStatus.WAITING
        assert (await ledger(app, 2))[0].reason == "파손"


async def test_writing_off_refuses_every_wrong_entry_beside_its_field(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "LOT1")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineLotsScreen))
        await see(pilot, "LOT1")
        await pilot.press("f5", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, WriteOffScreen))
        form = app.screen
        assert isinstance(form, WriteOffScreen)
        await wait_for(pilot, lambda: error_of(form, "doses") and error_of(form, "kind"))
        before = await ledger(app)
        form.entry("doses").value = "1"
        form.pick("kind").options.focus()
        await pilot.press("5")
        await refuses(pilot, form, "reason", *NOT_TEXT)
        form.entry("reason").value = LOOSE
        await refuses(pilot, form, "doses", *NOT_A_NUMBER, "0", "51")
        assert await ledger(app) == before


async def test_nothing_is_written_off_from_a_lot_of_which_nothing_is_left(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        [lot] = await lots(app)
        write_off = WriteOffStock(lot.vaccine, lot.number, lot.remaining, "broken")
        await services_of(app).gateway.send(write_off, STAFF)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "LOT1")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineLotsScreen))
        await see(pilot, "LOT1")
        await pilot.press("f5")
        await wait_for(pilot, lambda: isinstance(app.screen, WriteOffScreen))
        form = app.screen
        assert isinstance(form, WriteOffScreen)
        await type_text(pilot, "1")
        await pilot.press("enter", "1", "f2")
        await wait_for(pilot, lambda: error_of(form, "doses") == "! 남은 것이 없습니다: LOT1")
        await pilot.press("f9")
        await see(pilot, "! Nothing is left of lot LOT1.")


async def test_a_lot_in_quarantine_leaves_the_stock(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "LOT1")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineLotsScreen))
        await see(pilot, "LOT1")
        await pilot.press("f6")
        await wait_for(pilot, lambda: isinstance(app.screen, QuarantineScreen))
        form = app.screen
        assert isinstance(form, QuarantineScreen)
        await pilot.press("4")
        await refuses(pilot, form, "reason", *NOT_TEXT)
        form.pick("kind").options.focus()
        await pilot.press("1", "f2")
        await see(pilot, "남은 50회분", "대기로 돌아가는 예약은 없습니다")
        await pilot.press("1")
        await see(pilot, "사용을 중지했습니다", "사용 중지")
        [lot] = await lots(app)
        assert (lot.status, lot.remaining) == (LotStatus.QUARANTINED, 0)
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineLotsScreen))
        await see(pilot, "사용 중지")
        await pilot.press("f6")
        await see(pilot, "사용이 중지되어 쓸 수 없습니다")
        assert isinstance(app.screen, Message), "it is not asked for a reason first"


async def test_lots_say_in_words_what_expires_soon_what_expired_and_what_goes_first(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        today = date(2026, 11, 23)
        await deliver(app, "OLD", today, 3)
        await deliver(app, "SOON", today + timedelta(days=4), 3)
        clock.move(days=2)
        screen = await at_desk(app, VaccineAdminScreen)
        table = screen.query_one("#lots", DeskTable)
        await wait_for(pilot, lambda: [row[0] for row in cells(table)] == ["OLD", "SOON", "LOT1"])
        assert [row[3] for row in cells(table)] == [
            "유효기간 지남", "72시간 안에 만료, 먼저 쓸 것", "사용 가능",
        ]  # fmt: skip


async def test_the_doses_of_a_day_are_counted_lot_by_lot(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await vaccinate(app, (await book(app, 1)).booking)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f5")
        await see(pilot, "2026년 11월 23일 (월)", "접종 -1", "제조번호", "시작", "정정")
        assert isinstance(app.screen, LotDaysScreen)
        assert "F3" not in keys_of(app), "tomorrow is not known yet"
        clock.move(days=1)
        await vaccinate(app, (await book(app, 2)).booking)
        await pilot.press("f3")
        await see(pilot, "2026년 11월 24일 (화)", "접종 -1", "입고 +0")
        await pilot.press("f2")
        await see(pilot, "2026년 11월 23일 (월)")
        await pilot.press("f2")
        await see(pilot, "2026년 11월 22일 (일)", "이날 남아 있던 백신이 없습니다")
        await pilot.press("f9", "f3")
        await see(pilot, "Mon 23 Nov 2026", "given -1", "Start", "Corr.", "Left", "Comirnaty")


async def test_the_ledger_comes_in_pages_newest_first(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        for number in range(PAGE + 5):
            await deliver(app, f"L{number}", SOON, number + 1, vaccine=1)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("down", "f4")
        await see(pilot, "1번째부터 100번째까지", "더 있습니다", "L104", "+105")
        assert isinstance(app.screen, LedgerScreen)
        assert "F3" not in keys_of(app), "there are none newer"
        await pilot.press("f2")
        await see(pilot, "101번째부터 105번째까지", "L0")
        assert "F2" not in keys_of(app), "there are none older"
        await pilot.press("f2", "f3")
        await see(pilot, "1번째부터 100번째까지")


async def test_the_ledger_says_why_a_dose_is_free_again_in_words(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        for number, reason in enumerate(("감기", "")):
            cancel = CancelBooking((await book(app, number)).booking, reason)
            await services_of(app).gateway.send(cancel, STAFF)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f4")
        await see(pilot, "예약 해제", "감기", "취소됨")


async def test_the_ledger_names_whoever_took_doses_in(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        gateway = services_of(app).gateway
        new = await gateway.send(EnrolStaff("박수진", frozenset({Role.VACCINE_MANAGER})), SYSTEM)
        manager = await gateway.ask(Unlock(new.pin))
        vaccine = (await levels(app))[1].vaccine
        await gateway.send(AddStock(vaccine.code, "L1", SOON, 5), manager)
        await book(app, vaccine=1)
        await app.push_screen(LedgerScreen(services_of(app), STAFF, vaccine))
        await see(pilot, "박수진", "방문자")
        await pilot.press("down")
        await see(pilot, "담당        박수진")


async def test_the_entry_under_the_cursor_is_read_in_full_with_its_year(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        first, second = await book(app, 1), await book(app, 2)
        reason = "전화로 취소함, 열이 나서 다음 달에 다시 예약하기로 함"
        await services_of(app).gateway.send(CancelBooking(first.booking, reason), STAFF)
        clock.move(days=60)
        await services_of(app).gateway.send(CancelBooking(second.booking, "이사"), STAFF)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f4")
        await see(pilot, "01-22 09:30", "2026-11-23", "2027년 1월 22일 (금) 오전 9:30")
        assert reason not in " ".join(screen_text(app).split())
        await pilot.press("down")
        await see(pilot, "2026년 11월 23일 (월) 오전 9:30", reason, spoken(first.booking))
        await pilot.press("f9")
        await see(pilot, "Mon 23 Nov 2026 9:30 am", "released", reason)


async def test_a_new_vaccine_refuses_every_wrong_entry_and_is_registered_when_right(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, RegisterScreen))
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, NewVaccineScreen))
        form = app.screen
        assert isinstance(form, NewVaccineScreen)
        await pilot.press("f2")
        empty = ("name_ko", "name_en", "manufacturer", "disease", "min_age")
        await wait_for(pilot, lambda: all(error_of(form, field) for field in empty))
        right = {"name_ko": "새백신", "name_en": "Newvax 1", "manufacturer": "Maker", "min_age": "6"}
        for field, value in right.items():
            form.entry(field).value = value
        form.pick("disease").options.focus()
        await pilot.press("2")
        for field in ("name_ko", "manufacturer"):
            await refuses(pilot, form, field, *NOT_TEXT)
        await refuses(pilot, form, "name_en", *NOT_TEXT, LOOSE, "새백신", "--")
        for field in ("min_age", "primary_doses", "interval_days", "observation_minutes"):
            await refuses(pilot, form, field, *NOT_A_NUMBER)
        await refuses(pilot, form, "primary_doses", "0", "10")
        await refuses(pilot, form, "observation_minutes", "14", "0")
        await refuses(pilot, form, "volume_ml", *NOT_TEXT, LOOSE, "0", "-1", "abc", "9", "0.001")
        form.entry("primary_doses").value = "2"
        await refuses(pilot, form, "interval_days", "0")
        form.entry("interval_days").value = "28"
        form.pick("unit").options.focus()
        await pilot.press("2")
        assert len(await levels(app)) == 3
        await pilot.press("f2")
        await see(pilot, "임상의가 확인했습니까")
        assert isinstance(app.screen, Confirm)
        asked = put_in_words(app.screen._body, app.texts)
        for figure in (
            "새백신", "Newvax 1", "Maker", "인플루엔자", "생후 6개월부터", "2회, 최소 28일 간격",
            "0.5 mL", "관찰: 15분",
        ):  # fmt: skip
            assert figure in asked
        await pilot.press("1")
        await see(pilot, "등록했습니다: 새백신")
        await wait_for(pilot, lambda: isinstance(app.screen, VaccineAdminScreen))
        assert app.screen.query_one("#levels", DeskTable).cursor_row == 3
        made = (await levels(app))[3].vaccine.presentation
        assert (made.key, made.min_age_months, made.primary_doses, made.interval_days) == (
            "own-newvax-1", 6, 2, 28,
        )  # fmt: skip


@pytest.mark.parametrize(("korean", "english"), [("장티푸스백신", "Typhoid vaccine"), ("Hib", "Hib")])
async def test_a_vaccine_of_the_clinics_own_is_called_by_one_of_its_names(
    kiosk: Kiosk, korean: str, english: str
) -> None:
    async with kiosk() as (app, pilot):
        gateway = services_of(app).gateway
        own = presentation("own-vaccine", name_ko=korean, name_en=english, disease=Disease.OTHER)
        vaccine = await gateway.send(RegisterVaccine(own), STAFF)
        await gateway.send(AddStock(vaccine.code, "LOT9", date(2028, 1, 1), 5), STAFF)
        receipt = await book(app, vaccine=3)
        await identify(pilot, "2", receipt.booking)
        await see(pilot, f"예약: {korean} ")
        assert f"{korean} {english}" not in screen_text(app)
        await pilot.press("f9")
        await see(pilot, f"Booking: {english} ")
        assert f"{korean} {english}" not in screen_text(app).replace("\u00a0", " ")


async def test_the_same_new_vaccine_twice_is_refused_beside_its_name(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        for _ in range(2):
            form = NewVaccineScreen(services_of(app), STAFF, lambda vaccine: None)
            await app.push_screen(form)
            for field, value in {"name_ko": "뉴", "name_en": "New", "manufacturer": "New"}.items():
                form.entry(field).value = value
            form.entry("min_age").value = "1"
            form.entry("interval_days").value = "90"
            form.pick("disease").options.focus()
            await pilot.press("1", "f2")
            await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("1")
            await wait_for(pilot, lambda: not isinstance(app.screen, Confirm))
            await wait_for(pilot, lambda form=form: app.screen is not form or error_of(form, "name_en"))
        assert error_of(form, "name_en") == "! 이미 등록되어 있습니다: 뉴"
        await pilot.press("f9")
        await wait_for(pilot, lambda: error_of(form, "name_en") == "! New is registered already.")
        assert len(await levels(app)) == 4


async def test_a_vaccine_that_is_given_again_needs_its_interval_also_with_one_dose(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        form = NewVaccineScreen(services_of(app), STAFF, lambda vaccine: None)
        await app.push_screen(form)
        right = {"name_ko": "새백신", "name_en": "New", "manufacturer": "Maker", "min_age": "1"}
        for field, value in right.items():
            form.entry(field).value = value
        for disease in ("1", "2"):
            form.pick("disease").options.focus()
            await pilot.press(disease)
            await refuses(pilot, form, "interval_days", "0")
            assert "간격을 확인하지 않습니다" in error_of(form, "interval_days")
        form.pick("disease").options.focus()
        await pilot.press("3", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        form.entry("interval_days").value = "90"
        form.pick("disease").options.focus()
        await pilot.press("1", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await wait_for(pilot, lambda: app.screen is not form)
        made = (await levels(app))[3].vaccine.presentation
        assert made.earliest_after([date(2026, 11, 1)], date(2026, 11, 2)) == date(2027, 1, 30)


async def test_the_language_changes_live_and_what_was_typed_stays(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주 (보라색 뚜껑)", "예약가능")
        await pilot.press("f9")
        await see(pilot, "Comirnaty (purple cap)", "Waiting", "use first")
        await pilot.press("f3")
        await see(pilot, "Lot (or scan the code on the box)")
        await type_text(pilot, "ABC")
        await pilot.press("f2")
        await see(pilot, "Please fill this in")
        await pilot.press("f9")
        await see(pilot, "제조번호", "이 칸을 채워 주세요", "ABC")
        assert "Please" not in screen_text(app)


async def test_names_that_look_like_markup_are_shown_as_they_are(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        form = NewVaccineScreen(services_of(app), STAFF, lambda vaccine: None)
        await app.push_screen(form)
        form.entry("name_ko").value = MARKUP
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(form, "name_ko").endswith("[]"))
        await type_text(pilot, LONG)
        await pilot.press("f2")
        await see(pilot, "자까지 쓸 수 있습니다")


async def test_every_entry_of_the_ledger_of_a_day_is_named_in_both_languages(kiosk: Kiosk) -> None:
    async with kiosk() as (app, _):
        for language in ("ko", "en"):
            app.speak(language)
            assert all(app.texts.has(f"vaccine_admin.kind.{kind.value}") for kind in EntryKind)


async def test_a_page_that_empties_gives_way_to_the_one_before(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paged, "PAGE", 1)
    async with kiosk() as (app, pilot):
        doses = [await vaccinate(app, (await book(app, number)).booking) for number in (1, 2)]
        await deliver(app, "LOT2", SOON, 5)
        vaccine = (await levels(app))[0].vaccine
        await app.push_screen(GivenScreen(services_of(app), STAFF, vaccine, "LOT1"))
        await see(pilot, "더 있습니다")
        await pilot.press("f2")
        await see(pilot, "2번째부터 2번째까지")
        correct = CorrectInjection(doses[0].code, "라벨 확인", lot="LOT2")
        await services_of(app).gateway.send(correct, STAFF)
        await see(pilot, "1번째부터 1번째까지", "010-0000-0002")


async def test_whoever_had_a_lot_is_listed_with_a_phone_number(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        first = await vaccinate(app, (await book(app, 1)).booking)
        await vaccinate(app, (await book(app, 2, "김영희")).booking)
        gateway = services_of(app).gateway
        await gateway.send(ReportAdverseEvent(first.code, Severity.MILD, "팔 통증"), STAFF)
        await gateway.send(VoidInjection(first.code, "기록 오류", dose_returned=False), STAFF)
        await deliver(app, "UNUSED", SOON, 5)
        await at_desk(app, VaccineAdminScreen)
        await see(pilot, "코미나티주")
        await pilot.press("enter")
        await see(pilot, "UNUSED", "LOT1")
        lots = app.screen
        assert isinstance(lots, VaccineLotsScreen)
        lots.table.go_to("LOT1")
        await pilot.press("f2")
        await see(pilot, "제조번호 LOT1", "1번째부터 2번째까지", "김영희", "홍길동", "010-0000-0002", "무효")
        await pilot.press("down")
        await see(pilot, "홍길동 (HONG GILDONG)", "가벼움, 2026년 11월 23일 (월)")
        assert "팔 통증" not in screen_text(app), "what it was is for those who treat"
        await vaccinate(app, (await book(app, 3, "이민준")).booking)
        await see(pilot, "이민준", "1번째부터 3번째까지")
        await see(pilot, "홍길동 (HONG GILDONG)", "010-0000-0001")
        await pilot.press("f9")
        await see(pilot, "Mild, Mon 23 Nov 2026", "voided")
        await pilot.press("escape")
        lots.table.go_to("UNUSED")
        await pilot.press("f2")
        await see(pilot, "Nobody was given a dose of this lot")


async def test_no_column_of_the_ledger_has_its_title_cut(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await book(app)
        await pilot.press("f9")
        await app.push_screen(LedgerScreen(services_of(app), STAFF, (await levels(app))[0].vaccine))
        await see(pilot, "When", "What", "Stock", "Booked", "Lot", "Reason, code", "Who")
