"""What the clinic signs is accepted, and what was changed is refused, by software we did not write."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from domain.revocation import Revoked
from domain.statement import CertificateFacts
from kiosk.credential.export import export
from kiosk.credential.hcert import Hcert
from kiosk.credential.keys import ClinicKeys, KeyFolder
from kiosk.credential.shc import SmartHealthCard
from kiosk.credential.verify import Problem, verify
from tests.certificate_facts import dose, facts, flu, new_keys, trust_in
from tests.verifiers.others import CannotInstall, ask_card_reader, ask_cwt, ask_dcc_utils

NOW = datetime.now(UTC).replace(microsecond=0)
"""The others go by the machine's clock, which cannot be handed to them."""
EXPIRES = NOW + timedelta(days=30)
ISSUER = "https://clinic.example"
LONG = "WOLFESCHLEGELSTEINHAUSENBERGERDORFF MARIA ALEXANDRA CONSTANTINA PHILIPPA TERESAX"
BOOSTER = (dose(1, 2), dose(2, 2), dose(3, 3, given_on=date(2026, 11, 21)))
PEOPLE: dict[str, CertificateFacts] = {
    "one dose of two, Korean": facts(doses=(dose(1, 2),), next_due_on=date(2026, 12, 11)),
    "complete, Vietnamese": facts(
        name="Nguyễn Thị Minh Khai", surname="NGUYEN", given="THI MINH KHAI", doses=(dose(1, 2), dose(2, 2))
    ),
    "booster, 80 characters": facts(name=LONG.title(), surname=LONG, given="", doses=BOOSTER),
}
assert len(LONG) == 80


@cache
def made(name: str) -> ClinicKeys:
    """The clinic's keys, and those of a thief."""
    with TemporaryDirectory() as folder:
        return new_keys(Path(folder) / name, NOW - timedelta(days=1))


OURS, THEIRS = made("ours"), made("theirs")


def hcert(about: CertificateFacts, expires: datetime = EXPIRES) -> str:
    return Hcert().sign(replace(about, issued_at=NOW - timedelta(hours=2)), OURS, expires).text


def card(about: CertificateFacts, expires: datetime = EXPIRES) -> str:
    about = replace(about, issued_at=NOW - timedelta(hours=2))
    return SmartHealthCard(ISSUER).sign(about, OURS, expires).text


def cose(text: str) -> bytes:
    return zlib.decompress(base45.b45decode(text.removeprefix("HC1:")))


def tampered(text: str) -> str:
    """The same certificate in somebody else's name, its signature left as it was."""
    message = cbor2.loads(cose(text))
    parts = list(message.value)
    claims = cbor2.loads(parts[2])
    claims[-260][1]["nam"]["fnt"] = "THIEF"
    parts[2] = cbor2.dumps(claims)
    changed = cbor2.dumps(cbor2.CBORTag(18, parts))
    return "HC1:" + base45.b45encode(zlib.compress(changed)).decode()


def tampered_card(text: str) -> str:
    """The same card with one character of its content changed."""
    digits = text.removeprefix("shc:/")
    at = len(digits) // 4 * 2
    other = "52" if digits[at : at + 2] != "52" else "53"
    return f"shc:/{digits[:at]}{other}{digits[at + 2 :]}"


def answers(ask: Any, cases: list[dict[str, Any]]) -> list[str]:
    try:
        return ask(cases)  # type: ignore[no-any-return]
    except CannotInstall as problem:
        pytest.skip(str(problem))


def cwt_case(text: str, keys: ClinicKeys = OURS) -> dict[str, Any]:
    # Under our key id: so that it is the signature that a wrong key fails at.
    return {"cose": cose(text).hex(), "signers": [[OURS.kid.hex(), pem(keys)]]}


def dcc_case(text: str, keys: ClinicKeys = OURS) -> dict[str, Any]:
    return {"text": text, "certificate": pem(keys)}


def card_case(text: str, keys: ClinicKeys = OURS, crls: tuple[object, ...] = ()) -> dict[str, Any]:
    from kiosk.credential.jwk import card_key

    return {"text": text, "issuer": ISSUER, "keys": [card_key(keys.private_key.public_key())], "crls": crls}


def pem(keys: ClinicKeys) -> str:
    return keys.signer.public_bytes(Encoding.PEM).decode()


HCERT_VERIFIERS = pytest.mark.parametrize(
    ("ask", "case"), [(ask_cwt, cwt_case), (ask_dcc_utils, dcc_case)], ids=["cwt", "dcc-utils"]
)


