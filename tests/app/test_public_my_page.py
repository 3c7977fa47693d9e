"""My page and the certificate application: one's own records, and what can be done about them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from domain.application import ApplyForCertificate
from domain.attempts import MOST_WRONG, PAUSE
from domain.booking import Book, BookingReceipt
from domain.certificate import IssueCertificate, ListCertificates, ReissueCertificate, RevokeCertificate
from domain.codes import spoken
from domain.errors import NotIdentified
from domain.mypage import IdentifyByCode, IdentifyByDetails
from domain.presentation import Site
from domain.statement import Certificate, CertificateStatus
from domain.vaccine import ListVaccines
from domain.visit import CheckIn, CompleteInjection, FindVisits, Screen
from kiosk.app import ClinicApp
from kiosk.screens.identify import CertificateNumber, IdentifyScreen, parse_own_code
from kiosk.screens.record import RecordScreen
from kiosk.settings import Settings
from kiosk.widgets.choice_list import ChoiceList
from tests.app import desks
from tests.app.conftest import Kiosk
from tests.app.desks import apply, services_of
from tests.app.terminal import press_at_once, screen_text, see, type_text, wait_for
from tests.app.test_public_booking import was_read
from tests.clinics import STAFF, TestClock, person


async def book(app: ClinicApp, number: int = 1) -> BookingReceipt:
    """A booking made elsewhere."""
    services = app.services
    assert services
    vaccine = (await services.gateway.ask(ListVaccines()))[0].vaccine
    today = services.clinic.today(services.clock.now())
    receipt = await services.gateway.send(
        Book(person(number), vaccine.code, services.clinic.slots_on(today)[4])
    )
    await services.settle()
    return receipt


async def vaccinate(app: ClinicApp, booking: str) -> None:
    """The whole visit at the desk."""
    services = app.services
    assert services
    gateway = services.gateway
    [visit] = await gateway.ask(FindVisits(booking), STAFF)
    code = visit.injection.code
    await gateway.send(CheckIn(code), STAFF)
    await gateway.send(Screen(code), STAFF)
    await gateway.send(CompleteInjection(code, "LOT1", Site.LEFT_ARM, STAFF.name), STAFF)
    await services.settle()


async def waiting(app: ClinicApp) -> list[Certificate]:
    """What the officer has to issue."""
    await services_of(app).settle()
    ready = ListCertificates(CertificateStatus.READY)
    return [detail.certificate for detail in await services_of(app).gateway.ask(ready, STAFF)]


async def issue(app: ClinicApp) -> str:
    """The officer issues what waits."""
    [ready] = await waiting(app)
    await services_of(app).gateway.send(IssueCertificate(ready.code), STAFF)
    await services_of(app).settle()
    return ready.code


async def identify(pilot: Pilot[int], place: str, code: str) -> None:
    """Enter by a code."""
    await pilot.press(place)
    await see(pilot, "어떻게 찾을까요?", "> 1")
    await pilot.press("1")
    await see(pilot, "번호를 입력하세요")
    await type_text(pilot, code)
    await pilot.press("enter")


async def identify_by_details(pilot: Pilot[int]) -> None:
    """Enter by the details of whoever `book` books for."""
    await pilot.press("2")
    await see(pilot, "어떻게 찾을까요?", "> 1")
    await pilot.press("2")
    for question, answer in (
        ("이름은 무엇", "홍길동"), ("생년월일은", "1945.8.15"), ("전화번호는", "010-0000-0001"),
    ):  # fmt: skip
        await see(pilot, question)
        await type_text(pilot, answer)
        await pilot.press("enter")


async def test_a_booking_is_found_by_its_code_in_any_keyboard_mode_and_cancelled(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app)
        await identify(pilot, "2", spoken(receipt.booking).lower())
        await see(pilot, "홍*동", "예약됨")
        assert "홍길동" not in screen_text(app)
        await pilot.press("1")
        await see(pilot, spoken(receipt.booking), "예약표 만들기")
        await was_read(pilot)
        await pilot.press("2")
        await see(pilot, "정말 취소하시겠습니까?")
        await pilot.press("1")
        await see(pilot, "상태: 취소됨")
        await pilot.press("escape")
        await see(pilot, "무엇을 보시겠습니까?", "취소됨")


async def test_a_person_is_found_by_name_birth_date_and_phone(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app)
        await identify_by_details(pilot)
        await see(pilot, "무엇을 보시겠습니까?", "홍*동")


@pytest.mark.parametrize("wrong", ["", "x" * 10_000, "[/red]", "BK7-M3Q-9XB", "😀", "예약번호"])
async def test_a_wrong_code_is_refused_beside_the_field(kiosk: Kiosk, wrong: str) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await identify(pilot, "2", wrong)
        await see(pilot, "! 아래 내용을", "다시 확인해")
        assert isinstance(app.screen, IdentifyScreen)
        assert app.screen.field.value == wrong


async def test_somebody_unknown_is_told_so_and_too_many_attempts_wait(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app)
        nobody = next(c for c in _codes(receipt.booking) if c != receipt.booking)
        await identify(pilot, "2", nobody)
        await see(pilot, "찾지 못했습니다")
        for _ in range(5):
            screen = app.screen
            assert isinstance(screen, IdentifyScreen)
            await wait_for(pilot, lambda: not app.screen.busy)  # type: ignore[attr-defined]
            await pilot.press("enter")
        await see(pilot, "초 뒤에 다시")


async def test_while_no_details_are_taken_the_seconds_are_counted_down_until_one_may_go_on(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        for _ in range(MOST_WRONG):
            with pytest.raises(NotIdentified):
                await services_of(app).gateway.ask(IdentifyByDetails("김아무", "1990-01-01", "01000000000"))
        await identify_by_details(pilot)
        await see(pilot, f"{PAUSE.seconds + 1}초 뒤에")
        assert "고쳐 주세요" not in screen_text(app)
        clock.move(seconds=7)
        await see(pilot, f"{PAUSE.seconds + 1 - 7}초 뒤에")
        clock.move(seconds=24)
        await wait_for(pilot, lambda: "!" not in screen_text(app), "it may be tried again")


async def test_the_number_of_a_certificate_does_not_open_its_holders_page(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        gateway = services_of(app).gateway
        [injection] = await gateway.ask(FindVisits(receipt.booking), STAFF)
        me = await gateway.ask(IdentifyByCode(receipt.booking))
        await gateway.send(ApplyForCertificate(injection.injection.code), me)
        certificate = await issue(app)
        with pytest.raises(NotIdentified):
            await gateway.ask(IdentifyByCode(certificate))
        await identify(pilot, "2", certificate)
        await see(pilot, "증명서 번호입니다", "신청 번호나 예약 번호를 써 주세요")
        assert isinstance(app.screen, IdentifyScreen)
        assert "홍*동" not in screen_text(app)
        with pytest.raises(CertificateNumber):  # said of one that does not exist, too
            parse_own_code(next(code for code in _codes(certificate) if code != certificate))


def _codes(like: str) -> list[str]:
    """Codes that are well formed, and nobody's."""
    from domain.codes import check_character

    bodies = [like[:-2] + letter for letter in "23456789"]
    return [body + check_character(body) for body in bodies]


