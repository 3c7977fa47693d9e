"""Others' keys from files: PEM or DER certificates, JWKS, the trust lists that countries publish, and
the folder that another clinic's `keys export` made.

Trust lists come in many shapes. What they have in common is certificates or public keys in base64, so
these are gathered from wherever they stand; pointing at the file is the decision to believe it.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.credential.errors import TrustUnusable
from kiosk.credential.jwk import PublicKey, read_key
from kiosk.credential.jws import unpart
from kiosk.credential.lists import read_revocation_list, read_trust_list
from kiosk.credential.root import ROOT_PEM, TRUST_LIST
from kiosk.credential.trust import Trust, TrustedKey, trusted_certificate

REVOCATIONS = "revocation-list.json"
FILE_LIMIT = 32 * 1024 * 1024
MOST_KEYS = 50_000
_DEEPEST = 12
_TO_BASE64 = str.maketrans("-_", "+/")
_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".json", ".jwks", ".jws", ".jwt", ".txt")


def trust_from(path: Path) -> Trust:
    """Everything that this file or folder says is to be believed. Raises TrustUnusable."""
    trust = Trust()
    try:
        # What a clinic has exported is believed as a whole: its keys only as far as its lists go.
        exports = {listed.parent for listed in path.rglob(TRUST_LIST)} if path.is_dir() else set()
        for export in sorted(exports):
            _add_clinic(trust, export)
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if exports.isdisjoint(file.parents) and (file == path or file.suffix.lower() in _SUFFIXES):
                _add_file(trust, file)
    except OSError as error:
        raise TrustUnusable(where=path, reason=error.strerror or "it cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise TrustUnusable(where=path, reason=error) from error
    if not len(trust):
        raise TrustUnusable(where=path, reason="no certificate, no public key")
    return trust


def _add_clinic(trust: Trust, folder: Path) -> None:
    """An export: its lists are signed, and must belong together."""
    pinned = folder / ROOT_PEM
    root = x509.load_pem_x509_certificate(_content(pinned)) if pinned.exists() else None
    listed = read_trust_list(_content(folder / TRUST_LIST), root)
    revoked = folder / REVOCATIONS
    trust.add_clinic(
        listed, read_revocation_list(_content(revoked), listed.certificates) if revoked.exists() else None
    )


def _add_file(trust: Trust, file: Path) -> None:
    content = _content(file)
    if b"-----BEGIN CERTIFICATE-----" in content:
        trust.add_certificates(x509.load_pem_x509_certificates(content))
        return
    if b"-----BEGIN PUBLIC KEY-----" in content:
        key = serialization.load_pem_public_key(content)
        if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            trust.add(_bare(key))
        return
    if content[:1] == b"\x30":
        trust.add(trusted_certificate(x509.load_der_x509_certificate(content)))
        return
    value = _json(content)
    try:
        trust.add_clinic(read_trust_list(content))  # our own list, without the rest of its folder
    except ValueError:
        for count, trusted in enumerate(_gathered(value, "", _DEEPEST), start=1):
            if count > MOST_KEYS:
                raise ValueError(f"more than {MOST_KEYS} keys") from None
            trust.add(trusted)


def _content(file: Path) -> bytes:
    with file.open("rb") as stream:
        content = stream.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ValueError("larger than any trust list")
    return content


def _json(content: bytes) -> Any:
    """JSON, or the JSON in a compact JWS."""
    text = content.strip()
    if text.count(b".") == 2 and not text.startswith((b"{", b"[")):
        text = unpart(text.split(b".")[1].decode())
    return msgspec.json.decode(text)


def _gathered(value: Any, name: str, deeper: int) -> Iterator[TrustedKey]:
    if deeper == 0:
        return
    if isinstance(value, dict):
        kid = _kid(value.get("kid"), name)
        if "kty" in value:
            found = _of_jwk(value, kid)
            if found:
                yield found
            return
        for key, inner in value.items():
            if isinstance(inner, str):
                yield from _of_text(inner, kid or _kid(key, ""))
            else:
                yield from _gathered(inner, key, deeper - 1)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, str):
                yield from _of_text(inner, _kid(name, ""))
            else:
                yield from _gathered(inner, name, deeper - 1)


def _of_jwk(value: dict[str, Any], kid: bytes) -> TrustedKey | None:
    chain = value.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        found = next(_of_text(chain[0], kid), None)
        if found:
            return found
    try:
        key = read_key(value)
    except ValueError:
        return None
    return _bare(key, kid) if key else None


def _of_text(text: str, kid: bytes) -> Iterator[TrustedKey]:
    """A certificate or a public key in base64, or nothing; a list may hold many other strings."""
    if not 80 <= len(text) <= 16_384 or not text.startswith("M"):  # DER begins so in base64
        return
    try:
        der = b64decode("".join(text.split()), validate=True)
    except ValueError:
        return
    try:
        yield trusted_certificate(x509.load_der_x509_certificate(der))
        return
    except ValueError:
        pass
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, TypeError):
        return
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        yield _bare(key, kid)


def _bare(key: PublicKey, kid: bytes = b"") -> TrustedKey:
    if not kid:
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        kid = hashlib.sha256(key.public_bytes(serialization.Encoding.DER, info)).digest()[:8]
    return TrustedKey(key, kid)


def _kid(value: object, name: str) -> bytes:
    """The key id beside a bare key: eight bytes in base64, under ``kid`` or as its name in a table."""
    for text in (value, name):
        if isinstance(text, str) and 10 <= len(text) <= 16:
            try:
                return b64decode(text.translate(_TO_BASE64) + "=" * (-len(text) % 4), validate=True)
            except ValueError:
                continue
    return b""
