"""The IPP encoding, as RFC 8010 writes it, and what hostile bytes do to it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.paper import print_jobs
from kiosk.paper.address import parse_printer, print_service
from kiosk.paper.ipp import Attribute, Malformed, Operation, Tag, decode, encode
from kiosk.paper.ipp_client import IppClient, NoAnswer, PrinterFacts
from kiosk.paper.media import how_to_print
from kiosk.paper.print_jobs import PrintJobs
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


# -- over the wire ----------------------------------------------------------------------------------

REPLY = struct.pack(">BBHi", 2, 0, 0, 1) + b"\x02\x21\x00\x06job-id\x00\x04\x00\x00\x00\x93\x03"


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[IppClient]:
    """A client of a printer that says this, piece by piece, whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield IppClient(parse_printer(f"ipp://127.0.0.1:{port}/ipp/print"))


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", REPLY),
        (b"HTTP/1.1 200 OK\r\n\r\n", REPLY[:10], REPLY[10:]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(REPLY), REPLY[:5], REPLY[5:]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + REPLY[:5] + b"\r\n",
         b"%x;of=it\r\n" % len(REPLY[5:]) + REPLY[5:] + b"\r\n0\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", REPLY),
    ],
)  # fmt: skip
async def test_an_answer_is_read_however_it_is_sent(answer: tuple[bytes, ...]) -> None:
    async with answering(*answer) as client:
        assert await client.create_job("a job") == 147


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 \r\n\r\n", b"HTTP/1. OK\r\n\r\n",
        b"HTTP/1.1 500\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n\x02",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", bytes(100_000),
    ],
)  # fmt: skip
async def test_whatever_else_is_said_is_no_answer(answer: bytes) -> None:
    async with answering(answer) as client:
        with pytest.raises(NoAnswer):
            await client.job(1)


async def test_a_job_is_cancelled_to_the_end_whatever_happens_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, printer = PrintJobs(tmp_path), parse_printer("ipp://127.0.0.1:1/ipp/print")
    happens: list[Exception | None] = [RuntimeError("a fault of ours"), NoAnswer("silence"), None]

    async def find(*_: object) -> None:
        if (problem := happens.pop(0)) is not None:
            raise problem

    monkeypatch.setattr(print_jobs, "find_job", find)
    jobs.withdraw(await jobs.begin(printer, 1, "kiosk-1"))
    await asyncio.wait_for(jobs.settled(), 30.0)
    assert happens == []
    assert list(tmp_path.iterdir()) == []
