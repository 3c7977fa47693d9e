"""The faces: glyphs are converted as pages need them, and a missing one is never a silent blank."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pypdfium2
import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.ttLib import TTFont
from reportlab.pdfgen.canvas import Canvas

from kiosk.paper.fonts import STAND_IN, Face, load_fonts


def ink(font: TTFont, character: str) -> float:
    """The area that a glyph blackens, for outlines of either kind."""
    glyphs = font.getGlyphSet()
    pen = AreaPen(glyphs)
    glyphs[font.getBestCmap()[ord(character)]].draw(pen)
    return abs(pen.value) / font["head"].unitsPerEm ** 2


@pytest.mark.parametrize("face", [Face.SANS, Face.SERIF])
@pytest.mark.parametrize("character", "가힣뷁김A@ễ李₩Ж8□")
def test_a_converted_glyph_blackens_what_the_original_does(face: Face, character: str) -> None:
    outlines = load_fonts().faces[face].outlines
    original = outlines._font
    # A subset as a page embeds it, opened as an independent reader would; its map is by position.
    subset = TTFont(BytesIO(outlines.subset([0, ord(character)])))
    glyphs = subset.getGlyphSet()
    pen = AreaPen(glyphs)
    glyphs[subset["cmap"].tables[0].cmap[1]].draw(pen)
    converted = abs(pen.value) / subset["head"].unitsPerEm ** 2
    assert converted == pytest.approx(ink(original, character), rel=0.01)
    assert converted > 0


def test_widths_on_the_page_are_the_faces_own() -> None:
    for face in (Face.SANS, Face.SERIF):
        font = load_fonts().faces[face]
        source = font.outlines._font
        for character in "가A1 .李":
            advance = source["hmtx"].metrics[source.getBestCmap()[ord(character)]][0]
            assert font.stringWidth(character, 1000) == pytest.approx(
                1000 * advance / source["head"].unitsPerEm, abs=1
            )


def test_more_than_255_different_letters_fit_one_page() -> None:
    fonts = load_fonts()
    syllables = "".join(chr(0xAC00 + 17 * n) for n in range(640))
    buffer = BytesIO()
    canvas = Canvas(buffer, initialFontName=Face.SANS.value, invariant=1)
    canvas.setFont(Face.SANS.value, 10)
    for n in range(0, len(syllables), 40):
        canvas.drawString(30, 800 - n, syllables[n : n + 40])
    canvas.save()
    text = pypdfium2.PdfDocument(buffer.getvalue())[0].get_textpage().get_text_bounded()
    assert "".join(text.split()) == syllables
    assert fonts.can_draw(syllables, Face.SANS)


def test_an_unknown_letter_becomes_a_visible_stand_in() -> None:
    assert load_fonts().runs("박ส훈", Face.SANS) == [(Face.SANS, f"박{STAND_IN}훈")]
    assert not load_fonts().can_draw("박ส훈", Face.SANS)


def test_scripts_that_need_shaping_are_left_to_the_passport() -> None:
    for name in ("नरेन्द्र", "محمد", "สมชาย", "שלום"):
        assert not load_fonts().can_draw(name, Face.SANS), name


def test_everybody_who_asks_at_once_gets_the_same_fonts() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({id(fonts) for fonts in pool.map(lambda _: load_fonts(), range(16))}) == 1
