"""QR symbols: they say what was put in, and stay small enough to print."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image

from kiosk.credential.qr import MODULE_MM, Matrix, TooMuchForQr, code_matrix, credential_matrix, size_mm
from tests.certificate_facts import facts, flu, signed
from tests.symbols import symbols


def read(matrix: Matrix, module: int = 4, quiet: int = 4) -> zxingcpp.Barcode:
    """The symbol, drawn large and plain, as a scanner sees it."""
    side = (len(matrix) + 2 * quiet) * module
    picture = Image.new("L", (side, side), 255)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                picture.paste(0, ((x + quiet) * module, (y + quiet) * module,
                                  (x + quiet + 1) * module, (y + quiet + 1) * module))  # fmt: skip
    [found] = symbols(picture)
    return found


@pytest.mark.parametrize("doses", [facts().doses, (flu(),)], ids=["hcert", "shc"])
def test_a_credentials_symbol_says_the_credential(doses: tuple[object, ...]) -> None:
    text = signed(facts(doses=doses)).text
    assert read(credential_matrix(text)).text == text


def test_a_typical_hcert_takes_the_stronger_level_within_a_60_mm_diagonal() -> None:
    matrix = credential_matrix(signed(facts()).text)
    assert size_mm(matrix) * 2**0.5 <= 60
    assert read(matrix).ec_level == "Q"


def test_a_card_is_packed_as_digits() -> None:
    text = signed(facts(doses=(flu(),))).text
    as_bytes = credential_matrix("!" + text[1:])
    assert len(credential_matrix(text)) < len(as_bytes) - 20


@pytest.mark.parametrize(
    ("length", "level"), [(600, "Q"), (680, "Q"), (820, "M"), (2400, "M"), (3300, "M"), (4200, "L")]
)
def test_longer_credentials_trade_strength_for_size(length: int, level: str) -> None:
    text = "HC1:" + "A7$B" * (length // 4)
    found = read(credential_matrix(text))
    assert (found.text, found.ec_level) == (text, level)


def test_what_no_symbol_holds_is_refused() -> None:
    with pytest.raises(TooMuchForQr):
        credential_matrix("HC1:" + "A" * 4300)
    with pytest.raises(TooMuchForQr):
        code_matrix("a" * 3000)


def test_a_booking_code_is_the_smallest_symbol() -> None:
    matrix = code_matrix("BK7M3Q9XA")
    assert len(matrix) == 21
    assert read(matrix).text == "BK7M3Q9XA"


def test_modules_are_five_dots_of_a_300_dpi_printer() -> None:
    assert pytest.approx(5 * 25.4 / 300, abs=0.001) == MODULE_MM
