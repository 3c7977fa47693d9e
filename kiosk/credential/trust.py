"""Whom one believes: signers' keys by their ids, and what is revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.credential.certificates import country_of, key_id, organization_of
from kiosk.credential.jwk import PublicKey, thumbprint
from kiosk.credential.lists import RevocationList, TrustList, from_text


class Caution(StrEnum):
    """What a verdict could not take into account; it is said beside the verdict."""

    NO_REVOCATION_LIST = "no-revocation-list"
    OLD_REVOCATION_LIST = "old-revocation-list"
    OLD_TRUST_LIST = "old-trust-list"
    NOT_IN_RECORDS = "not-in-records"
    """The clinic's own signature on something that the clinic does not know of."""


@dataclass(frozen=True)
class TrustedKey:
    """A signer: its key, and what its certificate says of it; a bare key says nothing."""

    key: PublicKey
    kid: bytes
    holder: str = ""
    country: str = ""
    since: datetime | None = None
    until: datetime | None = None
    signs_documents: bool = True
    usages: frozenset[str] = frozenset()
    """Extended key usages, dotted; without any it may sign every kind (EU DCC)."""
    withdrawn: bool = False
    clinic: str = ""
    """Of a clinic's signer: the root in whose lists it stands, and what is revoked."""


@dataclass(frozen=True)
class Reach:
    """How far a clinic's lists go: until when each is good; None for one that is not known."""

    signers: datetime
    revocations: datetime | None

    def further(self, other: Reach) -> Reach:
        """Of several exports of one clinic the newest counts: what is revoked only grows."""
        known = [until for until in (self.revocations, other.revocations) if until is not None]
        return Reach(max(self.signers, other.signers), max(known, default=None))


@dataclass
class Trust:
    """Signers by the names that credentials give them, and what they have revoked."""

    by_kid: dict[bytes, list[TrustedKey]] = field(default_factory=dict)
    by_thumbprint: dict[str, list[TrustedKey]] = field(default_factory=dict)
    hashes: set[str] = field(default_factory=set)
    cards: set[tuple[str, str]] = field(default_factory=set)
    """Revoked cards: the signer's thumbprint, the card's ``rid``."""
    withdrawn: set[str] = field(default_factory=set)
    """Signers that revocation lists name as withdrawn, by their thumbprints."""
    reach: dict[str, Reach] = field(default_factory=dict)
    """Of the lists of each clinic, by its root."""

    def __len__(self) -> int:
        return sum(len(keys) for keys in self.by_kid.values())

    def add(self, trusted: TrustedKey) -> None:
        """Believe this signer. Short ids collide, so there may be several under one."""
        self.by_kid.setdefault(trusted.kid, []).append(trusted)
        if name := thumbprint(trusted.key):
            self.by_thumbprint.setdefault(name, []).append(trusted)

    def add_certificates(self, certificates: Iterable[x509.Certificate]) -> None:
        """Believe these signers."""
        for certificate in certificates:
            self.add(trusted_certificate(certificate))

    def add_clinic(self, listed: TrustList, revoked: RevocationList | None = None) -> None:
        """Believe a clinic's signers, know those that it has withdrawn, and what is accepted no more."""
        for certificate in listed.certificates:
            self.add(trusted_certificate(certificate, clinic=listed.root))
        for gone in listed.withdrawn:
            self.add(trusted_certificate(from_text(gone.certificate), clinic=listed.root, withdrawn=True))
        self._reaches(listed.root, Reach(listed.expires, revoked.expires if revoked else None))
        if revoked:
            self.withdrawn.update(revoked.keys)
            self.hashes.update(revoked.hashes)
            self.cards.update((key, rid) for key, rids in revoked.cards.items() for rid in rids)

    def join(self, other: Trust) -> None:
        """Believe whomever the other believes, too."""
        for trusted in (key for keys in other.by_kid.values() for key in keys):
            self.add(trusted)
        self.withdrawn |= other.withdrawn
        self.hashes |= other.hashes
        self.cards |= other.cards
        for clinic, reach in other.reach.items():
            self._reaches(clinic, reach)

    def has_withdrawn(self, trusted: TrustedKey) -> bool:
        """Whether any list says so; a revocation list may be newer than the trust list beside it."""
        name = thumbprint(trusted.key)
        return trusted.withdrawn or (bool(name) and name in self.withdrawn)

    def cautions(self, trusted: TrustedKey, at: datetime) -> tuple[Caution, ...]:
        """What was not known when something of this signer was judged."""
        if not trusted.clinic:  # of others' signers it is the keys alone that are given
            return (Caution.NO_REVOCATION_LIST,)
        reach, found = self.reach[trusted.clinic], []
        if at >= reach.signers:
            found.append(Caution.OLD_TRUST_LIST)
        if reach.revocations is None:
            found.append(Caution.NO_REVOCATION_LIST)
        elif at >= reach.revocations:
            found.append(Caution.OLD_REVOCATION_LIST)
        return tuple(found)

    def _reaches(self, clinic: str, reach: Reach) -> None:
        known = self.reach.get(clinic)
        self.reach[clinic] = known.further(reach) if known else reach


def trusted_certificate(
    certificate: x509.Certificate, *, clinic: str = "", withdrawn: bool = False
) -> TrustedKey:
    """A signer by its certificate. Raises ValueError for keys that certificates are not signed with."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ValueError("neither an elliptic curve's key nor an RSA key")
    return TrustedKey(
        key,
        key_id(certificate),
        organization_of(certificate),
        country_of(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        _signs_documents(certificate),
        _usages(certificate),
        withdrawn,
        clinic,
    )


def _signs_documents(certificate: x509.Certificate) -> bool:
    try:
        if certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    except x509.ExtensionNotFound:
        return True


def _usages(certificate: x509.Certificate) -> frozenset[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(usage.dotted_string for usage in usages)
