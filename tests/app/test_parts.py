"""The administrator's view of the parts: states, pauses, and what was put aside; on the real relay."""

from __future__ import annotations

import pytest

from domain import policies
from domain.booking import CancelBooking
from domain.errors import InputError, StorageUnavailable
from domain.events import Booked, Event
from domain.mypage import IdentifyByCode
from domain.orders import OrderIssue
from domain.parts import ListParts, Part, PartState, PausePart
from domain.ports import Context, UnitOfWork
from domain.resilience import Breaker
from domain.statement import CertificateStatus
from domain.visit import FindVisits
from kiosk.app import ClinicApp
from kiosk.i18n import LANGUAGES, Texts
from kiosk.screens.desk.aside import AsideScreen
from kiosk.screens.desk.part_words import duration, problem_words
from kiosk.screens.parts import PartsScreen
from kiosk.settings import Settings
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.modals import Confirm
from storage import listeners
from tests.app.conftest import Kiosk
from tests.app.desks import apply, at_desk, book, cells, refuse_to_sign, services_of
from tests.app.terminal import screen_text, see, type_text, wait_for
from tests.app.test_certificate_issue import certificates
from tests.app.test_public_texts import refusals
from tests.clinics import STAFF, TestClock

SIZES = [(100, 30), (80, 24), (40, 16)]


async def state(app: ClinicApp, part: Part) -> PartState:
    states = await services_of(app).gateway.ask(ListParts(), STAFF)
    return next(state for state in states if state.name is part)


def shown(app: ClinicApp) -> dict[str, list[str]]:
    """The rows of the list by their first cell."""
    return {row[0]: row[1:] for row in cells(app.screen.query_one(DeskTable))}


def whole(app: ClinicApp) -> None:
    """The list and the keys are seen, and nothing is drawn over the edge."""
    height = app.size.height
    for widget in app.screen.query("#desk > *"):
        if widget.display and widget.region.height:
            assert widget.region.bottom < height, f"{widget} ends below:\n{screen_text(app)}"
    table = app.screen.query_one(DeskTable)
    assert not table.display or table.virtual_size.width <= table.size.width, screen_text(app)


async def rest(breaker: Breaker) -> None:
    """Until the breaker has seen enough failures."""

    async def fails() -> None:
        raise StorageUnavailable(reason="disk I/O error")

    for _ in range(breaker.failures):
        with pytest.raises(StorageUnavailable):
            await breaker.call(fails)


class Stumbling:
    """The injection desk's part cannot deal with this booking, for a reason of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.booking = ""
        monkeypatch.setattr(listeners, "follow_by_relay", self)

    def __call__(self, part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        if isinstance(event, Booked) and (not self.booking or event.booking == self.booking):
            self.booking = event.booking
            raise ArithmeticError
        policies.follow_by_relay(part, uow, event, context)


async def put_aside(app: ClinicApp) -> str:
    """A booking that the injection desk's part could not deal with, and its cancellation behind it."""
    receipt = await book(app, 1)
    gateway = services_of(app).gateway
    me = await gateway.ask(IdentifyByCode(receipt.booking))
    await gateway.send(CancelBooking(receipt.booking), me)
    await services_of(app).settle()
    assert (await state(app, Part.INJECTION_INTAKE)).aside == 2
    return receipt.booking


