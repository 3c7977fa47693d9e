"""The clinic's keys: a root, and one document signer that the root vouches for.

They are made on first use as one folder, ``current``, which is renamed into place when every file in
it is on the disk: there is a whole set of keys or none. Private keys are encrypted; the passphrase
lies in a file of its own, so that it can be kept elsewhere. Signing does not need the root's key.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.credential.errors import KeysUnusable

VACCINATION_USAGE = x509.ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.2")
"""Extended key usage of a signer that may state vaccinations (EU DCC)."""

ROOT_YEARS = 10
SIGNER_YEARS = 2
_SLACK = timedelta(minutes=5)
"""Keys are valid from a little before they are made: other machines' clocks lag."""

_FILES = ("root.pem", "root.key", "signer.pem", "signer.key", "passphrase")


@dataclass(frozen=True)
class ClinicKeys:
    """What signing needs, and what others verify with."""

    root: x509.Certificate
    signer: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def kid(self) -> bytes:
        """The signer's short name in a credential."""
        return key_id(self.signer)

    @property
    def kid_text(self) -> str:
        """The same, as trust lists write it."""
        return b64encode(self.kid).decode()


def key_id(certificate: x509.Certificate) -> bytes:
    """The first 8 bytes of SHA-256 over the certificate."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()[:8]


def open_keys(folder: Path, *, country: str, clinic: str, now: datetime) -> ClinicKeys:
    """The keys in this folder; made there first if there are none. Raises KeysUnusable."""
    if not (folder / "current").exists():
        make_keys(folder, country=country, clinic=clinic, now=now)
    return load_keys(folder)


def load_keys(folder: Path) -> ClinicKeys:
    """The keys that lie in this folder. Raises KeysUnusable."""
    current = folder / "current"
    try:
        root = x509.load_pem_x509_certificate((current / "root.pem").read_bytes())
        signer = x509.load_pem_x509_certificate((current / "signer.pem").read_bytes())
        passphrase = (current / "passphrase").read_bytes().strip()
        key = serialization.load_pem_private_key((current / "signer.key").read_bytes(), passphrase)
        signer.verify_directly_issued_by(root)
    except FileNotFoundError as error:
        raise KeysUnusable(reason=f"{Path(error.filename).name} is missing") from error
    except OSError as error:
        raise KeysUnusable(reason=os.strerror(error.errno or errno.EIO)) from error
    except InvalidSignature as error:
        raise KeysUnusable(reason="the root did not sign the signer") from error
    except (ValueError, TypeError) as error:
        raise KeysUnusable(reason="a file is damaged, or the passphrase is another one") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysUnusable(reason="signer.key is no P-256 key")
    if key.public_key() != signer.public_key():
        raise KeysUnusable(reason="signer.key does not belong to signer.pem")
    return ClinicKeys(root, signer, key)


def make_keys(folder: Path, *, country: str, clinic: str, now: datetime) -> None:
    """Make a root and a signer in this folder, unless somebody else has just done so."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        draft = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))  # 0700
        try:
            for name, content in _new_set(country, clinic, now).items():
                _write(draft / name, content)
            _sync_folder(draft)
            _publish(draft, folder / "current")
            _sync_folder(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # gone already when it was published
    except OSError as error:
        raise KeysUnusable(reason=os.strerror(error.errno or errno.EIO)) from error


def _publish(draft: Path, place: Path) -> None:
    try:
        draft.rename(place)
    except OSError as error:
        # Another kiosk on the same folder was first: its keys are the clinic's.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _new_set(country: str, clinic: str, now: datetime) -> dict[str, bytes]:
    passphrase = secrets.token_urlsafe(32).encode()
    root_key = ec.generate_private_key(ec.SECP256R1())
    signer_key = ec.generate_private_key(ec.SECP256R1())
    root = _root_certificate(root_key, country, clinic, now)
    signer = _signer_certificate(signer_key.public_key(), root_key, root, clinic, now)
    pem = serialization.Encoding.PEM
    contents = (
        root.public_bytes(pem),
        _encrypted(root_key, passphrase),
        signer.public_bytes(pem),
        _encrypted(signer_key, passphrase),
        passphrase + b"\n",
    )
    return dict(zip(_FILES, contents, strict=True))


def _root_certificate(
    key: ec.EllipticCurvePrivateKey, country: str, clinic: str, now: datetime
) -> x509.Certificate:
    name = _name(country, clinic, "Root")
    return (
        _builder(name, name, key.public_key(), now, ROOT_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _signer_certificate(
    key: ec.EllipticCurvePublicKey,
    root_key: ec.EllipticCurvePrivateKey,
    root: x509.Certificate,
    clinic: str,
    now: datetime,
) -> x509.Certificate:
    country = str(root.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value)
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


def _encrypted(key: ec.EllipticCurvePrivateKey, passphrase: bytes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
