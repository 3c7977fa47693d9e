"""The key under which people are found: one of the clinic's secrets."""

from __future__ import annotations

from domain.errors import IdentityKeyMissing

IDENTITY_KEY = "identity-key"
"""The name of the secret."""


def key_of(kept: str) -> bytes:
    """The key, from what is kept of it. Raises IdentityKeyMissing when that is none."""
    try:
        key = bytes.fromhex(kept)
    except ValueError:
        raise IdentityKeyMissing from None
    if not key:
        raise IdentityKeyMissing
    return key
