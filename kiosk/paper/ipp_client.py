"""A client for one IPP printer or queue (RFC 8011): every call has a time limit, nothing is kept open."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from kiosk.paper.address import Address
from kiosk.paper.ipp import Attribute, Group, Malformed, Operation, Reply, Tag, decode, encode

USER = "clinic-kiosk"
"""Who the jobs belong to; the same after a restart, so that they can be cancelled then."""
PDF = "application/pdf"
CALL_SECONDS = 5.0
_LARGEST_REPLY = 1 << 20
_NOT_FOUND = frozenset({0x0406, 0x0407})  # not-found, gone
_BUSY = frozenset({0x0502, 0x0505, 0x0507})  # service-unavailable, temporary-error, busy
_JOB = ("job-id", "job-name", "job-state", "job-state-reasons")
_PRINTER = (
    "printer-state", "printer-state-reasons", "printer-is-accepting-jobs", "operations-supported",
    "document-format-supported", "media-supported", "print-scaling-supported",
)  # fmt: skip
_requests = itertools.count(1)


class IppError(Exception):
    """The call did not do what was asked."""


class NoAnswer(IppError):
    """Nobody there, the time limit passed, or the connection broke: it may have been done or not."""


class Refused(IppError):
    """It was answered, and not with yes."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status 0x{status:04x}")
        self.status = status

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such printer or job, or not any more."""
        return self.status in _NOT_FOUND

    @property
    def is_busy(self) -> bool:
        """Whether the same may be granted a moment later: small printers take one job at a time."""
        return self.status in _BUSY


class JobState(IntEnum):
    """How far a job is; from CANCELED on it has ended."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


@dataclass(frozen=True)
class Job:
    """A job as the printer tells of it."""

    number: int
    name: str
    state: JobState
    reasons: frozenset[str]

    @property
    def has_ended(self) -> bool:
        """Whether its end is decided."""
        return self.state >= JobState.CANCELED

    @property
    def may_be_stopping(self) -> bool:
        """Whether paper may be moving yet. CUPS often leaves it at that for good: ask the printer too."""
        return "processing-to-stop-point" in self.reasons


@dataclass(frozen=True)
class PrinterFacts:
    """A printer as it tells of itself."""

    state: int
    reasons: frozenset[str]
    accepting: bool
    operations: frozenset[int]
    formats: frozenset[str]
    media: tuple[str, ...]
    scalings: frozenset[str]

    @property
    def is_printing(self) -> bool:
        """Whether it has any job in its hands."""
        return self.state == 4

    @property
    def is_paused(self) -> bool:
        """Whether somebody stopped it, and only somebody will let it go on."""
        return self.state == 5 and "paused" in self.reasons


