"""Verifying a credential offline, against the signers one trusts, as of a given time.

Whatever was scanned, the answer is a `Verdict`: hostile input is the normal case here. What a credential
claims is read for people at a door also when it is not to be believed; the verdict says which it is.
An exception is a mistake of ours: it must not be told as a fault of the certificate.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.codes import in_capitals, parse_code
from domain.errors import NotACode
from kiosk.credential import hcert, shc
from kiosk.credential.fence import Malformed
from kiosk.credential.opened import Claims, Opened, OpenedCard, OpenedHcert
from kiosk.credential.trust import Caution, Trust, TrustedKey

TEXT_LIMIT = 8192
"""Characters; the largest QR symbol holds fewer."""
CLOCK_SLACK = timedelta(minutes=5)
OUR_CODE, HANGUL_MODE = "our-code", "hangul-mode"
"""Details of what is no credential, for each of which there is something to do."""

_USAGES = {"test": "1", "vaccination": "2", "recovery": "3"}
_USAGE_ARCS = ("1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1.")
"""The EU's, and the one that its first issuers used by mistake."""


class Problem(StrEnum):
    """Which check failed; they are made in this order."""

    NOT_A_CREDENTIAL = "not-a-credential"
    UNREADABLE = "unreadable"
    """A file without a code that can be read."""
    DAMAGED = "damaged"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    KEY_WITHDRAWN = "key-withdrawn"
    KEY_NOT_VALID = "key-not-valid"
    BAD_CONTENT = "bad-content"
    REVOKED = "revoked"
    NOT_ISSUED = "not-issued"
    """Signed with the clinic's key, and by its records never handed out."""
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a credential; ``problem`` is None for a good one."""

    problem: Problem | None
    detail: str = ""
    key_id: str = ""
    claims: Claims | None = None
    proven: bool = False
    """Whether the claims are those that a trusted signer signed."""
    signer: TrustedKey | None = None
    cautions: tuple[Caution, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return self.problem is None


class _Refused(Exception):
    def __init__(self, problem: Problem, detail: str = "") -> None:
        self.problem, self.detail = problem, detail
        super().__init__(problem)


def verify(text: str, trust: Trust, at: datetime) -> Verdict:
    """The verdict on a scanned text, whatever it is."""
    try:
        opened = _open(text)
    except _Refused as refusal:
        return Verdict(refusal.problem, refusal.detail)
    except Malformed as fault:
        return Verdict(Problem.DAMAGED, str(fault))
    verdict = Verdict(None, key_id=opened.key_id[:80])
    try:
        signer = _signer_of(opened, trust)
        verdict = replace(verdict, signer=signer, proven=True, cautions=trust.cautions(signer, at))
        verdict = replace(verdict, claims=_read(opened))
        _check(opened, signer, verdict.claims, trust, at)
    except _Refused as refusal:
        verdict = replace(verdict, problem=refusal.problem, detail=refusal.detail)
    if verdict.claims is None:
        verdict = replace(verdict, claims=_unproven(opened))
    return verdict


def looks_like_one(text: str) -> bool:
    """Whether a text begins as a credential does."""
    return text.startswith((hcert.PREFIX, shc.PREFIX))


def tidy(text: str) -> str:
    """What a scanner or a paste put around a text taken away; a credential neither begins nor ends so."""
    return text.strip().strip("\ufeff\x00").strip()


def _open(text: str) -> Opened:
    text = tidy(text[: 2 * TEXT_LIMIT])
    if len(text) > TEXT_LIMIT:
        raise _Refused(Problem.NOT_A_CREDENTIAL, "longer than any QR code")
    if text.startswith(hcert.PREFIX):
        return OpenedHcert(text)
    if text.startswith(shc.PREFIX):
        return OpenedCard(text)
    if _is_our_code(text):
        raise _Refused(Problem.NOT_A_CREDENTIAL, OUR_CODE)
    raise _Refused(Problem.NOT_A_CREDENTIAL, HANGUL_MODE if _is_in_hangul(text) else "")


def _is_in_hangul(text: str) -> bool:
    """Whether a scanner's keys came as Hangul letters: it types as a keyboard does."""
    return not text.isascii() and in_capitals(text[:16]).startswith((hcert.PREFIX, shc.PREFIX.upper()))


def _is_our_code(text: str) -> bool:
    try:
        parse_code(unicodedata.normalize("NFC", text[:64]))
    except NotACode:
        return False
    return True


def _signer_of(opened: Opened, trust: Trust) -> TrustedKey:
    # Short key ids collide: every certificate under this one is tried.
    candidates = opened.candidates(trust)
    if not candidates:
        raise _Refused(Problem.UNKNOWN_KEY, opened.key_id[:80])
    # The same key may be known from several lists: one of them that has withdrawn it is enough.
    for trusted in sorted(candidates, key=lambda trusted: not trust.has_withdrawn(trusted)):
        if opened.is_by(trusted):
            return trusted
    raise _Refused(Problem.BAD_SIGNATURE, opened.key_id[:80])


def _read(opened: Opened) -> Claims:
    try:
        return opened.read()
    except Malformed as fault:
        raise _Refused(Problem.BAD_CONTENT, str(fault)) from fault


def _unproven(opened: Opened) -> Claims | None:
    try:
        return opened.read()
    except Malformed:  # nothing that can be told
        return None


def _check(opened: Opened, signer: TrustedKey, claims: Claims | None, trust: Trust, at: datetime) -> None:
    assert claims
    if trust.has_withdrawn(signer):
        raise _Refused(Problem.KEY_WITHDRAWN)
    _check_usage(signer, claims)
    issued = claims.issued_at
    if issued is None:
        raise _Refused(Problem.BAD_CONTENT, "it does not say when it was issued")
    if (signer.since and issued < signer.since) or (signer.until and issued > signer.until):
        raise _Refused(Problem.KEY_NOT_VALID, "signed outside the key's validity")
    if opened.is_revoked(trust, claims):
        raise _Refused(Problem.REVOKED)
    if issued > at + CLOCK_SLACK:
        raise _Refused(Problem.NOT_YET_VALID, issued.isoformat())
    for end in (claims.expires_at, signer.until):
        if end is not None and at >= end:
            raise _Refused(Problem.EXPIRED, end.isoformat())


def _check_usage(signer: TrustedKey, claims: Claims) -> None:
    if not signer.signs_documents:
        raise _Refused(Problem.KEY_NOT_VALID, "this key may not sign documents")
    known = {usage for usage in signer.usages if usage.startswith(_USAGE_ARCS)}
    wanted = {arc + _USAGES[claims.kind] for arc in _USAGE_ARCS}
    if known and known.isdisjoint(wanted):
        raise _Refused(Problem.KEY_NOT_VALID, f"this key may not state a {claims.kind}")
