"""The clinic's root key in its home: the key folder, or a medium that lies in a safe.

It vouches for signers and signs the trust list. Nothing that happens while the clinic is open needs it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.credential.certificates import root_certificate, signer_certificate
from kiosk.credential.errors import KeysUnusable, in_words
from kiosk.credential.files import new_folder, replace_file
from kiosk.credential.lists import (
    TRUST_DAYS,
    TrustList,
    as_text,
    new_trust_list,
    read_trust_list,
    signed_trust_list,
    withdrawn_entry,
)
from kiosk.credential.pem import certificate_pem, encrypted_pem, read_certificate, read_private_key

ROOT_PEM, ROOT_KEY, TRUST_LIST = "root.pem", "root.key", "trust-list.json"
ON_MEDIUM = "clinic-root"
"""The root's folder on a medium of its own."""


@dataclass
class Root:
    """The open root key, and the trust list as it stands."""

    home: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    trusted: TrustList

    def new_signer(self, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
        """A signer's certificate, which is on the trust list as soon as that is kept."""
        signer = signer_certificate(key, self.key, self.certificate, now)
        self.trusted = msgspec.structs.replace(self.trusted, signers=(*self.trusted.signers, as_text(signer)))
        return signer

    def withdraw(self, signer: x509.Certificate, now: datetime, reason: str) -> None:
        """Take a signer off the list, for good."""
        listed = tuple(text for text in self.trusted.signers if text != as_text(signer))
        gone = (*self.trusted.withdrawn, withdrawn_entry(signer, now, reason))
        self.trusted = msgspec.structs.replace(self.trusted, signers=listed, withdrawn=gone)

    def signed_list(self, now: datetime) -> bytes:
        """The trust list as of now."""
        expires = min(now + timedelta(days=TRUST_DAYS), self.certificate.not_valid_after_utc)
        serial = self.trusted.serial + 1
        self.trusted = msgspec.structs.replace(self.trusted, issued=now, expires=expires, serial=serial)
        return signed_trust_list(self.trusted, self.key)

    def keep(self, now: datetime) -> bytes:
        """Sign the list and keep it beside the root; answers it for the kiosk's own copy.

        Raises KeysUnusable.
        """
        content = self.signed_list(now)
        with in_words():
            replace_file(self.home / TRUST_LIST, content)
        return content

    def files(self, passphrase: bytes, now: datetime) -> dict[str, bytes]:
        """All that a home of the root holds."""
        return {
            ROOT_PEM: certificate_pem(self.certificate),
            ROOT_KEY: encrypted_pem(self.key, passphrase),
            TRUST_LIST: self.signed_list(now),
        }


def new_root(home: Path, *, country: str, clinic: str, now: datetime) -> Root:
    """A root for a clinic that has none; it is not kept anywhere yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = root_certificate(key, country, clinic, now)
    return Root(home, certificate, key, new_trust_list(certificate, now))


def open_root(home: Path, passphrase: bytes) -> Root:
    """The root that lives here. Raises KeysUnusable."""
    with in_words():
        certificate = read_certificate(home / ROOT_PEM)
        key = read_private_key(home / ROOT_KEY, passphrase)
        if key.public_key() != certificate.public_key():
            raise KeysUnusable(reason="root.key does not belong to root.pem")
        listed = home / TRUST_LIST
        if not listed.exists():  # of a clinic that opened before there were lists
            return Root(home, certificate, key, new_trust_list(certificate, certificate.not_valid_before_utc))
        return Root(home, certificate, key, read_trust_list(listed.read_bytes(), certificate))


def put_on_medium(root: Root, medium: Path, passphrase: bytes, now: datetime) -> Root:
    """Give the root a home on a medium, proven by opening it there. Raises KeysUnusable.

    The medium itself stays as it is: it may be a folder of others, too.
    """
    home = medium / ON_MEDIUM
    with in_words():
        if not new_folder(home, root.files(passphrase, now)):
            raise KeysUnusable(reason=f"there is a root in {home} already")
    return open_root(home, passphrase)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Only one ceremony at a time: two at once would each forget the other's signer."""
    with in_words():
        descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
