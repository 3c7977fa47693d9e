"""What may stand in a log line: the last line of defence behind calls that say nothing personal anyway.

A call's sentence is fixed; what is filled in is a number, the name of an error, or text from which
everything is taken out that looks like a person, a date, a number to call, a digest or a password.
"""

from __future__ import annotations

import re
from enum import Enum
from logging import LogRecord

from domain.codes import Kind, parse_code
from domain.errors import ClinicError, NotACode
from kiosk.setting_values import masked

OURS = frozenset({"domain", "kiosk", "storage"})
"""Whose sentences are known. Of others' log lines only the place is written down."""
LONGEST = 1000
GONE = "…"

_OF_PEOPLE = frozenset({Kind.RECIPIENT, Kind.BOOKING, Kind.INJECTION, Kind.APPLICATION, Kind.CERTIFICATE})
_CODE = re.compile(r"\b[A-Z][2-9A-Z]{2}-?[2-9A-Z]{3}-?[2-9A-Z]{3}\b")
_PERSONAL = re.compile(
    r"(?P<backup>\b(?:clinic|scheduled)-\d{8}T\d{6}Z(?:-\d+)?\.backup\b)|"  # its name is an instant: it stays
    r"\$argon2\S+"  # a hashed PIN
    r"|\b[0-9a-fA-F]{32,}\b|[A-Za-z0-9+/=]{64,}"  # a digest, a signature, a key
    r"|\b\w*[^\x00-\x7f\W]\w*"  # a word in any script but the code's: a name
    r"|\+?\d(?:[ -]?\d){7,}|\b\d{4}[./]\d\d?[./]\d\d?\b"  # a phone number or a date
)


def message_of(record: LogRecord) -> str:
    """What a log line says, fit to be kept."""
    if record.name.partition(".")[0] not in OURS:
        return f"said something in {record.filename}:{record.lineno} {record.funcName}"
    sentence = redacted(str(record.msg))
    args = record.args
    if not args:
        return sentence
    filled = {k: _fit(v) for k, v in args.items()} if isinstance(args, dict) else tuple(map(_fit, args))
    try:
        return (sentence % filled)[:LONGEST]
    except (TypeError, ValueError, KeyError):
        return sentence


def redacted(text: str) -> str:
    """The text without what may be somebody's."""
    without_codes = _CODE.sub(_without_code, masked(text[: 2 * LONGEST]))
    return _PERSONAL.sub(lambda found: found["backup"] or GONE, without_codes)


def _fit(value: object) -> object:
    if isinstance(value, ClinicError):
        return value.code
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return value
    return redacted(str(value))


def _without_code(found: re.Match[str]) -> str:
    try:
        code = parse_code(found[0])
    except NotACode:
        return found[0]
    return GONE if code[0] in _OF_PEOPLE else found[0]
