"""Certificates: prepared when somebody applies, issued once signed and proven, revoked, re-issued.

An issued certificate always has a completed injection behind it: whatever changes the injection
changes the certificate in the same transaction (`policies.AT_ONCE`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from domain.actors import BY_POLICY, CERTIFICATE_OFFICER, RECIPIENT, VACCINATOR, Role
from domain.application import ApplicationStatus, apply_anew
from domain.codes import Kind, new_code
from domain.errors import ApplicationClosed, CannotSign, CertificateClosed, CertificateOutdated
from domain.events import (
    ApplicationCancelled,
    CertificateApplied,
    CertificateIssued,
    CertificateReissued,
    CertificateRevoked,
    InjectionCorrected,
    InjectionVoided,
    IssueCancelled,
    IssuePrepared,
    RecipientCorrected,
)
from domain.messages import Command, Query
from domain.ports import Context, Place, UnitOfWork
from domain.recipient import parse_text
from domain.statement import (
    Certificate,
    CertificateFacts,
    CertificateStatus,
    Credential,
    Draft,
    series_up_to,
    state_doses,
    state_facts,
)

# -- what can be asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class CertificateDetail:
    """A certificate with what an officer sees beside it."""

    certificate: Certificate
    name: str
    birth_date: date
    product: str
    applied_at: datetime
    given_on: date


@dataclass(frozen=True)
class ListCertificates(Query[list[CertificateDetail]]):
    """The certificates in this state: those that wait, oldest first; others newest first."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    status: CertificateStatus
    limit: int = 200


@dataclass(frozen=True)
class GetCertificate(Query[Certificate]):
    """A certificate of one's own (or any, for an officer). Raises NotFound."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | CERTIFICATE_OFFICER
    certificate: str


@dataclass(frozen=True)
class Replacement:
    """A certificate that is valid no more, and the one in its place, if there is any (yet)."""

    old: str
    new: str


@dataclass(frozen=True)
class ListReplacements(Query[list[Replacement]]):
    """Which certificates that stated this injection are valid no more, and what took their place.

    Asked right after its record was changed, these are the papers that are void by it.
    """

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str


@dataclass(frozen=True)
class DraftCertificate(Query[Draft]):
    """What a prepared certificate would state now."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificate: str


# -- what can be done -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Issued:
    """A certificate that left the press, and where its paper was put."""

    certificate: str
    place: Place


@dataclass(frozen=True)
class IssueCertificate(Command[Issued]):
    """Sign a prepared certificate, prove its paper, and keep it."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificate: str


@dataclass(frozen=True)
class RecordIssue(Command[str]):
    """The credential is signed and its paper proven: the certificate is issued from here on.

    Answers the ``attempt`` whose credential it has; sent again, the first.
    """

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificate: str
    facts: CertificateFacts
    credential: Credential
    injection_version: int
    copies: int = 1
    """How many are about to leave: none when its paper is ordered and not waited for."""
    attempt: str = ""


@dataclass(frozen=True)
class PrintCertificate(Command[Issued]):
    """Make the paper of an issued certificate once more; always of the live version."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | CERTIFICATE_OFFICER
    certificate: str


@dataclass(frozen=True)
class RecordPrint(Command[int]):
    """Paper of a live certificate is about to leave; counted, and refused once it is revoked."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | CERTIFICATE_OFFICER
    certificate: str


@dataclass(frozen=True)
class RecordFailedPrint(Command[int]):
    """A copy that was counted did not come out; answers how many there are without it."""

    allowed: ClassVar[frozenset[Role]] = BY_POLICY
    certificate: str


@dataclass(frozen=True)
class ReissueCertificate(Command[str]):
    """Replace an issued certificate by one that states the record as it is now; answers its code."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER | BY_POLICY
    certificate: str
    reason: str


