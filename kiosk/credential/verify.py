"""Verifying a credential offline, against the signers one trusts, as of a given time.

Whatever was scanned, the answer is a `Verdict`: hostile input is the normal case here. Nothing of the
content is read before the signature over it has been found good.
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import cbor2
import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kiosk.credential import hcert, shc
from kiosk.credential.keys import VACCINATION_USAGE, key_id
from kiosk.credential.schema import CardClaims, Dcc, read_card, read_dcc

TEXT_LIMIT = 8192
"""Characters; the largest QR symbol holds fewer."""
INFLATE_LIMIT = 64 * 1024
CLOCK_SLACK = timedelta(minutes=5)


class Problem(StrEnum):
    """Which check failed; they are made in this order."""

    NOT_A_CREDENTIAL = "not-a-credential"
    DAMAGED = "damaged"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    KEY_NOT_VALID = "key-not-valid"
    BAD_CONTENT = "bad-content"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a credential; ``problem`` is None for a good one."""

    problem: Problem | None
    detail: str = ""
    form: str = ""
    key_id: str = ""
    identifier: str = ""
    """The UVCI, or a card's number."""
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    dcc: Dcc | None = None
    card: CardClaims | None = None

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return self.problem is None


class _Refused(Exception):
    def __init__(self, problem: Problem, detail: str = "") -> None:
        self.verdict = Verdict(problem, detail)
        super().__init__(problem)


class _Opened(Protocol):
    """A credential taken apart, its content still unread."""

    key_id: str
    signed: bytes
    signature: bytes

    def is_by(self, certificate: x509.Certificate) -> bool: ...
    def read(self) -> Verdict: ...


def verify(text: str, trusted: Sequence[x509.Certificate], at: datetime) -> Verdict:
    """The verdict on a scanned text; ``trusted`` are signers' certificates. Never raises."""
    try:
        opened = _open(text)
        signer = _signer_of(opened, trusted)
        verdict = opened.read()
        _check_dates(verdict, signer, at)
        return verdict
    except _Refused as refusal:
        return refusal.verdict
    except Exception as error:  # noqa: BLE001 - the libraries' own faults must not stop a checkpoint
        return Verdict(Problem.DAMAGED, type(error).__name__)


def _open(text: str) -> _Opened:
    if len(text) > TEXT_LIMIT:
        raise _Refused(Problem.NOT_A_CREDENTIAL, "longer than any QR code")
    if text.startswith(hcert.PREFIX):
        return _Hcert(text)
    if text.startswith(shc.PREFIX):
        return _Card(text)
    raise _Refused(Problem.NOT_A_CREDENTIAL)


def _signer_of(opened: _Opened, trusted: Sequence[x509.Certificate]) -> x509.Certificate:
    # Short key ids collide: every certificate under this one is tried.
    candidates = [certificate for certificate in trusted if opened.is_by(certificate)]
    if not candidates:
        raise _Refused(Problem.UNKNOWN_KEY, opened.key_id)
    for certificate in candidates:
        if _has_signed(certificate, opened):
            _check_usage(certificate)
            return certificate
    raise _Refused(Problem.BAD_SIGNATURE, opened.key_id)


