"""Certificates: always of a completed injection as it is recorded, never of a cancelled application."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain import errors
from domain.actors import SYSTEM
from domain.application import ApplicationStatus, CancelApplication
from domain.certificate import (
    RecordFailedPrint,
    RecordIssue,
    RecordPrint,
    ReissueCertificate,
    RevokeCertificate,
)
from domain.correction import CorrectInjection, CorrectRecipient, VoidInjection
from domain.presentation import Site
from domain.statement import Certificate, CertificateStatus, state_facts
from domain.uvci import is_intact

from .memory import local, only
from .small_clinic import FLU, OFFICER, ONE_DOSE, VACCINATOR, SmallClinic, person


def issued(clinic: SmallClinic, number: int = 1) -> Certificate:
    """A certificate of a dose from LOT1, while LOT2 is there too."""
    vaccine = clinic.vaccine(doses=3, lot="LOT1")
    clinic.stock(vaccine, 3, "LOT2")
    return clinic.issue(clinic.apply(clinic.inject(vaccine, number)))


def signed_beforehand(clinic: SmallClinic, certificate: Certificate) -> RecordIssue:
    """Signed and printed beside the transaction, not yet recorded."""
    recipient = clinic.records.recipients[certificate.recipient]
    injection = clinic.records.injections[certificate.injection]
    facts = state_facts(certificate.code, recipient, clinic.series(injection), clinic.context(OFFICER))
    return RecordIssue(certificate.code, facts, clinic.signer.sign(facts), injection.version)


def test_an_issued_certificate_states_the_record(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    facts = certificate.facts
    assert facts is not None
    assert (facts.name, facts.surname, facts.given) == (person().name, "KIM", "HANA")
    assert (facts.dose.lot, facts.dose.given_on, facts.dose.vaccinator) == (
        "LOT1",
        date(2026, 3, 2),
        "이수진",
    )
    assert (facts.dose.dose_number, facts.dose.dose_total) == (1, 2)
    assert facts.next_due_on == date(2026, 3, 30)
    assert (facts.issued_by, facts.country, facts.number) == (OFFICER.name, "KR", certificate.code)
    assert certificate.code in facts.uvci
    assert is_intact(facts.uvci)
    assert certificate.prints == 1


def test_a_copy_that_did_not_come_out_is_not_counted(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    assert clinic.send(RecordFailedPrint(certificate.code), SYSTEM) == 0
    assert clinic.send(RecordFailedPrint(certificate.code), SYSTEM) == 0, "there are never fewer than none"
    assert clinic.send(RecordPrint(certificate.code), OFFICER) == 1
    assert clinic.records.certificates[certificate.code].prints == 1


def test_a_copy_is_taken_back_even_if_the_certificate_was_revoked_while_it_was_printed(
    clinic: SmallClinic,
) -> None:
    certificate = issued(clinic)
    clinic.send(RevokeCertificate(certificate.code, "wrong person"), OFFICER)
    clinic.send(RecordFailedPrint(certificate.code), SYSTEM)
    left = clinic.records.certificates[certificate.code]
    assert (left.status, left.prints) == (CertificateStatus.REVOKED, 0)


def test_the_day_of_issue_is_the_day_at_the_clinic(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    clinic.clock.set_local("2026-12-31 23:59:59")
    assert signed_beforehand(clinic, clinic.certificate_of(application)).facts.issued_on == date(2026, 12, 31)
    clinic.clock.set_local("2027-01-01 00:00")
    assert signed_beforehand(clinic, clinic.certificate_of(application)).facts.issued_on == date(2027, 1, 1)


def test_an_incomplete_series_is_a_confirmation_and_a_complete_one_a_certificate(clinic: SmallClinic) -> None:
    first = issued(clinic)
    assert first.facts is not None
    assert not first.facts.is_complete
    vaccine = clinic.records.injections[first.injection].vaccine
    clinic.clock.set_local("2026-03-30 09:00")
    second = clinic.issue(clinic.apply(clinic.inject(vaccine, slot=local("2026-03-30 09:00"))))
    assert second.facts is not None
    assert second.facts.is_complete
    assert second.facts.next_due_on is None


def test_a_single_dose_is_a_complete_series(clinic: SmallClinic) -> None:
    facts = clinic.issue(clinic.apply(clinic.inject(clinic.vaccine(ONE_DOSE, doses=1)))).facts
    assert facts is not None
    assert facts.is_complete


def test_a_certificate_is_issued_once(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    with pytest.raises(errors.CertificateClosed):
        clinic.send(signed_beforehand(clinic, certificate), OFFICER)


def test_a_cancelled_application_is_never_issued_even_when_its_paper_is_ready(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    record = signed_beforehand(clinic, clinic.certificate_of(application))
    clinic.send(CancelApplication(application.code), OFFICER)
    with pytest.raises(errors.ApplicationClosed):
        clinic.send(record, OFFICER)
    clinic.relay()
    with pytest.raises(errors.CertificateClosed):
        clinic.send(record, OFFICER)
    assert clinic.certificate_of(application).status is CertificateStatus.CANCELLED
    assert clinic.records.applications[application.code].status is ApplicationStatus.CANCELLED


def test_a_voided_injection_is_never_certified_even_when_its_paper_is_ready(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.apply(injection)
    record = signed_beforehand(clinic, clinic.certificate_of(application))
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    with pytest.raises(errors.ApplicationClosed):
        clinic.send(record, OFFICER)
    clinic.relay()
    assert clinic.certificate_of(application).status is CertificateStatus.CANCELLED
    assert clinic.records.applications[application.code].status is ApplicationStatus.CANCELLED


def test_paper_that_a_correction_overtook_is_not_handed_out(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "LOT2")
    injection = clinic.inject(vaccine)
    application = clinic.apply(injection)
    record = signed_beforehand(clinic, clinic.certificate_of(application))
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    with pytest.raises(errors.CertificateOutdated):
        clinic.send(record, OFFICER)
    facts = clinic.issue(application).facts
    assert facts is not None
    assert facts.dose.lot == "LOT2"


# -- the record changes afterwards ------------------------------------------------------------------


def test_correcting_the_injection_reissues_the_certificate_in_the_same_transaction(
    clinic: SmallClinic,
) -> None:
    old = issued(clinic)
    since = len(clinic.records.events)
    clinic.send(CorrectInjection(old.injection, "misread", lot="LOT2"), VACCINATOR)
    assert clinic.happened(since) == ["InjectionCorrected", "CertificateReissued"]
    application = clinic.records.applications[old.application]
    new = clinic.certificate_of(application)
    assert clinic.records.certificates[old.code].status is CertificateStatus.REVOKED
    assert clinic.records.certificates[old.code].reason == "misread"
    assert (new.status, new.injection_version) == (CertificateStatus.ISSUED, 2)
    assert new.facts is not None
    assert new.credential is not None
    assert (new.facts.dose.lot, new.facts.supersedes) == ("LOT2", old.code)
    assert new.credential.text == f"{new.code} states lot LOT2"
    assert application.status is ApplicationStatus.ISSUED


def test_the_old_certificate_keeps_what_it_said(clinic: SmallClinic) -> None:
    old = issued(clinic)
    clinic.send(CorrectInjection(old.injection, "misread", lot="LOT2"), VACCINATOR)
    kept = clinic.records.certificates[old.code]
    assert (kept.facts, kept.credential) == (old.facts, old.credential)


def test_the_officer_still_answers_for_a_certificate_that_a_correction_replaced(clinic: SmallClinic) -> None:
    old = issued(clinic)
    clinic.send(CorrectInjection(old.injection, "misread", lot="LOT2"), VACCINATOR)
    new = clinic.certificate_of(clinic.records.applications[old.application])
    assert new.facts is not None
    assert new.facts.issued_by == OFFICER.name != VACCINATOR.name


@pytest.mark.parametrize("who", [False, True], ids=["the dose", "the person"])
def test_while_nothing_can_be_signed_a_correction_revokes_and_the_new_issue_waits(
    clinic: SmallClinic, who: bool
) -> None:
    old = issued(clinic)
    clinic.signer.keys = False
    if who:
        right = replace(person(), passport_given="HANNAH")
        assert clinic.send(CorrectRecipient(old.recipient, right, "misheard"), VACCINATOR) == 1
    else:
        clinic.send(CorrectInjection(old.injection, "misread", lot="LOT2"), VACCINATOR)
    kept = clinic.records.certificates[old.code]
    assert (kept.status, kept.facts) == (CertificateStatus.REVOKED, old.facts)
    assert clinic.records.applications[old.application].status is ApplicationStatus.REVOKED
    clinic.relay()
    anew = only(a for a in clinic.records.applications.values() if a.code != old.application)
    assert (anew.injection, anew.recipient) == (old.injection, old.recipient)
    assert (anew.status, anew.applied_at) == (ApplicationStatus.APPLIED, clinic.clock.now())
    assert clinic.certificate_of(anew).status is CertificateStatus.READY
    clinic.signer.keys = True
    new = clinic.issue(anew)
    assert new.facts is not None
    assert (new.facts.dose.lot, new.facts.given) == ("LOT1" if who else "LOT2", "HANNAH" if who else "HANA")


def test_an_officer_who_cannot_sign_revokes_nothing(clinic: SmallClinic) -> None:
    old = issued(clinic)
    clinic.signer.keys = False
    with pytest.raises(errors.CannotSign):
        clinic.send(ReissueCertificate(old.code, "damaged"), OFFICER)
    assert clinic.records.certificates[old.code] == old


def test_correcting_before_the_issue_changes_no_certificate(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "LOT2")
    injection = clinic.inject(vaccine)
    application = clinic.apply(injection)
    before = clinic.records.certificates
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    assert clinic.records.certificates == before
    assert clinic.certificate_of(application).status is CertificateStatus.READY


def test_what_is_issued_after_a_correction_states_its_version(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    command = CorrectInjection(injection.code, "other arm", site=Site.RIGHT_ARM)
    assert clinic.issue(clinic.apply(clinic.send(command, VACCINATOR))).injection_version == 2


def test_voiding_the_injection_revokes_the_certificate_in_the_same_transaction(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    clinic.send(VoidInjection(certificate.injection, "wrong person", dose_returned=False), VACCINATOR)
    revoked = clinic.records.certificates[certificate.code]
    assert (revoked.status, revoked.reason) == (CertificateStatus.REVOKED, "wrong person")
    assert clinic.records.applications[certificate.application].status is ApplicationStatus.REVOKED
    assert clinic.happened()[-3:] == ["CertificateIssued", "InjectionVoided", "CertificateRevoked"]


def test_voiding_a_reissued_certificates_injection_revokes_the_one_that_lives(clinic: SmallClinic) -> None:
    old = issued(clinic)
    clinic.send(CorrectInjection(old.injection, "misread", lot="LOT2"), VACCINATOR)
    clinic.send(VoidInjection(old.injection, "wrong person", dose_returned=False), VACCINATOR)
    assert {c.status for c in clinic.records.certificates.values()} == {CertificateStatus.REVOKED}


def test_every_issued_certificate_has_a_completed_injection_of_its_version(clinic: SmallClinic) -> None:
    one = issued(clinic, 1)
    clinic.issue(clinic.apply(clinic.inject(clinic.records.injections[one.injection].vaccine, 2)))
    clinic.send(CorrectInjection(one.injection, "misread", lot="LOT2"), VACCINATOR)
    live = [c for c in clinic.records.certificates.values() if c.status is CertificateStatus.ISSUED]
    assert len(live) == 2
    for certificate in live:
        injection = clinic.records.injections[certificate.injection]
        assert certificate.injection_version == injection.version
        assert certificate.facts is not None
        assert certificate.facts.dose.lot == injection.given.lot


# -- by hand ----------------------------------------------------------------------------------------


def test_an_officer_reissues_a_certificate_after_the_name_was_put_right(clinic: SmallClinic) -> None:
    old = issued(clinic)
    clinic.book(clinic.vaccine(FLU), who=person(passport_surname="GIM"))
    code = clinic.send(ReissueCertificate(old.code, "spelling"), OFFICER)
    new = clinic.records.certificates[code]
    assert new.facts is not None
    assert (new.facts.surname, new.facts.supersedes) == ("GIM", old.code)
    assert clinic.records.certificates[old.code].status is CertificateStatus.REVOKED


@pytest.mark.parametrize("command", [RevokeCertificate, ReissueCertificate])
def test_only_an_issued_certificate_is_revoked_or_reissued(
    clinic: SmallClinic, command: type[RevokeCertificate | ReissueCertificate]
) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    with pytest.raises(errors.CertificateClosed):
        clinic.send(command(clinic.certificate_of(application).code, "why"), OFFICER)
    certificate = clinic.issue(application)
    with pytest.raises(errors.Missing):
        clinic.send(command(certificate.code, " "), OFFICER)
    clinic.send(RevokeCertificate(certificate.code, "why"), OFFICER)
    with pytest.raises(errors.CertificateClosed):
        clinic.send(command(certificate.code, "why"), OFFICER)


def test_every_copy_is_counted_and_a_revoked_certificate_is_not_copied(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    owner = clinic.as_recipient(certificate.recipient)
    assert clinic.send(RecordPrint(certificate.code), owner) == 2
    assert clinic.send(RecordPrint(certificate.code), OFFICER) == 3
    clinic.send(RevokeCertificate(certificate.code, "why"), OFFICER)
    with pytest.raises(errors.CertificateClosed):
        clinic.send(RecordPrint(certificate.code), owner)


def test_nobody_copies_somebody_elses_certificate(clinic: SmallClinic) -> None:
    certificate = issued(clinic)
    stranger = clinic.owner(clinic.book(clinic.vaccine(ONE_DOSE), 2))
    with pytest.raises(errors.NotAllowed):
        clinic.send(RecordPrint(certificate.code), stranger)
