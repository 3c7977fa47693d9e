"""Who somebody is, put right: they are found by what is right, and so do their certificates say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain import errors
from domain.certificate import RecordIssue
from domain.correction import CorrectRecipient
from domain.events import RecipientCorrected
from domain.recipient import PersonDetails, Sex
from domain.statement import Certificate, CertificateStatus, state_facts

from .small_clinic import FLU, OFFICER, TWO_DOSES, VACCINATOR, SmallClinic, person

RIGHT = replace(person(), name="이한아", birth_date=date(1981, 1, 1), passport_surname="YI", sex=Sex.FEMALE)


def issued(clinic: SmallClinic, number: int = 1) -> Certificate:
    return clinic.issue(clinic.apply(clinic.inject(clinic.vaccine(TWO_DOSES, doses=1), number)))


def put_right(clinic: SmallClinic, recipient: str, who: PersonDetails = RIGHT) -> int:
    return clinic.send(CorrectRecipient(recipient, who, "misheard"), VACCINATOR)


def test_whoever_was_written_down_wrong_is_found_by_what_is_right(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(FLU, doses=5)
    recipient = clinic.booking(clinic.book(vaccine)).recipient
    since = len(clinic.records.events)
    assert put_right(clinic, recipient) == 0
    kept = clinic.records.recipients[recipient]
    assert kept.person == RIGHT
    assert clinic.records.events[since:] == [
        RecipientCorrected(recipient, kept.identity, "이*아", "misheard")
    ]
    again = clinic.book(clinic.vaccine(TWO_DOSES, doses=1), who=RIGHT)
    assert clinic.booking(again).recipient == recipient
    assert clinic.booking(clinic.book(vaccine)).recipient != recipient, "the old details are nobody's"


def test_every_certificate_is_replaced_in_the_same_transaction(clinic: SmallClinic) -> None:
    covid = issued(clinic)
    flu = clinic.issue(clinic.apply(clinic.inject(clinic.vaccine(FLU, doses=1))))
    somebody_else = clinic.issue(clinic.apply(clinic.inject(flu_of(clinic, flu), 2)))
    since = len(clinic.records.events)
    assert put_right(clinic, covid.recipient) == 2
    assert clinic.happened(since) == ["RecipientCorrected", "CertificateReissued", "CertificateReissued"]
    for old in (covid, flu):
        kept = clinic.records.certificates[old.code]
        assert (kept.status, kept.reason, kept.facts) == (CertificateStatus.REVOKED, "misheard", old.facts)
        new = clinic.certificate_of(clinic.records.applications[old.application])
        assert new.facts is not None
        assert new.facts.is_of(RIGHT)
        assert (new.status, new.facts.supersedes) == (CertificateStatus.ISSUED, old.code)
        assert (new.facts.doses, new.facts.issued_by) == (old.facts and old.facts.doses, OFFICER.name)
    assert clinic.records.certificates[somebody_else.code] == somebody_else


def flu_of(clinic: SmallClinic, certificate: Certificate) -> str:
    vaccine = clinic.records.injections[certificate.injection].vaccine
    clinic.stock(vaccine, 1)
    return vaccine


def test_what_is_issued_after_it_states_what_is_right(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    assert put_right(clinic, application.recipient) == 0
    facts = clinic.issue(application).facts
    assert facts is not None
    assert facts.is_of(RIGHT)


def test_paper_with_the_wrong_details_is_not_handed_out(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    ready = clinic.certificate_of(clinic.apply(injection))
    known = clinic.records.recipients[ready.recipient]
    facts = state_facts(ready.code, known, clinic.series(injection), clinic.context(OFFICER))
    put_right(clinic, ready.recipient, replace(known.person, sex=Sex.MALE))
    with pytest.raises(errors.CertificateOutdated):
        clinic.send(RecordIssue(ready.code, facts, clinic.signer.sign(facts), injection.version), OFFICER)


def test_nobody_becomes_somebody_who_is_known_already(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(FLU, doses=2)
    one, two = (clinic.booking(clinic.book(vaccine, number)).recipient for number in (1, 2))
    before = clinic.records
    with pytest.raises(errors.KnownAlready):
        put_right(clinic, two, replace(person(1), passport_given="HANNA"))
    assert clinic.records is before
    put_right(clinic, one, replace(person(1), phone="+821099999999"))
    put_right(clinic, two, person(1))


@pytest.mark.parametrize("changed", [{"phone": "+821099999999"}, {"name": "이 하나"}, {"sex": Sex.MALE}])
def test_any_single_detail_can_be_put_right_and_none_is_nothing(
    clinic: SmallClinic, changed: dict[str, str]
) -> None:
    recipient = clinic.booking(clinic.book(clinic.vaccine(FLU, doses=1))).recipient
    with pytest.raises(errors.NothingChanged):
        put_right(clinic, recipient, person())
    wanted = replace(person(), **changed)  # type: ignore[arg-type]
    put_right(clinic, recipient, wanted)
    assert clinic.records.recipients[recipient].person == wanted


def test_a_reason_is_asked_for(clinic: SmallClinic) -> None:
    recipient = clinic.booking(clinic.book(clinic.vaccine(FLU, doses=1))).recipient
    with pytest.raises(errors.Missing):
        clinic.send(CorrectRecipient(recipient, RIGHT, "  "), OFFICER)
