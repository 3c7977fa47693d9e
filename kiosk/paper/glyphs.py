"""A typeface whose outlines are converted one glyph at a time, when a page first needs them.

The Korean faces come with cubic (CFF) outlines, and reportlab embeds quadratic (glyf) ones. Converting
a whole face takes ten seconds and a cache file; a page needs two hundred of its 23,000 glyphs, at a
fraction of a millisecond each, and keeps them for the next page.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from struct import pack, pack_into

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont as SourceFont
from reportlab.pdfbase.ttfonts import TTFont, TTFontMaker

_COPIED = ("hhea", "hmtx", "name", "OS/2", "post", "cmap")
_MAX_ERROR = 1.0
"""Font units (of 1000) that a converted outline may stray; less than a laser printer's dot."""
_LOCA_FORMAT = 50
"""Where ``head`` says how ``loca`` is written; 1 is 32 bits an entry."""


class Outlines:
    """The outlines of one font file as glyf data, converted on demand and kept."""

    def __init__(self, path: Path) -> None:
        self._font = SourceFont(path, lazy=True)
        self._glyphs = self._font.getGlyphSet()
        self._names: dict[int, str] = self._font.getBestCmap()
        self._metrics = self._font["hmtx"].metrics
        self._done: dict[str, bytes] = {}
        self.characters = frozenset(self._names)

    def skeleton(self) -> bytes:
        """The font with all its metrics and no outline, for reportlab to read widths from."""
        maker = TTFontMaker()
        for tag in _COPIED:
            maker.add(tag, self._font.reader[tag])
        maker.add("head", self._long_loca(self._font.reader["head"]))
        count = self._font["maxp"].numGlyphs
        maker.add("maxp", _maxp(count))
        maker.add("loca", bytes(4 * (count + 1)))
        maker.add("glyf", b"\0\0\0\0")
        return bytes(maker.makeStream())

    def subset(self, characters: list[int]) -> bytes:
        """A TrueType font in which byte n of a text shows the n-th of these characters."""
        names = [".notdef"]
        index: dict[str, int] = {".notdef": 0}
        codes = []
        for character in characters:
            name = self._names.get(character, ".notdef")
            if name not in index:
                index[name] = len(names)
                names.append(name)
            codes.append(index[name])
        outlines = [self._outline(name) for name in names]
        offsets = [0]
        for outline in outlines:
            offsets.append(offsets[-1] + len(outline))
        maker = TTFontMaker()
        for tag in ("name", "OS/2"):
            maker.add(tag, self._font.reader[tag])
        maker.add("head", self._long_loca(self._font.reader["head"]))
        maker.add("post", pack(">I", 0x00030000) + self._font.reader["post"][4:16] + bytes(16))
        maker.add("hhea", self._font.reader["hhea"][:34] + pack(">H", len(names)))
        maker.add("hmtx", b"".join(pack(">Hh", *self._metrics[name]) for name in names))
        maker.add("maxp", _maxp(len(names)))
        maker.add("loca", pack(f">{len(offsets)}I", *offsets))
        maker.add("glyf", b"".join(outlines))
        maker.add("cmap", _cmap(codes))
        return bytes(maker.makeStream())

    def _outline(self, name: str) -> bytes:
        outline = self._done.get(name)
        if outline is None:
            pen = TTGlyphPen(None)
            # Fonts that are quadratic already pass through unchanged, their components resolved.
            quadratic = Cu2QuPen(pen, _MAX_ERROR, reverse_direction=True)
            self._glyphs[name].draw(DecomposingFilterPen(quadratic, self._glyphs))
            outline = bytes(pen.glyph().compile(None))
            self._done[name] = outline = outline + bytes(-len(outline) % 4)
        return outline

    @staticmethod
    def _long_loca(head: bytes) -> bytes:
        return head[:_LOCA_FORMAT] + pack(">h", 1) + head[_LOCA_FORMAT + 2 :]


class LazyFont(TTFont):
    """A font for reportlab's canvas that embeds exactly the glyphs a document shows."""

    def __init__(self, name: str, path: Path) -> None:
        self.outlines = Outlines(path)
        super().__init__(name, BytesIO(self.outlines.skeleton()), asciiReadable=False, shapable=False)
        # Reportlab reads widths and names from the skeleton, and asks here for what it embeds.
        self.face.makeSubset = self.outlines.subset  # type: ignore[method-assign, assignment]


def _maxp(count: int) -> bytes:
    table = bytearray(32)
    # The limits are only hints for a rasteriser's memory; generous ones fit every subset.
    pack_into(">IHHHHHHHHHHHHHH", table, 0, 0x00010000, count, 4096, 256, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
    return bytes(table)


def _cmap(codes: list[int]) -> bytes:
    header = pack(">HHHHI", 0, 1, 1, 0, 12)
    return header + pack(">HHHHH", 6, 10 + 2 * len(codes), 0, 0, len(codes)) + pack(f">{len(codes)}H", *codes)
