"""A keyboard, or a scanner that types as one, left in Hangul mode: found all the same, or said in words."""

from __future__ import annotations

from domain.actors import Actor, Role
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.new_vaccine import NewVaccineScreen
from kiosk.screens.verify import VerifyScreen
from kiosk.widgets.desk_table import DeskTable
from tests.app.conftest import Kiosk
from tests.app.desks import book, cells, error_of, levels, services_of
from tests.app.terminal import see, type_text, wait_for
from tests.app.test_certificate_issue import at_issued, issued
from tests.app.test_injection_desk import at_needle
from tests.app.test_public_booking import choose_time, tell
from tests.certificate_facts import facts, flu, signed
from tests.clinics import STAFF

KEYS = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ㅁㅠㅊㅇㄸㄹㅎㅗㅑㅓㅏㅣㅡㅜㅒㅖㅃㄲㄴㅆㅕㅍㅉㅌㅛㅋㅁㅠㅊㅇㄷㄹㅎㅗㅑㅓㅏㅣㅡㅜㅐㅔㅂㄱㄴㅅㅕㅍㅈㅌㅛㅋ",
)
"""What each key types with Hangul input on."""


async def test_a_certificates_number_scanned_in_hangul_mode_is_in_the_list(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        detail = next(d for d in await issued(app, 2) if d.name == "홍길동")
        screen = await at_issued(app, pilot, rows=2)
        await type_text(pilot, detail.certificate.code.translate(KEYS))
        await wait_for(pilot, lambda: [r[1] for r in cells(screen.query_one(DeskTable))] == ["홍길동"])
        await pilot.press("enter")
        await see(pilot, "홍길동 님(1945년 8월 15일생)의 증명서")


async def test_a_certificate_scanned_in_hangul_mode_is_told_from_what_is_none(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        vaccinator = Actor("SVACCINA2", frozenset({Role.VACCINATOR}), "김접종")
        await app.push_screen(VerifyScreen(services_of(app), vaccinator))
        await see(pilot, "QR을 스캔하세요")
        for credential in (signed(facts()), signed(facts(doses=(flu(),)))):
            await type_text(pilot, credential.text.translate(KEYS))
            await pilot.press("enter")
            await see(pilot, "!  키보드가 한글 상태입니다", "한/영 키를 눌러 영문으로 바꿔 주세요")
            await type_text(pilot, "안녕하세요")
            await pilot.press("enter")
            await see(pilot, "!  증명서가 아닙니다")


async def test_a_passport_name_in_hangul_is_refused_with_the_key_to_press(kiosk: Kiosk) -> None:
    async with kiosk(size=(40, 16)) as (_, pilot):
        await choose_time(pilot)
        await tell(pilot, ["name", "birth_date", "phone"])
        await see(pilot, "영문 성은")
        await type_text(pilot, "홍")
        await pilot.press("enter")
        await see(pilot, "한/영 키를 눌러")
        await pilot.press("f9")
        await see(pilot, "in Latin letters")


async def test_a_lot_and_an_english_name_in_hangul_are_refused_with_the_key_to_press(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        vaccine = (await levels(app))[0].vaccine
        form: AddStockScreen | NewVaccineScreen
        for form, field in (
            (AddStockScreen(services_of(app), STAFF, lambda words: None, vaccine), "lot"),
            (NewVaccineScreen(services_of(app), STAFF, lambda vaccine: None), "name_en"),
        ):
            await app.push_screen(form)
            form.entry(field).value = "ㄹㅏ5127"
            await pilot.press("f2")
            await wait_for(pilot, lambda form=form, field=field: "한/영 키를" in error_of(form, field))
        app.speak("en")
        assert "Latin letters" in error_of(form, "name_en")


async def test_a_visit_says_it_of_the_lot_too(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, (await book(app)).booking)
        visit.entry("lot").value = "ㅣㅐㅆ1"
        await pilot.press("1", "f2")
        await wait_for(pilot, lambda: "한/영 키를" in error_of(visit, "lot"))
