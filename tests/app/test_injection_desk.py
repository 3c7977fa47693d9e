"""The injection desk on the real clinic, by keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TypeVar

from textual.pilot import Pilot

from domain.actors import Actor
from domain.booking import Book, BookingStatus, CancelBooking, GetBooking, ListDays, ListSlots
from domain.certificate import IssueCertificate, ListCertificates
from domain.codes import spoken
from domain.injection import Concern, InjectionStatus, Severity
from domain.parts import ListParts, Part, PausePart, ResumePart
from domain.presentation import Site
from domain.statement import CertificateStatus
from domain.stock import EntryKind
from domain.vaccine import AddStock, QuarantineLot
from domain.visit import CheckIn, GetVisit, ReportAdverseEvent
from domain.visit import Screen as RecordScreening
from kiosk.app import ClinicApp
from kiosk.screens.desk.after_needle import AdverseEventScreen, CorrectScreen, VoidScreen
from kiosk.screens.desk.form import FormPage
from kiosk.screens.desk.steps import PAST_ALLERGY, DoseStep, ResultStep, ScreeningStep
from kiosk.screens.desk.visit import VisitScreen
from kiosk.screens.injection_desk import FindField, InjectionDeskScreen, why_nobody
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.modals import Confirm, Message
from kiosk.widgets.say import Say
from tests.app.conftest import Kiosk
from tests.app.desks import (
    COLLEAGUE,
    LOOSE,
    NOT_TEXT,
    apply,
    at_desk,
    book,
    cells,
    error_of,
    keys_of,
    ledger,
    levels,
    lots,
    person,
    refuses,
    services_of,
    vaccinate,
    visit_of,
)
from tests.app.fingers import Fingers
from tests.app.terminal import press_at_once, readable, screen_text, see, type_text, wait_for
from tests.clinics import STAFF, TestClock

GTIN = "08806500012343"


F = TypeVar("F", bound=FormPage)


async def at_form(app: ClinicApp, pilot: Pilot[int], key: str, kind: type[F]) -> F:
    """The form behind a key of the visit."""
    await pilot.press(key)
    await wait_for(pilot, lambda: isinstance(app.screen, kind))
    form = app.screen
    assert isinstance(form, kind)
    return form


async def at_visit(app: ClinicApp, pilot: Pilot[int], booking: str, actor: Actor = STAFF) -> VisitScreen:
    """Scan a booking at the desk; its visit opens."""
    desk = await at_desk(app, InjectionDeskScreen, actor)
    await wait_for(pilot, lambda: isinstance(app.screen, InjectionDeskScreen) and desk.focused)
    await type_text(pilot, booking)
    await pilot.press("enter")
    return await opened(app, pilot)


async def opened(app: ClinicApp, pilot: Pilot[int]) -> VisitScreen:
    await wait_for(pilot, lambda: isinstance(app.screen, VisitScreen) and readable(app.screen))
    assert isinstance(app.screen, VisitScreen)
    return app.screen


async def at_needle(app: ClinicApp, pilot: Pilot[int], booking: str) -> VisitScreen:
    """Check in and screen with nothing but Enter."""
    visit = await at_visit(app, pilot, booking)
    await pilot.press("enter")
    await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
    await pilot.press("enter")
    await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit))
    await wait_for(pilot, lambda: visit.entry("lot").value)
    return visit


async def done(app: ClinicApp, pilot: Pilot[int], visit: VisitScreen) -> None:
    await wait_for(pilot, lambda: visit.query(ResultStep) and readable(visit))


async def given(app: ClinicApp) -> int:
    """How many doses the ledger says were given."""
    return sum(entry.kind is EntryKind.GIVEN for entry in await ledger(app))


async def test_the_whole_visit_by_scan_enter_and_one_digit(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_visit(app, pilot, spoken(receipt.booking))
        await see(pilot, "홍길동 (HONG GILDONG)", "1945년 8월 15일, 만 81세", "2회 중 1차 예정", "예정")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await see(pilot, "심한 알레르기가 있었습니까?", "37.5", "아니요")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit))
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT1")
        assert visit.entry("vaccinator").value == STAFF.name
        await pilot.press("2", "enter")
        await done(app, pilot, visit)
        await see(pilot, "접종을 기록했습니다", "2회 중 1차", "09:45까지", "2026년 12월 14일", "오른팔")
        assert await given(app) == 1
        [level, *_] = await levels(app)
        assert (level.vaccine.stock, level.vaccine.reserved) == (49, 0)
        assert (await lots(app))[0].remaining == 49
        injection = (await visit_of(app, receipt.booking)).injection
        assert injection.dose
        assert (injection.dose.site, injection.dose.vaccinator) == (Site.RIGHT_ARM, STAFF.name)
        await wait_for(pilot, lambda: readable(visit))
        await pilot.press("enter")
        await see(pilot, "관찰 15분 남음")
        assert isinstance(app.screen, InjectionDeskScreen)


async def test_enter_pressed_twice_takes_one_step_only(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_visit(app, pilot, receipt.booking)
        await press_at_once(pilot, "enter", "enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep))
        visit_now = await visit_of(app, receipt.booking)
        assert visit_now.injection.status is InjectionStatus.CHECKED_IN
        assert visit_now.injection.screening is None


async def test_enter_pressed_twice_at_the_end_leads_to_the_desk_and_not_out_of_it(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        visit = await at_visit(app, pilot, receipt.booking)
        await done(app, pilot, visit)
        await press_at_once(pilot, "enter", "enter")
        await wait_for(pilot, lambda: visit not in app.screen_stack)
        assert isinstance(app.screen, InjectionDeskScreen)


async def test_a_booking_made_elsewhere_arrives_while_one_looks_and_who_is_here_comes_first(
    kiosk: Kiosk,
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        desk = await at_desk(app, InjectionDeskScreen)
        await see(pilot, "오늘 예정된 방문이 없습니다")
        first = await book(app, 1, "홍길동", slot=1)
        table = desk.query_one(DeskTable)
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["홍길동"])
        second = await book(app, 2, "김민수", slot=3)
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["홍길동", "김민수"])
        code = (await visit_of(app, second.booking)).injection.code
        await services_of(app).gateway.send(CheckIn(code), STAFF)
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["김민수", "홍길동"])
        assert cells(table)[0][4] == "접수됨, 예진 차례"
        await vaccinate(app, first.booking)
        await wait_for(pilot, lambda: [row[4] for row in cells(table)][1] == "관찰 15분 남음")
        await see(pilot, "접수 1", "관찰 1")


async def test_the_arrows_choose_while_the_field_keeps_the_cursor(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app, 1, "홍길동", slot=1)
        await book(app, 2, "김민수", slot=3)
        desk = await at_desk(app, InjectionDeskScreen)
        table = desk.query_one(DeskTable)
        await wait_for(pilot, lambda: table.row_count == 2)
        await pilot.press("down", "enter")
        visit = await opened(app, pilot)
        assert visit.visit.person.name == "김민수"


async def test_a_name_shared_by_two_visits_is_listed_and_one_of_another_day_says_so(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app, 1, "홍길동", slot=1)
        await book(app, 2, "홍길순", day=2)
        desk = await at_desk(app, InjectionDeskScreen)
        table = desk.query_one(DeskTable)
        await wait_for(pilot, lambda: table.row_count == 1)
        await type_text(pilot, "홍길")
        await pilot.press("enter")
        await see(pilot, "찾은 결과 2건", "11-25 09:00", "1945-08-15")
        await pilot.press("down", "enter")
        visit = await opened(app, pilot)
        assert visit.visit.person.name == "홍길순"
        await see(pilot, "오늘 예약이 아닙니다", "2026년 11월 25일")
        await pilot.press("escape", "escape")
        await see(pilot, "오늘 11월 23일", "홍길동")


async def test_namesakes_are_listed_and_enter_opens_the_one_that_was_under_the_cursor(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        services = services_of(app)
        code = (await levels(app))[0].vaccine.code
        days = await services.gateway.ask(ListDays())
        slots = await services.gateway.ask(ListSlots(days[0].date))
        for number, born in enumerate((date(1945, 8, 15), date(1990, 1, 2), date(2001, 3, 4)), start=1):
            who = person(number, "김민수", born)
            await services.gateway.send(Book(who, code, slots[number].slot), STAFF)
        await services.settle()
        desk = await at_desk(app, InjectionDeskScreen)
        table = desk.query_one(DeskTable)
        await wait_for(pilot, lambda: table.row_count == 3)
        order = [row[2] for row in cells(table)]
        assert order == ["1945-08-15", "1990-01-02", "2001-03-04"]
        fingers = Fingers(pilot)
        for _ in range(2):  # the same name again changes nothing either
            await fingers.press("김", "민", "down", "up", "down")
            await wait_for(pilot, lambda: desk.query_one(FindField).value == "김민")
            await fingers.press("enter")
            await see(pilot, "찾은 결과 3건: 김민")
            await wait_for(pilot, lambda: not desk.query_one(FindField).value)
            assert [row[2] for row in cells(table)] == order
            assert cells(table)[table.cursor_row][:3] == ["11-23 10:15", "김민수", "1990-01-02"]
            await fingers.press("up")
        await fingers.press("down", "enter")
        visit = await opened(app, pilot)
        assert visit.visit.person.birth_date == date(1990, 1, 2)


async def test_a_booking_that_is_not_listed_yet_is_not_said_to_be_unknown(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        gateway = services_of(app).gateway
        await gateway.send(PausePart(Part.INJECTION_INTAKE), STAFF)
        receipt = await book(app)
        desk = await at_desk(app, InjectionDeskScreen)
        await wait_for(pilot, lambda: desk.focused)
        fingers = Fingers(pilot)
        await fingers.scan(receipt.booking)
        await see(pilot, "예약은 있습니다(2026년 11월 23일 (월)", "멈춰 있습니다. 관리자를 부르세요")
        assert "찾지 못했습니다" not in screen_text(app)
        await fingers.scan("홍길동")
        await see(pilot, "찾지 못했습니다", "멈춰 있습니다. 관리자를 부르세요")
        intake = next(s for s in await gateway.ask(ListParts(), STAFF) if s.name is Part.INJECTION_INTAKE)
        booking = (await gateway.ask(GetBooking(receipt.booking), STAFF)).booking
        for behind in (replace(intake, paused=False), replace(intake, paused=False, behind=0)):
            said = why_nobody(behind, booking, services_of(app).clinic, app.texts)
            assert "예약은 있습니다" in said
            assert "목록이 밀려 있습니다" in said
        await gateway.send(ResumePart(Part.INJECTION_INTAKE), STAFF)
        await services_of(app).settle()
        await fingers.scan(receipt.booking)
        assert (await opened(app, pilot)).visit.injection.booking == receipt.booking


async def test_a_booking_for_which_nobody_is_expected_says_why(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        waiting = await book(app, vaccine=1)
        desk = await at_desk(app, InjectionDeskScreen)
        await wait_for(pilot, lambda: desk.focused)
        fingers = Fingers(pilot)
        await fingers.scan(waiting.booking)
        await see(pilot, "예약은 있지만 올 차례가 아닙니다: 대기 중")
        await fingers.scan("BK7M3Q9XA")
        await see(pilot, "찾지 못했습니다")
        assert "관리자를 부르세요" not in screen_text(app)


async def test_what_is_typed_narrows_the_list_of_today(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app, 1, "홍길동", slot=1)
        await book(app, 2, "김민수", slot=2)
        desk = await at_desk(app, InjectionDeskScreen)
        table = desk.query_one(DeskTable)
        await wait_for(pilot, lambda: table.row_count == 2)
        await type_text(pilot, "김")
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["김민수"])
        await pilot.press("escape")
        await wait_for(pilot, lambda: table.row_count == 2)


async def test_whatever_is_typed_into_the_field_it_answers_in_words(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app)
        desk = await at_desk(app, InjectionDeskScreen)
        field = desk.query_one(FindField)
        await wait_for(pilot, lambda: desk.query_one(DeskTable).row_count == 1)
        for text in (*NOT_TEXT[1:], LOOSE, "-5", "0", "2020-01-01", "BK7-M3Q-9XA", "없는이름", "%", "_"):
            field.value = text
            await pilot.press("enter")
            await wait_for(pilot, lambda: not field.query_one(".error", Say).has_class("-empty"), text[:20])
            assert app.screen is desk
            assert "input-" not in screen_text(app)
            await pilot.press("escape")


async def test_a_code_scanned_with_the_keyboard_in_hangul_mode_is_found(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        keys = str.maketrans("ABCDEFGHJKMNPQRSTUVWXYZ", "ㅁㅠㅊㅇㄷㄹㅎㅗㅓㅏㅡㅜㅔㅂㄱㄴㅅㅕㅍㅈㅌㅛㅋ")
        visit = await at_visit(app, pilot, receipt.booking.translate(keys))
        assert visit.visit.injection.booking == receipt.booking


async def test_the_lot_that_expires_first_is_there_already(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        code = (await levels(app))[0].vaccine.code
        gateway = services_of(app).gateway
        await gateway.send(AddStock(code, "LATER", date(2028, 6, 1), 5), STAFF)
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        assert visit.entry("lot").value == "LOT1"
        await gateway.send(AddStock(code, "FIRST", date(2026, 11, 24), 5), STAFF)
        await wait_for(pilot, lambda: visit.entry("lot").value == "FIRST")
        await see(pilot, "72시간 안에 만료")
        visit.entry("lot").value = "LATER"
        await see(pilot, "FIRST의 유효기간이 먼저입니다")
        await pilot.press("1", "enter")
        await done(app, pilot, visit)
        assert {lot.number: lot.remaining for lot in await lots(app)} == {"FIRST": 5, "LOT1": 50, "LATER": 4}


async def test_a_scanned_box_becomes_its_lot_also_when_its_end_is_open(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        code = (await levels(app))[0].vaccine.code
        await services_of(app).gateway.send(AddStock(code, "AB12321X", date(2028, 6, 1), 5), STAFF)
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        visit.entry("lot").value = ""
        visit.entry("lot").input.focus()
        await wait_for(pilot, lambda: visit.focused is visit.entry("lot").input)
        await type_text(pilot, f"01{GTIN}1728060110AB12321X")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.entry("lot").value == "AB12321X")
        visit.pick("site").options.focus()
        await pilot.press("1", "enter")
        await done(app, pilot, visit)
        assert (await visit_of(app, receipt.booking)).injection.given.lot == "AB12321X"


async def test_the_desk_remembers_who_vaccinates(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        first, second = await book(app, 1), await book(app, 2, "김민수")
        visit = await at_needle(app, pilot, first.booking)
        visit.entry("vaccinator").value = "박간호"
        await pilot.press("1", "enter")
        await done(app, pilot, visit)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, InjectionDeskScreen))
        await type_text(pilot, second.booking)
        await pilot.press("enter")
        visit = await opened(app, pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit))
        assert visit.entry("vaccinator").value == "박간호"


async def test_the_dose_refuses_every_wrong_entry_beside_its_field(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        gateway = services_of(app).gateway
        code = (await levels(app))[0].vaccine.code
        await gateway.send(AddStock(code, "GONE", date(2026, 11, 23), 5), STAFF)
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(visit, "site"))
        visit.pick("site").options.focus()
        await pilot.press("1")
        await refuses(pilot, visit, "lot", *NOT_TEXT, LOOSE, "없는로트", "NOLOT", "0", "-5", "2020-01-01")
        await refuses(pilot, visit, "vaccinator", *NOT_TEXT, "123", "0")
        assert await given(app) == 0


async def test_an_expired_lot_is_refused_with_date_and_by_how_much(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk() as (app, pilot):
        code = (await levels(app))[0].vaccine.code
        await services_of(app).gateway.send(AddStock(code, "GONE", date(2026, 11, 23), 5), STAFF)
        receipt = await book(app, day=3)
        clock.move(days=3)
        visit = await at_needle(app, pilot, receipt.booking)
        assert visit.entry("lot").value == "LOT1"
        visit.entry("lot").value = "GONE"
        await see(pilot, "유효기간 지남")
        await pilot.press("1", "enter")
        await see(pilot, "유효기간이 지났습니다", "3일 지났습니다")
        assert await given(app) == 0


async def at_screening(pilot: Pilot[int], visit: VisitScreen, *keys: str) -> ScreeningStep:
    """These keys lead to the screening."""
    await pilot.press(*keys)
    await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
    return visit.query_one(ScreeningStep)


async def test_a_concern_puts_the_dose_off_until_a_colleague_screens_again_for_a_reason(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_visit(app, pilot, receipt.booking)
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await pilot.press("3")
        await see(pilot, "오늘은 접종하지 않습니다")
        await pilot.press("enter")
        await see(pilot, "오늘은 접종하지 않습니다: 37.5 °C 이상의 열", "접종 보류")
        injection = (await visit_of(app, receipt.booking)).injection
        assert injection.screening
        assert injection.screening.concerns == (Concern.FEVER,)
        await at_screening(pilot, visit, "f3")
        assert "F3" not in keys_of(app), "it is being screened again"
        await pilot.press("3")
        await see(pilot, "본인이 확인한 것은 다른 직원이 자기 PIN으로 들어와야")
        await pilot.press("enter")
        await see(pilot, "37.5 °C 이상의 열. 확인한 직원은 스스로 거둘 수 없습니다")
        assert (await visit_of(app, receipt.booking)).injection.screening == injection.screening
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is visit and readable(visit))
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: visit not in app.screen_stack)
        visit = await at_visit(app, pilot, receipt.booking, COLLEAGUE)
        await at_screening(pilot, visit, "f3")
        await pilot.press("3", "5")
        await see(pilot, "30분 관찰합니다", "사유를 적어야 합니다")
        await pilot.press("enter", "enter")
        await see(pilot, "이 칸을 채워 주세요")
        await type_text(pilot, "다시 재니 36.8도")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit) and visit.entry("lot").value)
        screenings = (await visit_of(app, receipt.booking)).injection.screenings
        assert [(s.by, s.concerns, s.reason) for s in screenings] == [
            (STAFF.code, (Concern.FEVER,), ""),
            (COLLEAGUE.code, (), "다시 재니 36.8도"),
        ]
        await pilot.press("1", "enter")
        await done(app, pilot, visit)
        await see(pilot, "10:00까지, 30분 남음")


async def test_a_severe_allergy_is_a_contraindication_and_not_put_off(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_visit(app, pilot, receipt.booking)
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await pilot.press("1")
        await see(pilot, "심한 알레르기는 금기입니다")
        await pilot.press("enter")
        await see(pilot, "접종 금기: 심한 알레르기", "의사에게 알리고", "F8")
        assert "오늘은 접종하지 않습니다" not in screen_text(app)
        assert "접종 보류" not in screen_text(app)
        await pilot.press("f9")
        await see(pilot, "Contraindication: severe allergy", "Tell a doctor")
        await pilot.press("f9", "escape", "escape")
        await wait_for(pilot, lambda: visit not in app.screen_stack)
        visit = await at_visit(app, pilot, receipt.booking, COLLEAGUE)
        await at_screening(pilot, visit, "f3")
        await pilot.press("1", "2", "enter")
        await type_text(pilot, "식품 알레르기")
        await pilot.press("enter")
        await see(pilot, "접종 보류", "오늘은 접종하지 않습니다: 급성 질환", "다시 예약하게 하세요")
        assert "금기" not in screen_text(app)


async def test_what_the_clinic_knows_of_earlier_doses_is_said_and_answered_beforehand(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        first = await vaccinate(app, (await book(app)).booking)
        report = services_of(app).gateway.send
        await report(ReportAdverseEvent(first.code, Severity.MILD, "팔 통증"), STAFF)
        clock.move(days=21)
        receipt = await book(app)
        visit = await at_visit(app, pilot, receipt.booking)
        await see(pilot, "이상반응(가벼움), 2026년 11월 23일 (월) 기록: 팔 통증")
        step = await at_screening(pilot, visit, "enter")
        await see(pilot, "30분 관찰합니다")
        assert step.values == set(), "nobody said that it was an allergic reaction"
        await report(ReportAdverseEvent(first.code, Severity.SEVERE, "아나필락시스"), STAFF)
        await see(pilot, "이상반응(심함), 2026년 12월 14일 (월) 기록: 아나필락시스", "심한 알레르기는 금기")
        assert step.values == {Concern.SEVERE_ALLERGY}
        await pilot.press("1")
        await see(pilot, "본인이 확인한 것은")
        await pilot.press("enter")
        await see(pilot, "2026년 12월 14일 (월)에 기록되어", "다른 직원이 자기 PIN으로 들어와")
        assert (await visit_of(app, receipt.booking)).injection.screening is None


async def test_what_the_person_told_at_an_earlier_visit_is_answered_beforehand(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        code = (await visit_of(app, receipt.booking)).injection.code
        gateway = services_of(app).gateway
        await gateway.send(CheckIn(code), STAFF)
        told = (Concern.SEVERE_ALLERGY, Concern.FEVER)
        await gateway.send(RecordScreening(code, told, past_allergic_reaction=True), STAFF)
        await gateway.send(CancelBooking(receipt.booking), STAFF)
        clock.move(days=1)
        again = (await book(app)).booking
        visit = await at_visit(app, pilot, again)
        await see(pilot, "2026년 11월 23일 (월) 예진: 심한 알레르기, 37.5 °C 이상의 열, 알레르기 반응 경험")
        step = await at_screening(pilot, visit, "enter")
        assert step.values == {PAST_ALLERGY, Concern.SEVERE_ALLERGY}, "a fever passes"
        await pilot.press("1", "5")
        await see(pilot, "본인이 확인한 것은")
        visit.clinic_changed()  # what is known is asked for again
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert step.values == set(), "what was answered by hand stays"
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: visit not in app.screen_stack)
        visit = await at_visit(app, pilot, again, COLLEAGUE)
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await wait_for(pilot, lambda: Concern.SEVERE_ALLERGY in visit.query_one(ScreeningStep).values)
        await pilot.press("1")
        await see(pilot, "사유를 적어야 합니다")
        await pilot.press("enter")
        await type_text(pilot, "소견서 확인")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep))
        assert (await visit_of(app, again)).injection.screenings[-1].reason == "소견서 확인"


async def test_who_was_checked_in_on_an_earlier_day_is_checked_in_again(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        code = (await visit_of(app, receipt.booking)).injection.code
        await services_of(app).gateway.send(CheckIn(code), STAFF)
        clock.move(days=1)
        visit = await at_visit(app, pilot, receipt.booking)
        await see(pilot, "2026년 11월 23일 (월)에 접수", "신원을 다시 확인하세요")
        assert "F7" not in screen_text(app), "they did come"
        await at_screening(pilot, visit, "enter")
        came_at = (await visit_of(app, receipt.booking)).injection.checked_in_at
        assert came_at == clock.now()


async def test_a_second_dose_says_its_number_and_a_dose_of_today_is_refused_before_the_needle(
    kiosk: Kiosk,
) -> None:
    async with kiosk() as (app, pilot):
        other = await book(app, 1, vaccine=2)
        first = await book(app, 1, vaccine=0, slot=1)
        await vaccinate(app, first.booking)
        visit = await at_visit(app, pilot, other.booking)
        await see(pilot, "2회 중 2차 예정", "지난 접종", "이 감염병의 접종을 오늘 이미 받았습니다")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit) and visit.entry("lot").value)
        await pilot.press("1", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Message))
        await see(pilot, "오늘 이미 받았습니다")
        assert (await levels(app))[2].vaccine.stock == 1


async def test_a_persons_doses_are_known_also_when_their_name_reads_as_a_code(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        other = await book(app, 1, "손상훈", vaccine=2, day=7)
        first = await book(app, 1, "손상훈", vaccine=0)
        await book(app, 2, "손상훈", vaccine=0)
        await vaccinate(app, first.booking)
        clock.move(days=8)
        await at_visit(app, pilot, other.booking)
        await see(pilot, "손상훈", "2회 중 2차 예정, 지난 접종 2026년 11월 23일")


async def test_who_comes_on_another_day_is_on_the_list_until_the_observation_is_over(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        desk = await at_desk(app, InjectionDeskScreen)
        early = await book(app, 1, "홍길동", day=2)
        table = desk.query_one(DeskTable)
        await see(pilot, "오늘 예정된 방문이 없습니다")
        await services_of(app).gateway.send(
            CheckIn((await visit_of(app, early.booking)).injection.code), STAFF
        )
        await wait_for(pilot, lambda: [row[4] for row in cells(table)] == ["접수됨, 예진 차례"])
        await see(pilot, "접수 1")
        await vaccinate(app, early.booking, checked_in=True)
        await wait_for(pilot, lambda: [row[4] for row in cells(table)] == ["관찰 15분 남음"])
        await see(pilot, "관찰 1")


async def test_too_early_says_by_how_much_and_until_when(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk() as (app, pilot):
        other = await book(app, 1, vaccine=2, day=7)
        first = await book(app, 1, vaccine=0, slot=1)
        await vaccinate(app, first.booking)
        clock.move(days=8)
        visit = await at_visit(app, pilot, other.booking)
        await see(pilot, "접종 간격이 모자랍니다", "2026년 12월 21일", "20일 남음")
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and readable(visit) and visit.entry("lot").value)
        await pilot.press("1", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Message))
        await see(pilot, "2026년 12월 21일", "20일 남았습니다")


async def test_a_booking_cancelled_elsewhere_says_so_at_once(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        await services_of(app).gateway.send(CancelBooking(receipt.booking), STAFF)
        await services_of(app).settle()
        await see(pilot, "취소된 예약입니다", "다시 예약하게 하세요")
        assert not visit.query(DoseStep)
        assert await given(app) == 0


async def test_a_booking_that_lost_its_dose_is_not_said_to_be_cancelled(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        code = (await levels(app))[0].vaccine.code
        gateway = services_of(app).gateway
        await gateway.send(QuarantineLot(code, "LOT1", "recall"), STAFF)
        await services_of(app).settle()
        await see(pilot, "백신이 모자라 대기 명단으로 돌아간", "백신 관리자를 부르세요")
        assert "취소된" not in screen_text(app)
        assert not visit.query(DoseStep)
        await gateway.send(CancelBooking(receipt.booking), STAFF)  # at another desk, meanwhile
        await see(pilot, "취소된 예약입니다")


async def test_observation_is_finished_when_it_is_over_and_not_before(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        visit = await at_visit(app, pilot, receipt.booking)
        await done(app, pilot, visit)
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Message))
        await see(pilot, "관찰은 09:45까지입니다")
        await pilot.press("enter")
        clock.move(minutes=15)
        await wait_for(pilot, lambda: app.screen is visit and readable(visit))
        await pilot.press("f2")
        await see(pilot, "09:45에 마침")
        assert (await visit_of(app, receipt.booking)).injection.observation_finished_at is not None


async def test_adverse_events_are_reported_and_shown(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await at_visit(app, pilot, receipt.booking)
        form = await at_form(app, pilot, "f4", AdverseEventScreen)
        await see(pilot, "신고해야 합니다")
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(form, "severity") and error_of(form, "description"))
        await refuses(pilot, form, "description", *NOT_TEXT)
        form.pick("severity").options.focus()
        await pilot.press("2")
        form.entry("description").value = "접종 뒤 어지러움"
        await pilot.press("f2", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await see(pilot, "홍길동", "정도: 중간", "증상: 접종 뒤 어지러움")
        await pilot.press("enter")  # the careful answer is under the cursor
        await wait_for(pilot, lambda: app.screen is form and readable(form))
        assert not (await visit_of(app, receipt.booking)).injection.adverse_events
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(pilot, "! 중간: 접종 뒤 어지러움")
        [event] = (await visit_of(app, receipt.booking)).injection.adverse_events
        assert event.severity is Severity.MODERATE


async def test_a_correction_moves_the_dose_to_the_lot_it_came_from(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        code = (await levels(app))[0].vaccine.code
        await services_of(app).gateway.send(AddStock(code, "OTHER", date(2028, 6, 1), 5), STAFF)
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await at_visit(app, pilot, receipt.booking)
        form = await at_form(app, pilot, "f5", CorrectScreen)
        await pilot.press("f2")
        await wait_for(pilot, lambda: "바뀐 내용이 없습니다" in error_of(form, "lot"))
        form.pick("kind").options.focus()
        await pilot.press("3")
        form.entry("vaccinator").value = "박간호"
        form.entry("reason").value = "상자를 다시 확인함"
        await refuses(pilot, form, "lot", *NOT_TEXT, LOOSE, "NOLOT", "0")
        await refuses(pilot, form, "vaccinator", *NOT_TEXT, "123")
        form.entry("vaccinator").value = STAFF.name
        form.entry("lot").value = "OTHER"
        await refuses(pilot, form, "reason", *NOT_TEXT)
        assert (await visit_of(app, receipt.booking)).injection.version == 1
        form.entry("reason").value = "상자를 다시 확인함"
        await pilot.press("f2")
        await see(pilot, "OTHER (2028-06-01)")
        assert {lot.number: lot.remaining for lot in await lots(app)} == {"LOT1": 50, "OTHER": 4}


async def test_a_correction_says_at_once_which_paper_is_valid_no_more_and_what_replaces_it(
    kiosk: Kiosk,
) -> None:
    async with kiosk(size=(60, 20)) as (app, pilot):
        application = await apply(app, 1, "홍길동")
        gateway = services_of(app).gateway
        [waiting] = await gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
        await gateway.send(IssueCertificate(waiting.certificate.code), STAFF)
        injection = await gateway.ask(GetVisit(application.injection), STAFF)
        await at_visit(app, pilot, injection.injection.booking)
        for site, reason in (("2", "팔을 잘못 적음"), ("1", "그대로가 맞음")):
            [old] = await gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
            form = await at_form(app, pilot, "f5", CorrectScreen)
            form.pick("site").options.focus()
            await pilot.press(site)
            form.pick("kind").options.focus()
            await pilot.press("3")
            form.entry("reason").value = reason
            await pilot.press("f2")
            await wait_for(pilot, lambda: isinstance(app.screen, VisitScreen))
            [new] = await gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
            assert new.certificate.code != old.certificate.code
            await see(
                pilot, "정정했습니다: 홍길동",
                f"더 이상 유효하지 않은 증명서: {spoken(old.certificate.code)}",
                f"새 증명서: {spoken(new.certificate.code)}",
            )  # fmt: skip
        form = await at_form(app, pilot, "f6", VoidScreen)
        form.pick("given").options.focus()
        await pilot.press("2")
        form.pick("kind").options.focus()
        await pilot.press("1", "f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(
            pilot, "무효로 했습니다: 홍길동",
            f"더 이상 유효하지 않은 증명서: {spoken(new.certificate.code)}",
        )  # fmt: skip


async def test_a_correction_without_a_certificate_speaks_of_none(kiosk: Kiosk) -> None:
    async with kiosk(size=(60, 20)) as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await at_visit(app, pilot, receipt.booking)
        form = await at_form(app, pilot, "f5", CorrectScreen)
        form.entry("vaccinator").value = "박간호"
        form.pick("kind").options.focus()
        await pilot.press("1", "f2")
        await see(pilot, "정정했습니다: 홍길동")
        assert "증명서" not in screen_text(app)


async def test_a_record_of_a_dose_never_given_is_voided_and_the_dose_is_back(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await at_visit(app, pilot, receipt.booking)
        form = await at_form(app, pilot, "f6", VoidScreen)
        await see(pilot, "백신이 몸에 들어갔습니까?")
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(form, "given") and error_of(form, "kind"))
        form.pick("given").options.focus()
        await pilot.press("2")
        form.pick("kind").options.focus()
        await pilot.press("4")
        await refuses(pilot, form, "reason", *NOT_TEXT)
        form.pick("kind").options.focus()
        await pilot.press("1", "f2")
        await see(pilot, "쓰지 않은 백신은 재고로 돌아가고")
        await pilot.press("1")
        await see(pilot, "무효 처리된 기록입니다")
        assert (await levels(app))[0].vaccine.stock == 50
        await pilot.press("escape")
        await see(pilot, "무효로 했습니다: 홍길동", "예정 1")
        await type_text(pilot, receipt.booking)
        await pilot.press("enter")
        again = await opened(app, pilot)
        assert again.visit.injection.status is InjectionStatus.EXPECTED


async def test_who_did_not_come_gives_the_dose_to_whoever_waits(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk() as (app, pilot):
        absent = await book(app, 1, vaccine=2)
        waiting = await book(app, 2, "김민수", vaccine=2)
        assert waiting.status is BookingStatus.WAITING
        clock.move(minutes=30)
        await at_visit(app, pilot, absent.booking)
        await pilot.press("f7")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, VisitScreen))
        await pilot.press("f7")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(pilot, "방문하지 않음으로 처리했습니다: 홍길동", "김민수")
        assert isinstance(app.screen, InjectionDeskScreen)


async def asked_whether_missed(app: ClinicApp, pilot: Pilot[int], visit: VisitScreen) -> None:
    """Somebody says that the person did not come."""
    await wait_for(pilot, lambda: app.screen is visit and readable(visit))
    await pilot.press("f7")
    await wait_for(pilot, lambda: isinstance(app.screen, Confirm))


async def test_the_desk_is_told_why_somebody_cannot_have_missed_their_booking(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app, day=1)
        visit = await at_visit(app, pilot, receipt.booking)
        await asked_whether_missed(app, pilot, visit)
        await pilot.press("1")
        await see(pilot, "예약 시각이 아직 되지 않아", "2026년 11월 24일 (화) 09:00")
        await pilot.press("enter")
        clock.move(days=1)
        await asked_whether_missed(app, pilot, visit)
        await services_of(app).gateway.send(CheckIn(visit.visit.injection.code), STAFF)  # at another desk
        await pilot.press("1")
        await see(pilot, "이미 접수한 분은", "예약을 취소해 주세요")
        assert (await visit_of(app, receipt.booking)).booking_status is BookingStatus.RESERVED
        await pilot.press("enter")
        await see(pilot, "심한 알레르기가 있었습니까?")
        assert "F7" not in screen_text(app)


async def test_a_deferred_person_can_cancel_at_the_desk(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        code = (await visit_of(app, receipt.booking)).injection.code
        gateway = services_of(app).gateway
        await gateway.send(CheckIn(code), STAFF)
        await gateway.send(RecordScreening(code, (Concern.ACUTE_ILLNESS,)), STAFF)
        await at_visit(app, pilot, receipt.booking)
        await see(pilot, "급성 질환")
        await pilot.press("f8")
        await see(pilot, "예약을 취소합니다")
        await pilot.press("1")
        await see(pilot, "예약을 취소했습니다: 홍길동")
        assert (await levels(app))[0].vaccine.reserved == 0


async def test_the_language_changes_in_the_middle_of_a_visit_and_nothing_typed_is_lost(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        visit.entry("vaccinator").value = "박간호"
        await pilot.press("3", "f9")
        await see(pilot, "Comirnaty (purple cap)", "Left thigh", "Use first", "expected: 1 of 2")
        await see(pilot, "15 Aug 1945")
        assert visit.entry("vaccinator").value == "박간호"
        assert visit.pick("site").value is Site.LEFT_THIGH
        await pilot.press("enter")
        await done(app, pilot, visit)
        await see(pilot, "The dose is recorded", "until 09:45, 15 minutes left")
        await pilot.press("enter")
        await see(pilot, "observed, 15 min", "Scan the booking code")


async def test_help_stands_over_a_visit_without_harm(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_needle(app, pilot, receipt.booking)
        await pilot.press("f1")
        await see(pilot, "Enter 키가 다음 단계로 갑니다")
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is visit)
        assert await given(app) == 0


async def test_on_a_small_terminal_the_site_is_chosen_in_sight(kiosk: Kiosk) -> None:
    """However long the person's name is, and whatever is told of the lot meanwhile."""
    async with kiosk(size=(60, 20)) as (app, pilot):
        name = "Maria Magdalena Konstantinopolitanska-Wolfeschlegelsteinhausen de la Cruz"
        receipt = await book(app, name=name)
        visit = await at_needle(app, pilot, receipt.booking)
        site = visit.pick("site").options

        def in_sight() -> bool:
            return site.has_focus and site.region in visit.query_one("#visit").region

        await wait_for(pilot, in_sight, "the answers are seen")
        await see(pilot, "1 왼팔", "4 오른쪽 허벅지")
        visit.query_one("#visit").scroll_home(animate=False)
        await wait_for(pilot, lambda: not in_sight(), "whoever wants to look at the name can")
        await pilot.resize_terminal(60, 18)
        await wait_for(pilot, in_sight, "the answers are seen again")


