"""Others' keys, in the shapes in which they are published, and others' certificates."""

from __future__ import annotations

import json
import shutil
import zlib
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import base45
import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.revocation import Revoked
from kiosk.credential import ceremony
from kiosk.credential.certificates import key_id, kid_text
from kiosk.credential.errors import TrustUnusable
from kiosk.credential.export import export
from kiosk.credential.hcert import signed_bytes
from kiosk.credential.jwk import card_key
from kiosk.credential.jws import part, raw_signature
from kiosk.credential.keys import KeyFolder
from kiosk.credential.opened import Claims
from kiosk.credential.schema import read_card
from kiosk.credential.signer import FolderSigner
from kiosk.credential.telling import tell, word_of
from kiosk.credential.trust import Caution, Trust
from kiosk.credential.trust_files import REVOCATIONS, trust_from
from kiosk.credential.verify import Problem, Verdict, verify
from kiosk.i18n import Texts
from tests.certificate_facts import NOW, facts, flu, keys, signed, trust_in

DER = keys().signer.public_bytes(Encoding.DER)
SPKI = keys().signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CERT, KEY, KID = b64encode(DER).decode(), b64encode(SPKI).decode(), kid_text(keys().signer)
JWK = {**card_key(keys().private_key.public_key()), "kid": KID}
SHAPES: dict[str, bytes] = {
    "PEM": keys().signer.public_bytes(Encoding.PEM),
    "DER": DER,
    "JWKS": json.dumps({"keys": [JWK]}).encode(),
    "JWKS with a certificate": json.dumps({"keys": [{**JWK, "x": "?", "x5c": [CERT]}]}).encode(),
    "list with rawData": json.dumps([{"kid": KID, "country": "KR", "rawData": CERT}]).encode(),
    "certificates wrapped": json.dumps({"certificates": [{"kid": KID, "rawData": CERT}]}).encode(),
    "keys by their ids": json.dumps({KID: {"publicKeyPem": KEY, "subject": "C=KR"}}).encode(),
    "list of public keys": json.dumps([{"kid": KID, "publicKey": KEY}]).encode(),
    "by country, signed": b".".join(
        part(json.dumps(step).encode()).encode()
        for step in ({"alg": "ES256"}, {"dsc_trust_list": {"KR": {"keys": [JWK]}}}, [0])
    ),
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES.keys())
def test_trust_lists_of_every_shape_are_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(content)
    for place in (file, tmp_path):
        verdict = verify(signed(facts()).text, trust_from(place), NOW)
        assert verdict.ok, verdict
    other = tmp_path / "keys" / "more.pem"
    other.parent.mkdir()
    other.write_bytes(keys().root.public_bytes(Encoding.PEM))
    assert len(trust_from(tmp_path)) == 2


def exported(keys: KeyFolder, place: Path, revoked: list[Revoked], at: datetime) -> Trust:
    export(keys, place, revoked, at)
    return trust_from(place)


def clinic_keys(folder: Path) -> KeyFolder:
    made = KeyFolder(folder)
    ceremony.init(made, None, country="KR", clinic="X", now=NOW)
    return made


def test_an_export_in_a_folder_of_others_is_believed_with_its_revocations(tmp_path: Path) -> None:
    made, later = clinic_keys(tmp_path / "keys"), NOW + timedelta(hours=1)
    about = replace(facts(), issued_at=NOW)
    credential = FolderSigner(tmp_path / "keys", also_card=True).sign(about)
    exported(made, tmp_path / "trust" / "clinic", [Revoked(about.number, credential)], later)
    trust = trust_from(tmp_path / "trust")
    assert {verify(one.text, trust, later).problem for one in credential.all} == {Problem.REVOKED}


def test_a_key_that_any_list_has_withdrawn_is_withdrawn(tmp_path: Path) -> None:
    made, later = clinic_keys(tmp_path / "keys"), NOW + timedelta(hours=1)
    text = FolderSigner(tmp_path / "keys").sign(replace(facts(), issued_at=NOW)).text
    kid = made.active().kid.hex()
    ceremony.rotate(made, None, later)
    exported(made, tmp_path / "old", [], later)
    ceremony.withdraw(made, None, kid, "stolen", later)
    exported(made, tmp_path / "new", [], later)
    for first, second in (("old", "new"), ("new", "old")):
        trust = trust_from(tmp_path / first)
        trust.join(trust_from(tmp_path / second))
        assert verify(text, trust, later).problem is Problem.KEY_WITHDRAWN
    shutil.copy(tmp_path / "new" / REVOCATIONS, tmp_path / "old")  # newer than the trust list beside it
    assert verify(text, trust_from(tmp_path / "old"), later).problem is Problem.KEY_WITHDRAWN


