"""The clinic's signer: chooses the form of credential that fits, and signs."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from domain.certificate import CertificateFacts, Credential
from kiosk.credential.errors import SignerNotValid
from kiosk.credential.hcert import Hcert
from kiosk.credential.keys import ClinicKeys
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

    def __init__(self, keys: ClinicKeys, issuer_url: str = "") -> None:
        """``issuer_url`` is where a SMART Health Card's verifier finds the published keys, if anywhere."""
        self._keys = keys
        self._forms: tuple[Form, ...] = (Hcert(), SmartHealthCard(issuer_url))

    def sign(self, facts: CertificateFacts) -> Credential:
        """The credential in the first form that fits. Raises SignerNotValid or FactsNotSignable."""
        since = self._keys.signer.not_valid_before_utc
        until = self._keys.signer.not_valid_after_utc
        if not since <= facts.issued_at < until:
            raise SignerNotValid(since=since.date().isoformat(), until=until.date().isoformat())
        form = next(form for form in self._forms if form.fits(facts))
        # A credential never outlives the key that vouches for it.
        return form.sign(facts, self._keys, until)
