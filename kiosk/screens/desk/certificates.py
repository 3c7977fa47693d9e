"""Certificates as the desk's tables show them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from domain.certificate import CertificateDetail
from domain.clinic import Clinic
from domain.presentation import Presentation
from domain.statement import Certificate
from kiosk.i18n import Texts, put_in_words
from kiosk.screens.desk.issue_run import Failed
from kiosk.screens.desk.words import figures, moment, product, spoken
from kiosk.widgets.desk_table import Column, Row, Toned
from kiosk.widgets.facts import Fact

WAITING = (
    Column("certificate_issue.applied_at", 11),
    Column("certificate_issue.name", 13),
    Column("certificate_issue.vaccine"),
    Column("certificate_issue.given_on", 10),
    Column("certificate_issue.code", 11),
)
ISSUED = (
    Column("certificate_issue.issued_on", 10),
    Column("certificate_issue.name", 13),
    Column("certificate_issue.vaccine"),
    Column("certificate_issue.prints", 6, right=True),
    Column("certificate_issue.code", 11),
)
MOST_FAILURES = 50
"""When the disk is full every one fails for the same reason."""


def vaccine_of(detail: CertificateDetail, formulary: Sequence[Presentation], texts: Texts) -> str:
    """The product in the language of the terminal; a waiting one knows it in both at once only."""
    facts = detail.certificate.facts
    if facts is not None:
        return facts.dose.name_ko if texts.language == "ko" else facts.dose.name_en
    known = next((p for p in formulary if p.title == detail.product), None)
    return product(known, texts) if known else detail.product


def waiting_row(
    detail: CertificateDetail, clinic: Clinic, formulary: Sequence[Presentation], texts: Texts
) -> Row:
    """An application that waits."""
    code = detail.certificate.code
    return Row(
        code,
        (
            moment(clinic.local(detail.applied_at)),
            detail.name,
            vaccine_of(detail, formulary, texts),
            figures(detail.given_on),
            spoken(code),
        ),
    )


def issued_row(detail: CertificateDetail, formulary: Sequence[Presentation], texts: Texts) -> Row:
    """A certificate that is valid."""
    certificate = detail.certificate
    return Row(
        certificate.code,
        (
            figures(certificate.facts.issued_on) if certificate.facts else "",
            detail.name,
            vaccine_of(detail, formulary, texts),
            str(certificate.prints) if certificate.prints else Toned("0", "alarm"),
            spoken(certificate.code),
        ),
    )


def failed_facts(failures: Sequence[Failed]) -> list[Fact]:
    """Those that were not issued, and why, in full."""
    facts = [_why(failure) for failure in failures[:MOST_FAILURES]]
    if more := len(failures) - len(facts):
        facts.append(Fact("", lambda t: t("certificate_issue.more_failures", more=more)))
    return facts


def _why(failure: Failed) -> Fact:
    name = f"{failure.detail.name} {spoken(failure.detail.certificate.code)}"
    return Fact(name, lambda t: f"! {put_in_words(failure.why, t)}", "alarm")


def detail_of(certificate: Certificate) -> CertificateDetail | None:
    """An issued certificate with what stands beside it in the list, out of what it states itself."""
    facts = certificate.facts
    if facts is None:
        return None
    dose = facts.dose
    return CertificateDetail(
        certificate, facts.name, f"{dose.name_ko} {dose.name_en}", facts.issued_at, dose.given_on
    )


def matching(details: Sequence[CertificateDetail], typed: str) -> list[CertificateDetail]:
    """Those whose name or number begins like this."""
    text = unicodedata.normalize("NFC", typed).strip()
    number = text.upper().replace("-", "").replace(" ", "")
    return [
        detail
        for detail in details
        if detail.name.startswith(text) or (number and detail.certificate.code.startswith(number))
    ]
