"""Human codes: short, unambiguous, with a check character, readable aloud and scannable.

A code is nine characters: a letter for its kind, seven random ones, and a check character,
shown in threes (``BK7-M3Q-9XA``). The alphabet has 31 characters, without 0/O, 1/I/L, so that
nothing looks like something else; 31 is prime, so the weighted sum finds every single wrong
character and every swap of two neighbours.
"""

from __future__ import annotations

import secrets
import unicodedata
from enum import StrEnum
from operator import mul

from domain.errors import NotACode

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 9
RANDOM = LENGTH - 2
"""Characters between the kind and the check character."""
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = range(2, LENGTH + 1)
_CHARACTERS = (ALPHABET * 9)[:256].encode()
"""What a random byte stands for; of those below 248 just as many stand for each character."""
_TOO_MANY = bytes(range(256 - 256 % len(ALPHABET), 256))
_AT_ONCE = 1_024
_drawn: list[str] = []
"""Random characters of codes to come; any thread takes the last ones."""
_side_by_side: list[str] = []
"""The same, of codes that nobody holds."""

# A scanner types as a keyboard; with Hangul input on, its letters arrive as jamo (2-set layout).
_JAMO = dict(
    zip(
        "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ",
        "QWERTYUIOPASDFGHJKLZXCVBNMQWERTOP",
        strict=True,
    )
)


class Kind(StrEnum):
    """The first letter of a code says what it names."""

    VACCINE = "V"
    RECIPIENT = "R"
    BOOKING = "B"
    INJECTION = "J"
    APPLICATION = "A"
    CERTIFICATE = "C"
    STAFF = "S"
    TASK = "T"


HELD = frozenset({Kind.BOOKING, Kind.INJECTION, Kind.APPLICATION, Kind.CERTIFICATE})
"""What people hold in their hands. They are known by each but a certificate's, which strangers are shown."""


def check_character(body: str) -> str:
    """The last character of a code: weighted sum modulo 31 over the ones before it."""
    total = sum(map(mul, _WEIGHTS, map(_VALUE.__getitem__, body)))
    return ALPHABET[total % 31]


def new_code(kind: Kind) -> str:
    """A new code of this kind (31^7, about 27 thousand million, of each).

    What people hold says who they are, and is random. What nobody holds differs from the one before in its
    last characters only, so that the records keep what comes together side by side.
    """
    drawn = _drawn if kind in HELD else _side_by_side
    while True:
        try:
            body = kind + drawn.pop()
        except IndexError:
            _draw()
        else:
            return body + check_character(body)


def draw_anew() -> None:
    """One that was drawn is somebody's already: those that were drawn with it may be too."""
    _drawn.clear()
    _side_by_side.clear()


def _draw() -> None:
    """Many at once: each time the system is asked, another thread may take its turn with the interpreter."""
    characters = secrets.token_bytes(_AT_ONCE).translate(_CHARACTERS, _TOO_MANY).decode()
    first, *others = (characters[n : n + RANDOM] for n in range(0, len(characters) - RANDOM + 1, RANDOM))
    neighbours = [first[:-1] + last for last in reversed(ALPHABET)]
    for drawn, more in ((_drawn, others), (_side_by_side, neighbours)):
        if len(drawn) < _AT_ONCE:  # it may be the other that ran out, time and again
            drawn.extend(more)


def parse_code(text: str, kind: Kind | None = None, field: str = "code") -> str:
    """The code in what was typed, scanned or read aloud.

    Case, spaces, hyphens and Hangul keyboard mode do not matter.
    Raises NotACode when it is none, or none of this kind.
    """
    code = "".join(c for c in in_capitals(text[:64]) if not c.isspace() and c != "-")
    if len(code) != LENGTH or any(c not in _VALUE for c in code):
        raise NotACode(field)
    if code[0] not in Kind.__members__.values() or check_character(code[:-1]) != code[-1]:
        raise NotACode(field)
    if kind is not None and code[0] != kind.value:
        raise NotACode(field)
    return code


def in_capitals(text: str) -> str:
    """What was typed, in capitals: a Hangul letter becomes the Latin one on its key."""
    return "".join(_JAMO.get(c, c) for c in _decomposed(text).upper())


def spoken(code: str) -> str:
    """The code as people read it: three groups of three."""
    return "-".join(code[i : i + 3] for i in range(0, len(code), 3))


def _decomposed(text: str) -> str:
    """Syllables composed by the input method, taken apart into compatibility jamo."""
    parts = []
    for character in unicodedata.normalize("NFC", text):
        if "가" <= character <= "힣":
            parts.append(_syllable_keys(character))
        else:
            parts.append(_DOUBLE.get(character, character))
    return "".join(parts)


_INITIAL = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MEDIAL = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINAL = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_DOUBLE = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ",
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ",
    "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip


def _syllable_keys(syllable: str) -> str:
    index = ord(syllable) - ord("가")
    jamo = (_INITIAL[index // 588], _MEDIAL[index % 588 // 28], _FINAL[index % 28].strip())
    return "".join(_DOUBLE.get(part, part) for part in jamo)
