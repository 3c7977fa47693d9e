"""The verifier: it accepts what the clinic signed and nothing else, and it never falls over."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from pathlib import Path

import base45
import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from domain.statement import Credential
from kiosk.cli import main
from kiosk.credential.certificates import key_id
from kiosk.credential.hcert import Hcert, signed_bytes
from kiosk.credential.jws import raw_signature
from kiosk.credential.keys import ClinicKeys, KeyFolder
from kiosk.credential.pem import read_private_key
from kiosk.credential.verify import Problem, verify
from tests.certificate_facts import NOW, dose, facts, flu, keys, new_keys, signed, trust, trust_in

HCERT = signed(facts())
CARD = signed(facts(doses=(flu(),)))
BOTH = pytest.mark.parametrize("credential", [HCERT, CARD], ids=["hcert", "shc"])


def hcert_text(protected: bytes, payload: bytes, signature: bytes) -> str:
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    return "HC1:" + str(base45.b45encode(zlib.compress(message)), "ascii")


def signer_with(*extensions: x509.ExtensionType) -> ClinicKeys:
    """A signer of its own, whose certificate says this of its use."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=9))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return ClinicKeys(certificate, certificate, key)


@BOTH
def test_what_the_clinic_signed_is_accepted(credential: Credential) -> None:
    verdict = verify(credential.text, trust(), NOW)
    assert verdict.ok, verdict
    assert verdict.proven
    assert verdict.claims
    assert verdict.claims.form == credential.form
    assert verdict.claims.issued_at == NOW


def test_a_good_hcert_tells_what_it_states() -> None:
    verdict = verify(HCERT.text, trust(), NOW)
    assert verdict.claims
    assert verdict.claims.identifier == facts().uvci
    assert verdict.claims.dcc
    assert verdict.claims.dcc.nam.fn == "김하늘"
    assert verdict.claims.dcc.entry.issuer == "Neighbourhood Vaccination Clinic"


@BOTH
def test_it_is_valid_until_its_last_second_and_no_longer(credential: Credential) -> None:
    claims = verify(credential.text, trust(), NOW).claims
    assert claims
    end = claims.expires_at
    assert end
    assert verify(credential.text, trust(), end - timedelta(seconds=1)).ok
    assert verify(credential.text, trust(), end).problem is Problem.EXPIRED


@BOTH
def test_one_from_tomorrow_is_not_valid_yet(credential: Credential) -> None:
    assert verify(credential.text, trust(), NOW - timedelta(minutes=4)).ok, "clocks differ a little"
    assert verify(credential.text, trust(), NOW - timedelta(hours=1)).problem is Problem.NOT_YET_VALID


@BOTH
def test_another_clinics_key_is_unknown(credential: Credential, tmp_path: Path) -> None:
    other = new_keys(tmp_path).signer
    verdict = verify(credential.text, trust_in([other]), NOW)
    assert (verdict.problem, verdict.proven) == (Problem.UNKNOWN_KEY, False)
    assert verdict.claims, "what it claims is told, as a claim"
    assert verify(credential.text, trust_in([]), NOW).problem is Problem.UNKNOWN_KEY
    assert verify(credential.text, trust_in([other, keys().signer]), NOW).ok


def test_a_changed_statement_is_found() -> None:
    protected = cbor2.dumps({1: -7, 4: keys().kid})
    message = cbor2.loads(zlib.decompress(base45.b45decode(HCERT.text[4:])))
    claims = cbor2.loads(message.value[2])
    claims[-260][1]["nam"]["fn"] = "이하늘"
    forged = hcert_text(protected, cbor2.dumps(claims), message.value[3])
    assert verify(forged, trust(), NOW).problem is Problem.BAD_SIGNATURE


def test_a_signature_by_another_key_under_our_name_is_found(tmp_path: Path) -> None:
    thief = new_keys(tmp_path)
    protected = cbor2.dumps({1: -7, 4: keys().kid})
    payload = cbor2.loads(zlib.decompress(base45.b45decode(HCERT.text[4:]))).value[2]
    signature = raw_signature(thief.private_key, signed_bytes(protected, payload))
    forged = hcert_text(protected, payload, signature)
    assert verify(forged, trust(), NOW).problem is Problem.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", [None, 0, -37, "none"])
def test_another_algorithm_is_refused(algorithm: object) -> None:
    text = hcert_text(cbor2.dumps({1: algorithm, 4: keys().kid}), b"", b"")
    assert verify(text, trust(), NOW).problem is Problem.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("usages", "accepted"),
    [([], True), ([1], False), ([2], True), ([1, 3], False), ([1, 2, 3], True)],
)
def test_a_key_states_only_what_its_certificate_allows(usages: list[int], accepted: bool) -> None:
    arcs = [x509.ObjectIdentifier(f"1.3.6.1.4.1.1847.2021.1.{number}") for number in usages]
    made = signer_with(*([x509.ExtendedKeyUsage(arcs)] if arcs else []))
    text = Hcert().sign(facts(), made, NOW + timedelta(days=1)).text
    verdict = verify(text, trust_in([made.signer]), NOW)
    assert verdict.problem is (None if accepted else Problem.KEY_NOT_VALID), "without any it may state all"


