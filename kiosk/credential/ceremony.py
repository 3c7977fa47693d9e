"""What is done with the root's key at hand: first signers, rotation, withdrawal, moving the root out.

Each ends with a trust list that the root signed, kept beside the root and in the kiosk's own folder.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from kiosk.credential.certificates import key_id, kid_text, rotate_from
from kiosk.credential.errors import KeysUnusable, in_words
from kiosk.credential.jwk import thumbprint
from kiosk.credential.keys import KeyFolder, fingerprint_of
from kiosk.credential.lists import TrustList, from_text, read_trust_list
from kiosk.credential.pem import read_certificate
from kiosk.credential.root import (
    ON_MEDIUM,
    ROOT_PEM,
    TRUST_LIST,
    Root,
    alone,
    new_root,
    open_root,
    put_on_medium,
)

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RootPlace:
    """Where the root lives, and what opens it."""

    medium: Path
    passphrase: bytes

    @property
    def home(self) -> Path:
        """The root's folder on the medium."""
        return self.medium / ON_MEDIUM


@dataclass(frozen=True)
class SignerState:
    """A signer as `keys list` shows it."""

    certificate: x509.Certificate
    here: bool
    """Whether this kiosk has its private key."""
    active: bool
    rotate_from: datetime
    withdrawn: datetime | None = None
    reason: str = ""

    @property
    def kid(self) -> str:
        """The key id in hex, as people type it."""
        return key_id(self.certificate).hex()

    @property
    def names(self) -> tuple[str, str]:
        """Every name that a credential knows it by."""
        return kid_text(self.certificate), thumbprint(self.certificate.public_key())


def root_to_be(keys: KeyFolder, place: RootPlace | None) -> str:
    """The fingerprint of the root that `init` gives this kiosk; empty of a new one. Raises KeysUnusable."""
    if keys.is_made:
        return keys.fingerprint()
    if place is not None and place.home.exists():
        with in_words():
            return fingerprint_of(read_certificate(place.home / ROOT_PEM))
    return keys.draft.fingerprint() if keys.draft.is_made else ""


def init(keys: KeyFolder, place: RootPlace | None, *, country: str, clinic: str, now: datetime) -> bool:
    """Make what is missing: root, first signer; answers False when nothing was. Raises KeysUnusable.

    With a medium the root lives there: a new one is made on it, one that is there already vouches for
    this kiosk too, and one that lives in the key folder moves out. A draft may be what the clinic has
    named its root: none is made beside it.
    """
    with keys.alone():
        free = place is None or not place.home.exists() or _holds(place, keys.draft)
        adopted = free and keys.adopt()
        return _init(keys, place, country=country, clinic=clinic, now=now) or adopted


def _init(keys: KeyFolder, place: RootPlace | None, *, country: str, clinic: str, now: datetime) -> bool:
    if place is None:
        if keys.is_made:
            keys.upgrade()
            return False
        return keys.found(new_root(keys.clinic, country=country, clinic=clinic, now=now), now, with_root=True)
    if keys.is_made:
        return _move_out(keys, place, now)
    if not place.home.exists():
        put_on_medium(new_root(place.home, country=country, clinic=clinic, now=now), place.medium,
                      place.passphrase, now)  # fmt: skip
    with alone(place.home):
        return keys.found(open_root(place.home, place.passphrase), now, with_root=False)


def rotate(keys: KeyFolder, place: RootPlace | None, now: datetime) -> x509.Certificate:
    """A new signer for what is issued from now on; older ones stay trusted. Raises KeysUnusable."""
    home, passphrase = _root_of(keys, place)
    with alone(home):
        root = _opened(keys, home, passphrase)
        signer = keys.add_signer(root, now)
        _keep(keys, root, now)
        log.warning("%s signs from now on", key_id(signer).hex())
        return signer


def withdraw(keys: KeyFolder, place: RootPlace | None, kid: str, reason: str, now: datetime) -> bool:
    """Take a signer off the trust list; answers whether a new one was made in its place.

    That is so when it was the one this kiosk signs with: the clinic goes on. Raises KeysUnusable.
    """
    home, passphrase = _root_of(keys, place)
    with alone(home):
        root = _opened(keys, home, passphrase)
        signer = _named(keys, root.trusted, kid)
        states = states_of(keys, now)
        was_active = any(state.active and state.certificate == signer for state in states)
        if signer in root.trusted.certificates:
            root.withdraw(signer, now, reason)
        if was_active:
            keys.add_signer(root, now)
        _keep(keys, root, now)
        keys.drop_signer(signer)
        log.warning("signer %s is withdrawn", key_id(signer).hex())
        return was_active


