"""X.509 certificates of the clinic: the root, and the document signers that it vouches for."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

VACCINATION_USAGE = x509.ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.2")
"""Extended key usage of a signer that may state vaccinations (EU DCC)."""

ROOT_YEARS = 10
SIGNER_YEARS = 2
USED_FOR = timedelta(days=183)
"""How long a signer is meant to sign; it is trusted for the rest of its years."""
_SLACK = timedelta(minutes=5)
"""Keys are valid from a little before they are made: other machines' clocks lag."""


def key_id(certificate: x509.Certificate) -> bytes:
    """The first 8 bytes of SHA-256 over the certificate."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:8]


def kid_text(certificate: x509.Certificate) -> str:
    """The key id, as trust lists write it."""
    return b64encode(key_id(certificate)).decode()


def rotate_from(signer: x509.Certificate) -> datetime:
    """When another signer is due in its place."""
    return signer.not_valid_before_utc + USED_FOR


def root_certificate(
    key: ec.EllipticCurvePrivateKey, country: str, clinic: str, now: datetime
) -> x509.Certificate:
    """The clinic's own root: it vouches for signers and signs the trust list, nothing else."""
    name = _name(country, clinic, "Root")
    return (
        _builder(name, name, key.public_key(), now, ROOT_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def signer_certificate(
    key: ec.EllipticCurvePublicKey,
    root_key: ec.EllipticCurvePrivateKey,
    root: x509.Certificate,
    now: datetime,
) -> x509.Certificate:
    """A document signer of the root's clinic, for two years."""
    country, clinic = country_of(root), organization_of(root)
    name = _name(country, clinic, "Document signer")
    return (
        _builder(name, root.subject, key, now, SIGNER_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([VACCINATION_USAGE]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )


def country_of(certificate: x509.Certificate) -> str:
    """The country in a certificate's subject; empty when it names none."""
    return _attribute(certificate, NameOID.COUNTRY_NAME)


def organization_of(certificate: x509.Certificate) -> str:
    """Who holds the key, as its certificate says; empty when it names nobody."""
    return _attribute(certificate, NameOID.ORGANIZATION_NAME) or _attribute(certificate, NameOID.COMMON_NAME)


def _attribute(certificate: x509.Certificate, name: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(name)
    return str(found[0].value) if found else ""


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0) - _SLACK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(country: str, clinic: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            # X.520 allows 64 characters each; a longer clinic name is only shortened here.
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, clinic[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, role),
        ]
    )
