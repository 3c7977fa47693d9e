"""A verdict in words, for a person at a door: what it is, why, and what the certificate claims."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from typing import Any

from domain.codes import spoken
from kiosk.credential.schema import CardClaims, Dcc, Recovery, Test, Vaccination
from kiosk.credential.trust import Caution
from kiosk.credential.verify import HANGUL_MODE, OUR_CODE, Problem, Verdict
from kiosk.i18n import Texts
from kiosk.locations import ASSETS

GOOD, BAD, DOUBTFUL = "✓", "✗", "!"
"""Beside the words, so that neither colour nor language is needed."""
_LONGEST = 200
_CVX = "http://hl7.org/fhir/sid/cvx"


@dataclass(frozen=True)
class Told:
    """A verdict in one language."""

    symbol: str
    verdict: str
    why: str
    cautions: list[str]
    heading: str
    """Over the claims: whether they are proven."""
    claims: list[tuple[str, str]]


def tell(verdict: Verdict, texts: Texts, zone: tzinfo = UTC) -> Told:
    """The words for a verdict, its times in this zone.

    What strangers wrote is cut to a line and stripped of control characters.
    """
    word = word_of(verdict)
    doubtful = verdict.problem in {Problem.UNREADABLE, Problem.DAMAGED, Problem.NOT_A_CREDENTIAL}
    claims = [
        (texts(f"verify.label.{label}"), plain(value)) for label, value in _claims(verdict, texts, zone)
    ]
    return Told(
        GOOD if verdict.ok else DOUBTFUL if doubtful else BAD,
        texts(f"verify.verdict.{word}"),
        texts(f"verify.why.{_why(verdict, word)}"),
        [texts(f"verify.caution.{caution}") for caution in verdict.cautions],
        texts("verify.claims" if verdict.proven else "verify.unproven") if claims else "",
        [(label, value) for label, value in claims if value],
    )


def word_of(verdict: Verdict) -> str:
    """The verdict in one word of its texts and of its JSON."""
    if verdict.problem is Problem.NOT_A_CREDENTIAL and verdict.detail in {OUR_CODE, HANGUL_MODE}:
        return verdict.detail
    return "valid" if verdict.problem is None else str(verdict.problem)


def _why(verdict: Verdict, word: str) -> str:
    """The summary names only what was checked for certain; the cautions say what was not."""
    unknown = {Caution.NO_REVOCATION_LIST, Caution.OLD_REVOCATION_LIST, Caution.NOT_IN_RECORDS}
    if not verdict.ok:
        return word
    if Caution.OLD_TRUST_LIST in verdict.cautions:
        return "valid-by-signature"
    return "valid-in-part" if unknown & set(verdict.cautions) else word


def plain(value: object) -> str:
    """One line that no terminal takes for a command and that reads in the order in which it is written."""
    text = str(value)[: 2 * _LONGEST]
    return "".join(c if c.isprintable() else " " for c in text).strip()[:_LONGEST]


def _claims(verdict: Verdict, texts: Texts, zone: tzinfo) -> Iterator[tuple[str, str]]:
    claims = verdict.claims
    if claims is None:
        return
    if claims.dcc:
        yield from _of_dcc(claims.dcc, texts)
        yield "issuer", claims.dcc.entry.issuer
        yield "country", _coded(claims.dcc.entry.co, texts)
    elif claims.card:
        yield from _of_card(claims.card, texts)
        # A card names its issuer by an address only; whoever trusts the key knows the name.
        yield "issuer", (verdict.signer and verdict.signer.holder) or claims.issuer
    yield "number", claims.identifier
    if verdict.problem is Problem.REVOKED and verdict.detail:
        yield "replaced_by", spoken(verdict.detail)
    for label, moment in (("issued", claims.issued_at), ("expires", claims.expires_at)):
        if moment:
            yield label, texts.fact(moment.astimezone(zone))
    if verdict.signer:
        yield "signer", ", ".join(part for part in (verdict.signer.holder, verdict.signer.country) if part)


def _of_dcc(dcc: Dcc, texts: Texts) -> Iterator[tuple[str, str]]:
    own = " ".join(part for part in (dcc.nam.gn, dcc.nam.fn) if part)
    latin = ", ".join(part.replace("<", " ").strip() for part in (dcc.nam.fnt, dcc.nam.gnt) if part)
    yield "name", own or latin
    if own:
        yield "latin", latin
    yield "born", _day(dcc.dob, texts)
    match dcc.entry:
        case Vaccination() as dose:
            yield "disease", _coded(dose.tg, texts)
            yield "vaccine", _named("product", dose.mp)
            # The EU writes a booster as the last of more than two, too.
            is_booster = dose.dn == dose.sd > 2
            yield "dose", _dose(dose.dn, 0 if is_booster else dose.sd, texts)
            yield "given_on", _day(dose.dt, texts)
            yield "kind", _coded(dose.vp, texts)
            yield "maker", _named("maker", dose.ma)
        case Test() as test:
            yield "what", texts("verify.kind.test")
            yield "disease", _coded(test.tg, texts)
            yield "result", _coded(test.tr, texts)
            yield "test", " ".join(part for part in (_coded(test.tt, texts), test.nm) if part)
            yield "sampled", test.sc.replace("T", " ")
            yield "place", test.tc
        case Recovery() as recovery:
            yield "what", texts("verify.kind.recovery")
            yield "disease", _coded(recovery.tg, texts)
            yield "first_positive", _day(recovery.fr, texts)
            yield "from", _day(recovery.df, texts)
            yield "until", _day(recovery.du, texts)


def _of_card(card: CardClaims, texts: Texts) -> Iterator[tuple[str, str]]:
    for patient in card.resources("Patient"):
        name = _first(patient.get("name"))
        given = name.get("given")
        latin = [name.get("family"), *(given if isinstance(given, list) else [])]
        latin_name = ", ".join(str(part) for part in latin if part)
        yield "name", str(name.get("text") or latin_name)
        if name.get("text"):
            yield "latin", latin_name
        yield "born", _day(str(patient.get("birthDate", "")), texts)
    doses = [dose for dose in card.resources("Immunization") if dose.get("status") == "completed"]
    if not doses:  # FHIR tells in the same resource of doses that were not given
        yield "dose", texts("verify.said.no_dose")
    for dose in doses[-20:]:
        protocol = _first(dose.get("protocolApplied"))
        yield "vaccine", _vaccine(dose.get("vaccineCode"))
        yield (
            "dose",
            _dose(protocol.get("doseNumberPositiveInt"), protocol.get("seriesDosesPositiveInt"), texts),
        )
        yield "given_on", _day(str(dose.get("occurrenceDateTime", "")), texts)
        yield "lot", str(dose.get("lotNumber", ""))


def _vaccine(code: object) -> str:
    if not isinstance(code, Mapping):
        return ""
    coding = _first(code.get("coding"))
    value = str(coding.get("code", ""))
    if coding.get("system") == _CVX and value in _names()["cvx"]:
        return f"{_names()['cvx'][value]} (CVX {value})"
    return str(code.get("text") or coding.get("display") or value)


def _dose(number: object, total: object, texts: Texts) -> str:
    if not isinstance(number, int):
        return ""
    if not isinstance(total, int):
        return texts("verify.said.number_only", number=number)
    if number > total:
        return texts("verify.said.booster", number=number)
    return texts("verify.said.dose", number=number, of=total)


def _day(text: str, texts: Texts) -> str:
    """A whole date in words; a year or a month as it is written, for people who know no more."""
    try:
        return texts.day(date.fromisoformat(text[:10]))
    except ValueError:
        return text


def _coded(code: str, texts: Texts) -> str:
    key = f"verify.code.{code}"
    return texts(key) if texts.has(key) else code


def _named(table: str, code: str) -> str:
    return _names()[table].get(code, code)


def _first(value: Any) -> Mapping[str, Any]:
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, Mapping) else {}


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((ASSETS / "credential" / "products.toml").read_text(encoding="utf-8"))


def as_json(verdict: Verdict, at: datetime) -> dict[str, object]:
    """A verdict for scripts; the claims are as the credential has them."""
    import msgspec

    claims = verdict.claims
    content = None if claims is None else claims.dcc or claims.card
    return {
        "valid": verdict.ok,
        "verdict": word_of(verdict),
        "detail": verdict.detail,
        "at": at.isoformat(),
        "proven": verdict.proven,
        "cautions": [str(caution) for caution in verdict.cautions],
        "key_id": verdict.key_id,
        "form": claims.form if claims else None,
        "kind": claims.kind if claims else None,
        "identifier": claims.identifier if claims else None,
        "issuer": claims.issuer if claims else None,
        "issued_at": _iso(claims.issued_at) if claims else None,
        "expires_at": _iso(claims.expires_at) if claims else None,
        "claims": msgspec.to_builtins(content),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
