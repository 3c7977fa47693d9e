"""Keys and certificates as PEM: private keys always encrypted."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.credential.errors import KeysUnusable


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def encrypted_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes) -> bytes:
    """A private key as a file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )


def read_certificate(path: Path) -> x509.Certificate:
    """The certificate in a file. Raises OSError or ValueError."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def read_private_key(path: Path, passphrase: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key in a file. Raises OSError, ValueError, TypeError or KeysUnusable."""
    key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysUnusable(reason=f"{path.name} is no P-256 key")
    return key