@HCERT_VERIFIERS
def test_every_certificate_is_accepted_by_strangers_and_by_us(ask: Any, case: Any) -> None:
    texts = [hcert(about) for about in PEOPLE.values()]
    surnames = ["KIM", "NGUYEN", LONG.replace(" ", "<")]
    assert answers(ask, [case(text) for text in texts]) == [f"accepted {name}" for name in surnames]
    for text, about in zip(texts, PEOPLE.values(), strict=True):
        verdict = verify(text, trust_in([OURS.signer]), NOW)
        assert verdict.ok
        assert verdict.claims
        assert verdict.claims.dcc
        entry: Any = verdict.claims.dcc.entry
        assert (entry.dn, entry.sd) == (about.dose.dose_number, about.dose.dose_total)
        assert verdict.claims.dcc.nam.fn == about.name


@HCERT_VERIFIERS
def test_a_changed_certificate_is_refused_by_strangers_and_by_us(ask: Any, case: Any) -> None:
    texts = [tampered(hcert(about)) for about in PEOPLE.values()]
    for answer in answers(ask, [case(text) for text in texts]):
        assert answer.startswith("refused"), answer
    for text in texts:
        assert verify(text, trust_in([OURS.signer]), NOW).problem is Problem.BAD_SIGNATURE


@HCERT_VERIFIERS
def test_another_clinics_key_is_refused_by_strangers_and_by_us(ask: Any, case: Any) -> None:
    texts = [hcert(about) for about in PEOPLE.values()]
    for answer in answers(ask, [case(text, THEIRS) for text in texts]):
        assert answer.startswith("refused"), answer
    for text in texts:
        assert verify(text, trust_in([THEIRS.signer]), NOW).problem is Problem.UNKNOWN_KEY


def test_an_expired_certificate_is_refused_by_us() -> None:
    past = NOW - timedelta(hours=1)
    for text in (hcert(facts(), past), card(facts(doses=(flu(),)), past)):
        assert verify(text, trust_in([OURS.signer]), NOW).problem is Problem.EXPIRED


CARDS: dict[str, CertificateFacts] = {
    "influenza": facts(doses=(flu(),)),
    "two doses of influenza, Vietnamese": replace(
        PEOPLE["complete, Vietnamese"], doses=(flu(dose_total=2), flu(dose_number=2, dose_total=2))
    ),
    "COVID-19, a booster, 80 characters": PEOPLE["booster, 80 characters"],
}


def test_cards_are_accepted_by_a_stranger_with_all_their_doses() -> None:
    cases = [card_case(card(about)) for about in CARDS.values()]
    assert answers(ask_card_reader, cases) == ["accepted KIM 1", "accepted NGUYEN 2", f"accepted {LONG} 3"]
    for about in CARDS.values():
        assert verify(card(about), trust_in([OURS.signer]), NOW).ok


def test_changed_expired_and_foreign_cards_are_refused_by_a_stranger_and_by_us() -> None:
    text = card(CARDS["influenza"])
    past = card(CARDS["influenza"], NOW - timedelta(hours=1))
    cases = [card_case(tampered_card(text)), card_case(text, THEIRS), card_case(past)]
    for answer in answers(ask_card_reader, cases):
        assert answer.startswith("refused"), answer
    trust = trust_in([OURS.signer])
    assert verify(tampered_card(text), trust, NOW).problem is Problem.BAD_SIGNATURE
    assert verify(text, trust_in([THEIRS.signer]), NOW).problem is Problem.UNKNOWN_KEY
    assert verify(past, trust, NOW).problem is Problem.EXPIRED


def test_a_revoked_card_is_refused_by_a_stranger_who_read_what_the_clinic_publishes(tmp_path: Path) -> None:
    from kiosk.credential.signer import FolderSigner

    new_keys(tmp_path / "keys", NOW - timedelta(days=1))
    about = replace(CARDS["influenza"], issued_at=NOW)
    credential = FolderSigner(tmp_path / "keys", ISSUER).sign(about)
    said = []
    for revoked in ([], [Revoked(about.number, credential)]):
        export(KeyFolder(tmp_path / "keys"), tmp_path / "out", revoked, NOW)
        published = tmp_path / "out" / ".well-known"
        keys = json.loads((published / "jwks.json").read_bytes())["keys"]
        crls = [json.loads(path.read_bytes()) for path in published.glob("crl/*.json")]
        case = {"text": credential.text, "issuer": ISSUER, "keys": keys, "crls": crls}
        said += answers(ask_card_reader, [case])
    assert said[0] == "accepted KIM 1"
    assert said[1].startswith("refused"), said