async def test_a_certificate_is_applied_for_followed_and_made(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        receipt = await book(app)
        await identify(pilot, "3", receipt.booking)
        await see(pilot, "증명할 접종이 아직 없습니다", "접종을 마친 뒤에")
        await vaccinate(app, receipt.booking)
        await see(pilot, "어느 접종의 증명서입니까?", "신청 안 함")
        await pilot.press("1")
        await see(pilot, "증명서 신청하기")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "증명서를 신청할까요?")
        await pilot.press("1")
        await see(pilot, "신청됨", "신청 취소하기", "신청 번호:")
        [ready] = await waiting(app)
        await wait_for(pilot, lambda: app.screen._dose.certificate == ready.code)  # type: ignore[attr-defined]
        assert spoken(ready.application) in screen_text(app), "this opens one's page"
        assert spoken(ready.code) not in screen_text(app), "and this does not"
        certificate = await issue(app)
        await see(pilot, "발급됨", "증명서 번호:", spoken(certificate), "증명서 만들기")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "만들었습니다")
        assert list(app.settings.paper_folder.glob("certificate-*.pdf"))


async def test_an_application_is_taken_back_and_made_again(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await identify(pilot, "3", receipt.booking)
        await see(pilot, "신청 안 함")
        await pilot.press("1")
        await see(pilot, "증명서 신청하기")
        for title, after in (
            ("증명서를 신청할까요?", "신청 취소하기"),
            ("신청을 취소할까요?", "증명서 신청하기"),
            ("증명서를 신청할까요?", "신청 취소하기"),
        ):
            await was_read(pilot)
            await pilot.press("1")
            await see(pilot, title)
            await pilot.press("1")
            await see(pilot, after)


async def test_my_page_shows_dose_application_and_certificate_and_makes_the_paper(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        receipt = await book(app)
        await vaccinate(app, receipt.booking)
        await identify(pilot, "2", receipt.booking)
        await see(pilot, "접종 완료", "1 접종: 코미나티주 (보라색 뚜껑) 1/2차")
        await pilot.press("1")
        await see(pilot, "증명서 신청하기", "제조번호: LOT1", "다음 접종")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "증명서를 신청할까요?", "> 1  네, 신청합니다")
        await pilot.press("enter")  # it can be cancelled
        await see(pilot, "신청되었습니다", "신청 번호", "직원에게 받거나")
        await pilot.press("enter")
        await issue(app)
        await pilot.press("escape")
        await see(pilot, "증명서: 코미나티", "발급됨")
        await pilot.press("1")
        await see(pilot, "증명서 만들기")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "만들었습니다", ".pdf")