def test_what_is_known_of_one_clinic_says_nothing_of_another(tmp_path: Path) -> None:
    texts = []
    for name in ("whole", "bare"):
        keys = clinic_keys(tmp_path / name)
        texts.append(FolderSigner(keys.folder).sign(facts()).text)
        exported(keys, tmp_path / "believed" / name, [], NOW)
    (tmp_path / "believed" / "bare" / REVOCATIONS).unlink()
    trust = trust_from(tmp_path / "believed")
    assert [verify(text, trust, NOW).cautions for text in texts] == [(), (Caution.NO_REVOCATION_LIST,)]


def test_of_two_exports_of_a_clinic_the_newer_counts(tmp_path: Path) -> None:
    keys = clinic_keys(tmp_path / "keys")
    text = FolderSigner(keys.folder).sign(facts()).text
    exported(keys, tmp_path / "believed" / "old", [], NOW - timedelta(days=60))
    assert verify(text, trust_from(tmp_path / "believed"), NOW).cautions == (Caution.OLD_REVOCATION_LIST,)
    exported(keys, tmp_path / "believed" / "new", [], NOW)
    assert verify(text, trust_from(tmp_path / "believed"), NOW).cautions == ()


def test_of_bare_keys_it_is_said_that_no_revocation_is_known() -> None:
    verdict = verify(signed(facts()).text, trust_in([keys().signer]), NOW)
    assert verdict.ok
    assert verdict.cautions == (Caution.NO_REVOCATION_LIST,)


def test_a_card_is_verified_with_a_key_set(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [card_key(keys().private_key.public_key())]}))
    assert verify(signed(facts(doses=(flu(),))).text, trust_from(tmp_path), NOW).ok


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"nonsense", b"\x30\x82\xff\xff", b"[" * 100_000, b'{"kty": "EC"}', bytes(9999),
     b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"1e999999999", b"a.b.c",
     json.dumps({"x5c": ["M" * 100] * 50}).encode()],
)  # fmt: skip
def test_a_file_without_keys_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.json").write_bytes(content)
    with pytest.raises(TrustUnusable, match="holds no keys to trust"):
        trust_from(tmp_path / "list.json")


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(TrustUnusable):
        trust_from(tmp_path / "none.pem")


# -- other countries' certificates --------------------------------------------------------------------

PERSON = {"fn": "Müller", "fnt": "MUELLER", "gn": "Jürgen", "gnt": "JUERGEN"}
HEAD = {"ver": "1.3.0", "nam": PERSON, "dob": "1964-08-12"}
BODY = {"tg": "840539006", "co": "DE", "is": "Robert Koch-Institut", "ci": "URN:UVCI:01:DE:X/1#S"}
VACCINATION = {**BODY, "vp": "1119349007", "mp": "EU/1/20/1507", "ma": "ORG-100031184", "dn": 3, "sd": 3,
               "dt": "2026-10-01"}  # fmt: skip
TEST = {**BODY, "tt": "LP6464-4", "sc": "2026-11-21T09:00:00Z", "tr": "260415000", "tc": "Testzentrum Köln"}
RECOVERY = {**BODY, "fr": "2026-09-01", "df": "2026-09-12", "du": "2027-02-28"}


