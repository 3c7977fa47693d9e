"""One certificate through our press against a bare reportlab page with the same text and the same QR.

Run with ``python -m tests.benchmarks.bench_certificate``. The bare page is as quick as reportlab can
be: a small TrueType face made beforehand, every line of text put down as it is, the matrix as one
path of runs, no ornament, no fallback, nothing measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from itertools import groupby
from statistics import median
from time import perf_counter

import pypdfium2
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from domain.statement import Credential
from kiosk.credential.qr import MODULE_MM, credential_matrix
from kiosk.paper.certificate import certificate_page
from kiosk.paper.fonts import Face, load_fonts
from kiosk.paper.press import ReportlabPress
from tests.certificate_facts import dose, facts, signed

FACTS = facts(doses=(dose(1), dose(2)))
CREDENTIAL = signed(FACTS)
RUNS = 60
MM = 72 / 25.4


def lines() -> list[str]:
    """The text of our own page, line by line."""
    pdf = certificate_page(FACTS, CREDENTIAL, load_fonts())
    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()).splitlines()


def bare_face(text: str) -> None:
    """Register a static TrueType face with just the characters of this text."""
    outlines = load_fonts().faces[Face.SANS].outlines
    characters = sorted({ord(character) for character in text} | {32})
    buffer = BytesIO(static_face(outlines.subset([0, *characters]), [0, *characters]))
    pdfmetrics.registerFont(TTFont("Bare", buffer))


def static_face(subset: bytes, characters: list[int]) -> bytes:
    """The subset with an ordinary Unicode map in place of the one by position."""
    from fontTools.ttLib import TTFont as AnyFont
    from fontTools.ttLib import newTable
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    font = AnyFont(BytesIO(subset))
    by_position = font["cmap"].tables[0].cmap
    table = CmapSubtable.newSubtable(4)
    table.platformID, table.platEncID, table.language = 3, 1, 0
    table.cmap = {code: by_position[n] for n, code in enumerate(characters) if n in by_position}
    font["cmap"] = newTable("cmap")
    font["cmap"].tableVersion, font["cmap"].tables = 0, [table]
    buffer = BytesIO()
    font.save(buffer)
    return buffer.getvalue()


def bare_page(text: list[str], credential: Credential = CREDENTIAL) -> bytes:
    """The same text and the same QR with nothing but reportlab."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(210 * MM, 297 * MM), invariant=1, initialFontName="Bare")  # type: ignore[arg-type]
    canvas.setFont("Bare", 9)
    for number, line in enumerate(text):
        canvas.drawString(60, 800 - 11 * number, line)
    path = canvas.beginPath()
    side = MODULE_MM * MM
    for y, row in enumerate(credential_matrix(credential.text)):
        x = 0
        for dark, run in groupby(row):
            width = len(list(run))
            if dark:
                path.rect(60 + x * side, 200 - y * side, width * side, side)
            x += width
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def measure(*makers: Callable[[], bytes]) -> list[float]:
    """The median time of each in milliseconds, taken in turns so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in makers]
    for _ in range(RUNS):
        for maker, taken in zip(makers, times, strict=True):
            start = perf_counter()
            maker()
            taken.append((perf_counter() - start) * 1000)
    return [median(taken) for taken in times]


def main() -> None:
    """Print one line: the ratios, and what they are made of."""
    text = lines()
    bare_face("".join(text))
    press = ReportlabPress()
    fonts = load_fonts()
    bare_page(text)
    press.print_certificate(FACTS, CREDENTIAL)
    bare, drawn, proven = measure(
        lambda: bare_page(text),
        lambda: certificate_page(FACTS, CREDENTIAL, fonts),
        lambda: press.print_certificate(FACTS, CREDENTIAL),
    )
    sys.stdout.write(
        f"certificate / bare page: {drawn / bare:.2f}x without the proof, {proven / bare:.2f}x with it"
        f" (bare {bare:.1f} ms, drawn {drawn:.1f} ms, proven {proven:.1f} ms; median of {RUNS})\n"
    )


if __name__ == "__main__":
    main()
