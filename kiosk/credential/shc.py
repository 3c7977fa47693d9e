"""SMART Health Card: what is signed for every disease but COVID-19, and for that one where it is wished.

A JWS (ES256) over a raw-deflated FHIR R4 bundle, written into the QR as digits: numeric mode packs
them tighter than letters.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime

from domain.presentation import Disease
from domain.statement import CertificateFacts, Credential, DoseFacts
from kiosk.credential.hcert import revocation_hashes
from kiosk.credential.jwk import thumbprint
from kiosk.credential.jws import part, raw_signature
from kiosk.credential.keys import ClinicKeys

PREFIX = "shc:/"
CVX = "http://hl7.org/fhir/sid/cvx"
TYPES = ("https://smarthealth.cards#health-card", "https://smarthealth.cards#immunization")
COVID_TYPE = "https://smarthealth.cards#covid19"
UNPUBLISHED = "https://clinic.invalid"
"""The issuer's address of a clinic that has not published its keys on the web."""


class SmartHealthCard:
    """The SMART Health Card form of a credential."""

    name = "shc"

    def __init__(self, issuer_url: str = "") -> None:
        self._issuer_url = issuer_url or UNPUBLISHED

    def fits(self, facts: CertificateFacts) -> bool:
        """Always: a vaccine without a CVX code is named in words."""
        return True

    def sign(self, facts: CertificateFacts, keys: ClinicKeys, expires: datetime) -> Credential:
        """The signed credential."""
        kid = thumbprint(keys.private_key.public_key())
        header = {"zip": "DEF", "alg": "ES256", "kid": kid}
        claims = {
            "iss": self._issuer_url,
            "nbf": int(facts.issued_at.timestamp()),
            "exp": int(expires.timestamp()),
            "vc": {
                "type": TYPES if facts.dose.disease is not Disease.COVID_19 else (*TYPES, COVID_TYPE),
                "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": _bundle(facts)},
                "rid": facts.number,
            },
        }
        signing_input = f"{part(_compact(header))}.{part(_deflate(_compact(claims)))}"
        signature = raw_signature(keys.private_key, signing_input.encode())
        text = PREFIX + digits(f"{signing_input}.{part(signature)}")
        return Credential(self.name, text, kid, revocation_hashes(facts, signature))


def digits(jws: str) -> str:
    """A JWS as two digits a character."""
    return "".join(f"{ord(character) - 45:02d}" for character in jws)


def _bundle(facts: CertificateFacts) -> dict[str, object]:
    resources = (_patient(facts), *(_immunization(facts, dose) for dose in facts.doses))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"resource:{n}", "resource": r} for n, r in enumerate(resources)],
    }


def _patient(facts: CertificateFacts) -> dict[str, object]:
    name: dict[str, object] = {"text": facts.name, "family": facts.surname}
    if facts.given:
        name["given"] = [facts.given]
    return {"resourceType": "Patient", "name": [name], "birthDate": facts.birth_date.isoformat()}


def _immunization(facts: CertificateFacts, dose: DoseFacts) -> dict[str, object]:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": _vaccine_code(dose),
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": dose.given_on.isoformat(),
        "lotNumber": dose.lot,
        "performer": [{"actor": {"display": facts.clinic_en}}],
        "protocolApplied": [
            {"doseNumberPositiveInt": dose.dose_number, "seriesDosesPositiveInt": dose.dose_total}
        ],
    }


def _vaccine_code(dose: DoseFacts) -> dict[str, object]:
    # A clinic's own vaccine has no code; FHIR then takes the words, and a verifier shows them.
    if not dose.cvx:
        return {"text": dose.name_en or dose.name_ko}
    return {"coding": [{"system": CVX, "code": dose.cvx}]}


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()
