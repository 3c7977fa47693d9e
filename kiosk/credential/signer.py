"""The clinic's signer: chooses the form of credential that fits, and signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain.statement import CertificateFacts, Credential
from kiosk.credential.certificates import rotate_from
from kiosk.credential.errors import KeysUnusable, SignerNotValid
from kiosk.credential.hcert import Hcert
from kiosk.credential.keys import ClinicKeys, KeyFolder, fingerprint_of
from kiosk.credential.shc import SmartHealthCard


class Form(Protocol):
    """One form of credential; a further one is one file that does these three."""

    name: str

    def fits(self, facts: CertificateFacts) -> bool:
        """Whether this form can state these facts."""

    def sign(self, facts: CertificateFacts, keys: ClinicKeys, expires: datetime) -> Credential:
        """The signed credential."""


class ClinicSigner:
    """Signs what a certificate states with the clinic's document signer."""

    def __init__(self, keys: ClinicKeys, issuer_url: str = "", *, also_card: bool = False) -> None:
        """``issuer_url`` is where a SMART Health Card's verifier finds the published keys, if anywhere;
        with ``also_card`` an HCERT gets such a card beside it."""
        self._keys = keys
        self._card = SmartHealthCard(issuer_url)
        self._forms: tuple[Form, ...] = (Hcert(), self._card)
        self._also_card = also_card

    @property
    def root(self) -> str:
        """The fingerprint of its root."""
        return fingerprint_of(self._keys.root)

    @property
    def rotate_from(self) -> datetime:
        """When its key is due to be followed by another."""
        return rotate_from(self._keys.signer)

    def sign(self, facts: CertificateFacts) -> Credential:
        """The credential in the first form that fits. Raises SignerNotValid or FactsNotSignable."""
        since = self._keys.signer.not_valid_before_utc
        until = self._keys.signer.not_valid_after_utc
        if not since <= facts.issued_at < until:
            raise SignerNotValid(since=since.date().isoformat(), until=until.date().isoformat())
        form = next(form for form in self._forms if form.fits(facts))
        # A credential never outlives the key that vouches for it.
        credential = form.sign(facts, self._keys, until)
        if self._also_card and form is not self._card:
            return replace(credential, second=self._card.sign(facts, self._keys, until))
        return credential


class NoSigner:
    """Of a process that signs nothing: the keys need not be where it runs."""

    def rotate_from(self) -> None:
        """Of no key."""

    def sign(self, facts: CertificateFacts) -> Credential:
        """Raises KeysUnusable."""
        raise KeysUnusable(reason="this process does not sign")


class LateSigner:
    """Of a process that hardly ever signs, or has yet to begin a clinic: the keys are opened when it does."""

    def __init__(self, opens: Callable[[], FolderSigner]) -> None:
        self._opens = opens
        self._signer: FolderSigner | None = None

    def rotate_from(self) -> datetime | None:
        """See `FolderSigner.rotate_from`; None before they are opened."""
        return self._signer.rotate_from() if self._signer else None

    def sign(self, facts: CertificateFacts) -> Credential:
        """See `FolderSigner.sign`."""
        return self.open().sign(facts)

    def open(self) -> FolderSigner:
        """The keys are there from now on. Raises what opening them raises."""
        if self._signer is None:
            self._signer = self._opens()
        return self._signer


def any_root(_fingerprint: str) -> None:
    """Where there are no records that could name another."""


class FolderSigner:
    """Signs with the newest trusted signer of a key folder, also after it was rotated or withdrawn."""

    def __init__(
        self,
        folder: Path,
        issuer_url: str = "",
        *,
        also_card: bool = False,
        require_root: Callable[[str], None] = any_root,
    ) -> None:
        """``require_root`` is asked of each root that comes here, by its fingerprint, and raises KeysMissing.

        Raises KeysUnusable.
        """
        self._folder = KeyFolder(folder)
        self._issuer_url, self._also_card = issuer_url, also_card
        self._require_root, self._root = require_root, ""
        self._stamp, self._signer = self._load()
        self._agree_on(self._signer)

    def sign(self, facts: CertificateFacts) -> Credential:
        """See `ClinicSigner.sign`. Raises KeysUnusable too, when no signer of the clinic's is left."""
        signer = self._newest()
        self._agree_on(signer)
        return signer.sign(facts)

    def rotate_from(self) -> datetime:
        """When the key that signs is due to be followed by another. Raises KeysUnusable."""
        return self._newest().rotate_from

    def _newest(self) -> ClinicSigner:
        # One look at a file's times: a withdrawn key must not sign until somebody restarts the kiosk.
        if self._folder.stamp() != self._stamp:
            self._stamp, self._signer = self._load()
        return self._signer

    def _agree_on(self, signer: ClinicSigner) -> None:
        if signer.root != self._root:  # the folder is another than it was
            self._require_root(signer.root)
            self._root = signer.root

    def _load(self) -> tuple[tuple[int, ...], ClinicSigner]:
        stamp = self._folder.stamp()
        return stamp, ClinicSigner(self._folder.active(), self._issuer_url, also_card=self._also_card)


KeySigner = FolderSigner | LateSigner | NoSigner
"""How a process comes by the keys."""
