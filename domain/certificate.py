"""Certificates: prepared when somebody applies, issued once signed and proven, revoked, re-issued.

An issued certificate always has a completed injection behind it: whatever changes the injection
changes the certificate in the same transaction (`policies.AT_ONCE`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from domain.actors import BY_POLICY, CERTIFICATE_OFFICER, RECIPIENT, Role
from domain.application import ApplicationStatus
from domain.codes import Kind, new_code
from domain.errors import ApplicationClosed, CertificateClosed, CertificateOutdated, NotAllowed
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
)
from domain.injection import Injection
from domain.messages import Command, Query
from domain.ports import Context, Place, UnitOfWork
from domain.presentation import Disease, Route, Site
from domain.recipient import Recipient, Sex, parse_text
from domain.uvci import uvci


class CertificateStatus(StrEnum):
    READY = "ready"
    ISSUED = "issued"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """One dose as a certificate states it; copied from the injection's own snapshot."""

    name_ko: str
    name_en: str
    manufacturer: str
    disease: Disease
    vaccine_code: str
    product_code: str
    holder_code: str
    cvx: str
    lot: str
    dose_number: int
    dose_total: int
    given_on: date
    site: Site
    route: Route
    vaccinator: str
    injection: str = ""
    """The record it was copied from, so that a correction finds every certificate that states it."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything that is signed and printed, frozen at issue, so that paper can be made again."""

    number: str
    """The certificate's code."""
    uvci: str
    name: str
    """In the holder's own script."""
    surname: str
    """As in the passport, A to Z."""
    given: str
    """As in the passport, A to Z; may be empty."""
    birth_date: date
    sex: Sex
    doses: tuple[DoseFacts, ...]
    """Oldest first; the last is the one that was applied for."""
    next_due_on: date | None
    """When the series is incomplete: the first day for the next dose."""
    clinic_ko: str
    clinic_en: str
    country: str
    """ISO 3166-1 alpha-2."""
    issued_at: datetime
    issued_on: date
    """The day of issue at the clinic."""
    issued_by: str
    supersedes: str = ""
    """The number of the certificate this one replaces."""

    @property
    def dose(self) -> DoseFacts:
        """The dose that this certificate is about."""
        return self.doses[-1]

    @property
    def is_complete(self) -> bool:
        """Whether the series is complete; otherwise the paper is a confirmation, not a certificate."""
        return self.dose.dose_number >= self.dose.dose_total


@dataclass(frozen=True, slots=True)
class Credential:
    """What goes into the QR. ``form`` is ``hcert`` or ``shc``; ``text`` is the QR's content."""

    form: str
    text: str
    key_id: str
    revocation_hashes: tuple[str, ...] = ()
    """Hex, SHA-256 truncated to 16 bytes: over the signature, the UCI, and country + UCI."""
    second: Credential | None = None
    """The same facts in another form, for verifiers that do not read the first."""

    @property
    def all(self) -> tuple[Credential, ...]:
        """This credential and its second form, if there is one."""
        return (self,) if self.second is None else (self, *self.second.all)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. A correction does not change it: a new one supersedes it."""

    code: str
    application: str
    injection: str
    recipient: str
    status: CertificateStatus
    injection_version: int
    """The version of the injection that it states, once issued."""
    facts: CertificateFacts | None = None
    credential: Credential | None = None
    reason: str = ""
    """Why it was revoked."""
    prints: int = 0
    """How many copies may be in somebody's hands: those that did not come out are not among them."""

    def states(self, injection: str) -> bool:
        """Whether this injection is among those that it states."""
        doses = self.facts.doses if self.facts else ()
        return self.injection == injection or any(dose.injection == injection for dose in doses)


# -- what can be asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class CertificateDetail:
    """A certificate with what an officer sees beside it."""

    certificate: Certificate
    name: str
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
class DraftCertificate(Query["Draft"]):
    """What a prepared certificate would state now."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificate: str


@dataclass(frozen=True)
class Draft:
    """A prepared certificate with the records behind it."""

    certificate: Certificate
    recipient: Recipient
    injection: Injection
    completed: tuple[Injection, ...] = ()
    """Every completed injection of the same person."""


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
class RecordIssue(Command[None]):
    """The credential is signed and its paper proven: the certificate is issued from here on."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificate: str
    facts: CertificateFacts
    credential: Credential
    injection_version: int


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


