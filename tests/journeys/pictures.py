"""Draws every screen into ``docs/pictures``: ``python -m tests.journeys.pictures``.

Needs a terminal typeface with Hangul: Debian's fonts-nanum-coding.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pypdfium2
import pyte
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_ko import __file__ as noto

from kiosk.credential.signer import ClinicSigner
from kiosk.paper.certificate import certificate_page
from kiosk.paper.fonts import load_fonts
from kiosk.paper.ticket import TicketPaper, ticket_page
from tests.certificate_facts import TICKET, dose, facts, flu, keys, signed
from tests.journeys import the_day as day
from tests.journeys.terminal import Terminal

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
FACES = {
    False: "/usr/share/fonts/truetype/nanum/NanumGothicCoding.ttf",
    True: "/usr/share/fonts/truetype/nanum/NanumGothicCodingBold.ttf",
}
FALLBACK = Path(noto).with_name("NotoSansKR-Regular.otf")
SIZE = 20
CELL = (SIZE // 2, round(SIZE * 1.3))
NAMED = {"black": "#000000", "red": "#cd3131", "green": "#0dbc79", "brown": "#e5e510", "blue": "#2472c8",
         "magenta": "#bc3fbc", "cyan": "#11a8cd", "white": "#e5e5e5"}  # fmt: skip


@cache
def face(file: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, SIZE)


@cache
def has_glyph(character: str) -> bool:
    return all(ord(c) in TTFont(FACES[False]).getBestCmap() for c in character)


def colour(name: str, otherwise: str) -> str:
    if name == "default":
        return otherwise
    return NAMED.get(name.replace("bright", ""), f"#{name}" if len(name) == 6 else otherwise)


def draw(screen: pyte.Screen, file: Path) -> None:
    """The terminal's cells as a picture."""
    width, height = CELL
    picture = Image.new("RGB", (width * screen.columns, height * screen.lines), "#101010")
    pen = ImageDraw.Draw(picture)
    for y in range(screen.lines):
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            if cell.data == "":  # the right half of a wide character
                continue
            ink, paper = colour(cell.fg, "#dddddd"), colour(cell.bg, "#101010")
            if cell.reverse:
                ink, paper = paper, ink
            cells = 2 if x + 1 < screen.columns and screen.buffer[y][x + 1].data == "" else 1
            pen.rectangle([x * width, y * height, (x + cells) * width - 1, (y + 1) * height - 1], fill=paper)
            if cell.data.strip():
                file_of_face = FACES[cell.bold] if has_glyph(cell.data) else str(FALLBACK)
                pen.text((x * width, y * height + 2), cell.data, font=face(file_of_face), fill=ink)
    picture.quantize(32).save(file, optimize=True)


def look_at(prefix: str = "") -> day.Look:
    def look(terminal: Terminal, name: str) -> None:
        terminal.still()
        draw(terminal.screen, PICTURES / f"{prefix}{name}.png")
        print(prefix + name, file=sys.stderr)

    return look


def the_day(columns: int, rows: int, prefix: str) -> None:
    """The day from an empty clinic, every screen."""
    look = look_at(prefix)
    with tempfile.TemporaryDirectory() as name, day.kiosk_in(Path(name), columns, rows) as terminal:
        _, pin = day.the_whole_day(terminal, look)
        terminal.press("esc").see("무엇을 도와")
        day.unlock(terminal, pin, day.nothing_to_look_at)
        day.choose(terminal, "증명서 확인").see("QR을 스캔")
        [paper] = Path(name).glob("paper/certificate-*.pdf")
        terminal.paste(str(paper)).press("enter").see("유효")
        look(terminal, "verify")


def public_at_40_by_16() -> None:
    """The public screens where a letter is twelve millimetres high."""
    with tempfile.TemporaryDirectory() as name:
        with day.kiosk_in(Path(name), 80, 24) as terminal:
            pin = day.first_start(terminal, day.nothing_to_look_at)
            day.unlock(terminal, pin, day.nothing_to_look_at)
            day.take_doses_in(terminal, day.nothing_to_look_at)
            day.lock(terminal)
        with day.kiosk_in(Path(name), 40, 16) as terminal:
            terminal.see("무엇을 도와")
            look_at("large-")(terminal, "home")
            day.book(terminal, look_at("large-"))


