"""Who somebody is, put right by keyboard: where it is read back, and where the paper is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from textual.pilot import Pilot

from domain.booking import Book, ListDays, ListSlots
from domain.certificate import CertificateDetail, IssueCertificate, ListCertificates
from domain.presentation import Disease, Presentation
from domain.recipient import PersonDetails, Sex
from domain.statement import CertificateStatus
from domain.vaccine import RegisterVaccine
from kiosk.app import ClinicApp
from kiosk.screens.certificate_issue import CertificateIssueScreen
from kiosk.screens.desk.certificate_forms import ReissueScreen
from kiosk.screens.desk.details import DetailsScreen
from kiosk.screens.desk.issued import IssuedScreen
from kiosk.screens.desk.visit import VisitScreen
from kiosk.screens.injection_desk import InjectionDeskScreen
from kiosk.settings import Settings
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.modals import Confirm
from tests.app.conftest import Kiosk
from tests.app.desks import (
    LOOSE,
    NOT_A_DATE,
    NOT_TEXT,
    apply,
    at_desk,
    book,
    error_of,
    person,
    refuses,
    services_of,
    visit_of,
)
from tests.app.terminal import screen_text, see, type_text, wait_for
from tests.clinics import STAFF

FLU = Presentation(
    key="flu", name_ko="독감", name_en="Flu", manufacturer="Maker", disease=Disease.INFLUENZA,
    min_age_months=6, primary_doses=1,
)  # fmt: skip


async def details_form(app: ClinicApp, pilot: Pilot[int]) -> DetailsScreen:
    await wait_for(pilot, lambda: isinstance(app.screen, DetailsScreen))
    assert isinstance(app.screen, DetailsScreen)
    return app.screen


async def details_at_visit(app: ClinicApp, pilot: Pilot[int], booking: str) -> DetailsScreen:
    """From the desk to the check-in, and F5 there."""
    await at_desk(app, InjectionDeskScreen)
    await see(pilot, "예약 번호를 스캔")
    await type_text(pilot, booking)
    await pilot.press("enter")
    await wait_for(pilot, lambda: isinstance(app.screen, VisitScreen))
    await see(pilot, "다르면 F5 키로 고칩니다")
    await pilot.press("f5")
    return await details_form(app, pilot)


async def details_at_reissue(app: ClinicApp, pilot: Pilot[int]) -> DetailsScreen:
    """From the issued certificates to the reissue, for details that are wrong."""
    await at_desk(app, CertificateIssueScreen)
    await see(pilot, "발급을 기다리는 신청")
    await pilot.press("f4")
    await wait_for(pilot, lambda: isinstance(app.screen, IssuedScreen))
    await wait_for(pilot, lambda: app.screen.query_one(DeskTable).row_count)
    await pilot.press("f5")
    await wait_for(pilot, lambda: isinstance(app.screen, ReissueScreen))
    await pilot.press("1", "f2")
    return await details_form(app, pilot)


async def say_yes(pilot: Pilot[int]) -> None:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.press("1")


async def issued(app: ClinicApp) -> CertificateDetail:
    """The one certificate that is valid."""
    [detail] = await services_of(app).gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    return detail


async def certified(app: ClinicApp) -> CertificateDetail:
    await apply(app, 1, "홍길동")
    gateway = services_of(app).gateway
    [ready] = await gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    await gateway.send(IssueCertificate(ready.certificate.code), STAFF)
    return await issued(app)


async def book_again(app: ClinicApp, who: PersonDetails) -> None:
    """The same person books another vaccine, and says of themselves what they say."""
    gateway = services_of(app).gateway
    vaccine = await gateway.send(RegisterVaccine(FLU), STAFF)
    [day, *_] = await gateway.ask(ListDays())
    [slot, *_] = await gateway.ask(ListSlots(day.date))
    await gateway.send(Book(who, vaccine.code, slot.slot, join_wait_list=True))


@pytest.mark.parametrize("size", [(80, 24), (100, 30)])
async def test_what_was_read_back_wrong_is_put_right_before_the_check_in(
    kiosk: Kiosk, size: tuple[int, int]
) -> None:
    async with kiosk(size=size) as (app, pilot):
        receipt = await book(app)
        form = await details_at_visit(app, pilot, receipt.booking)
        await see(pilot, "홍길동", "1945-08-15", "HONG", "GILDONG", "010-0000-0001", "자세한 내용")
        form.entry("name").value = "홍길순"
        form.entry("birth_date").value = "1946.8.15"
        form.entry("passport_surname").value = "hwang"
        form.pick("sex").options.focus()
        await pilot.press("1", "enter", "1", "f2")
        await see(pilot, "이름: 홍길순 (지금까지 홍길동)", "생년월일: 1946-08-15 (지금까지 1945-08-15)")
        await see(pilot, "HWANG (지금까지 HONG)", "여성 (지금까지 말하지 않음)", "사유: 인적 사항 오류")
        assert "GILDONG" not in screen_text(app).partition("지금까지")[2], "what stays is not read back"
        await say_yes(pilot)
        await wait_for(pilot, lambda: isinstance(app.screen, VisitScreen))
        await see(pilot, "홍길순 (HWANG GILDONG)", "1946년 8월 15일", "1. 신원 확인")
        await pilot.press("escape")
        await see(pilot, "인적 사항을 고쳤습니다: 홍길순. 재발급된 증명서 0건.")
        right = PersonDetails("홍길순", date(1946, 8, 15), "+821000000001", "HWANG", "GILDONG", Sex.FEMALE)
        assert (await visit_of(app, receipt.booking)).person == right


async def test_the_form_refuses_in_words_beside_what_is_wrong(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await book(app, 2, "김민수")
        receipt = await book(app, 1, "홍길동")
        form = await details_at_visit(app, pilot, receipt.booking)
        await pilot.press("f2")
        await wait_for(pilot, lambda: "바뀐 내용이 없습니다" in error_of(form, "name"))
        await wait_for(pilot, lambda: error_of(form, "kind"))
        form.pick("kind").options.focus()
        await pilot.press("2")
        await refuses(pilot, form, "name", *NOT_TEXT, "ㅎㅗㅇ")
        await refuses(pilot, form, "birth_date", *NOT_A_DATE[:-2], "29991231")
        await refuses(pilot, form, "phone", *NOT_TEXT, "12")
        await refuses(pilot, form, "passport_surname", *NOT_TEXT, LOOSE, "홍")
        await refuses(pilot, form, "passport_given", "길동", "[/red]")
        form.entry("name").value = "김민수"
        form.entry("phone").value = "010-0000-0002"
        await pilot.press("f2")
        await say_yes(pilot)
        await wait_for(pilot, lambda: "다른 분이 이미 등록" in error_of(form, "name"))
        assert app.screen is form
        assert form.entry("phone").value == "010-0000-0002", "what was typed stays"
        assert (await visit_of(app, receipt.booking)).person == person(1, "홍길동")


async def test_a_certificate_with_wrong_details_is_not_printed_with_them_again(
    kiosk: Kiosk, settings: Settings
) -> None:
    async with kiosk() as (app, pilot):
        old = await certified(app)
        form = await details_at_reissue(app, pilot)
        assert form.pick("kind").value == "details"
        form.entry("name").value = "홍길순"
        await pilot.press("f2", "f2")
        await say_yes(pilot)
        await see(
            pilot, "인적 사항을 고쳤습니다: 홍길순. 재발급되었거나 서명을 기다리는 증명서 1건. 출력했습니다"
        )
        assert isinstance(app.screen, IssuedScreen)
        new = await issued(app)
        facts = new.certificate.facts
        assert facts
        assert (facts.name, facts.supersedes) == ("홍길순", old.certificate.code)
        assert new.certificate.prints == 1
        assert (settings.paper_folder / f"certificate-{new.certificate.code}.pdf").exists()


async def test_details_that_were_put_right_already_are_only_printed(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        await certified(app)
        await book_again(app, replace(person(1, "홍길동"), passport_surname="HWANG"))
        form = await details_at_reissue(app, pilot)
        assert form.entry("passport_surname").value == "HWANG"
        await pilot.press("f2")
        await see(pilot, "재발급했습니다: 홍길동")
        facts = (await issued(app)).certificate.facts
        assert facts
        assert facts.surname == "HWANG"


async def test_corrected_details_whose_paper_fails_say_so(
    kiosk: Kiosk, settings: Settings, tmp_path: Path
) -> None:
    async with kiosk() as (app, pilot):
        await certified(app)
        form = await details_at_reissue(app, pilot)
        form.entry("birth_date").value = "19460815"
        settings.paper_folder.rename(tmp_path / "away")
        settings.paper_folder.write_text("a file where the folder should be")
        await pilot.press("f2")
        await say_yes(pilot)
        await see(pilot, "! 인적 사항을 고쳤습니다: 홍길동. 재발급되었거나 서명을 기다리는 증명서 1건.")
