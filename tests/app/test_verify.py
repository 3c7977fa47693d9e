"""The verify screen: a verdict in words on whatever is scanned, pasted or named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from domain.actors import Actor, Role
from domain.statement import DoseFacts
from kiosk.app import ClinicApp
from kiosk.credential.signer import FolderSigner
from kiosk.paper.press import ReportlabPress
from kiosk.screens.verify import VerifyScreen
from kiosk.settings import Settings
from kiosk.widgets.scan_field import ScanField
from tests.app.conftest import Kiosk
from tests.app.desks import keys_of
from tests.app.terminal import screen_text, see, type_text, wait_for
from tests.certificate_facts import dose, facts, flu, signed
from tests.clinics import TestClock

VACCINATOR = Actor("SVACCINA2", frozenset({Role.VACCINATOR}), "김접종")
SIZES = pytest.mark.parametrize("size", [(40, 16), (80, 24), (120, 40)], ids=str)


async def opened(app: ClinicApp, pilot: Pilot[int]) -> None:
    assert app.services
    await app.push_screen(VerifyScreen(app.services, VACCINATOR))
    await see(pilot, "QR을 스캔하세요")


async def scan(pilot: Pilot[int], text: str) -> None:
    await type_text(pilot, text)
    await pilot.press("enter")


def ours(settings: Settings, clock: TestClock, **changes: object) -> str:
    """Signed with this clinic's key, but not issued by it."""
    return FolderSigner(settings.key_folder).sign(facts(issued_at=clock.now(), **changes)).text


@SIZES
async def test_a_scanned_certificate_gets_a_verdict_and_its_claims(
    kiosk: Kiosk, settings: Settings, clock: TestClock, size: tuple[int, int]
) -> None:
    async with kiosk(size=size) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, ours(settings, clock))
        await see(pilot, "✓  유효합니다", "김하늘", "KIM, HANEUL")
        await see(pilot, "! 이 센터의 서명이지만 기록에 없는")


@pytest.mark.parametrize("doses", [(dose(2),), (flu(),)], ids=["COVID-19", "influenza"])
async def test_the_issuer_is_named_and_times_are_the_clinics_own(
    kiosk: Kiosk, settings: Settings, clock: TestClock, doses: tuple[DoseFacts, ...]
) -> None:
    async with kiosk(size=(100, 40)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, ours(settings, clock, doses=doses))
        await see(
            pilot, "✓  유효합니다", f"발급 기관 {settings.clinic.name_en}", "2026년 11월 23일 (월) 오전 9:30"
        )
        assert "UTC" not in screen_text(app)
        assert "http" not in screen_text(app)


@SIZES
async def test_what_is_not_to_be_believed_says_so_in_words(kiosk: Kiosk, size: tuple[int, int]) -> None:
    async with kiosk(size=size) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, signed(facts()).text)
        await see(pilot, "✗  이 센터의 증명서가 아닙니다", "확인되지 않음", "김하늘")
        await scan(pilot, "hello [/red]")
        await see(pilot, "!  증명서가 아닙니다")
        assert "김하늘" not in screen_text(app)
        await scan(pilot, "HC1:" + "%" * 3000)
        await see(pilot, "!  읽을 수 없습니다")


async def test_a_booking_code_is_told_from_a_certificate(kiosk: Kiosk) -> None:
    from domain.codes import Kind, new_code

    async with kiosk(size=(40, 16)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, new_code(Kind.BOOKING).lower())
        await see(pilot, "!  증명서가 아닙니다", "예약 번호나 접수 번호")


async def test_a_file_is_read_and_both_of_its_codes_are_judged(
    kiosk: Kiosk, settings: Settings, clock: TestClock, tmp_path: Path
) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await opened(app, pilot)
        about = facts(issued_at=clock.now())
        credential = FolderSigner(settings.key_folder, also_card=True).sign(about)
        (tmp_path / "c.pdf").write_bytes(ReportlabPress().print_certificate(about, credential))
        await scan(pilot, str(tmp_path / "c.pdf"))
        await see(pilot, "✓  유효합니다", "2개 중 1번째", "F2")
        first = screen_text(app)
        await pilot.press("f2")
        await see(pilot, "2개 중 2번째")
        assert screen_text(app) != first
        (tmp_path / "blank.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(90))
        await scan(pilot, str(tmp_path / "blank.png"))
        await see(pilot, "!  읽을 수 없습니다")


@pytest.mark.parametrize("mistyped", ["c.pfd", "/tmp/cc.pdf", "~/certificate"])
async def test_a_name_that_no_file_has_says_nothing_about_a_certificate(
    kiosk: Kiosk, settings: Settings, clock: TestClock, mistyped: str
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, mistyped)
        await see(pilot, f"파일이 없습니다: {mistyped}", "확인한 것이 아닙니다")
        assert "증명서가 아닙니다" not in screen_text(app)
        assert app.screen.query_one(ScanField).value == mistyped, "it can be put right"
        await scan(pilot, ours(settings, clock))
        await see(pilot, "✓  유효합니다")
        assert "파일이 없습니다" not in screen_text(app)


async def test_long_claims_are_scrolled_while_the_field_stays_ready(
    kiosk: Kiosk, settings: Settings, clock: TestClock
) -> None:
    async with kiosk(size=(40, 16)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, ours(settings, clock, name="가나다라 " * 16))
        await see(pilot, "✓  유효합니다", "가나다라", "PgDn")
        await pilot.press("pagedown")
        await wait_for(pilot, lambda: app.screen.query_one(VerticalScroll).scroll_y > 0)
        await scan(pilot, "next")
        await see(pilot, "!  증명서가 아닙니다")


async def test_where_nothing_is_to_be_scrolled_no_key_for_it_is_shown(
    kiosk: Kiosk, settings: Settings, clock: TestClock
) -> None:
    async with kiosk(size=(120, 40)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, ours(settings, clock))
        await see(pilot, "✓  유효합니다", "김하늘")
        assert "PgDn" not in keys_of(app)


async def test_the_verdict_follows_the_language(kiosk: Kiosk, settings: Settings, clock: TestClock) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        await opened(app, pilot)
        await scan(pilot, ours(settings, clock))
        await see(pilot, "✓  유효합니다")
        await pilot.press("f9")
        await see(pilot, "✓  VALID", "Passport name")


async def test_every_member_of_staff_finds_it_in_the_menu(kiosk: Kiosk, pin: str) -> None:
    async with kiosk(size=(40, 16)) as (_, pilot):
        await pilot.press("4")
        await see(pilot, "PIN을 입력하세요")
        await type_text(pilot, pin)
        await pilot.press("enter")
        await see(pilot, "6  증명서 확인")
        await pilot.press("6")
        await see(pilot, "QR을 스캔하세요")


async def test_keys_that_cannot_be_read_are_said_in_words(kiosk: Kiosk, settings: Settings) -> None:
    broken = replace(settings)
    async with kiosk(size=(80, 24)) as (app, pilot):
        await opened(app, pilot)
        (broken.key_folder / "clinic" / "root.pem").write_bytes(b"")
        await scan(pilot, signed(facts()).text)
        await see(pilot, "서명 키를 쓸 수 없습니다")
