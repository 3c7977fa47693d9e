"""IPP messages as bytes (RFC 8010): what a print client needs of the encoding, and no more."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

Value = int | str
Group = dict[str, list[Value]]


class Tag(IntEnum):
    """Delimiters of groups, and the kinds of values that a request is written in."""

    OPERATION_GROUP = 0x01
    JOB_GROUP = 0x02
    END = 0x03
    PRINTER_GROUP = 0x04
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49


class Operation(IntEnum):
    """What a printer or a print service is asked to do."""

    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB = 0x0009
    GET_PRINTER = 0x000B
    LIST_QUEUES = 0x4002
    """CUPS-Get-Printers; only CUPS knows it."""


class Malformed(ValueError):
    """What came back is no IPP message."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a request; several values are several of one kind."""

    tag: Tag
    name: str
    values: tuple[Value, ...]

    def encoded(self) -> bytes:
        """Every value after the first has an empty name."""
        names = [self.name.encode(), *[b""] * (len(self.values) - 1)]
        return b"".join(
            bytes([self.tag]) + _sized(name) + _sized(_value(self.tag, value))
            for name, value in zip(names, self.values, strict=True)
        )


@dataclass(frozen=True)
class Reply:
    """An answer: its status, and its groups in the order in which they came."""

    status: int
    groups: list[tuple[int, Group]] = field(default_factory=list)

    def group(self, tag: Tag) -> Group:
        """The first group of this kind; empty when there is none."""
        return next((group for kind, group in self.groups if kind == tag), {})


def encode(
    operation: Operation, request: int, about: Sequence[Attribute], job: Sequence[Attribute] = ()
) -> bytes:
    """A request without its document. Charset and language must come first, so they are added here."""
    parts = [
        struct.pack(">BBHi", 2, 0, operation, request),
        bytes([Tag.OPERATION_GROUP]),
        Attribute(Tag.CHARSET, "attributes-charset", ("utf-8",)).encoded(),
        Attribute(Tag.LANGUAGE, "attributes-natural-language", ("en",)).encoded(),
        *(attribute.encoded() for attribute in about),
    ]
    if job:
        parts += [bytes([Tag.JOB_GROUP]), *(attribute.encoded() for attribute in job)]
    return b"".join([*parts, bytes([Tag.END])])


def decode(message: bytes) -> Reply:
    """Read an answer. Raises Malformed."""
    try:
        _, _, status, _ = struct.unpack_from(">BBHi", message)
        return Reply(status, _groups(message, 8))
    except (struct.error, IndexError) as error:
        raise Malformed("cut short") from error


_FIRST_VALUE_TAG = 0x10
_NO_VALUE_UNTIL = 0x1F
_BEGIN_COLLECTION, _END_COLLECTION = 0x34, 0x37
_WITH_LANGUAGE = (0x35, 0x36)
_TEXT = range(0x40, 0x60)


def _groups(message: bytes, at: int) -> list[tuple[int, Group]]:
    groups: list[tuple[int, Group]] = []
    values: list[Value] = []
    depth = 0
    while (tag := message[at]) != Tag.END:
        at += 1
        if tag < _FIRST_VALUE_TAG:
            groups.append((tag, {}))
            continue
        name, at = _take(message, at)
        raw, at = _take(message, at)
        if not groups:
            raise Malformed("an attribute outside of any group")
        if name:
            values = groups[-1][1].setdefault(name.decode("utf-8", "replace"), [])
        if tag == _BEGIN_COLLECTION:
            depth += 1
        elif tag == _END_COLLECTION:
            depth -= 1
        elif not depth and tag > _NO_VALUE_UNTIL:  # nothing that is asked for here is a collection
            values.extend(_read(tag, raw))
    return groups


def _take(message: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", message, at)
    end = at + 2 + length
    if end > len(message):
        raise Malformed("cut short")
    return message[at + 2 : end], end


def _read(tag: int, raw: bytes) -> list[Value]:
    if tag in {Tag.INTEGER, Tag.ENUM}:
        return [struct.unpack(">i", raw)[0]]
    if tag == Tag.BOOLEAN:
        return [raw[0]]
    if tag in _WITH_LANGUAGE:
        _, at = _take(raw, 0)
        raw, _ = _take(raw, at)
        return [raw.decode("utf-8", "replace")]
    return [raw.decode("utf-8", "replace")] if tag in _TEXT else []


def _sized(raw: bytes) -> bytes:
    return struct.pack(">H", len(raw)) + raw


def _value(tag: Tag, value: Value) -> bytes:
    if tag is Tag.BOOLEAN:
        return bytes([int(value)])
    return struct.pack(">i", value) if isinstance(value, int) else value.encode()