@dataclass(frozen=True)
class RevokeCertificate(Command[None]):
    """Withdraw an issued certificate for good."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER | BY_POLICY
    certificate: str
    reason: str


def record_issue(uow: UnitOfWork, command: RecordIssue, context: Context) -> str:
    """Rules 6 and 7, checked at the commit: applied, not cancelled, completed, nothing changed since."""
    certificate = uow.certificates.get(command.certificate)
    if certificate.status is not CertificateStatus.READY:
        raise CertificateClosed(status=certificate.status)
    application = uow.applications.get(certificate.application)
    if application.status is not ApplicationStatus.APPLIED:
        raise ApplicationClosed(status=application.status)
    injection = uow.injections.get(certificate.injection)
    product = injection.given.presentation.title
    # An earlier dose, or who the person is, may have been corrected while the paper was made.
    stated = state_doses(series_up_to(injection, uow.injections.completed_of(injection.recipient)))
    if injection.version != command.injection_version or command.facts.doses != stated:
        raise CertificateOutdated
    if not command.facts.is_of(uow.recipients.get(injection.recipient).person):
        raise CertificateOutdated
    issued = replace(
        certificate,
        status=CertificateStatus.ISSUED,
        injection_version=injection.version,
        facts=command.facts,
        credential=command.credential,
        prints=command.copies,
    )
    uow.certificates.save(issued)
    uow.emit(CertificateIssued(issued.code, issued.application, issued.recipient, product))
    return command.attempt


def record_print(uow: UnitOfWork, command: RecordPrint, context: Context) -> int:
    """One more copy of a certificate that is valid at this moment; answers how many there are now."""
    certificate = uow.certificates.get(command.certificate)
    context.actor.must_own(certificate.recipient, unless=CERTIFICATE_OFFICER)
    if certificate.status is not CertificateStatus.ISSUED:
        raise CertificateClosed(status=certificate.status)
    printed = replace(certificate, prints=certificate.prints + 1)
    uow.certificates.save(printed)
    return printed.prints


def record_failed_print(uow: UnitOfWork, command: RecordFailedPrint, context: Context) -> int:
    """Copies are counted before they are printed, so one that did not come out is taken back."""
    certificate = uow.certificates.get(command.certificate)
    fewer = replace(certificate, prints=max(0, certificate.prints - 1))
    uow.certificates.save(fewer)
    return fewer.prints


def reissue_certificate(uow: UnitOfWork, command: ReissueCertificate, context: Context) -> str:
    """The old one is revoked and the new one signed, in one transaction. Raises CannotSign."""
    old = _issued(uow, command.certificate)
    reason = parse_text(command.reason, "reason", limit=200)
    injection = uow.injections.get(old.injection)
    code = new_code(Kind.CERTIFICATE)
    series = series_up_to(injection, uow.injections.completed_of(injection.recipient))
    facts = state_facts(code, uow.recipients.get(old.recipient), series, context, supersedes=old.code)
    if old.facts and not context.actor.has(CERTIFICATE_OFFICER):
        # It follows from a vaccinator's correction; who answers for certificates stays the officer.
        facts = replace(facts, issued_by=old.facts.issued_by)
    new = Certificate(
        code, old.application, old.injection, old.recipient, CertificateStatus.ISSUED,
        injection.version, facts, context.signer.sign(facts),
    )  # fmt: skip
    uow.certificates.save(replace(old, status=CertificateStatus.REVOKED, reason=reason))
    uow.certificates.save(new)
    product = injection.given.presentation.title
    uow.emit(CertificateReissued(code, old.code, old.application, old.recipient, product))
    return code


def revoke_certificate(uow: UnitOfWork, command: RevokeCertificate, context: Context) -> None:
    """From this commit on it is not printed again, and its application is closed."""
    certificate = _issued(uow, command.certificate)
    reason = parse_text(command.reason, "reason", limit=200)
    uow.certificates.save(replace(certificate, status=CertificateStatus.REVOKED, reason=reason))
    uow.emit(CertificateRevoked(certificate.code, certificate.application, certificate.recipient, reason))


# -- what follows from elsewhere (see `policies`) -------------------------------------------------


def prepare_issue(uow: UnitOfWork, event: CertificateApplied, context: Context) -> None:
    """Whenever somebody applies, an issue is prepared, if the application still stands."""
    application = uow.applications.get(event.application)
    if application.status is not ApplicationStatus.APPLIED or uow.certificates.live_of(application.code):
        return
    injection = uow.injections.get(application.injection)
    certificate = Certificate(
        new_code(Kind.CERTIFICATE), application.code, injection.code, application.recipient,
        CertificateStatus.READY, injection.version,
    )  # fmt: skip
    uow.certificates.save(certificate)
    uow.emit(IssuePrepared(certificate.code, application.code, application.recipient, event.product))


def cancel_issue(uow: UnitOfWork, event: ApplicationCancelled, context: Context) -> None:
    """Whenever an application is cancelled, so is the issue prepared for it."""
    certificate = uow.certificates.live_of(event.application)
    if certificate and certificate.status is CertificateStatus.READY:
        uow.certificates.save(replace(certificate, status=CertificateStatus.CANCELLED))
        uow.emit(IssueCancelled(certificate.code, event.application, event.recipient))


def reissue_after_correction(uow: UnitOfWork, event: InjectionCorrected, context: Context) -> None:
    """Whenever an injection is corrected, every certificate that states it is replaced (rule 6)."""
    _replace_all(uow, _stating(uow, event.recipient, event.injection), event.reason, context)


def reissue_after_new_details(uow: UnitOfWork, event: RecipientCorrected, context: Context) -> None:
    """Whenever it is put right who somebody is, every certificate of theirs is replaced."""
    _replace_all(uow, uow.certificates.issued_to(event.recipient), event.reason, context)


def revoke_after_voiding(uow: UnitOfWork, event: InjectionVoided, context: Context) -> None:
    """Whenever an injection is voided, every certificate that states it is revoked, and what was
    applied for closed.

    Certificates of later doses are revoked, not replaced: they count on the dose that never was, and
    somebody has to look at the record before a new one is issued.
    """
    for certificate in _stating(uow, event.recipient, event.injection):
        revoke_certificate(uow, RevokeCertificate(certificate.code, event.reason), context)
    application = uow.applications.live_of(event.injection)
    if application and application.status is ApplicationStatus.APPLIED:
        uow.applications.save(replace(application, status=ApplicationStatus.CANCELLED))
        uow.emit(ApplicationCancelled(application.code, application.injection, application.recipient))


def _replace_all(uow: UnitOfWork, outdated: list[Certificate], reason: str, context: Context) -> None:
    """A fact is not refused for want of a signature: then what states it wrong is revoked, and its new issue
    waits for the officer.
    """
    for certificate in outdated:
        try:
            reissue_certificate(uow, ReissueCertificate(certificate.code, reason), context)
        except CannotSign:
            revoke_certificate(uow, RevokeCertificate(certificate.code, reason), context)
            apply_anew(uow, context, uow.applications.get(certificate.application))


def _stating(uow: UnitOfWork, recipient: str, injection: str) -> list[Certificate]:
    """The issued certificates that state this injection: its own, and those of later doses."""
    return [c for c in uow.certificates.issued_to(recipient) if c.states(injection)]


def _issued(uow: UnitOfWork, code: str) -> Certificate:
    certificate = uow.certificates.get(code)
    if certificate.status is not CertificateStatus.ISSUED:
        raise CertificateClosed(status=certificate.status)
    return certificate
