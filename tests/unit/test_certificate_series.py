"""Several doses of one person on one certificate, and what becomes of it when one of them changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import errors
from domain.application import ApplicationStatus, ApplyForCertificate
from domain.certificate import RecordIssue, ReissueCertificate
from domain.correction import CorrectInjection, VoidInjection
from domain.events import InjectionCorrected
from domain.injection import Injection
from domain.mypage import Change, project
from domain.presentation import Disease
from domain.statement import Certificate, CertificateFacts, CertificateStatus, state_facts

from .memory import local
from .small_clinic import FLU, FLU_TWICE, OFFICER, ONE_DOSE, TWO_DOSES, VACCINATOR, SmallClinic

SECOND, THIRD = "2026-03-30 09:00", "2026-07-06 09:00"


def stocked(clinic: SmallClinic) -> str:
    """A vaccine of two doses, with two lots of it."""
    vaccine = clinic.vaccine(TWO_DOSES, doses=5, lot="LOT1")
    clinic.stock(vaccine, 5, "LOT2")
    return vaccine


def inject_on(clinic: SmallClinic, vaccine: str, when: str, number: int = 1, lot: str = "LOT1") -> Injection:
    """The next dose of this person, on that day."""
    clinic.clock.set_local(when)
    return clinic.inject(vaccine, number, lot, slot=local(when))


def two_doses(clinic: SmallClinic) -> tuple[Injection, Injection]:
    vaccine = stocked(clinic)
    return clinic.inject(vaccine), inject_on(clinic, vaccine, SECOND, lot="LOT2")


def facts_of(certificate: Certificate) -> CertificateFacts:
    assert certificate.facts is not None
    return certificate.facts


def live(clinic: SmallClinic) -> list[Certificate]:
    return [c for c in clinic.records.certificates.values() if c.status is CertificateStatus.ISSUED]


def stated(certificate: Certificate) -> list[tuple[int, str]]:
    """Number and lot of each dose, in the order of the paper."""
    return [(dose.dose_number, dose.lot) for dose in facts_of(certificate).doses]


def test_a_certificate_states_the_doses_before_the_one_applied_for_oldest_first(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    assert stated(clinic.issue(clinic.apply(second))) == [(1, "LOT1"), (2, "LOT2")]
    assert [dose.injection for dose in facts_of(live(clinic)[0]).doses] == [first.code, second.code]
    assert facts_of(live(clinic)[0]).dose.dose_number == 2


def test_a_certificate_of_an_earlier_dose_does_not_state_a_later_one(clinic: SmallClinic) -> None:
    first, _ = two_doses(clinic)
    certificate = clinic.issue(clinic.apply(first))
    assert stated(certificate) == [(1, "LOT1")]
    assert not facts_of(certificate).is_complete


def test_a_booster_of_another_product_follows_its_series(clinic: SmallClinic) -> None:
    two_doses(clinic)
    booster = inject_on(clinic, clinic.vaccine(ONE_DOSE, doses=1, lot="BOOST"), THIRD, lot="BOOST")
    assert stated(clinic.issue(clinic.apply(booster))) == [(1, "LOT1"), (2, "LOT2"), (3, "BOOST")]


def test_doses_against_another_disease_or_of_another_person_are_not_stated(clinic: SmallClinic) -> None:
    vaccine = stocked(clinic)
    clinic.inject(vaccine, 2)
    inject_on(clinic, clinic.vaccine(FLU, doses=1, lot="FLU1"), "2026-03-03 09:00", lot="FLU1")
    assert stated(clinic.issue(clinic.apply(inject_on(clinic, vaccine, "2026-03-04 09:00")))) == [(1, "LOT1")]


def test_vaccines_whose_disease_has_no_name_here_are_a_series_each(clinic: SmallClinic) -> None:
    hepatitis, typhoid = (
        replace(TWO_DOSES, key=f"own-{name}", name_en=name, disease=Disease.OTHER)
        for name in ("hepatitis", "typhoid")
    )
    clinic.inject(clinic.vaccine(hepatitis, doses=1, lot="HEP"), 1, "HEP")
    vaccine = clinic.vaccine(typhoid, doses=1, lot="TYP")
    first = inject_on(clinic, vaccine, "2026-03-04 09:00", lot="TYP")  # no interval to the other keeps it
    assert first.given.dose_number == 1
    assert stated(clinic.issue(clinic.apply(first))) == [(1, "TYP")]


def test_influenza_is_stated_by_the_season(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(FLU_TWICE, doses=3)
    clinic.inject(vaccine)
    autumn = inject_on(clinic, vaccine, "2026-10-05 09:00")
    assert stated(clinic.issue(clinic.apply(autumn))) == [(1, "LOT1")]
    winter = inject_on(clinic, vaccine, "2026-12-07 09:00")
    assert stated(clinic.issue(clinic.apply(winter))) == [(1, "LOT1"), (2, "LOT1")]


def test_a_dose_of_the_first_day_of_a_season_is_stated_with_it(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(FLU_TWICE, doses=2)
    inject_on(clinic, vaccine, "2026-07-01 09:00")
    second = inject_on(clinic, vaccine, "2026-07-29 09:00")
    assert stated(clinic.issue(clinic.apply(second))) == [(1, "LOT1"), (2, "LOT1")]


def test_a_voided_dose_is_not_stated(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    clinic.send(VoidInjection(first.code, "wrong person", dose_returned=False), VACCINATOR)
    certificate = clinic.issue(clinic.apply(second))
    assert stated(certificate) == [(1, "LOT2")]  # what was written down as the second was the first
    assert not facts_of(certificate).is_complete
    due = second.given.given_on + timedelta(days=TWO_DOSES.interval_days)
    assert facts_of(certificate).next_due_on == due
    [told] = [e for e in clinic.records.events if isinstance(e, InjectionCorrected)]
    assert (told.injection, told.dose_number, told.dose_total, told.next_due_on) == (second.code, 1, 2, due)
    [change] = project(told, told_at := clinic.clock.now())
    shown = {"dose_number": 1, "dose_total": 2, "next_due_on": due, "lot": "LOT2", "at": told_at}
    assert change == Change(second.code, shown)


def test_a_dose_after_a_voided_one_counts_on_what_was_given(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    assert second.given.dose_number == 2
    clinic.send(VoidInjection(first.code, "wrong person", dose_returned=False), VACCINATOR)
    third = inject_on(clinic, first.vaccine, THIRD)
    assert (third.given.dose_number, third.given.dose_total) == (2, 2)
    assert stated(clinic.issue(clinic.apply(third))) == [(1, "LOT2"), (2, "LOT1")]


def test_voiding_the_last_dose_leaves_the_earlier_ones_as_they_are(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    clinic.send(VoidInjection(second.code, "wrong person", dose_returned=False), VACCINATOR)
    assert clinic.records.injections[first.code] == first


# -- a dose changes afterwards ----------------------------------------------------------------------


def test_correcting_an_earlier_dose_replaces_every_certificate_that_states_it(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    of_first = clinic.issue(clinic.apply(first))
    of_second = clinic.issue(clinic.apply(second))
    since = len(clinic.records.events)
    clinic.send(CorrectInjection(first.code, "misread", lot="LOT2"), VACCINATOR)
    assert clinic.happened(since) == ["InjectionCorrected", "CertificateReissued", "CertificateReissued"]
    assert [stated(certificate) for certificate in live(clinic)] == [
        [(1, "LOT2")],
        [(1, "LOT2"), (2, "LOT2")],
    ]
    assert [facts_of(c).supersedes for c in live(clinic)] == [of_first.code, of_second.code]
    for old in (of_first, of_second):
        assert clinic.records.certificates[old.code].status is CertificateStatus.REVOKED
        assert clinic.records.applications[old.application].status is ApplicationStatus.ISSUED


def test_correcting_a_later_dose_leaves_the_certificate_of_an_earlier_one(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    kept = clinic.issue(clinic.apply(first))
    clinic.issue(clinic.apply(second))
    clinic.send(CorrectInjection(second.code, "misread", lot="LOT1"), VACCINATOR)
    assert kept in live(clinic)
    assert [stated(certificate) for certificate in live(clinic)][1] == [(1, "LOT1"), (2, "LOT1")]


def test_correcting_twice_replaces_the_replacement(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    clinic.issue(clinic.apply(second))
    clinic.send(CorrectInjection(first.code, "misread", lot="LOT2"), VACCINATOR)
    clinic.send(CorrectInjection(first.code, "misread again", vaccinator="박민수"), VACCINATOR)
    [certificate] = live(clinic)
    assert facts_of(certificate).doses[0].vaccinator == "박민수"
    assert len(clinic.records.certificates) == 3


def test_voiding_an_earlier_dose_revokes_every_certificate_that_states_it(clinic: SmallClinic) -> None:
    first, second = two_doses(clinic)
    of_second = clinic.issue(clinic.apply(second))
    applied_for_first = clinic.apply(first)
    clinic.send(VoidInjection(first.code, "wrong person", dose_returned=False), VACCINATOR)
    assert live(clinic) == []
    assert clinic.records.certificates[of_second.code].reason == "wrong person"
    assert clinic.records.applications[of_second.application].status is ApplicationStatus.REVOKED
    assert clinic.records.applications[applied_for_first.code].status is ApplicationStatus.CANCELLED
    again = clinic.send(ApplyForCertificate(second.code), clinic.as_recipient(second.recipient))
    clinic.relay()
    assert stated(clinic.issue(again)) == [(1, "LOT2")]


def test_another_persons_certificates_are_left_alone(clinic: SmallClinic) -> None:
    vaccine = stocked(clinic)
    mine, theirs = clinic.inject(vaccine, 1), clinic.inject(vaccine, 2)
    clinic.issue(clinic.apply(mine))
    kept = clinic.issue(clinic.apply(theirs))
    clinic.send(VoidInjection(mine.code, "wrong person", dose_returned=False), VACCINATOR)
    assert live(clinic) == [kept]


@pytest.mark.parametrize("change", ["corrected", "voided"])
def test_paper_overtaken_by_a_change_of_an_earlier_dose_is_not_handed_out(
    clinic: SmallClinic, change: str
) -> None:
    first, second = two_doses(clinic)
    application = clinic.apply(second)
    ready = clinic.certificate_of(application)
    recipient = clinic.records.recipients[second.recipient]
    facts = state_facts(ready.code, recipient, clinic.series(second), clinic.context(OFFICER))
    record = RecordIssue(ready.code, facts, clinic.signer.sign(facts), second.version)
    if change == "corrected":
        clinic.send(CorrectInjection(first.code, "misread", lot="LOT2"), VACCINATOR)
    else:
        clinic.send(VoidInjection(first.code, "wrong person", dose_returned=False), VACCINATOR)
    with pytest.raises(errors.CertificateOutdated):
        clinic.send(record, OFFICER)
    assert len(stated(clinic.issue(application))) == (2 if change == "corrected" else 1)


def test_an_officer_reissues_with_every_dose_of_the_series(clinic: SmallClinic) -> None:
    _, second = two_doses(clinic)
    old = clinic.issue(clinic.apply(second))
    code = clinic.send(ReissueCertificate(old.code, "spelling"), OFFICER)
    assert stated(clinic.records.certificates[code]) == [(1, "LOT1"), (2, "LOT2")]