def signer(key: Any, usages: tuple[int, ...] = ()) -> x509.Certificate:
    """A self-signed signer of another country."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(days=9),
                                      NOW + timedelta(days=900))  # fmt: skip
    if usages:
        arcs = [x509.ObjectIdentifier(f"1.3.6.1.4.1.1847.2021.1.{number}") for number in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(arcs), critical=False)
    return builder.sign(key, hashes.SHA256())


def foreign(dcc: dict[str, Any], key: Any, certificate: x509.Certificate, *, kid_in_protected: bool = True,
            tagged: bool = True, zipped: bool = True) -> str:  # fmt: skip
    """An HCERT as another country's issuer makes it."""
    algorithm = -7 if isinstance(key, ec.EllipticCurvePrivateKey) else -37
    kid = {4: key_id(certificate)}
    protected = cbor2.dumps({1: algorithm, **(kid if kid_in_protected else {})})
    payload = cbor2.dumps(
        {1: "DE", 4: int(NOW.timestamp()) + 9_000_000, 6: int(NOW.timestamp()) - 60, -260: {1: dcc}}
    )
    message = signed_bytes(protected, payload)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = raw_signature(key, message)
    else:
        signature = key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    parts = [protected, {} if kid_in_protected else kid, payload, signature]
    content = cbor2.dumps(cbor2.CBORTag(18, parts) if tagged else parts)
    return "HC1:" + base45.b45encode(zlib.compress(content) if zipped else content).decode()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ({"v": [VACCINATION]}, "vaccination", ["Spikevax", "Moderna Biotech Spain S.L.", "Jürgen Müller"]),
        ({"t": [TEST]}, "test", ["Testzentrum Köln", "MUELLER, JUERGEN"]),
        ({"r": [RECOVERY], "v": None, "t": []}, "recovery", ["Robert Koch-Institut"]),
    ],
)
def test_certificates_of_every_kind_get_an_answer_in_words(
    content: dict[str, Any], kind: str, words: list[str], language: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    verdict = verify(foreign({**HEAD, **content}, key, certificate), trust_in([certificate]), NOW)
    assert verdict.ok, verdict
    assert verdict.claims
    assert verdict.claims.kind == kind
    told = tell(verdict, Texts(language))
    values = [value for _, value in told.claims]
    assert set(words) <= set(values), values
    assert not any("verify." in text for text in (told.verdict, told.why, *dict(told.claims))), told


@pytest.mark.parametrize("how", [{}, {"kid_in_protected": False}, {"tagged": False}, {"zipped": False}])
def test_the_variants_that_issuers_use_are_read(how: dict[str, bool]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    text = foreign({**HEAD, "v": [VACCINATION]}, key, certificate, **how)
    assert verify(text, trust_in([certificate]), NOW).ok


def test_rsa_signers_are_verified_too() -> None:
    key = rsa.generate_private_key(65537, 2048)
    certificate = signer(key)
    text = foreign({**HEAD, "v": [VACCINATION]}, key, certificate)
    assert verify(text, trust_in([certificate]), NOW).ok
    other = signer(rsa.generate_private_key(65537, 2048))
    assert verify(text, trust_in([other]), NOW).problem is Problem.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("usages", "content", "accepted"),
    [((1,), {"t": [TEST]}, True), ((1,), {"v": [VACCINATION]}, False), ((3,), {"r": [RECOVERY]}, True)],
)
def test_a_signer_states_what_it_may(
    usages: tuple[int, ...], content: dict[str, Any], accepted: bool
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key, usages)
    verdict = verify(foreign({**HEAD, **content}, key, certificate), trust_in([certificate]), NOW)
    assert verdict.problem is (None if accepted else Problem.KEY_NOT_VALID)


@pytest.mark.parametrize(
    "dcc",
    [
        HEAD,
        {**HEAD, "v": [VACCINATION], "t": [TEST]},
        {**HEAD, "v": [VACCINATION, VACCINATION]},
        {**HEAD, "v": [{**VACCINATION, "dt": "2026-06-31"}]},
        {**HEAD, "v": [{**VACCINATION, "dn": 0}]},
        {**HEAD, "v": [{**VACCINATION, "co": "de"}]},
        {**HEAD, "nam": {"fn": "x"}, "v": [VACCINATION]},
        {**HEAD, "nam": {**PERSON, "fnt": "müller"}, "v": [VACCINATION]},
        {**HEAD, "nam": {**PERSON, "fn": "x" * 81}, "v": [VACCINATION]},
        {**HEAD, "dob": "12.08.1964", "v": [VACCINATION]},
        {**HEAD, "ver": "one", "v": [VACCINATION]},
        {"nam": PERSON, "dob": "1964", "v": [VACCINATION]},
    ],
)
def test_what_the_schema_does_not_allow_is_refused(dcc: dict[str, Any]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    verdict = verify(foreign(dcc, key, certificate), trust_in([certificate]), NOW)
    assert verdict.problem is Problem.BAD_CONTENT


@pytest.mark.parametrize("dob", ["", "1964", "1964-08", "1964-08-12"])
def test_people_who_do_not_know_their_day_of_birth_have_certificates_too(dob: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    text = foreign({**HEAD, "dob": dob, "v": [VACCINATION]}, key, certificate)
    verdict = verify(text, trust_in([certificate]), NOW)
    assert verdict.ok
    assert tell(verdict, Texts("en"))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("problem", [None, *Problem])
def test_every_verdict_has_words_and_a_sign(problem: Problem | None, language: str) -> None:
    for detail in ("", "our-code", "hangul-mode"):
        verdict = Verdict(problem, detail)
        told = tell(verdict, Texts(language))
        assert told.symbol in {"✓", "✗", "!"}
        assert (told.symbol == "✓") == (problem is None)
        assert not told.verdict.startswith("verify.")
        assert not told.why.startswith("verify.")
        assert word_of(verdict)


@pytest.mark.parametrize(
    ("cautions", "claimed", "unclaimed"),
    [((), ("Signature", "key", "dates", "revocation"), ()),
     ((Caution.NO_REVOCATION_LIST,), ("Signature", "key", "dates"), ("revocation",)),
     ((Caution.OLD_REVOCATION_LIST,), ("Signature", "key", "dates"), ("revocation",)),
     ((Caution.NOT_IN_RECORDS,), ("Signature", "key", "dates"), ("revocation",)),
     ((Caution.OLD_TRUST_LIST,), ("Signature", "dates"), ("key", "revocation"))],
)  # fmt: skip
def test_the_summary_of_a_good_certificate_claims_no_check_that_was_not_made(
    cautions: tuple[Caution, ...], claimed: tuple[str, ...], unclaimed: tuple[str, ...]
) -> None:
    why = tell(Verdict(None, cautions=cautions), Texts("en")).why
    assert all(word in why for word in claimed)
    assert not any(word in why for word in unclaimed)
    assert ("폐기" in tell(Verdict(None, cautions=cautions), Texts("ko")).why) == (not cautions)


@pytest.mark.parametrize(
    ("number", "total", "said"),
    [(1, 2, "1 of 2"), (2, 2, "2 of 2"), (3, 3, "3 (booster)"), (2, 1, "2 (booster)")],
)
def test_the_doses_of_an_eu_certificate_are_counted_as_there(number: int, total: int, said: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    text = foreign({**HEAD, "v": [{**VACCINATION, "dn": number, "sd": total}]}, key, certificate)
    told = tell(verify(text, trust_in([certificate]), NOW), Texts("en"))
    assert dict(told.claims)["Dose"] == said


def card(*doses: dict[str, object]) -> Verdict:
    """What is thought of a good card with these immunizations."""
    resources: list[dict[str, object]] = [{"resourceType": "Patient", "name": [{"text": "One"}]}]
    resources += [{"resourceType": "Immunization", **dose} for dose in doses]
    entries = [{"fullUrl": f"resource:{n}", "resource": resource} for n, resource in enumerate(resources)]
    subject = {"fhirVersion": "4.0.1", "fhirBundle": {"resourceType": "Bundle", "entry": entries}}
    claims = {"iss": "https://a.example", "nbf": 0, "vc": {"type": [], "credentialSubject": subject}}
    read = read_card(json.dumps(claims).encode())
    return Verdict(None, claims=Claims("shc", "", read.iss, None, None, None, read), proven=True)


def test_only_doses_that_were_given_are_shown_of_a_card() -> None:
    given: dict[str, object] = {
        "status": "completed", "lotNumber": "GIVEN",
        "protocolApplied": [{"doseNumberPositiveInt": 3, "seriesDosesPositiveInt": 3}],
    }  # fmt: skip
    refused: dict[str, object] = {"status": "not-done", "lotNumber": "NOT"}
    mistaken = {**refused, "status": "entered-in-error"}
    told = tell(card(refused, given, mistaken), Texts("en")).claims
    assert [value for label, value in told if label == "Lot"] == ["GIVEN"]
    assert dict(told)["Dose"] == "3 of 3", "the third of a series of three, as of hepatitis B"
    assert dict(tell(card(refused), Texts("en")).claims)["Dose"] == "none given"


def test_what_strangers_wrote_cannot_steer_the_terminal() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signer(key)
    nasty = {**PERSON, "fn": "\x1b[2J\x1b]0;x\x07\u202eevil\n\n[/red]"}
    text = foreign({**HEAD, "nam": nasty, "v": [VACCINATION]}, key, certificate)
    told = tell(verify(text, trust_in([certificate]), NOW), Texts("en"))
    name = told.claims[0][1]
    assert name.isprintable()
    assert "[/red]" in name