async def test_the_administrator_finds_the_parts_in_the_menu(kiosk: Kiosk, pin: str) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "업무 처리 상태")
        await pilot.press("5")
        await see(pilot, "창구 뒤에서 처리되는 업무", "접종 명단", "내 정보")
        assert isinstance(app.screen, PartsScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_every_part_is_seen_with_its_state_at_every_size(kiosk: Kiosk, size: tuple[int, int]) -> None:
    async with kiosk(size=size) as (app, pilot):
        await at_desk(app, PartsScreen)
        for language in LANGUAGES:
            app.speak(language)
            names = [Texts(language)(f"parts.of.{part}") for part in Part]
            await wait_for(pilot, lambda names=names: list(shown(app)) == names)  # type: ignore[misc]
            assert {row[0] for row in shown(app).values()} == {Texts(language)("parts.is.caught_up")}
            await see(pilot, Texts(language)("parts.nothing_waits"))
            whole(app)
            await pilot.press("enter")
            await see(pilot, Texts(language)("parts.nothing_aside"))
            whole(app)
            await pilot.press("escape")
            await wait_for(pilot, lambda: isinstance(app.screen, PartsScreen))


async def test_a_signing_key_that_is_due_for_rotation_is_shown(kiosk: Kiosk, clock: TestClock) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await at_desk(app, PartsScreen)
        await see(pilot, "기록 대기")
        assert "서명 키" not in screen_text(app)
        clock.move(days=200)
        await see(pilot, "서명 키", "부터 교체해야 합니다: kiosk keys rotate")
        app.speak("en")
        await see(pilot, "Due for rotation since")


async def test_a_part_is_paused_after_it_was_said_what_follows_and_goes_on_with_what_waited(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await at_desk(app, PartsScreen)
        await see(pilot, "접종 명단", "F2 멈추기")
        await pilot.press("f2")
        await see(
            pilot, "멈출까요? 접종 명단", "새 예약이 접종 창구 명단에 나타나지 않습니다", "사라지지 않으며"
        )
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, PartsScreen))
        assert not (await state(app, Part.INJECTION_INTAKE)).paused
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(pilot, "멈추었습니다. 기다리는 것은", "F3 다시 시작")
        assert (await state(app, Part.INJECTION_INTAKE)).paused
        receipt = await book(app, 1)
        await wait_for(pilot, lambda: shown(app)["접종 명단"][:2] == ["멈춤", "1"])
        clock.move(minutes=5)
        await see(pilot, "밀린 일 1건 (가장 오래된 것 5분 전)")
        await pilot.press("f3")
        await see(pilot, "다시 시작했습니다", "F2 멈추기")
        await wait_for(pilot, lambda: shown(app)["접종 명단"][:2] == ["정상", "0"])
        assert await services_of(app).gateway.ask(FindVisits(receipt.booking), STAFF)


