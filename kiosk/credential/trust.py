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
    clinic: bool = False
    """A signer of a clinic whose own lists say what is revoked."""


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
    trust_list_until: datetime | None = None
    revocations_until: datetime | None = None
    revocations_known: bool = False

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

    def add_clinic(self, listed: TrustList) -> None:
        """Believe a clinic's signers, and know those that it has withdrawn."""
        for certificate in listed.certificates:
            self.add(trusted_certificate(certificate, clinic=True))
        for gone in listed.withdrawn:
            self.add(trusted_certificate(from_text(gone.certificate), clinic=True, withdrawn=True))
        self.trust_list_until = _earlier(self.trust_list_until, listed.expires)

    def add_revocations(self, listed: RevocationList) -> None:
        """Accept nothing of this any more."""
        self.withdrawn.update(listed.keys)
        self.hashes.update(listed.hashes)
        self.cards.update((key, rid) for key, rids in listed.cards.items() for rid in rids)
        self.revocations_until = _earlier(self.revocations_until, listed.expires)
        self.revocations_known = True

    def join(self, other: Trust) -> None:
        """Believe whomever the other believes, too."""
        for trusted in (key for keys in other.by_kid.values() for key in keys):
            self.add(trusted)
        self.withdrawn |= other.withdrawn
        self.hashes |= other.hashes
        self.cards |= other.cards
        if other.trust_list_until:
            self.trust_list_until = _earlier(self.trust_list_until, other.trust_list_until)
        if other.revocations_until:
            self.revocations_until = _earlier(self.revocations_until, other.revocations_until)
        self.revocations_known |= other.revocations_known

    def has_withdrawn(self, trusted: TrustedKey) -> bool:
        """Whether any list says so; a revocation list may be newer than the trust list beside it."""
        name = thumbprint(trusted.key)
        return trusted.withdrawn or (bool(name) and name in self.withdrawn)

    def cautions(self, trusted: TrustedKey, at: datetime) -> tuple[Caution, ...]:
        """What was not known when something of this signer was judged."""
        if not trusted.clinic:  # of others' signers it is the keys alone that are given
            return (Caution.NO_REVOCATION_LIST,)
        found = []
        if self.trust_list_until is not None and at >= self.trust_list_until:
            found.append(Caution.OLD_TRUST_LIST)
        if not self.revocations_known:
            found.append(Caution.NO_REVOCATION_LIST)
        elif self.revocations_until is not None and at >= self.revocations_until:
            found.append(Caution.OLD_REVOCATION_LIST)
        return tuple(found)


def trust_in(certificates: Iterable[x509.Certificate]) -> Trust:
    """Believe these signers and nobody else."""
    trust = Trust()
    trust.add_certificates(certificates)
    return trust


def trusted_certificate(
    certificate: x509.Certificate, *, clinic: bool = False, withdrawn: bool = False
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


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)
