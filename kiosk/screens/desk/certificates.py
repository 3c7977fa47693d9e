"""Certificates as the desk's tables show them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.certificate import CertificateDetail
from domain.clinic import Clinic
from domain.codes import Kind, parse_code, spoken
from domain.errors import NotACode
from domain.parts import Task, TaskStatus
from domain.presentation import Presentation
from domain.recipient import name_matches
from domain.statement import Certificate
from kiosk.i18n import Texts
from kiosk.screens.desk.words import day_of_birth, figures, moment
from kiosk.screens.products import product_name
from kiosk.widgets.desk_table import Column, Row, Toned

WAITING = (
    Column("certificate_issue.applied_at", 11),
    Column("certificate_issue.name", 13),
    Column("certificate_issue.born", 10),
    Column("certificate_issue.vaccine"),
    Column("certificate_issue.given_on", 10),
    Column("certificate_issue.order", 6),
)
ISSUED = (
    Column("certificate_issue.issued_on", 10),
    Column("certificate_issue.name", 13),
    Column("certificate_issue.born", 10),
    Column("certificate_issue.vaccine"),
    Column("certificate_issue.prints", 6, right=True),
    Column("certificate_issue.code", 11),
)


def vaccine_of(detail: CertificateDetail, formulary: Sequence[Presentation], texts: Texts) -> str:
    """The product in the language of the terminal; a waiting one knows it in both at once only."""
    facts = detail.certificate.facts
    if facts is not None:
        return facts.dose.name_ko if texts.language == "ko" else facts.dose.name_en
    return product_name(formulary, detail.product, texts)


def waiting_row(
    detail: CertificateDetail,
    task: Task | None,
    clinic: Clinic,
    formulary: Sequence[Presentation],
    texts: Texts,
) -> Row:
    """An application that waits; once it was ordered, with the task that is to do it."""
    order: str | Toned = ""
    if task:
        aside = task.status is TaskStatus.ASIDE
        word = texts(f"certificate_issue.{'is_aside' if aside else 'is_ordered'}")
        order = Toned(word, "alarm" if aside else "good")
    return Row(
        detail.certificate.code,
        (
            moment(clinic.local(detail.applied_at)),
            detail.name,
            figures(detail.birth_date),
            vaccine_of(detail, formulary, texts),
            figures(detail.given_on),
            order,
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
            figures(detail.birth_date),
            vaccine_of(detail, formulary, texts),
            str(certificate.prints) if certificate.prints else Toned("0", "alarm"),
            spoken(certificate.code),
        ),
    )


def detail_of(certificate: Certificate) -> CertificateDetail | None:
    """An issued certificate with what stands beside it in the list, out of what it states itself."""
    facts = certificate.facts
    if facts is None:
        return None
    dose = facts.dose
    return CertificateDetail(
        certificate, facts.name, facts.birth_date, f"{dose.name_ko} {dose.name_en}", facts.issued_at,
        dose.given_on,
    )  # fmt: skip


def whose(detail: CertificateDetail, texts: Texts) -> dict[str, str]:
    """What a question names a certificate by: namesakes are told apart by their birth date."""
    born = day_of_birth(detail.birth_date, texts)
    return {"code": spoken(detail.certificate.code), "name": detail.name, "born": born}


def matching(details: Sequence[CertificateDetail], typed: str) -> list[CertificateDetail]:
    """Those whose number begins like this, or whose name or passport is meant; all when nothing is typed."""
    text = typed.strip()
    if not text:
        return list(details)
    number = _number(text)
    return [
        detail
        for detail in details
        if name_matches(text, *_names(detail)) or (number and detail.certificate.code.startswith(number))
    ]


def _names(detail: CertificateDetail) -> tuple[str, ...]:
    """What its holder can be looked for by: the name, and what the passport says."""
    facts = detail.certificate.facts
    return (detail.name, f"{facts.surname} {facts.given}") if facts else (detail.name,)


def _number(text: str) -> str:
    """A whole number however the keyboard typed it, or the beginning of one."""
    try:
        return parse_code(text, Kind.CERTIFICATE)
    except NotACode:
        return text.upper().replace("-", "").replace(" ", "")
