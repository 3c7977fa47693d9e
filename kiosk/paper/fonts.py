"""The faces that paper is set in, and which face has which character.

Sans and serif are the Korean faces. A third one stands in for European letters they lack (ő, ł, ş);
it is optional. Scripts that need shaping (Arabic, Thai, Devanagari) are not drawn at all: unshaped
they would be a wrong name, and paper then takes the passport's spelling.
"""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pylopdf_fonts_ko
from reportlab.pdfbase import pdfmetrics

from kiosk.paper.glyphs import LazyFont

STAND_IN = "□"
"""What is printed for a character that no face has, where no other spelling exists."""

_WIDE_PACKAGE, _WIDE_FILE = "fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"
_UNSHAPED_END = 0x0590
"""Latin, Greek, Cyrillic and Armenian lie below; what follows needs shaping, up to extended Latin."""


class Face(StrEnum):
    """The faces by the part they play."""

    SANS = "ClinicSans"
    SERIF = "ClinicSerif"
    WIDE = "ClinicWide"


@dataclass(frozen=True)
class Fonts:
    """The loaded faces."""

    faces: dict[Face, LazyFont]
    _found: dict[tuple[str, Face], Face | None] = field(default_factory=dict)

    def face_for(self, character: str, wanted: Face) -> Face | None:
        """The face that draws this character, the wanted one if it can; None if there is none."""
        key = (character, wanted)
        if key not in self._found:
            self._found[key] = self._look_up(character, wanted)
        return self._found[key]

    def _look_up(self, character: str, wanted: Face) -> Face | None:
        if unicodedata.category(character)[0] == "M":
            return None  # a mark without its own composed letter would need shaping
        code = ord(character)
        if code in self.faces[wanted].outlines.characters:
            return wanted
        wide = self.faces.get(Face.WIDE)
        if wide is not None and _is_unshaped(code) and code in wide.outlines.characters:
            return Face.WIDE
        return None

    def can_draw(self, text: str, wanted: Face) -> bool:
        """Whether every character of this text can be drawn."""
        return all(self.face_for(character, wanted) for character in text)

    def runs(self, text: str, wanted: Face) -> list[tuple[Face, str]]:
        """The text cut into runs of one face each; what no face has becomes a visible stand-in."""
        runs: list[tuple[Face, str]] = []
        for character in text:
            found = self.face_for(character, wanted)
            face, shown = (found, character) if found else (wanted, STAND_IN)
            if runs and runs[-1][0] is face:
                runs[-1] = (face, runs[-1][1] + shown)
            else:
                runs.append((face, shown))
        return runs

    def width(self, text: str, face: Face, size: float, tracking: float = 0.0) -> float:
        """How wide this text is, in points."""
        widths = (self.faces[f].stringWidth(part, size) for f, part in self.runs(text, face))
        return float(sum(widths)) + tracking * max(0, len(text) - 1)


_loading = threading.Lock()
one_document = threading.Lock()
"""Held while a page is drawn, by whatever press of this process: a font collects the characters of one
document at a time, and reads its file bit by bit, as they are needed."""


def load_fonts() -> Fonts:
    """The faces, loaded by whoever asks first; safe from any thread."""
    with _loading:
        return _load()


def forget_fonts() -> None:
    """Load them anew the next time: what was half read, when something failed, stays half read."""
    _load.cache_clear()


@cache
def _load() -> Fonts:
    paths = {Face.SANS: pylopdf_fonts_ko.sans_path(), Face.SERIF: pylopdf_fonts_ko.serif_path()}
    wide = _wide_path()
    if wide is not None:
        paths[Face.WIDE] = wide
    faces = {face: LazyFont(face.value, path) for face, path in paths.items()}
    for font in faces.values():
        pdfmetrics.registerFont(font)
    return Fonts(faces)


def _wide_path() -> Path | None:
    package = find_spec(_WIDE_PACKAGE)
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / _WIDE_FILE
    return path if path.is_file() else None


def _is_unshaped(code: int) -> bool:
    return code < _UNSHAPED_END or 0x1E00 <= code < 0x2C00
