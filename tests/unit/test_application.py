"""Applying for a certificate: only of one's own completed injection, one live application each."""

from __future__ import annotations

import pytest

from domain import errors
from domain.application import ApplicationStatus, ApplyForCertificate, CancelApplication
from domain.certificate import RevokeCertificate
from domain.correction import VoidInjection
from domain.statement import CertificateStatus

from .small_clinic import OFFICER, VACCINATOR, SmallClinic


def test_who_was_injected_applies_and_an_issue_is_prepared(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.apply(injection)
    assert (application.status, application.recipient) == (ApplicationStatus.APPLIED, injection.recipient)
    assert clinic.certificate_of(application).status is CertificateStatus.READY


def test_nobody_applies_with_somebody_elses_injection(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    mine, yours = clinic.inject(vaccine, 1), clinic.inject(vaccine, 2)
    with pytest.raises(errors.NotAllowed):
        clinic.send(ApplyForCertificate(yours.code), clinic.as_recipient(mine.recipient))
    assert clinic.records.applications == {}


def test_an_officer_applies_for_the_person_and_the_person_stays_the_owner(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.send(ApplyForCertificate(injection.code), OFFICER)
    assert application.recipient == injection.recipient


def test_before_the_needle_there_is_nothing_to_certify(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    with pytest.raises(errors.NotCompleted):
        clinic.send(ApplyForCertificate(visit.code), clinic.as_recipient(visit.recipient))


def test_a_voided_injection_is_not_certified(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    with pytest.raises(errors.NotCompleted):
        clinic.apply(injection)


def test_an_injection_nobody_knows_is_not_certified(clinic: SmallClinic) -> None:
    with pytest.raises(errors.NotFound):
        clinic.send(ApplyForCertificate("JZZZZZZZZ"), OFFICER)


def test_there_is_one_live_application_for_an_injection(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.apply(injection)
    with pytest.raises(errors.AlreadyApplied) as refusal:
        clinic.apply(injection)
    assert refusal.value.facts == {"application": application.code}
    clinic.issue(application)
    with pytest.raises(errors.AlreadyApplied):
        clinic.apply(injection)


def test_who_cancelled_an_application_may_apply_again(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    first = clinic.apply(injection)
    clinic.send(CancelApplication(first.code), clinic.as_recipient(injection.recipient))
    clinic.relay()
    second = clinic.apply(injection)
    assert clinic.records.applications[first.code].status is ApplicationStatus.CANCELLED
    assert clinic.certificate_of(first).status is CertificateStatus.CANCELLED
    assert clinic.certificate_of(second).status is CertificateStatus.READY


def test_a_stranger_does_not_cancel_an_application(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    application, other = clinic.apply(clinic.inject(vaccine, 1)), clinic.inject(vaccine, 2)
    with pytest.raises(errors.NotAllowed):
        clinic.send(CancelApplication(application.code), clinic.as_recipient(other.recipient))


def test_an_issued_application_is_not_cancelled_but_revoked(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    certificate = clinic.issue(application)
    assert clinic.records.applications[application.code].status is ApplicationStatus.ISSUED
    with pytest.raises(errors.ApplicationClosed):
        clinic.send(CancelApplication(application.code), OFFICER)
    clinic.send(RevokeCertificate(certificate.code, "wrong name"), OFFICER)
    assert clinic.records.applications[application.code].status is ApplicationStatus.REVOKED


def test_after_a_revocation_the_person_may_apply_again(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    certificate = clinic.issue(clinic.apply(injection))
    clinic.send(RevokeCertificate(certificate.code, "wrong name"), OFFICER)
    assert clinic.issue(clinic.apply(injection)).status is CertificateStatus.ISSUED


def test_an_application_is_cancelled_once(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    clinic.send(CancelApplication(application.code), OFFICER)
    with pytest.raises(errors.ApplicationClosed):
        clinic.send(CancelApplication(application.code), OFFICER)
