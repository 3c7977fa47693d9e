"""Signed JSON: a JWS in its flattened form (RFC 7515), ES256 only."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature


class Flattened(msgspec.Struct, frozen=True):
    """The three members of a flattened JWS."""

    payload: str
    protected: str
    signature: str


class Opened(NamedTuple):
    """A signed document taken apart; nothing of it is proven before `is_by` says so."""

    header: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    def is_by(self, key: object) -> bool:
        """Whether the holder of this key signed it."""
        return self.header.get("alg") == "ES256" and es256_holds(key, self.signature, self.signed)


def sign_json(document: object, key: ec.EllipticCurvePrivateKey, kind: str, kid: str) -> bytes:
    """The document, signed; ``kind`` is the JWS's ``typ``, so that one list is never taken for another."""
    header = msgspec.json.encode({"alg": "ES256", "kid": kid, "typ": kind})
    payload = msgspec.json.encode(document, order="deterministic")
    protected, body = part(header), part(payload)
    signature = raw_signature(key, f"{protected}.{body}".encode())
    return msgspec.json.format(msgspec.json.encode(Flattened(body, protected, part(signature))), indent=2)


def open_json(content: bytes, kind: str) -> Opened:
    """Take a signed document of this kind apart. Raises ValueError (msgspec's errors are)."""
    document = msgspec.json.decode(content, type=Flattened)
    header = msgspec.json.decode(unpart(document.protected), type=dict[str, Any])
    if header.get("typ") != kind:
        raise ValueError("another kind of document")
    signed = f"{document.protected}.{document.payload}".encode()
    return Opened(header, unpart(document.payload), signed, unpart(document.signature))


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """An ES256 signature as r and s, 32 bytes each; the same every time (RFC 6979)."""
    der = key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def es256_holds(key: object, signature: bytes, message: bytes) -> bool:
    """Whether this ES256 signature over the message is by the holder of the key."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 64:
        return False
    if not isinstance(key.curve, ec.SECP256R1):
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def part(content: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unpart(text: str) -> bytes:
    """The content of such a part; one writing of each only. Raises ValueError."""
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(content).rstrip(b"=") != text.encode():
        raise ValueError("written in another way than it is read")
    return content