async def test_a_part_that_another_kiosk_paused_is_seen_here(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await at_desk(app, PartsScreen)
        await see(pilot, "내 정보")
        await services_of(app).gateway.send(PausePart(Part.MY_PAGE), STAFF)
        await wait_for(pilot, lambda: shown(app)["내 정보"][0] == "멈춤")
        await pilot.press("down", "down", "down")
        await see(pilot, "멈추어 있습니다", "F3 다시 시작")


async def test_a_part_that_fails_says_why_and_what_rests(kiosk: Kiosk, settings: Settings) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await apply(app, 1, "홍길동")
        settings.paper_folder.write_text("a file where the folder should be")
        [detail] = await certificates(app, CertificateStatus.READY)
        await at_desk(app, PartsScreen)
        await services_of(app).gateway.send(OrderIssue((detail.certificate.code,)), STAFF)
        await wait_for(pilot, lambda: shown(app)["증명서 출력"][0] == "안 됨")
        await pilot.press("down", "down")
        await see(pilot, "되지 않아 다시 시도하고 있습니다", "대기 작업 1건", "출력 쉬는 중")
        await pilot.press("f9")
        await see(pilot, "Fails, and is tried again", "printing resting", "Tasks that wait: 1")
        assert (await state(app, Part.PRINTING)).waiting == 1, "it is kept"


@pytest.mark.parametrize("size", SIZES[1:])
async def test_what_was_put_aside_is_told_in_words_and_tried_again_with_all_behind_it(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with kiosk(size=size) as (app, pilot):
        stumbling = Stumbling(monkeypatch)
        booking = await put_aside(app)
        await at_desk(app, PartsScreen)
        await wait_for(pilot, lambda: shown(app)["접종 명단"][0] == "보류 있음")
        await pilot.press("enter")
        await see(pilot, "접종 명단: 보류된 작업 2건", "프로그램이 처리하지", "ArithmeticError")
        whole(app)
        await pilot.press("down")
        await see(pilot, "같은 대상의 앞선 작업이 보류되어 기다립니다")
        stumbling.booking = "none"
        await pilot.press("f2")
        await see(pilot, "다시 시도합니다: 뒤에 기다리던 것까지 2건", "보류된 작업이 없습니다")
        await services_of(app).settle()
        assert not await services_of(app).gateway.ask(FindVisits(booking), STAFF), "it was cancelled"
        await pilot.press("escape")
        await wait_for(pilot, lambda: shown(app)["접종 명단"][0] == "정상")


async def test_what_was_put_aside_is_discarded_after_asking_and_alone(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        Stumbling(monkeypatch)
        await put_aside(app)
        await app.push_screen(AsideScreen(services_of(app), STAFF, Part.INJECTION_INTAKE))
        await see(pilot, "보류된 작업 2건", "F3 버리기")
        await pilot.press("f3")
        await see(pilot, "되돌릴 수 없습니다")
        await pilot.press("1")
        await see(pilot, "버렸습니다", "보류된 작업 1건", "앞선 작업이 보류되어")
        assert (await state(app, Part.INJECTION_INTAKE)).aside == 1


async def test_what_was_ordered_names_who_ordered_it(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await apply(app, 1, "홍길동")
        [detail] = await certificates(app, CertificateStatus.READY)
        monkeypatch.setattr(services_of(app).gateway.signer, "sign", refuse_to_sign)
        await services_of(app).gateway.send(OrderIssue((detail.certificate.code,)), STAFF)
        await services_of(app).settle()
        await app.push_screen(AsideScreen(services_of(app), STAFF, Part.ISSUING))
        await see(pilot, "김간호", "5번", "! 이 내용에는 서명할 수 없습니다", "증명서 C")
        assert "홍길동" not in screen_text(app)


async def test_what_is_ordered_waits_for_keys_that_are_valid_and_the_parts_say_so(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await apply(app, 1, "홍길동")
        [detail] = await certificates(app, CertificateStatus.READY)
        now = clock.now()
        clock.move(days=36_500)  # nobody has made new keys for a hundred years
        await services_of(app).gateway.send(OrderIssue((detail.certificate.code,)), STAFF)
        await at_desk(app, PartsScreen)
        await wait_for(pilot, lambda: shown(app)["증명서 발급"][0] == "안 됨")
        await pilot.press("down")
        await see(pilot, "! 서명 키가 유효한 기간이 아닙니다")
        assert (await state(app, Part.ISSUING)).aside == 0
        clock.move(seconds=(now - clock.now()).total_seconds())
        await services_of(app).settle()
        await wait_for(pilot, lambda: shown(app)["증명서 발급"][0] == "정상")


async def test_what_this_kiosk_lets_rest_is_seen_without_anybodys_commit(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        screen = await at_desk(app, PartsScreen)
        await see(pilot, "내 정보 정상")
        await rest(services_of(app).gateway.breakers.my_page)
        await see(pilot, "내 정보 쉬는 중")
        assert app.screen is screen


def test_every_problem_is_said_in_words_in_both_languages() -> None:
    codes = {kind.code for kind in refusals() if not issubclass(kind, InputError)}
    problems = codes | {listeners.BEHIND, "interrupted", "too-slow", "ZeroDivisionError"}
    for language in LANGUAGES:
        texts = Texts(language)
        for problem in problems:
            words = problem_words(problem, texts)
            assert words.endswith((".", ")")), words
            assert "{" not in words
            assert not words.startswith(("parts.", "error."))


def test_a_lag_is_said_as_coarsely_as_it_matters() -> None:
    english = Texts("en")
    seconds = (0.4, 59.9, 60, 3_599, 7_200, 200_000)
    assert [duration(s, english) for s in seconds] == ["0 s", "59 s", "1 min", "59 min", "2 h", "2 d"]


async def test_on_a_small_terminal_no_column_of_the_parts_is_cut(kiosk: Kiosk) -> None:
    async with kiosk(size=(60, 20)) as (app, pilot):
        await at_desk(app, PartsScreen)
        await see(pilot, "남음", "보류")
        await pilot.press("f9")
        await see(pilot, "Left", "Aside")