async def test_a_name_that_is_typed_narrows_the_day_by_any_of_its_words(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        for number, name in enumerate(("John Smith", "Anna Müller", "홍길동"), start=1):
            await book(app, number, name)
        desk = await at_desk(app, InjectionDeskScreen)
        await wait_for(pilot, lambda: len(cells(desk.table)) == 3)
        for typed, found in (("smith", "John Smith"), ("muller an", "Anna Müller"), ("길", None)):
            await type_text(pilot, typed)
            wanted = {found} if found else {"John Smith", "Anna Müller", "홍길동"}
            await wait_for(
                pilot, lambda wanted=wanted: {row[1] for row in cells(desk.table)} == wanted, typed
            )
            await pilot.press("escape")


async def test_on_a_small_terminal_the_state_of_a_visit_is_not_cut(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk(size=(60, 20)) as (app, pilot):
        await pilot.press("f9")
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        desk = await at_desk(app, InjectionDeskScreen)
        await see(pilot, "observed, 15 min")
        clock.move(minutes=16)
        desk.clinic_changed()
        await see(pilot, "observation over")
        await type_text(pilot, "홍길동")
        await book(app, 2)
        await pilot.press("enter")
        await see(pilot, "observation over", "1945-08-15")
        await pilot.resize_terminal(100, 30)
        await see(pilot, "observation over", "Comirnaty")
