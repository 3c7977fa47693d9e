"""Unique certificate identifiers (UVCI), as the EU's guidelines build them.

The name space, version 01, country, issuing clinic and certificate, then ``#`` and a check character
(Luhn modulo 38) over everything before it. Only capitals: the check is defined over capitals alone.
"""

from __future__ import annotations

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_BASE = len(ALPHABET)


def uvci(country: str, clinic_code: str, certificate_code: str) -> str:
    """The identifier of a clinic's certificate; raises ValueError for characters it cannot hold."""
    body = f"URN:UVCI:01:{country}:{clinic_code}/{certificate_code}".upper()
    return f"{body}#{check_character(body)}"


def check_character(body: str) -> str:
    """The check character of what stands before the ``#``."""
    total = 0
    for position, character in enumerate(reversed(body)):
        if character not in _VALUE:
            raise ValueError(f"{character!r} cannot stand in a UVCI")
        # From the right, every other value is doubled, and its two base-38 digits are added up.
        value = _VALUE[character] * (2 if position % 2 == 0 else 1)
        total += value // _BASE + value % _BASE
    return ALPHABET[-total % _BASE]


def is_intact(identifier: str) -> bool:
    """Whether our own identifier was copied without a slip; never judge another issuer's by it."""
    body, mark, check = identifier.partition("#")
    try:
        return mark == "#" and check_character(body) == check
    except ValueError:
        return False