async def test_what_still_counts_comes_first_and_a_replaced_certificate_is_called_so(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        waits = await desks.book(app, 1, vaccine=1)
        application = await apply(app, 1, "홍길동")
        certificate = await issue(app)
        for reason in ("misread", "misread again"):
            clock.move(minutes=1)
            reissue = ReissueCertificate(certificate, reason)
            certificate = await services_of(app).gateway.send(reissue, STAFF)
        await services_of(app).settle()
        await identify(pilot, "2", application.code)
        await see(pilot, "무엇을 보시겠습니까?", "새것으로 바뀜 (쓸 수 없음)")
        lines = [str(line.value) for line in app.screen.query_one(ChoiceList).choices]
        assert {certificate, waits.booking, application.injection} == set(lines[:3]), "and the rest is over"
        assert lines[0] == certificate, "the newest first"
        assert screen_text(app).count("새것으로 바뀜 (쓸 수 없음)") == 2
        await services_of(app).gateway.send(RevokeCertificate(certificate, "wrong"), STAFF)
        await see(pilot, "폐기됨 (쓸 수 없음)")
        await wait_for(pilot, lambda: "새것으로" not in screen_text(app), "nothing stands for them any more")


async def test_a_certificate_that_is_only_applied_for_is_known_by_the_application(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        application = await apply(app, 1, "홍길동")
        [ready] = await waiting(app)
        await identify(pilot, "2", application.code)
        await see(pilot, "증명서: 코미나티", "발급 준비 중")
        lines = [line.value for line in app.screen.query_one(ChoiceList).choices]
        await pilot.press(str(lines.index(ready.code) + 1))
        await see(pilot, "상태: 발급 준비 중", f"신청 번호: {spoken(application.code)}")
        assert spoken(ready.code) not in screen_text(app)


async def test_the_next_visitor_does_not_see_the_last_ones_page(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await identify(pilot, "2", receipt.booking)
        await see(pilot, "홍*동")
        await pilot.press("escape")
        await see(pilot, "무엇을 도와드릴까요?")
        await pilot.press("2")
        await see(pilot, "어떻게 찾을까요?")
        await pilot.press("1")
        await see(pilot, "번호를 입력하세요")
        assert isinstance(app.screen, IdentifyScreen)
        assert app.screen.field.value == ""
        assert "홍*동" not in screen_text(app)


async def test_the_enter_that_closes_a_message_pressed_twice_does_not_leave_or_print_again(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        await identify(pilot, "2", receipt.booking)
        await pilot.press("1")
        await see(pilot, "예약표 만들기")
        await was_read(pilot)
        await pilot.press("1")
        await see(pilot, "만들었습니다")
        [ticket] = settings.paper_folder.glob("ticket-*.pdf")
        written = ticket.stat().st_mtime_ns
        await press_at_once(pilot, "enter", "enter")
        await see(pilot, "예약표 만들기", "> 1")
        await was_read(pilot)
        assert isinstance(app.screen, RecordScreen)
        assert not app.screen.busy
        assert ticket.stat().st_mtime_ns == written
