"""Certificate applications: who was injected asks for a certificate of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.actors import CERTIFICATE_OFFICER, RECIPIENT, Role
from domain.codes import Kind, new_code
from domain.errors import AlreadyApplied, ApplicationClosed
from domain.events import ApplicationCancelled, CertificateApplied, CertificateIssued, CertificateRevoked
from domain.messages import Command
from domain.ports import Context, UnitOfWork


class ApplicationStatus(StrEnum):
    APPLIED = "applied"
    ISSUED = "issued"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


LIVE_APPLICATION = (ApplicationStatus.APPLIED, ApplicationStatus.ISSUED)
"""Of an injection one at most."""


@dataclass(frozen=True, slots=True)
class Application:
    """One person's wish for a certificate of one injection."""

    code: str
    injection: str
    recipient: str
    status: ApplicationStatus
    applied_at: datetime


@dataclass(frozen=True)
class ApplyForCertificate(Command[Application]):
    """Ask for a certificate of one's own completed injection."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | CERTIFICATE_OFFICER
    injection: str


@dataclass(frozen=True)
class CancelApplication(Command[None]):
    """Take an application back that was not issued yet."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | CERTIFICATE_OFFICER
    application: str


def apply_for_certificate(uow: UnitOfWork, command: ApplyForCertificate, context: Context) -> Application:
    """Rule 5, checked against the injection record itself: completed, one's own, not applied for."""
    injection = uow.injections.get(command.injection)
    context.actor.must_own(injection.recipient, unless=CERTIFICATE_OFFICER)
    product = injection.given.presentation.title
    live = uow.applications.live_of(injection.code)
    if live:
        raise AlreadyApplied(application=live.code)
    return _apply(uow, context, injection.code, injection.recipient, product)


def cancel_application(uow: UnitOfWork, command: CancelApplication, context: Context) -> None:
    """Rule 7: an issued one is not cancelled but revoked."""
    application = uow.applications.get(command.application)
    context.actor.must_own(application.recipient, unless=CERTIFICATE_OFFICER)
    if application.status is not ApplicationStatus.APPLIED:
        raise ApplicationClosed(status=application.status)
    uow.applications.save(replace(application, status=ApplicationStatus.CANCELLED))
    uow.emit(ApplicationCancelled(application.code, application.injection, application.recipient))


# -- what follows from elsewhere (see `policies`) -------------------------------------------------


def mark_issued(uow: UnitOfWork, event: CertificateIssued, context: Context) -> None:
    """Whenever the certificate is issued, the application shows it."""
    application = uow.applications.get(event.application)
    uow.applications.save(replace(application, status=ApplicationStatus.ISSUED))


def mark_revoked(uow: UnitOfWork, event: CertificateRevoked, context: Context) -> None:
    """Whenever the certificate is revoked for good, the person may apply again."""
    application = uow.applications.get(event.application)
    uow.applications.save(replace(application, status=ApplicationStatus.REVOKED))


def apply_anew(uow: UnitOfWork, context: Context, revoked: Application) -> Application:
    """The same wish once more, for a certificate that was revoked and could not be replaced at once."""
    uow.applications.save(replace(revoked, status=ApplicationStatus.REVOKED))
    product = uow.injections.get(revoked.injection).given.presentation.title
    return _apply(uow, context, revoked.injection, revoked.recipient, product)


def _apply(uow: UnitOfWork, context: Context, injection: str, recipient: str, product: str) -> Application:
    code = new_code(Kind.APPLICATION)
    application = Application(code, injection, recipient, ApplicationStatus.APPLIED, context.now)
    uow.applications.save(application)
    uow.emit(CertificateApplied(code, injection, recipient, product))
    return application