def busy_day() -> None:
    """The desks in the middle of the demo's day, in both languages."""
    steps: dict[str, Callable[[Terminal], object]] = {
        "injection-desk": lambda t: day.choose(t, "접종 창구").still(0.8),
        "injection-desk-en": lambda t: t.press("f9").still(0.8),
        "staff-menu": lambda t: t.press("f9").still().press("esc").still(),
        "vaccine-admin-busy": lambda t: day.choose(t, "백신 관리").still(0.8),
        "vaccine-ledger": lambda t: t.press("f4").still(0.8),
        "vaccine-day": lambda t: t.press("esc").still().press("f5").still(0.8),
        "vaccine-lots": lambda t: t.press("esc").still().press("enter").still(0.8),
        "vaccine-recall": lambda t: t.press("f2").still(0.8),
        "vaccine-admin-contrast": lambda t: (
            t.press("esc").still().press("esc").still().press("f10").still(0.8)
        ),
        "certificate-issue-busy": lambda t: day.choose(t.press("f10", "esc"), "증명서 발급").still(0.8),
        "parts": lambda t: day.choose(t.press("esc"), "업무 처리 상태").still(0.8),
        "parts-pause": lambda t: t.press("f2").still(0.8),
    }
    with tempfile.TemporaryDirectory() as name, day.kiosk_in(Path(name), 100, 30, "--demo") as terminal:
        terminal.see("PIN", "Enter")
        digits = re.search(r"(\d ){5}\d", terminal.text)
        assert digits
        terminal.press("enter").see("적어 두셨습니까").press("1").see("무엇을 도와")
        day.unlock(terminal, digits.group().replace(" ", ""), day.nothing_to_look_at)
        for picture, step in steps.items():
            step(terminal)
            look_at()(terminal, picture)


def paper() -> None:
    """The pages that people take home."""
    fonts = load_fonts()
    two = facts(doses=(dose(1, lot="FD0932", given_on=date(2026, 10, 30)), dose(2)))
    first = facts(doses=(dose(1, 2),), next_due_on=date(2026, 12, 11), supersedes="CQ2W3E4R5")
    season = facts(doses=(flu(),))
    longest = facts(
        name="가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노",
        surname="WOLFESCHLEGELSTEINHAUSENBERGERDORFF",
        given="MARIA ALEXANDRA CONSTANTINA PHILIPPA TERESA",
    )
    both = ClinicSigner(keys(), also_card=True)
    pages = {
        "paper-certificate": certificate_page(two, signed(two), fonts),
        "paper-confirmation": certificate_page(first, signed(first), fonts),
        "paper-influenza": certificate_page(season, signed(season), fonts),
        "paper-long-name": certificate_page(longest, signed(longest), fonts),
        "paper-second-code": certificate_page(two, both.sign(two), fonts),
        "paper-ticket-a6": ticket_page(TICKET, fonts, TicketPaper.A6),
        "paper-ticket-roll": ticket_page(TICKET, fonts, TicketPaper.ROLL_80),
    }
    for name, pdf in pages.items():
        page = pypdfium2.PdfDocument(pdf)[name == "paper-second-code"]
        picture = page.render(scale=900 / page.get_width()).to_pil()
        picture.save(PICTURES / f"{name}.png", optimize=True)


def page_of_pictures() -> None:
    """``docs/pictures.md``: all of them, under their names."""
    names = sorted(file.name for file in PICTURES.glob("*.png"))
    lines = ["# Every screen and page", "", "Drawn by `python -m tests.journeys.pictures`.", ""]
    for name in names:
        lines += [f"**{name.removesuffix('.png').replace('-', ' ')}**", "", f"![{name}](pictures/{name})", ""]
    (PICTURES.parent / "pictures.md").write_text("\n".join(lines))


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    the_day(100, 30, "")
    public_at_40_by_16()
    busy_day()
    paper()
    page_of_pictures()
