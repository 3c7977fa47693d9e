"""Public keys as JSON Web Keys (RFC 7517), the form in which SMART Health Cards know them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.credential.jws import part, unpart

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def thumbprint(key: object) -> str:
    """The key's name: its JWK thumbprint (RFC 7638); empty for keys that sign no cards."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return ""
    return part(hashlib.sha256(json.dumps(_members(key), separators=(",", ":")).encode()).digest())


def card_key(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The key as a card's issuer publishes it."""
    return {**_members(key), "kid": thumbprint(key), "use": "sig", "alg": "ES256"}


def read_key(value: dict[str, Any]) -> PublicKey | None:
    """The key in a JWK; None for kinds that certificates are not signed with. Raises ValueError."""
    if value.get("kty") == "EC" and value.get("crv") == "P-256":
        x, y = (int.from_bytes(unpart(str(value.get(name))), "big") for name in "xy")
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    if value.get("kty") == "RSA":
        n, e = (int.from_bytes(unpart(str(value.get(name))), "big") for name in "ne")
        return rsa.RSAPublicNumbers(e, n).public_key()
    return None


def _members(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """In the order in which the thumbprint is taken."""
    numbers = key.public_numbers()
    x, y = (part(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
