"""QR symbols as rows of dark (True) and light modules, for paper and for the screen."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final, Literal

from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode
from qrcode.util import QRData

from kiosk.credential import hcert, shc

Matrix = list[list[bool]]

MODULE_MM = 0.423
"""Five dots of a 300 dpi printer."""
QUIET_MODULES = 4
DIAGONAL_MM = 60.0
"""The largest diagonal at which the stronger level Q is taken."""

# Choosing the best of eight masks takes most of the time; a fixed one reads as well with signed
# data, which is as good as random, and every page is decoded again before it is handed over.
_MASK = 3
_BEST_MASK = None
_UNEVEN = frozenset({20, 21, 23})
"""Versions not used at level M, though they would be smaller: their rows are as long as a few turns
through the blocks of error correction, so that one blot hits the same blocks in every row and cannot
be repaired. A tenth blotted away was unreadable at a quarter to a half of all places; at no place in
the other versions, but for the three corner marks."""
_DIGITS: Final = 1
_LETTERS: Final = 2
_BYTES: Final = 4
_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


class TooMuchForQr(ValueError):
    """The text does not fit the largest symbol."""


def credential_matrix(text: str) -> Matrix:
    """The symbol of a credential, without its quiet zone: level Q while it stays small, else less."""
    segments = _segments(text)
    largest = int(DIAGONAL_MM / sqrt(2) / MODULE_MM)
    for level, limit in ((ERROR_CORRECT_Q, largest), (ERROR_CORRECT_M, 177), (ERROR_CORRECT_L, 177)):
        rows = _rows(segments, level, _MASK, limit)
        if rows is not None:
            return rows
    raise TooMuchForQr(f"{len(text)} characters")


def code_matrix(code: str) -> Matrix:
    """The symbol of a short human code, without its quiet zone; a booking's is 21 modules wide."""
    rows = _rows(_segments(code), ERROR_CORRECT_Q, _BEST_MASK, 177)
    if rows is None:
        raise TooMuchForQr(f"{len(code)} characters")
    return rows


def size_mm(matrix: Matrix) -> float:
    """The side of a printed symbol, without its quiet zone."""
    return len(matrix) * MODULE_MM


def _segments(text: str) -> list[QRData]:
    if text.startswith(shc.PREFIX):
        digits = text.removeprefix(shc.PREFIX)
        return [_segment(shc.PREFIX, _BYTES), _segment(digits, _DIGITS)]
    if text.startswith(hcert.PREFIX) or set(text) <= _ALPHANUMERIC:
        return [_segment(text, _LETTERS)]
    return [_segment(text, _BYTES)]


def _segment(text: str, mode: Literal[1, 2, 4]) -> QRData:
    return QRData(text.encode(), mode=mode)


def _rows(segments: list[QRData], level: int, mask: int | None, largest: int) -> Matrix | None:
    code: QRCode[Any] = QRCode(error_correction=level, border=0, mask_pattern=mask)
    for segment in segments:
        code.add_data(segment)
    try:
        version = code.best_fit()
    except (DataOverflowError, ValueError):
        return None
    while level == ERROR_CORRECT_M and version in _UNEVEN:
        version += 1
    if 17 + 4 * version > largest:
        return None
    code.version = version
    code.make(fit=False)
    return [[bool(cell) for cell in row] for row in code.modules]