def take_over(keys: KeyFolder, place: RootPlace) -> None:
    """Take the trust list over that another kiosk left with the root. Raises KeysUnusable."""
    _take_over(keys, place.home)


def sign_list(keys: KeyFolder, now: datetime) -> bytes:
    """The signed trust list; made now when there never was one, or it is old, and the root is here."""
    content = keys.signed_list()
    if content is not None and (keys.trusted().expires > now or not keys.has_root_key):
        return content  # an old one is said to be old by whoever reads it
    home, passphrase = _root_of(keys, None)
    with alone(home):
        return _keep(keys, _opened(keys, home, passphrase), now)


def find(keys: KeyFolder, kid: str, now: datetime) -> SignerState:
    """The one signer whose key id begins so, trusted or withdrawn. Raises KeysUnusable."""
    return _one([state for state in states_of(keys, now) if _begins(state.certificate, kid)], kid)


def states_of(keys: KeyFolder, now: datetime) -> list[SignerState]:
    """Every signer of the clinic that this kiosk knows of, oldest first, withdrawn ones last."""
    trusted = keys.trusted()
    here = [signer for signer in trusted.certificates if keys.holds(signer)]
    active = here[-1] if here else None
    states = [
        SignerState(signer, signer in here, signer == active, rotate_from(signer))
        for signer in trusted.certificates
    ]
    for gone in trusted.withdrawn:
        signer = from_text(gone.certificate)
        states.append(SignerState(signer, keys.holds(signer), False, now, gone.at, gone.reason))
    return states


def _root_of(keys: KeyFolder, place: RootPlace | None) -> tuple[Path, bytes]:
    keys.upgrade()
    if place is not None:
        return place.home, place.passphrase
    if not keys.has_root_key:
        raise KeysUnusable(reason="the root's key is not here: name its folder with --root")
    return keys.clinic, keys.passphrase()


def _take_over(keys: KeyFolder, home: Path) -> None:
    with in_words():
        content = (home / TRUST_LIST).read_bytes()
        newer = read_trust_list(content, keys.root())
        if newer.serial > keys.trusted().serial:
            keys.keep_list(content)


def _opened(keys: KeyFolder, home: Path, passphrase: bytes) -> Root:
    root = open_root(home, passphrase)
    if root.certificate != keys.root():
        raise KeysUnusable(reason="this root is not the clinic's")
    if home != keys.clinic and (home / TRUST_LIST).exists():
        _take_over(keys, home)  # of another kiosk, or of a ceremony here that was interrupted
    ours = keys.trusted()
    # What is kept beside the root counts; a clinic without any signed list yet has its signers here.
    if not root.trusted.signers and not root.trusted.withdrawn:
        root.trusted = ours
    return root


def _keep(keys: KeyFolder, root: Root, now: datetime) -> bytes:
    content = root.keep(now)
    if root.home != keys.clinic:
        keys.keep_list(content)
    return content


def _holds(place: RootPlace, draft: KeyFolder) -> bool:
    with in_words():
        return draft.is_made and read_certificate(place.home / ROOT_PEM) == draft.root()


def _move_out(keys: KeyFolder, place: RootPlace, now: datetime) -> bool:
    keys.upgrade()
    if not keys.has_root_key:
        take_over(keys, place)
        return False
    with alone(keys.clinic):
        root = _opened(keys, keys.clinic, keys.passphrase())
        if not place.home.exists():
            put_on_medium(root, place.medium, place.passphrase, now)
        with alone(place.home):
            moved = open_root(place.home, place.passphrase)
            if moved.certificate != root.certificate:
                raise KeysUnusable(reason=f"there is another root in {place.home}")
            # It may have been there since a move that was interrupted, and the list here gone on.
            if root.trusted.serial > moved.trusted.serial:
                moved.trusted = root.trusted
            keys.keep_list(moved.keep(now))
            keys.forget_root_key()
    return True


def _named(keys: KeyFolder, trusted: TrustList, kid: str) -> x509.Certificate:
    """The signer on the list; or one taken off it whose key is still here, as when that was interrupted."""
    gone = (from_text(entry.certificate) for entry in trusted.withdrawn)
    signers = (*trusted.certificates, *(signer for signer in gone if keys.holds(signer)))
    return _one([signer for signer in signers if _begins(signer, kid)], kid)


def _begins(signer: x509.Certificate, kid: str) -> bool:
    return bool(kid.strip()) and key_id(signer).hex().startswith(kid.strip().lower())


def _one(found: list[T], kid: str) -> T:
    if len(found) != 1:
        raise KeysUnusable(reason=f"{len(found)} signers begin with “{kid}”")
    return found[0]