def _has_signed(certificate: x509.Certificate, opened: _Opened) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(opened.signature) != 64:
        return False
    r, s = (int.from_bytes(half, "big") for half in (opened.signature[:32], opened.signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), opened.signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _check_usage(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            raise _Refused(Problem.KEY_NOT_VALID, "this key may not sign documents")
        if VACCINATION_USAGE not in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value:
            raise _Refused(Problem.KEY_NOT_VALID, "this key may not state vaccinations")
    except x509.ExtensionNotFound as error:
        raise _Refused(Problem.KEY_NOT_VALID, "the certificate names no usage") from error


def _check_dates(verdict: Verdict, signer: x509.Certificate, at: datetime) -> None:
    issued, expires = verdict.issued_at, verdict.expires_at
    if issued is None or not signer.not_valid_before_utc <= issued <= signer.not_valid_after_utc:
        raise _Refused(Problem.KEY_NOT_VALID, "signed outside the key's validity")
    if issued > at + CLOCK_SLACK:
        raise _Refused(Problem.NOT_YET_VALID, issued.isoformat())
    if at >= signer.not_valid_after_utc:
        raise _Refused(Problem.EXPIRED, signer.not_valid_after_utc.isoformat())
    if expires is not None and at >= expires:
        raise _Refused(Problem.EXPIRED, expires.isoformat())


class _Hcert:
    def __init__(self, text: str) -> None:
        try:
            message = cbor2.loads(_inflate(hcert.compressed(text), 15))
            protected, _, self._payload, self.signature = message.value
            header = cbor2.loads(protected)
            self._kid: bytes = header[hcert.KEY_ID]
            algorithm = header[hcert.ALGORITHM]
        except (ValueError, KeyError, TypeError, AttributeError, cbor2.CBORError, RecursionError) as error:
            raise _Refused(Problem.DAMAGED, type(error).__name__) from error
        parts = (protected, self._kid, self._payload, self.signature)
        if message.tag != hcert.COSE_SIGN1 or not all(isinstance(part, bytes) for part in parts):
            raise _Refused(Problem.DAMAGED, "no COSE_Sign1 message")
        if algorithm != hcert.ES256:
            raise _Refused(Problem.BAD_SIGNATURE, "not ES256")
        self.key_id = self._kid.hex()
        self.signed = hcert.signed_bytes(protected, self._payload)

    def is_by(self, certificate: x509.Certificate) -> bool:
        return key_id(certificate) == self._kid

    def read(self) -> Verdict:
        try:
            claims = cbor2.loads(self._payload)
            dcc = read_dcc(claims[hcert.HEALTH][hcert.DCC_V1])
            issued, expires = _instant(claims[hcert.ISSUED]), _instant(claims[hcert.EXPIRES])
        except (ValueError, KeyError, TypeError, cbor2.CBORError, msgspec.ValidationError) as error:
            raise _Refused(Problem.BAD_CONTENT, str(error)) from error
        return Verdict(None, "", "hcert", self.key_id, dcc.v[0].ci, issued, expires, dcc)


class _Card:
    def __init__(self, text: str) -> None:
        try:
            jws = _from_digits(text.removeprefix(shc.PREFIX))
            head, body, signature = jws.split(".")
            header = msgspec.json.decode(_bytes(head), type=dict[str, str])
            self.key_id = header["kid"]
            self.signature = _bytes(signature)
            self._body = body
        except (ValueError, KeyError, msgspec.DecodeError) as error:
            raise _Refused(Problem.DAMAGED, type(error).__name__) from error
        if header.get("alg") != "ES256" or header.get("zip") != "DEF":
            raise _Refused(Problem.BAD_SIGNATURE, "not ES256")
        self.signed = f"{head}.{body}".encode()

    def is_by(self, certificate: x509.Certificate) -> bool:
        key = certificate.public_key()
        return isinstance(key, ec.EllipticCurvePublicKey) and shc.thumbprint(key) == self.key_id

    def read(self) -> Verdict:
        try:
            claims = read_card(_inflate(_bytes(self._body), -15))
            issued = _instant(claims.nbf)
            expires = None if claims.exp is None else _instant(claims.exp)
        except (ValueError, msgspec.DecodeError) as error:
            raise _Refused(Problem.BAD_CONTENT, str(error)) from error
        return Verdict(None, "", "shc", self.key_id, claims.vc.rid, issued, expires, None, claims)


def _inflate(content: bytes, window: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(content, INFLATE_LIMIT)
    except zlib.error as error:
        raise ValueError("not compressed as expected") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("cut short, a bomb, or something hidden behind")
    return plain


def _instant(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**34:
        raise ValueError("no time")
    return datetime.fromtimestamp(seconds, UTC)


def _from_digits(text: str) -> str:
    if not re.fullmatch(r"(?:[0-9]{2})+", text):
        raise ValueError("not written in digits")
    return "".join(chr(int(text[i : i + 2]) + 45) for i in range(0, len(text), 2))


def _bytes(part: str) -> bytes:
    content = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise ValueError("written in another way than it is read")
    return content