class IppClient:
    """Speaks to one printer or queue. Raises `IppError`."""

    def __init__(self, address: Address) -> None:
        self.address = address

    async def printer(self) -> PrinterFacts:
        """How the printer is, and what it can do."""
        wanted = Attribute(Tag.KEYWORD, "requested-attributes", _PRINTER)
        facts = (await self._call(Operation.GET_PRINTER, [wanted])).group(Tag.PRINTER_GROUP)
        return PrinterFacts(
            state=_number(facts, "printer-state"),
            reasons=frozenset(_texts(facts, "printer-state-reasons")),
            accepting=bool(facts.get("printer-is-accepting-jobs", [1])[0]),
            operations=frozenset(n for n in facts.get("operations-supported", []) if isinstance(n, int)),
            formats=frozenset(_texts(facts, "document-format-supported")),
            media=tuple(_texts(facts, "media-supported")),
            scalings=frozenset(_texts(facts, "print-scaling-supported")),
        )

    async def create_job(self, name: str, how: Sequence[Attribute] = ()) -> int:
        """Begin a job that has no document yet, so that its number is known before anything can print."""
        titled = Attribute(Tag.NAME, "job-name", (name,))
        reply = await self._call(Operation.CREATE_JOB, [titled], how)
        number = _number(reply.group(Tag.JOB_GROUP), "job-id")
        if number <= 0:
            raise NoAnswer("no job number")
        return number

    async def send_document(self, job: int, document: bytes, seconds: float = CALL_SECONDS) -> None:
        """Give the job its only document: from now on it prints."""
        about = [
            Attribute(Tag.INTEGER, "job-id", (job,)),
            Attribute(Tag.MIME, "document-format", (PDF,)),
            Attribute(Tag.BOOLEAN, "last-document", (1,)),
        ]
        await self._call(Operation.SEND_DOCUMENT, about, document=document, seconds=seconds)

    async def job(self, job: int) -> Job:
        """How far the job is."""
        about = [
            Attribute(Tag.INTEGER, "job-id", (job,)),
            Attribute(Tag.KEYWORD, "requested-attributes", _JOB),
        ]
        facts = (await self._call(Operation.GET_JOB, about)).group(Tag.JOB_GROUP)
        try:
            state = JobState(_number(facts, "job-state"))
        except ValueError as error:
            raise NoAnswer("no job state") from error
        name = next(iter(_texts(facts, "job-name")), "")
        return Job(job, name, state, frozenset(_texts(facts, "job-state-reasons")))

    async def cancel(self, job: int) -> None:
        """Ask for the job's end; whether it took hold is for `job` to say."""
        await self._call(Operation.CANCEL_JOB, [Attribute(Tag.INTEGER, "job-id", (job,))])

    async def queues(self) -> list[Group]:
        """Every queue of a print service."""
        names = ("printer-name", "printer-info", "printer-state", "printer-state-reasons")
        reply = await self._call(
            Operation.LIST_QUEUES, [Attribute(Tag.KEYWORD, "requested-attributes", names)]
        )
        return [group for tag, group in reply.groups if tag == Tag.PRINTER_GROUP]

    async def _call(
        self,
        operation: Operation,
        about: Sequence[Attribute],
        job: Sequence[Attribute] = (),
        document: bytes = b"",
        seconds: float = CALL_SECONDS,
    ) -> Reply:
        whom = [
            Attribute(Tag.URI, "printer-uri", (self.address.uri,)),
            # A printer looks a job up by its number, which must follow the printer's address.
            *(attribute for attribute in about if attribute.name == "job-id"),
            Attribute(Tag.NAME, "requesting-user-name", (USER,)),
        ]
        rest = [attribute for attribute in about if attribute.name != "job-id"]
        body = encode(operation, next(_requests), [*whom, *rest], job) + document
        try:
            reply = decode(await _post(self.address, body, seconds))
        except Malformed as error:
            raise NoAnswer(str(error)) from error
        if reply.status > 0x00FF:
            raise Refused(reply.status)
        return reply


async def _post(address: Address, body: bytes, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=address.tls or None
            )
            try:
                writer.write(_head(address, len(body)) + body)
                await writer.drain()
                return await _answer(reader)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error


def _head(address: Address, length: int) -> bytes:
    host = address.uri.split("/")[2]
    lines = (
        f"POST {address.path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/ipp",
        f"Content-Length: {length}",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the final answer; 100 Continue may come before it."""
    while True:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(first.split()[1]) if first.startswith("HTTP/1.") and " " in first.strip() else 0
        if status == 200:
            break
        if not 100 <= status < 200:
            raise ValueError(f"HTTP {first[:60]!r}")
    parts = (line.lower().partition(":") for line in lines)
    fields = {name.strip(): value.strip() for name, _, value in parts}
    if fields.get("transfer-encoding") == "chunked":
        return await _chunks(reader)
    length = int(fields["content-length"]) if "content-length" in fields else None
    if length is None:
        return await _to_the_end(reader)
    if not 0 <= length <= _LARGEST_REPLY:
        raise ValueError("the answer is too long")
    return await reader.readexactly(length)


async def _to_the_end(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while part := await reader.read(_LARGEST_REPLY):
        whole += part
        if len(whole) > _LARGEST_REPLY:
            raise ValueError("the answer is too long")
    return whole


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if size < 0 or len(whole) + size > _LARGEST_REPLY:
            raise ValueError("the answer is too long")
        whole += await reader.readexactly(size)
        await reader.readexactly(2)
    return whole


def _number(group: Group, name: str) -> int:
    value = group.get(name, [0])
    return value[0] if value and isinstance(value[0], int) else 0


def _texts(group: Group, name: str) -> list[str]:
    return [value for value in group.get(name, []) if isinstance(value, str)]
