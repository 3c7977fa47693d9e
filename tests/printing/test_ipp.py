"""The IPP encoding, as RFC 8010 writes it, and what hostile bytes do to it."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.paper.address import parse_printer, print_service
from kiosk.paper.ipp import Attribute, Malformed, Operation, Tag, decode, encode
from kiosk.paper.ipp_client import PrinterFacts
from kiosk.paper.media import how_to_print
from kiosk.paper.printer_errors import CoverOpen, PaperOut, PrinterOff, in_the_way


def test_a_request_is_written_as_the_standard_shows_it() -> None:
    """The beginning of the Print-Job example in RFC 8010, appendix A.1, as another operation."""
    about = [Attribute(Tag.URI, "printer-uri", ("ipp://printer.example.com/ipp/print/pinetree",))]
    assert encode(Operation.CANCEL_JOB, 1, about) == (
        b"\x02\x00\x00\x08\x00\x00\x00\x01\x01"
        b"\x47\x00\x12attributes-charset\x00\x05utf-8"
        b"\x48\x00\x1battributes-natural-language\x00\x02en"
        b"\x45\x00\x0bprinter-uri\x00\x2cipp://printer.example.com/ipp/print/pinetree"
        b"\x03"
    )


def test_several_values_have_one_name() -> None:
    twice = Attribute(Tag.KEYWORD, "sides", ("one", "two")).encoded()
    assert twice == b"\x44\x00\x05sides\x00\x03one" + b"\x44\x00\x00\x00\x03two"


def test_an_answer_is_read_in_groups_without_what_is_no_value() -> None:
    answer = (
        b"\x02\x00\x00\x00\x00\x00\x00\x01"
        b"\x01\x47\x00\x12attributes-charset\x00\x05utf-8"
        b"\x02\x21\x00\x06job-id\x00\x04\x00\x00\x00\x93"
        b"\x10\x00\x0bjob-message\x00\x00"
        b"\x35\x00\x08job-note\x00\x0a\x00\x02ko\x00\x04abcd"
        b"\x34\x00\x05media\x00\x00\x4a\x00\x00\x00\x04size\x21\x00\x00\x00\x04\x00\x00\x00\x07\x37\x00\x00\x00\x00"
        b"\x44\x00\x06colour\x00\x03red\x44\x00\x00\x00\x04blue"
        b"\x03"
    )
    assert decode(answer).group(Tag.JOB_GROUP) == {
        "job-id": [147], "job-message": [], "job-note": ["abcd"], "media": [], "colour": ["red", "blue"],
    }  # fmt: skip


@given(st.binary(max_size=400))
def test_whatever_comes_back_is_read_or_called_malformed(noise: bytes) -> None:
    for message in (noise, struct.pack(">BBHi", 2, 0, 0, 1) + b"\x02" + noise):
        with suppress(Malformed):
            decode(message)


@pytest.mark.parametrize(
    ("text", "uri", "name"),
    [
        ("kiosk", "ipp://localhost:631/printers/kiosk", "kiosk"),
        ("ipp://192.168.0.20/ipp/print", "ipp://192.168.0.20:631/ipp/print", "192.168.0.20"),
        ("ipps://desk.clinic:443/ipp", "ipps://desk.clinic:443/ipp", "desk.clinic"),
        ("ipp://[::1]:8631/ipp/print", "ipp://[::1]:8631/ipp/print", "::1"),
    ],
)
def test_a_printer_is_named_by_its_queue_or_its_address(text: str, uri: str, name: str) -> None:
    address = parse_printer(text)
    assert (address.uri, address.name) == (uri, name)


@pytest.mark.parametrize(
    "text", ["two words", "a/b", "http://x/ipp", "ipp://", "ipp://x", "ipp://x:y/p", "a?b"]
)
def test_what_names_no_printer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_printer(text)


def test_the_print_service_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPS_SERVER", "desk.clinic:8631")
    assert print_service().uri == "ipp://desk.clinic:8631/printers"
    assert parse_printer("a6").uri == "ipp://desk.clinic:8631/printers/a6"


def printer(*media: str, scalings: frozenset[str] = frozenset()) -> PrinterFacts:
    return PrinterFacts(3, frozenset(), True, frozenset(), frozenset(), media, scalings)


def test_the_page_chooses_its_sheet_and_is_never_scaled() -> None:
    desk = printer(
        "na_letter_8.5x11in", "iso_a4_210x297mm", "iso_a6_105x148mm", scalings=frozenset({"none", "fit"})
    )
    assert [a.values for a in how_to_print(desk, (209.99, 297.01))] == [("iso_a4_210x297mm",), ("none",)]
    assert [a.values for a in how_to_print(desk, (105.0, 148.0))] == [("iso_a6_105x148mm",), ("none",)]
    assert [a.values for a in how_to_print(desk, (80.0, 187.0))] == [("none",)]
    assert [a.values for a in how_to_print(printer("na_letter_8.5x11in"), (215.9, 279.4))] == [
        ("na_letter_8.5x11in",)
    ]


def test_a_roll_is_cut_as_long_as_the_page() -> None:
    roll = printer("custom_min_40x30mm", "custom_max_80x600mm")
    assert [a.values for a in how_to_print(roll, (80.0, 187.25))] == [("custom_kiosk_80.00x187.25mm",)]
    assert how_to_print(roll, (80.0, 700.0)) == []
    assert how_to_print(printer(), (80.0, 100.0)) == []


def test_what_is_to_be_put_right_first_is_said_first() -> None:
    assert in_the_way(frozenset({"media-empty-error", "cover-open-report"})) is CoverOpen
    assert in_the_way(frozenset({"media-needed", "none"})) is PaperOut
    assert in_the_way(frozenset({"offline-report", "media-empty-warning"})) is PrinterOff
    assert in_the_way(frozenset({"none", "job-printing", "toner-low-warning"})) is None