def test_the_root_itself_may_not_sign_certificates_for_people(tmp_path: Path) -> None:
    made = new_keys(tmp_path)
    folder = KeyFolder(tmp_path)
    key = read_private_key(folder.clinic / "root.key", folder.passphrase())
    as_signer = ClinicKeys(made.root, made.root, key)
    text = Hcert().sign(facts(), as_signer, NOW + timedelta(days=1)).text
    assert verify(text, trust_in([made.root]), NOW).problem is Problem.KEY_NOT_VALID


def test_one_dated_before_its_key_was_made_is_refused() -> None:
    early = facts(issued_at=keys().signer.not_valid_before_utc - timedelta(days=1))
    text = Hcert().sign(early, keys(), NOW + timedelta(days=1)).text
    assert verify(text, trust(), NOW).problem is Problem.KEY_NOT_VALID


def test_a_statement_outside_the_schema_is_refused() -> None:
    text = Hcert().sign(facts(doses=(dose(number=0),)), keys(), NOW + timedelta(days=1)).text
    assert verify(text, trust(), NOW).problem is Problem.BAD_CONTENT


def test_a_signed_message_without_a_health_certificate_is_refused() -> None:
    protected, payload = cbor2.dumps({1: -7, 4: key_id(keys().signer)}), cbor2.dumps({1: "KR"})
    text = hcert_text(protected, payload, raw_signature(keys().private_key, signed_bytes(protected, payload)))
    assert verify(text, trust(), NOW).problem is Problem.BAD_CONTENT


def test_a_compression_bomb_is_not_unpacked() -> None:
    bomb = "HC1:" + str(base45.b45encode(zlib.compress(bytes(3_000_000), 9)), "ascii")
    assert len(bomb) < 8192
    assert verify(bomb, trust(), NOW).problem is Problem.DAMAGED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "HC1:",
        "shc:/",
        "shc:/0",
        "shc:/5676290952432060346",
        "shc:/" + "00" * 40,
        "HC1:" + "A" * 9000,
        "HC1:" + "가나다",
        "HC1:" + str(base45.b45encode(zlib.compress(b"\x81" * 5000)), "ascii"),
        "HC1:" + str(base45.b45encode(zlib.compress(b"\x9b" + b"\xff" * 8)), "ascii"),
        "HC1:" + str(base45.b45encode(zlib.compress(b"\x5b\x7f" + b"\xff" * 7)), "ascii"),
        "HC1:" + str(base45.b45encode(zlib.compress(cbor2.dumps(cbor2.CBORTag(18, [1, 2])))), "ascii"),
        "HC1:" + str(base45.b45encode(zlib.compress(cbor2.dumps([b"", {}, b"", b""]))), "ascii"),
    ],
)
def test_anything_else_is_no_credential(text: str) -> None:
    assert verify(text, trust(), NOW).problem in {Problem.NOT_A_CREDENTIAL, Problem.DAMAGED}


@given(st.sampled_from(["", "HC1:", "shc:/"]), st.text(max_size=200))
def test_no_text_makes_the_verifier_fall_over(prefix: str, rest: str) -> None:
    assert not verify(prefix + rest, trust(), NOW).ok


@given(st.binary(max_size=300))
def test_no_bytes_make_the_verifier_fall_over(content: bytes) -> None:
    text = "HC1:" + str(base45.b45encode(zlib.compress(content)), "ascii")
    assert not verify(text, trust(), NOW).ok


@BOTH
@given(data=st.data())
def test_no_single_changed_letter_is_accepted(credential: Credential, data: st.DataObject) -> None:
    text = credential.text
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"))
    changed = text[:place] + letter + text[place + 1 :]
    assert verify(changed, trust(), NOW).ok == (changed == text)


def test_verifying_takes_the_time_it_is_given() -> None:
    assert verify(HCERT.text, trust(), datetime(2050, 1, 1, tzinfo=NOW.tzinfo)).problem is Problem.EXPIRED


@BOTH
def test_a_mistake_of_ours_is_never_told_as_a_damaged_certificate(credential: Credential) -> None:
    with pytest.raises(TypeError):
        verify(credential.text, trust(), "2026-11-22")  # type: ignore[arg-type]


def test_the_command_line_says_when_it_could_not_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signer = tmp_path / "signer.pem"
    signer.write_bytes(keys().signer.public_bytes(Encoding.PEM))
    asked = ["verify", HCERT.text, "--trust", str(signer), "--at", NOW.isoformat()]
    assert main(asked) == 0
    monkeypatch.setattr("kiosk.credential.verify._USAGES", {})  # as if somebody had forgotten the kinds
    capsys.readouterr()
    assert main(asked) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("kiosk: it could not be judged (builtins.KeyError at verify.py:")
