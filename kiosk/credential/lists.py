"""What a clinic publishes, so that its certificates can be judged offline: trust list, revocation list.

The root signs the trust list, when a signer is made or withdrawn. A signer signs the revocation list,
which has to be fresh while the root lies in a safe.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from domain.revocation import Revoked
from kiosk.credential.certificates import country_of, kid_text, organization_of
from kiosk.credential.jwk import thumbprint
from kiosk.credential.jws import Opened, open_json, sign_json

TRUST_KIND, REVOCATION_KIND = "clinic-trust-list+json", "clinic-revocation-list+json"
TRUST_DAYS = 400
"""A trust list outlives two rotations, and is old after that."""
REVOCATION_DAYS = 31


class Withdrawn(msgspec.Struct, frozen=True):
    """A signer that nothing may be accepted of any more, by both of its names."""

    kid: str
    """As an HCERT names it (base64)."""
    thumbprint: str
    """As a SMART Health Card names it."""
    at: datetime
    reason: str = ""
    certificate: str = ""


class TrustList(msgspec.Struct, frozen=True):
    """The clinic's signers, in the order in which they were made; certificates are base64 of DER."""

    clinic: str
    country: str
    issued: datetime
    expires: datetime
    root: str
    signers: tuple[str, ...]
    withdrawn: tuple[Withdrawn, ...] = ()
    serial: int = 0
    """Counts the signed lists: of two the higher is newer, whatever the clocks said."""

    @property
    def certificates(self) -> list[x509.Certificate]:
        """The signers' certificates."""
        return [from_text(text) for text in self.signers]


class RevocationList(msgspec.Struct, frozen=True):
    """What is not to be accepted although its signature is good."""

    clinic: str
    country: str
    issued: datetime
    expires: datetime
    keys: tuple[str, ...]
    """Withdrawn signers, by every name they have."""
    hashes: tuple[str, ...]
    """Of revoked certificates: SHA-256[:16] in hex over r of the signature, the UCI, country and UCI."""
    cards: dict[str, tuple[str, ...]]
    """Revoked SMART Health Cards: their ``rid`` by the signer's thumbprint."""


def new_trust_list(root: x509.Certificate, now: datetime, signers: tuple[str, ...] = ()) -> TrustList:
    """A list that the root has not signed yet."""
    until = now + timedelta(days=TRUST_DAYS)
    return TrustList(organization_of(root), country_of(root), now, until, as_text(root), signers)


def signed_trust_list(trusted: TrustList, root_key: ec.EllipticCurvePrivateKey) -> bytes:
    """The list as it is published."""
    return sign_json(trusted, root_key, TRUST_KIND, kid_text(from_text(trusted.root)))


def read_trust_list(content: bytes, root: x509.Certificate | None = None) -> TrustList:
    """A published list, signed by this root, or else by the one it names. Raises ValueError."""
    opened = open_json(content, TRUST_KIND)
    trusted = msgspec.json.decode(opened.payload, type=TrustList)
    named = from_text(trusted.root)
    if root is not None and named != root:
        raise ValueError("the list of another root")
    if not opened.is_by(named.public_key()):
        raise ValueError("not signed by its root")
    for signer in trusted.certificates:
        if not vouched_for(signer, named):
            raise ValueError("a signer that the root did not sign")
    return trusted


def revocation_list(trusted: TrustList, revoked: Iterable[Revoked], now: datetime) -> RevocationList:
    """What is revoked now; its numbers only grow."""
    hashes: set[str] = set()
    cards: dict[str, set[str]] = {}
    for one in revoked:
        for credential in one.credential.all:
            hashes.update(credential.revocation_hashes)
            if credential.form == "shc":
                cards.setdefault(credential.key_id, set()).add(one.number)
    keys = {name for gone in trusted.withdrawn for name in (gone.kid, gone.thumbprint)}
    return RevocationList(
        trusted.clinic,
        trusted.country,
        now,
        now + timedelta(days=REVOCATION_DAYS),
        tuple(sorted(keys)),
        tuple(sorted(hashes)),
        {key: tuple(sorted(rids)) for key, rids in sorted(cards.items())},
    )


def signed_revocation_list(
    revoked: RevocationList, signer: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> bytes:
    """The list as it is published."""
    return sign_json(revoked, key, REVOCATION_KIND, kid_text(signer))


def read_revocation_list(content: bytes, signers: Iterable[x509.Certificate]) -> RevocationList:
    """A published list, if one of these signers signed it. Raises ValueError."""
    opened = open_json(content, REVOCATION_KIND)
    if not any(_by(opened, signer) for signer in signers):
        raise ValueError("not signed by a trusted signer")
    return msgspec.json.decode(opened.payload, type=RevocationList)


def withdrawn_entry(signer: x509.Certificate, now: datetime, reason: str) -> Withdrawn:
    """This signer, as a list of withdrawn ones names it."""
    return Withdrawn(kid_text(signer), thumbprint(signer.public_key()), now, reason, as_text(signer))


def as_text(certificate: x509.Certificate) -> str:
    """A certificate as lists carry it."""
    return b64encode(certificate.public_bytes(Encoding.DER)).decode()


def from_text(text: str) -> x509.Certificate:
    """The certificate that a list carries. Raises ValueError."""
    return x509.load_der_x509_certificate(b64decode(text, validate=True))


def _by(opened: Opened, signer: x509.Certificate) -> bool:
    return opened.header.get("kid") == kid_text(signer) and opened.is_by(signer.public_key())


def vouched_for(signer: x509.Certificate, root: x509.Certificate) -> bool:
    """Whether this root signed this signer's certificate."""
    try:
        signer.verify_directly_issued_by(root)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True
