"""Certificate issue on the real clinic, by keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from domain.application import CancelApplication
from domain.certificate import CertificateDetail, IssueCertificate, ListCertificates
from domain.codes import spoken
from domain.errors import PaperFailed
from domain.parts import DiscardTask, ListTasks, Part, PausePart, ResumePart, RetryTask, TaskStatus
from domain.resilience import BreakerState
from domain.statement import CertificateStatus
from kiosk.app import ClinicApp
from kiosk.screens.certificate_issue import CertificateIssueScreen
from kiosk.screens.desk.certificate_forms import ReissueScreen, RevokeScreen
from kiosk.screens.desk.issued import IssuedField, IssuedScreen
from kiosk.settings import Settings
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.modals import Confirm
from kiosk.widgets.progress import Progress
from kiosk.widgets.say import Say
from tests.app.conftest import Kiosk
from tests.app.desks import (
    LOOSE,
    NOT_TEXT,
    apply,
    at_desk,
    cells,
    error_of,
    keys_of,
    refuse_to_sign,
    refuses,
    services_of,
)
from tests.app.terminal import press_at_once, screen_text, see, type_text, wait_for
from tests.clinics import STAFF, TestClock

NAMES = ("홍길동", "김민수", "이영희")


async def certificates(app: ClinicApp, status: CertificateStatus) -> list[CertificateDetail]:
    return await services_of(app).gateway.ask(ListCertificates(status), STAFF)


async def applied(app: ClinicApp, people: int = 3) -> list[str]:
    """So many people wait for a certificate; the codes of their applications."""
    return [(await apply(app, number, NAMES[number])).code for number in range(people)]


async def issued(app: ClinicApp, people: int = 1) -> list[CertificateDetail]:
    """So many people have one."""
    await applied(app, people)
    for detail in await certificates(app, CertificateStatus.READY):
        await services_of(app).gateway.send(IssueCertificate(detail.certificate.code), STAFF)
    return await certificates(app, CertificateStatus.ISSUED)


async def at_issued(app: ClinicApp, pilot: Pilot[int], rows: int = 1) -> IssuedScreen:
    await at_desk(app, CertificateIssueScreen)
    await see(pilot, "발급을 기다리는 신청")
    await pilot.press("f4")
    await wait_for(pilot, lambda: isinstance(app.screen, IssuedScreen))
    await wait_for(pilot, lambda: app.screen.query_one(DeskTable).row_count == rows)
    assert isinstance(app.screen, IssuedScreen)
    return app.screen


def marks(app: ClinicApp) -> list[str]:
    """What the list says of each application's order."""
    return [row[-1] for row in cells(app.screen.query_one(DeskTable))]


def column(screen: Screen[None], title: str) -> list[str]:
    """What stands in the column of this title."""
    table = screen.query_one(DeskTable)
    titles = [str(column.label) for column in table.ordered_columns]
    return [row[titles.index(title)] for row in cells(table)]


async def order_all(pilot: Pilot[int]) -> None:
    """F2, and yes."""
    await wait_for(pilot, lambda: pilot.app.screen.query_one(DeskTable).row_count)
    await pilot.press("f2")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.press("1")


async def test_an_application_made_elsewhere_arrives_and_is_issued_by_enter(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk() as (app, pilot):
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "발급을 기다리는 신청이 없습니다")
        await applied(app, 1)
        await see(pilot, "홍길동", "신청 1건")
        await press_at_once(pilot, "enter", "enter")
        await see(pilot, "발급했습니다: 홍길동")
        [detail] = await certificates(app, CertificateStatus.ISSUED)
        paper = settings.paper_folder / f"certificate-{detail.certificate.code}.pdf"
        assert paper.read_bytes()[:5] == b"%PDF-"
        assert detail.certificate.prints == 1
        await see(pilot, "신청 0건")


