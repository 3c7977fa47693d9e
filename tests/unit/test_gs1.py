"""What a scanner types from a GS1 code on a vaccine's box."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.gs1 import GROUP_SEPARATOR, Scanned, is_gtin, is_misread, read_date, read_gs1

TODAY = date(2026, 11, 23)
GTIN = "08806500012343"
NEW_YEARS_EVE = date(2027, 12, 31)


@pytest.mark.parametrize(
    "typed",
    [
        f"01{GTIN}1727123110ABC123",
        f"01{GTIN}10ABC123{GROUP_SEPARATOR}17271231",
        f"01{GTIN}10ABC123|17271231",
        f"01{GTIN}10ABC12317271231",
        f"]d201{GTIN}1727123110ABC123{GROUP_SEPARATOR}21SERIAL9",
        f"(01){GTIN}(17)271231(10)ABC123(21)SERIAL9",
        f"(01){GTIN} (10)ABC123 (17)271231",
        f"01{GTIN}17271231112601012110{GROUP_SEPARATOR}10ABC123",
        f"  01{GTIN}1727123110ABC123  ",
    ],
)
def test_lot_and_expiry_are_read_however_the_scanner_types_them(typed: str) -> None:
    scanned = read_gs1(typed, TODAY)
    assert scanned is not None
    assert (scanned.lot, scanned.expires_on, scanned.product) == ("ABC123", NEW_YEARS_EVE, GTIN)


@pytest.mark.parametrize(
    "typed", ["", "LOT1", "0112345", "10ABC", "17271231", "(99)X", "한글", f"01{GTIN[:-1]}0101", "("]
)
def test_what_is_typed_by_hand_is_no_scan(typed: str) -> None:
    assert read_gs1(typed, TODAY) is None


@pytest.mark.parametrize("typed", [f"01{GTIN[:-1]}41727123110ABC", f"(01){GTIN[:-1]}4(10)ABC", "]d201880650"])
def test_a_box_that_was_read_wrongly_is_no_lot(typed: str) -> None:
    assert read_gs1(typed, TODAY) is None
    assert is_misread(typed) == (len(typed) > 20)
    assert not is_misread("ABC123")


def test_a_swallowed_separator_before_a_serial_number_leaves_the_end_of_the_lot_open() -> None:
    scanned = read_gs1(f"01{GTIN}1727123110AB12321SER999", TODAY)
    assert scanned == Scanned("AB123", NEW_YEARS_EVE, GTIN, ("AB12321SER999",))


def test_a_lot_that_holds_a_21_is_not_cut_when_the_separator_is_there() -> None:
    scanned = read_gs1(f"01{GTIN}1727123110AB21C{GROUP_SEPARATOR}21SER", TODAY)
    assert scanned is not None
    assert scanned.lot == "AB21C"
    assert scanned.other_lots == ()


def test_day_00_is_the_last_of_the_month() -> None:
    assert read_date("280200", TODAY) == date(2028, 2, 29)
    assert read_date("270200", TODAY) == date(2027, 2, 28)


def test_the_century_is_the_nearest() -> None:
    assert read_date("761231", TODAY) == date(2076, 12, 31)
    assert read_date("771231", TODAY) == date(1977, 12, 31)


@pytest.mark.parametrize("digits", ["271331", "270230", "2712", "27123a", "２７１２３１"])
def test_what_is_no_day_is_no_expiry(digits: str) -> None:
    assert read_date(digits, TODAY) is None


def test_a_wrong_check_digit_is_a_misread_code() -> None:
    assert is_gtin(GTIN)
    assert not is_gtin(GTIN[:-1] + "4")
    assert read_gs1(f"01{GTIN[:-1]}41727123110ABC", TODAY) is None


@given(st.text(max_size=80))
def test_whatever_is_typed_it_is_read_or_not(typed: str) -> None:
    for text in (typed, f"01{GTIN}{typed}", f"]d2{typed}", f"(01){GTIN}(10){typed}"):
        scanned = read_gs1(text, TODAY)
        assert scanned is None or scanned.lot or scanned.expires_on is not None or scanned.product


@given(st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True), st.dates(date(2027, 1, 1), date(2036, 12, 31)))
def test_every_lot_and_day_comes_back(lot: str, day: date) -> None:
    scanned = read_gs1(f"]d201{GTIN}17{day:%y%m%d}10{lot}{GROUP_SEPARATOR}21X", TODAY)
    assert scanned == Scanned(lot, day, GTIN)
