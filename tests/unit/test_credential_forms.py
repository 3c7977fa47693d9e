"""What is signed: HCERT for COVID-19, a SMART Health Card for the rest."""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from domain.presentation import Disease
from kiosk.credential.errors import FactsNotSignable, SignerNotValid
from kiosk.credential.hcert import icao
from kiosk.credential.jwk import thumbprint
from kiosk.credential.signer import ClinicSigner
from tests.certificate_facts import NOW, dose, facts, flu, keys, signed


def opened(text: str) -> tuple[dict[int, Any], dict[int, Any], bytes]:
    """Header, claims and signature of an HCERT, taken apart without the kiosk's own verifier."""
    message = cbor2.loads(zlib.decompress(base45.b45decode(text.removeprefix("HC1:"))))
    assert message.tag == 18
    protected, _, payload, signature = message.value
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    key = keys().signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), to_sign, ec.ECDSA(hashes.SHA256()))
    return cbor2.loads(protected), cbor2.loads(payload), signature


def card(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a SMART Health Card, its signature checked."""
    digits = text.removeprefix("shc:/")
    jws = "".join(chr(int(digits[i : i + 2]) + 45) for i in range(0, len(digits), 2))
    head, body, signature = jws.split(".")
    raw = urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = keys().signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    payload = zlib.decompress(urlsafe_b64decode(body + "=" * (-len(body) % 4)), -15)
    return json.loads(urlsafe_b64decode(head + "==")), json.loads(payload)


def test_an_hcert_states_the_dose_as_schema_1_3_0_has_it() -> None:
    header, claims, _ = opened(signed(facts()).text)
    assert header == {1: -7, 4: keys().kid}
    assert claims[1] == "KR"
    assert claims[6] == int(NOW.timestamp())
    assert claims[-260][1] == {
        "ver": "1.3.0",
        "nam": {"fn": "김하늘", "fnt": "KIM", "gnt": "HANEUL"},
        "dob": "1984-03-07",
        "v": [
            {
                "tg": "840539006",
                "vp": "1119349007",
                "mp": "EU/1/20/1528",
                "ma": "ORG-100030215",
                "dn": 2,
                "sd": 2,
                "dt": "2026-11-20",
                "co": "KR",
                "is": "Neighbourhood Vaccination Clinic",
                "ci": "URN:UVCI:01:KR:CLINIC1/CK7M3Q9XA#" + facts().uvci[-1],
            }
        ],
    }


def test_a_credential_never_outlives_the_key_that_signed_it() -> None:
    _, claims, _ = opened(signed(facts()).text)
    assert datetime.fromtimestamp(claims[4], UTC) <= keys().signer.not_valid_after_utc
    _, card_claims = card(signed(facts(doses=(flu(),))).text)
    assert datetime.fromtimestamp(card_claims["exp"], UTC) <= keys().signer.not_valid_after_utc


@pytest.mark.parametrize("doses", [(dose(),), (flu(),)])
def test_the_same_facts_give_the_same_credential(doses: tuple[Any, ...]) -> None:
    assert signed(facts(doses=doses)) == signed(facts(doses=doses))


def test_the_key_id_is_the_beginning_of_the_certificates_hash() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    assert keys().kid == sha256(keys().signer.public_bytes(Encoding.DER)).digest()[:8]


def test_revocation_hashes_cover_signature_identifier_and_country() -> None:
    credential = signed(facts())
    _, _, signature = opened(credential.text)
    parts = (signature[:32], facts().uvci.encode(), b"KR" + facts().uvci.encode())
    assert credential.revocation_hashes == tuple(sha256(part).hexdigest()[:32] for part in parts)


@pytest.mark.parametrize(
    ("passport", "machine"),
    [
        ("KIM", "KIM"),
        ("O'CONNOR", "OCONNOR"),
        ("SMITH-JONES", "SMITH<JONES"),
        ("NGUYEN THI  HONG", "NGUYEN<THI<HONG"),
        ("A" * 90, "A" * 80),
        ("", ""),
    ],
)
def test_passport_names_become_machine_readable(passport: str, machine: str) -> None:
    assert icao(passport) == machine


def test_somebody_without_a_given_name_is_certified_too() -> None:
    _, claims, _ = opened(signed(facts(given="")).text)
    assert claims[-260][1]["nam"] == {"fn": "김하늘", "fnt": "KIM"}


def test_without_a_passport_surname_nothing_is_signed() -> None:
    with pytest.raises(FactsNotSignable, match="passport"):
        signed(facts(surname="'"))


def test_nothing_is_signed_outside_the_keys_validity() -> None:
    signer = ClinicSigner(keys())
    for moment in (keys().signer.not_valid_after_utc, NOW - timedelta(days=1)):
        with pytest.raises(SignerNotValid):
            signer.sign(facts(issued_at=moment))


def test_influenza_is_a_smart_health_card_with_its_cvx_code() -> None:
    credential = signed(facts(doses=(flu(given_on=date(2026, 10, 5)),)))
    header, claims = card(credential.text)
    assert credential.form == "shc"
    assert header == {"zip": "DEF", "alg": "ES256", "kid": credential.key_id}
    patient, immunization = (
        entry["resource"] for entry in claims["vc"]["credentialSubject"]["fhirBundle"]["entry"]
    )
    assert patient["name"] == [{"text": "김하늘", "family": "KIM", "given": ["HANEUL"]}]
    assert patient["birthDate"] == "1984-03-07"
    assert immunization["vaccineCode"] == {
        "coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "150"}]
    }
    assert immunization["occurrenceDateTime"] == "2026-10-05"
    assert immunization["lotNumber"] == "H26091"
    assert claims["vc"]["rid"] == "CK7M3Q9XA"


def test_a_vaccine_without_a_code_is_named_in_words() -> None:
    _, claims = card(signed(facts(doses=(flu(cvx="", name_en="House Vaccine"),))).text)
    bundle = claims["vc"]["credentialSubject"]["fhirBundle"]
    assert bundle["entry"][1]["resource"]["vaccineCode"] == {"text": "House Vaccine"}


def test_a_covid_vaccine_outside_the_eu_value_sets_is_a_card_as_well() -> None:
    assert signed(facts(doses=(dose(product_code="", holder_code=""),))).form == "shc"
    assert signed(facts(doses=(dose(disease=Disease.OTHER),))).form == "shc"


def test_a_card_names_where_the_clinic_publishes_its_keys() -> None:
    signer = ClinicSigner(keys(), "https://clinic.example/keys")
    _, claims = card(signer.sign(facts(doses=(flu(),))).text)
    assert claims["iss"] == "https://clinic.example/keys"


def test_key_names_follow_rfc_7638() -> None:
    # The example key of the SMART Health Cards specification.
    x = int.from_bytes(urlsafe_b64decode("11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw="), "big")
    y = int.from_bytes(urlsafe_b64decode("eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8="), "big")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert thumbprint(key) == "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"