async def test_all_that_wait_are_ordered_and_those_cancelled_meanwhile_are_told_apart(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        applications = await applied(app)
        desk = await at_desk(app, CertificateIssueScreen)
        await see(pilot, *NAMES, "신청 3건")
        await pilot.press("f2")
        await see(pilot, "신청 3건을 맡깁니다", "이 화면을 떠나도 계속됩니다")
        await services_of(app).gateway.send(CancelApplication(applications[1]), STAFF)
        await services_of(app).settle()
        await pilot.press("1")
        await see(pilot, "끝났습니다. 맡긴 3건: 발급 2건, 출력 2건. 취소되었거나 버린 것 1건.", "3건 중 3건")
        assert desk.query_one(Progress).done == 3
        done = await certificates(app, CertificateStatus.ISSUED)
        assert {d.name for d in done} == {"홍길동", "이영희"}
        assert [d.certificate.prints for d in done] == [1, 1]
        papers = {path.stem for path in settings.paper_folder.glob("*.pdf")}
        assert papers == {f"certificate-{d.certificate.code}" for d in done}
        await see(pilot, "신청 0건")


async def test_what_was_ordered_is_marked_and_goes_on_although_the_officer_leaves(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await applied(app, 2)
        gateway = services_of(app).gateway
        await gateway.send(PausePart(Part.ISSUING), STAFF)
        await services_of(app).settle()
        desk = await at_desk(app, CertificateIssueScreen)
        await order_all(pilot)
        await wait_for(pilot, lambda: marks(app) == ["맡김", "맡김"])
        await see(pilot, "맡긴 2건: 발급 0건, 출력 0건", "증명서 발급", "운영자가 멈추었습니다")
        assert desk.check_action("issue_all", ()) is False, "nothing is left to order"
        await pilot.press("enter")
        await see(pilot, "이미 맡긴 증명서입니다")
        await pilot.press("enter", "escape")
        await wait_for(pilot, lambda: app.screen is not desk)
        await gateway.send(ResumePart(Part.ISSUING), STAFF)
        await services_of(app).settle()
        assert [d.certificate.prints for d in await certificates(app, CertificateStatus.ISSUED)] == [1, 1]
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "신청 0건")


async def test_one_that_is_applied_for_later_is_ordered_alone(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await applied(app, 1)
        await services_of(app).gateway.send(PausePart(Part.ISSUING), STAFF)
        await at_desk(app, CertificateIssueScreen)
        await order_all(pilot)
        await wait_for(pilot, lambda: marks(app) == ["맡김"])
        await services_of(app).gateway.send(ResumePart(Part.ISSUING), STAFF)
        await see(pilot, "끝났습니다. 맡긴 1건")
        await apply(app, 1, NAMES[1])
        await wait_for(pilot, lambda: marks(app) == [""])
        await pilot.press("f2")
        await see(pilot, "신청 1건을 맡깁니다")
        await pilot.press("1")
        await see(pilot, "끝났습니다. 맡긴 2건: 발급 2건, 출력 2건")


async def test_a_paper_folder_that_cannot_be_written_is_said_and_printed_when_it_can(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await applied(app, 2)
        services_of(app).gateway.breakers.printing.rest = 0.1
        settings.paper_folder.write_text("a file where the folder should be")
        await at_desk(app, CertificateIssueScreen)
        await order_all(pilot)
        await see(pilot, "맡긴 2건: 발급 2건, 출력 0건", "증명서 출력", "되는 대로 이어서 합니다")
        await wait_for(
            pilot, lambda: services_of(app).gateway.breakers.printing.state is not BreakerState.CLOSED
        )
        await see(pilot, "종이를 만들거나 보관하지 못했습니다")
        assert [d.certificate.prints for d in await certificates(app, CertificateStatus.ISSUED)] == [0, 0]
        settings.paper_folder.unlink()
        await see(pilot, "끝났습니다. 맡긴 2건: 발급 2건, 출력 2건")
        assert [d.certificate.prints for d in await certificates(app, CertificateStatus.ISSUED)] == [1, 1]
        assert len(list(settings.paper_folder.glob("*.pdf"))) == 2


async def test_certificates_that_were_ordered_wait_for_keys_that_are_valid(
    kiosk: Kiosk, clock: TestClock
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await applied(app, 2)
        clock.move(days=36_500)  # nobody has made new keys for a hundred years
        await at_desk(app, CertificateIssueScreen)
        await order_all(pilot)
        await see(pilot, "서명 키가 유효한 기간이 아닙니다", "되는 대로 이어서 합니다")
        assert marks(app) == ["맡김", "맡김"]
        clock.move(days=-36_500)
        await see(pilot, "끝났습니다. 맡긴 2건: 발급 2건, 출력 2건")


async def test_what_cannot_be_done_is_put_aside_with_its_name_and_why_and_tried_again(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await applied(app, 2)
        with monkeypatch.context() as patch:
            patch.setattr(services_of(app).gateway.signer, "sign", refuse_to_sign)
            await at_desk(app, CertificateIssueScreen)
            await order_all(pilot)
            await wait_for(pilot, lambda: marks(app) == ["보류", "보류"])
        await see(pilot, "보류된 것 2건은 운영자가", "홍길동", "! 이 내용에는 서명할 수 없습니다")
        await pilot.press("f9")
        await see(pilot, "2 put aside: the administrator can try them again", "! This cannot be signed")
        await pilot.press("f9")
        gateway = services_of(app).gateway
        for task in await gateway.ask(ListTasks(TaskStatus.ASIDE), STAFF):
            await gateway.send(RetryTask(task.code), STAFF)
        await see(pilot, "끝났습니다. 맡긴 2건: 발급 2건, 출력 2건")
        assert "보류" not in screen_text(app)


async def test_what_the_administrator_discards_can_be_issued_at_the_desk(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await applied(app, 1)
        with monkeypatch.context() as patch:
            patch.setattr(services_of(app).gateway.signer, "sign", refuse_to_sign)
            await at_desk(app, CertificateIssueScreen)
            await order_all(pilot)
            await wait_for(pilot, lambda: marks(app) == ["보류"])
        gateway = services_of(app).gateway
        [task] = await gateway.ask(ListTasks(TaskStatus.ASIDE), STAFF)
        await gateway.send(DiscardTask(task.code), STAFF)
        await wait_for(pilot, lambda: marks(app) == [""])
        await see(pilot, "취소되었거나 버린 것 1건")
        await pilot.press("enter")
        await see(pilot, "발급했습니다: 홍길동", "신청 0건")


@pytest.mark.parametrize("printer", [False, True])
async def test_an_issued_certificate_without_its_paper_is_said_to_be_issued_and_how_it_is_printed(
    kiosk: Kiosk, settings: Settings, printer: bool
) -> None:
    if printer:
        settings = replace(settings, printer="ipp://127.0.0.1:9/ipp/print")
    async with kiosk(size=(60, 20), settings=settings) as (app, pilot):
        await applied(app, 1)
        if not printer:
            settings.paper_folder.write_text("a file where the folder should be")
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "홍길동")
        await pilot.press("enter")
        await see(pilot, "발급했지만 출력하지 못했습니다", "F4 키를 누르고")
        [detail] = await certificates(app, CertificateStatus.ISSUED)
        assert detail.certificate.prints == 0
        await see(pilot, spoken(detail.certificate.code), "프린터가 응답하지" if printer else "못했습니다")
        assert "직원을 불러" not in screen_text(app)
        await pilot.press("enter")
        await see(pilot, "! 발급하고 출력하지 않은 증명서 1건", "신청 0건")


async def test_a_paper_that_cannot_be_made_leaves_the_application_as_it_was(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bytes:
        raise PaperFailed(reason="the QR code on the page cannot be read")

    async with kiosk(size=(80, 24)) as (app, pilot):
        await applied(app, 1)
        monkeypatch.setattr(services_of(app).gateway.press, "certificate", fails)
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "홍길동")
        await pilot.press("enter")
        await see(pilot, "처리하지 못했습니다")
        assert await certificates(app, CertificateStatus.ISSUED) == []


async def test_without_applications_there_is_nothing_to_issue(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "발급을 기다리는 신청이 없습니다")
        assert keys_of(app) == {"Esc", "F1", "F4", "F9", "F10"}
        await applied(app, 1)
        await wait_for(pilot, lambda: {"F2", "Enter"} <= keys_of(app))
        await pilot.press("f4")
        await see(pilot, "아직 발급된 증명서가 없습니다")
        assert keys_of(app).isdisjoint({"F5", "F6"})


async def test_a_copy_is_printed_after_a_yes_and_counted(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await issued(app)
        screen = await at_issued(app, pilot)
        await pilot.press("enter")
        await see(pilot, "지금까지 1부")
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is screen)
        assert (await certificates(app, CertificateStatus.ISSUED))[0].certificate.prints == 1
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await see(pilot, "출력했습니다")
        await wait_for(pilot, lambda: column(screen, "출력") == ["2"])


async def test_a_certificate_is_revoked_with_a_reason_and_leaves_the_list(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        [detail] = await issued(app)
        screen = await at_issued(app, pilot)
        await pilot.press("f6")
        await wait_for(pilot, lambda: isinstance(app.screen, RevokeScreen))
        form = app.screen
        assert isinstance(form, RevokeScreen)
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(form, "kind"))
        form.pick("kind").options.focus()
        await pilot.press("4")
        await refuses(pilot, form, "reason", *NOT_TEXT)
        assert (await certificates(app, CertificateStatus.ISSUED)) == [detail]
        form.pick("kind").options.focus()
        await pilot.press("1", "f2")
        await see(pilot, "되돌릴 수 없습니다", "인적 사항 오류")
        await see(pilot, "1945년 8월 15일생", spoken(detail.certificate.code))
        await pilot.press("1")
        await see(pilot, "폐기했습니다: 홍길동", "아직 발급된 증명서가 없습니다")
        assert not await certificates(app, CertificateStatus.ISSUED)
        await type_text(pilot, detail.certificate.code)
        await pilot.press("enter")
        await see(pilot, "유효한 증명서가 아닙니다 (폐기됨)")
        assert app.screen is screen


async def test_namesakes_are_told_apart_in_the_lists_the_forms_and_the_questions(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        for number, born in enumerate((date(1945, 8, 15), date(1990, 2, 3))):
            await apply(app, number, "홍길동", born)
        desk = await at_desk(app, CertificateIssueScreen)
        await wait_for(pilot, lambda: column(desk, "생년월일") == ["1945-08-15", "1990-02-03"])
        await pilot.press("enter")
        await see(pilot, "발급했습니다: 홍길동 (1945년 8월 15일생)")
        await wait_for(pilot, lambda: column(desk, "생년월일") == ["1990-02-03"])
        await pilot.press("enter")
        await see(pilot, "발급했습니다: 홍길동 (1990년 2월 3일생)")
        await pilot.press("f4")
        await wait_for(pilot, lambda: isinstance(app.screen, IssuedScreen))
        await wait_for(pilot, lambda: column(app.screen, "생년월일") == ["1990-02-03", "1945-08-15"])
        await pilot.press("enter")
        await see(pilot, "홍길동 님(1990년 2월 3일생)의 증명서")
        await pilot.press("escape", "f5")
        await wait_for(pilot, lambda: isinstance(app.screen, ReissueScreen))
        await see(pilot, "1990년 2월 3일")
        await pilot.press("escape", "f6")
        await wait_for(pilot, lambda: isinstance(app.screen, RevokeScreen))
        await see(pilot, "1990년 2월 3일")


async def test_a_certificate_is_replaced_by_one_with_its_own_paper(kiosk: Kiosk, settings: Settings) -> None:
    async with kiosk() as (app, pilot):
        [old] = await issued(app)
        await at_issued(app, pilot)
        await pilot.press("f5")
        await wait_for(pilot, lambda: isinstance(app.screen, ReissueScreen))
        form = app.screen
        assert isinstance(form, ReissueScreen)
        await pilot.press("2", "f2", "f2")
        await see(pilot, "재발급했습니다: 홍길동")
        [new] = await certificates(app, CertificateStatus.ISSUED)
        assert new.certificate.facts
        assert new.certificate.facts.supersedes == old.certificate.code
        assert (settings.paper_folder / f"certificate-{new.certificate.code}.pdf").exists()


async def test_a_new_certificate_without_its_paper_says_so(
    kiosk: Kiosk, settings: Settings, tmp_path: Path
) -> None:
    async with kiosk() as (app, pilot):
        await issued(app)
        await at_issued(app, pilot)
        settings.paper_folder.rename(tmp_path / "away")
        settings.paper_folder.write_text("a file where the folder should be")
        await pilot.press("f5")
        await wait_for(pilot, lambda: isinstance(app.screen, ReissueScreen))
        await pilot.press("2", "f2")
        await see(pilot, "재발급했지만 출력하지 못했습니다")


async def test_certificates_are_found_by_name_and_by_number(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        details = await issued(app, 2)
        screen = await at_issued(app, pilot, rows=2)
        table = screen.query_one(DeskTable)
        await pilot.press("down")
        await wait_for(pilot, lambda: table.cursor_row == 1)
        await type_text(pilot, "김")
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["김민수"])
        await pilot.press("escape")
        await wait_for(pilot, lambda: table.row_count == 2)
        code = next(d.certificate.code for d in details if d.name == "홍길동")
        await type_text(pilot, code)
        await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["홍길동"])
        await pilot.press("enter")
        await see(pilot, "홍길동 님(1945년 8월 15일생)의 증명서")


async def test_a_name_is_found_in_small_letters_and_by_the_passport_and_a_list_without_it_says_only_that(
    kiosk: Kiosk,
) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await apply(app, 9, "Anna Müller")
        await issued(app, 1)
        screen = await at_issued(app, pilot, rows=2)
        table, field = screen.query_one(DeskTable), screen.query_one(IssuedField)
        for typed in ("anna", "müller", "MULLER", "muller anna"):
            field.value = typed
            await wait_for(pilot, lambda: [row[1] for row in cells(table)] == ["Anna Müller"], typed)
            await see(pilot, "찾은 것 1건")
        field.value = "gildong"
        await see(pilot, "찾은 것 2건")
        field.value = "john"
        await see(pilot, "찾은 것 0건", "이 이름이나 번호로 발급된 증명서가 목록에 없습니다")
        await pilot.press("enter")
        await see(pilot, "! 목록에 있는 이름도, 온전한 증명서 번호도 아닙니다")


async def test_whatever_is_typed_into_the_field_it_answers_in_words(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await issued(app)
        screen = await at_issued(app, pilot)
        field = screen.query_one(IssuedField)
        for text in (*NOT_TEXT[1:], LOOSE, "-5", "0", "2020-01-01", "BK7-M3Q-9XA", "C22222222"):
            field.value = text
            await pilot.press("enter")
            await wait_for(pilot, lambda: not field.query_one(".error", Say).has_class("-empty"), text[:20])
            assert app.screen is screen
            assert "input-" not in screen_text(app)
            await pilot.press("escape")


async def test_the_language_changes_live(kiosk: Kiosk) -> None:
    async with kiosk(size=(100, 30)) as (app, pilot):
        await applied(app, 1)
        await at_desk(app, CertificateIssueScreen)
        await see(pilot, "발급을 기다리는 신청 1건", "코미나티주")
        await pilot.press("f9")
        await see(pilot, "Applications that wait: 1", "Comirnaty (purple cap)", "Issue all")
        await order_all(pilot)
        await see(pilot, "Done. Of 1 ordered: 1 issued, 1 printed.")
        await pilot.press("f9")
        await see(pilot, "끝났습니다. 맡긴 1건: 발급 1건, 출력 1건")