def record_issue(uow: UnitOfWork, command: RecordIssue, context: Context) -> None:
    """Rules 6 and 7, checked at the commit: applied, not cancelled, completed, nothing changed since."""
    certificate = uow.certificates.get(command.certificate)
    if certificate.status is not CertificateStatus.READY:
        raise CertificateClosed(status=certificate.status)
    application = uow.applications.get(certificate.application)
    if application.status is not ApplicationStatus.APPLIED:
        raise ApplicationClosed(status=application.status)
    injection = uow.injections.get(certificate.injection)
    product = injection.given.presentation.title
    # An earlier dose may have been corrected or voided while the paper was made.
    stated = _stated(series_up_to(injection, uow.injections.completed_of(injection.recipient)))
    if injection.version != command.injection_version or command.facts.doses != stated:
        raise CertificateOutdated
    issued = replace(
        certificate,
        status=CertificateStatus.ISSUED,
        injection_version=injection.version,
        facts=command.facts,
        credential=command.credential,
        prints=1,
    )
    uow.certificates.save(issued)
    uow.emit(CertificateIssued(issued.code, issued.application, issued.recipient, product))


def record_print(uow: UnitOfWork, command: RecordPrint, context: Context) -> int:
    """One more copy of a certificate that is valid at this moment; answers how many there are now."""
    certificate = own_certificate(uow.certificates.get(command.certificate), context)
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
    """The old one is revoked and the new one signed, in one transaction."""
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


def series_up_to(injection: Injection, completed: Iterable[Injection]) -> tuple[Injection, ...]:
    """This injection and the earlier ones of its series, oldest first. Raises NotCompleted.

    Doses against the same disease are a series; those of a seasonal vaccine, in one season only.
    """
    last = injection.given
    product, earlier = last.presentation, []
    since = product.season_start(last.given_on) if product.seasonal else date.min
    for other in completed:
        dose = other.given
        same = dose.presentation.disease is product.disease and since <= dose.given_on
        if same and other.code != injection.code and dose.given_at < last.given_at:
            earlier.append(other)
    return (*sorted(earlier, key=lambda other: other.given.given_at), injection)


def state_facts(
    code: str, recipient: Recipient, series: Sequence[Injection], context: Context, supersedes: str = ""
) -> CertificateFacts:
    """What a certificate of these injections states today, the last being the one applied for."""
    clinic, person = context.clinic, recipient.person
    return CertificateFacts(
        number=code,
        uvci=uvci(clinic.country, clinic.code, code),
        name=person.name,
        surname=person.passport_surname,
        given=person.passport_given,
        birth_date=person.birth_date,
        sex=person.sex,
        doses=_stated(series),
        next_due_on=series[-1].given.next_due_on,
        clinic_ko=clinic.name_ko,
        clinic_en=clinic.name_en,
        country=clinic.country,
        issued_at=context.now,
        issued_on=clinic.today(context.now),
        issued_by=context.actor.name or clinic.name_ko,
        supersedes=supersedes,
    )


def _stated(series: Sequence[Injection]) -> tuple[DoseFacts, ...]:
    return tuple(_dose_facts(injection) for injection in series)


def _dose_facts(injection: Injection) -> DoseFacts:
    dose = injection.given
    product = dose.presentation
    return DoseFacts(
        name_ko=product.name_ko,
        name_en=product.name_en,
        manufacturer=product.manufacturer,
        disease=product.disease,
        vaccine_code=product.vaccine_code,
        product_code=product.product_code,
        holder_code=product.holder_code,
        cvx=product.cvx,
        lot=dose.lot,
        dose_number=dose.dose_number,
        dose_total=dose.dose_total,
        given_on=dose.given_on,
        site=dose.site,
        route=dose.route,
        vaccinator=dose.vaccinator,
        injection=injection.code,
    )


def own_certificate(certificate: Certificate, context: Context) -> Certificate:
    """The certificate, if it is the actor's own or the actor an officer. Raises NotAllowed."""
    if not context.actor.has(CERTIFICATE_OFFICER) and certificate.recipient != context.actor.code:
        raise NotAllowed
    return certificate


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
    for certificate in _stating(uow, event.recipient, event.injection):
        reissue_certificate(uow, ReissueCertificate(certificate.code, event.reason), context)


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


def _stating(uow: UnitOfWork, recipient: str, injection: str) -> list[Certificate]:
    """The issued certificates that state this injection: its own, and those of later doses."""
    return [c for c in uow.certificates.issued_to(recipient) if c.states(injection)]


def _issued(uow: UnitOfWork, code: str) -> Certificate:
    certificate = uow.certificates.get(code)
    if certificate.status is not CertificateStatus.ISSUED:
        raise CertificateClosed(status=certificate.status)
    return certificate
