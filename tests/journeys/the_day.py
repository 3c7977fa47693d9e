"""The clinic's day by keyboard alone: from an empty database to a certificate on paper.

Told once, and used twice: as a test, and to take the pictures in ``docs/pictures``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from kiosk.widgets.on_top import READING_SECONDS
from tests.journeys.terminal import Terminal

Look = Callable[[Terminal, str], None]
"""Called at each screen worth a picture, with its name."""

NAME, PHONE = "홍길동", "01012345678"


def environment(folder: Path) -> dict[str, str]:
    """A clinic of its own in this folder, whatever the machine is set to."""
    own = {f"KIOSK_{kind}_FOLDER": str(folder / kind.lower()) for kind in ("DATA", "PAPER", "LOG")}
    return {**own, "KIOSK_CONFIG": "", "KIOSK_IDLE_SECONDS": "600"}


def kiosk_in(folder: Path, columns: int = 80, rows: int = 24, *options: str) -> Terminal:
    """The kiosk on a terminal of this size."""
    return Terminal([sys.executable, "-m", "kiosk", *options], columns, rows, environment(folder))


def fill_in(terminal: Terminal, *values: str) -> None:
    """Type into one field after the other, each ended by Enter."""
    for value in values:
        terminal.paste(value).see(value).press("enter").still()


def first_start(terminal: Terminal, look: Look) -> str:
    """The PIN, shown once; answers it."""
    terminal.see("PIN", "Enter")
    look(terminal, "first-start")
    digits = re.search(r"(\d ){5}\d", terminal.text)
    assert digits, terminal.text
    terminal.press("enter").see("적어 두셨습니까").press("1").see("무엇을 도와")
    look(terminal, "home")
    return digits.group().replace(" ", "")


def unlock(terminal: Terminal, pin: str, look: Look) -> None:
    """Staff come in by their PIN."""
    terminal.press("4").see("PIN")
    look(terminal, "pin")
    terminal.press(*pin).press("enter").see("어디에서")
    look(terminal, "staff-menu")


def choose(terminal: Terminal, label: str) -> Terminal:
    """Press the number that stands before this choice."""
    terminal.see(label)
    number = re.search(rf"(\d)\s+{re.escape(label)}", terminal.text)
    assert number, terminal.text
    return terminal.press(number[1])


def lock(terminal: Terminal) -> None:
    """From the menu back to an empty home."""
    choose(terminal, "화면 잠그기").see("무엇을 도와")


def take_doses_in(terminal: Terminal, look: Look) -> None:
    """The vaccine manager registers a vaccine and takes fifty doses in."""
    choose(terminal, "백신 관리").see("등록된 백신이 없").press("f2").see("코미나티주")
    look(terminal, "vaccine-known")
    terminal.press("enter").see("임상의")
    look(terminal, "vaccine-facts")
    terminal.press("f2").see("등록했습니다").press("f3").see("입고한 회분")
    fill_in(terminal, "FF2839", "20280101")
    terminal.paste("50").see("50")
    look(terminal, "vaccine-delivery")
    terminal.press("enter").see("입고했습니다")
    look(terminal, "vaccine-admin")
    terminal.press("f4").still().press("esc").see("코미나티주").press("esc")


def book(terminal: Terminal, look: Look) -> str:
    """A recipient books for another day; answers the code."""
    terminal.press("1").see("어떤 백신", "50")
    look(terminal, "booking-vaccine")
    terminal.press("1").see("언제 오시")
    look(terminal, "booking-day")
    terminal.press("2").see("몇 시")
    look(terminal, "booking-hour")
    terminal.press("1").see("몇 분").press("1").see("이름은 무엇")
    terminal.paste(NAME).see(NAME)
    look(terminal, "booking-name")
    terminal.press("enter").see("생년월일").paste("19450815").press("enter").see("전화").paste(PHONE)
    terminal.press("enter").see("HONG")
    look(terminal, "booking-passport")
    terminal.press("enter").see("GILDONG").paste("GILDONG").press("enter").see("성별").press("2")
    terminal.see("모두 맞습니까", NAME)
    look(terminal, "booking-read-back")
    terminal.press("1").see("예약되었습니다")
    code = re.search(r"B\w\w-\w{3}-\w{3}", terminal.text)
    assert code, terminal.text
    look(terminal, "booking-done")
    if "QR" in terminal.text:  # where the terminal has room for it
        choose(terminal, "QR 코드 보기").still()
        look(terminal, "booking-qr")
        terminal.press("esc").see("예약 번호")
    choose(terminal, "예약표 만들기").see("만들었습니다")
    look(terminal, "booking-ticket")
    choose(terminal.still(READING_SECONDS + 0.1).press("enter").see("예약 번호"), "끝내기").see("무엇을 도와")
    return code.group()


def vaccinate(terminal: Terminal, code: str, look: Look) -> None:
    """The vaccinator scans, reads back, screens, and records the dose."""
    choose(terminal, "접종 창구").see("스캔")
    terminal.paste(code.replace("-", "")).press("enter").see(NAME, "신원 확인")
    look(terminal, "desk-identity")
    terminal.press("enter").see("예진 차례")
    look(terminal, "desk-screening")
    terminal.press("enter").see("접종 부위")
    terminal.press("1").still()
    look(terminal, "desk-dose")
    terminal.press("f2").see("2회 중 1차")
    terminal.until(lambda: "접종 부위 (" not in terminal.text, "recorded")
    look(terminal, "desk-done")
    terminal.press("esc").see("스캔").press("esc")


def identify(terminal: Terminal, code: str, look: Look) -> None:
    """By the code on the ticket."""
    terminal.see("어떻게 찾을까요")
    look(terminal, "identify")
    terminal.press("1").see("번호를 입력").paste(code).press("enter")


def apply(terminal: Terminal, code: str, look: Look) -> None:
    """The recipient applies for a certificate of what was given."""
    terminal.press("3")
    identify(terminal, code, look)
    terminal.see("어느 접종")
    look(terminal, "certificate-which")
    terminal.press("1").see("신청할 수")
    look(terminal, "certificate-apply")
    terminal.press("1").see("신청할까요").press("1").see("발급 대기")
    look(terminal, "certificate-applied")
    terminal.press("esc").still().press("esc").still()
    terminal.until(lambda: "무엇을 도와" in terminal.press("esc").still().text, "home")


def issue(terminal: Terminal, look: Look) -> None:
    """The certificate officer orders all that wait."""
    choose(terminal, "증명서 발급").see("발급을 기다리는 신청 1건", NAME)
    look(terminal, "certificate-issue")
    terminal.press("f2").see("모두 맡깁니다").press("1").see("끝났습니다. 맡긴 1건: 발급 1건, 출력 1건")
    look(terminal, "certificate-issued")
    terminal.press("esc")


def my_page(terminal: Terminal, code: str, look: Look) -> None:
    """Everything of one person; the certificate once more from there."""
    terminal.press("2")
    identify(terminal, code, lambda *_: None)
    terminal.see("무엇을 보시겠습니까", "증명서", "접종 완료")
    look(terminal, "my-page")


def the_whole_day(terminal: Terminal, look: Look) -> tuple[str, str]:
    """All of it, in order; answers the booking's code and the staff PIN."""
    pin = first_start(terminal, look)
    unlock(terminal, pin, look)
    take_doses_in(terminal, look)
    lock(terminal)
    code = book(terminal, look)
    unlock(terminal, pin, look)
    vaccinate(terminal, code, look)
    lock(terminal)
    apply(terminal, code, look)
    unlock(terminal, pin, look)
    issue(terminal, look)
    lock(terminal)
    my_page(terminal, code, look)
    return code, pin


def nothing_to_look_at(terminal: Terminal, name: str) -> None:
    """For the test: no pictures."""
