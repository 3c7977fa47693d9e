"""HCERT, the EU Digital COVID Certificate (schema 1.3.0): what is signed for COVID-19.

``HC1:`` + base45 + zlib + COSE_Sign1 (ES256) over CWT claims. Deterministic: the same facts and keys
give the same text, so that a certificate can be made again.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from datetime import datetime

import base45
import cbor2

from domain.presentation import Disease
from domain.statement import CertificateFacts, Credential
from kiosk.credential.errors import FactsNotSignable
from kiosk.credential.jws import raw_signature
from kiosk.credential.keys import ClinicKeys

PREFIX = "HC1:"
COVID_19 = "840539006"
"""SNOMED CT; the only disease that schema 1.3.0 knows."""

# COSE header labels and CWT claim keys.
ALGORITHM, KEY_ID, ES256 = 1, 4, -7
ISSUER, EXPIRES, ISSUED, HEALTH, DCC_V1 = 1, 4, 6, -260, 1
COSE_SIGN1 = 18
_LIMIT = 80


class Hcert:
    """The HCERT form of a credential."""

    name = "hcert"

    def fits(self, facts: CertificateFacts) -> bool:
        """Whether HCERT can state this: COVID-19, by a product that is in the EU's value sets."""
        dose = facts.dose
        coded = dose.vaccine_code and dose.product_code and dose.holder_code
        return dose.disease is Disease.COVID_19 and bool(coded)

    def sign(self, facts: CertificateFacts, keys: ClinicKeys, expires: datetime) -> Credential:
        """The signed credential. Raises FactsNotSignable."""
        protected = cbor2.dumps({ALGORITHM: ES256, KEY_ID: keys.kid})
        payload = cbor2.dumps(
            {
                ISSUER: facts.country,
                EXPIRES: int(expires.timestamp()),
                ISSUED: int(facts.issued_at.timestamp()),
                HEALTH: {DCC_V1: _dcc(facts)},
            }
        )
        signature = raw_signature(keys.private_key, signed_bytes(protected, payload))
        message = cbor2.dumps(cbor2.CBORTag(COSE_SIGN1, [protected, {}, payload, signature]))
        text = PREFIX + str(base45.b45encode(zlib.compress(message, 9)), "ascii")
        return Credential(self.name, text, keys.kid_text, revocation_hashes(facts, signature))


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """What the signature of a COSE_Sign1 message is over."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def revocation_hashes(facts: CertificateFacts, signature: bytes) -> tuple[str, ...]:
    """The three hashes by which a revocation list can name this certificate."""
    return short_hashes(signature, facts.country, facts.uvci)


def short_hashes(signature: bytes, country: str, identifier: str) -> tuple[str, ...]:
    """The hashes of a signature's r, an identifier, and country with identifier.

    Over r alone: s can be turned into another one that is as good.
    """
    parts = (signature[:32], identifier.encode(), (country + identifier).encode())
    return tuple(hashlib.sha256(part).digest()[:16].hex() for part in parts)


def icao(name: str) -> str:
    """A passport spelling in the letters of a machine-readable zone (ICAO 9303): ``A-Z`` and ``<``."""
    spaced = name.upper().replace("'", "")
    return re.sub(r"[^A-Z]+", "<", spaced).strip("<")[:_LIMIT]


def _dcc(facts: CertificateFacts) -> dict[str, object]:
    dose = facts.dose
    surname, given = icao(facts.surname), icao(facts.given)
    if not surname:
        raise FactsNotSignable(reason="the passport spelling of the surname is missing")
    # The name is kept whole: where a Hangul name divides is the holder's to say, and nobody asked.
    names = {"fn": facts.name[:_LIMIT], "fnt": surname}
    if given:
        names["gnt"] = given
    entry: dict[str, object] = {
        "tg": COVID_19,
        "vp": dose.vaccine_code,
        "mp": dose.product_code,
        "ma": dose.holder_code,
        "dn": dose.dose_number,
        "sd": dose.dose_total,
        "dt": dose.given_on.isoformat(),
        "co": facts.country,
        "is": facts.clinic_en[:_LIMIT],
        "ci": facts.uvci,
    }
    return {"ver": "1.3.0", "nam": names, "dob": facts.birth_date.isoformat(), "v": [entry]}
