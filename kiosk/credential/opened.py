"""Scanned texts taken apart, within bounds: what was signed, by whom as it says, and how to read it.

Taking apart proves nothing; `verify` does that. Input that cannot be taken apart is `Malformed`; any other
exception is a mistake in here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import base45
import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kiosk.credential import hcert, shc
from kiosk.credential.fence import Malformed, fenced, mapping
from kiosk.credential.hcert import short_hashes
from kiosk.credential.jws import es256_holds, unpart
from kiosk.credential.schema import CardClaims, Dcc, Recovery, Test, read_card, read_dcc
from kiosk.credential.trust import Trust, TrustedKey

INFLATE_LIMIT = 64 * 1024
DEPTH_LIMIT = 16
ES256, PS256 = -7, -37
_CWT_TAG = 61

# Tags that libraries turn into regular expressions, huge numbers, shared references, …: a health
# certificate holds none of them, so they are not built. A time (tag 0) is left as its text.
_UNWANTED = (1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def _refuse(_value: Any, _immutable: bool) -> Any:
    raise ValueError("a tag that no health certificate holds")


def _as_it_is(value: Any, _immutable: bool) -> Any:
    return value


_TAGS: dict[int, Callable[[Any, bool], Any]] = {**dict.fromkeys(_UNWANTED, _refuse), 0: _as_it_is}


@dataclass(frozen=True)
class Claims:
    """What a credential claims; who believes it, is another matter."""

    form: str
    identifier: str
    """The UVCI, or a card's number."""
    issuer: str
    issued_at: datetime | None
    expires_at: datetime | None
    dcc: Dcc | None = None
    card: CardClaims | None = None

    @property
    def kind(self) -> str:
        """``vaccination``, ``test`` or ``recovery``."""
        match self.dcc.entry if self.dcc else None:
            case Test():
                return "test"
            case Recovery():
                return "recovery"
        return "vaccination"


class Opened(Protocol):
    """A credential taken apart."""

    key_id: str

    def candidates(self, trust: Trust) -> list[TrustedKey]:
        """The signers that go by the name it gives."""

    def is_by(self, trusted: TrustedKey) -> bool:
        """Whether this signer signed it."""

    def read(self) -> Claims:
        """What it claims. Raises Malformed."""

    def is_revoked(self, trust: Trust, claims: Claims) -> bool:
        """Whether it is on a revocation list."""


class OpenedHcert:
    """An HCERT."""

    def __init__(self, text: str) -> None:
        """Raises Malformed."""
        content = bytes(fenced(base45.b45decode, text.removeprefix(hcert.PREFIX)))
        message = _cbor(inflate(content, 15) if content[:1] == b"\x78" else content)
        while isinstance(message, cbor2.CBORTag) and message.tag in {hcert.COSE_SIGN1, _CWT_TAG}:
            message = message.value
        if not isinstance(message, list | tuple) or len(message) != 4:
            raise Malformed("no COSE_Sign1 message")
        protected, unprotected, payload, signature = message
        if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
            raise Malformed("no COSE_Sign1 message")
        header = mapping(_cbor(protected)) if protected else {}
        kid = header.get(hcert.KEY_ID, mapping(unprotected).get(hcert.KEY_ID))
        if not isinstance(kid, bytes):
            raise Malformed("it names no key")
        # Never from the unprotected header: what is not signed must not choose how it is checked.
        self._algorithm = header.get(hcert.ALGORITHM)
        self._kid, self._payload, self._signature = kid, payload, signature
        self._signed = hcert.signed_bytes(protected, payload)
        self.key_id = kid.hex()

    def candidates(self, trust: Trust) -> list[TrustedKey]:
        """See `Opened`."""
        return trust.by_kid.get(self._kid, [])

    def is_by(self, trusted: TrustedKey) -> bool:
        """See `Opened`."""
        if self._algorithm == ES256:
            return es256_holds(trusted.key, self._signature, self._signed)
        if self._algorithm == PS256 and isinstance(trusted.key, rsa.RSAPublicKey):
            how = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.AUTO)
            try:
                trusted.key.verify(self._signature, self._signed, how, hashes.SHA256())
            except InvalidSignature:
                return False
            return True
        return False

    def read(self) -> Claims:
        """See `Opened`."""
        claims = mapping(_cbor(self._payload))
        dcc = read_dcc(mapping(claims.get(hcert.HEALTH)).get(hcert.DCC_V1))
        issuer = claims.get(hcert.ISSUER)
        return Claims(
            form="hcert",
            identifier=dcc.entry.ci,
            issuer=issuer[:80] if isinstance(issuer, str) else "",
            issued_at=_instant(claims.get(hcert.ISSUED)),
            expires_at=_instant(claims.get(hcert.EXPIRES)),
            dcc=dcc,
        )

    def is_revoked(self, trust: Trust, claims: Claims) -> bool:
        """See `Opened`."""
        assert claims.dcc
        short = short_hashes(self._signature, claims.dcc.entry.co, claims.identifier)
        return not trust.hashes.isdisjoint(short)


class OpenedCard:
    """A SMART Health Card."""

    def __init__(self, text: str) -> None:
        """Raises Malformed."""
        parts = _from_digits(text.removeprefix(shc.PREFIX)).split(".")
        if len(parts) != 3:
            raise Malformed("no SMART Health Card")
        head, body, signature = parts
        header = fenced(msgspec.json.decode, fenced(unpart, head), type=dict[str, str])
        if "kid" not in header or header.get("zip") != "DEF":
            raise Malformed("no SMART Health Card")
        self.key_id = header["kid"]
        self._algorithm = header.get("alg")
        self._signature, self._body = fenced(unpart, signature), body
        self._signed = f"{head}.{body}".encode()

    def candidates(self, trust: Trust) -> list[TrustedKey]:
        """See `Opened`."""
        return trust.by_thumbprint.get(self.key_id, [])

    def is_by(self, trusted: TrustedKey) -> bool:
        """See `Opened`."""
        return self._algorithm == "ES256" and es256_holds(trusted.key, self._signature, self._signed)

    def read(self) -> Claims:
        """See `Opened`."""
        claims = read_card(inflate(fenced(unpart, self._body), -15))
        issued, expires = _instant(claims.nbf), _instant(claims.exp)
        return Claims("shc", claims.vc.rid[:80], claims.iss[:200], issued, expires, None, claims)

    def is_revoked(self, trust: Trust, claims: Claims) -> bool:
        """See `Opened`."""
        if (self.key_id, claims.identifier) in trust.cards:
            return True
        return short_hashes(self._signature, "", "")[0] in trust.hashes


def inflate(content: bytes, window: int) -> bytes:
    """What is compressed, if it is all there and not too much. Raises Malformed."""
    unpacker = zlib.decompressobj(window)
    plain = fenced(unpacker.decompress, content, INFLATE_LIMIT)
    if not unpacker.eof or unpacker.unused_data:
        raise Malformed("cut short, a bomb, or something hidden behind")
    return plain


def _cbor(content: bytes) -> Any:
    return fenced(
        cbor2.loads, content, max_depth=DEPTH_LIMIT, allow_duplicate_keys=False, semantic_decoders=_TAGS
    )


def _instant(seconds: object) -> datetime | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**34:
        raise Malformed("no time")
    return datetime.fromtimestamp(seconds, UTC)


def _from_digits(text: str) -> str:
    if not re.fullmatch(r"(?:[0-9]{2})+", text, re.ASCII):
        raise Malformed("not written in digits")
    return "".join(chr(int(text[i : i + 2]) + 45) for i in range(0, len(text), 2))
