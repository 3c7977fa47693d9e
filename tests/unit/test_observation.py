"""After the needle: the observation, and what is reported of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import errors
from domain.injection import Injection, Severity
from domain.visit import FinishObservation, ReportAdverseEvent

from .small_clinic import TWO_DOSES, VACCINATOR, SmallClinic


@pytest.mark.parametrize(("allergic", "minutes"), [(False, 15), (True, 30)])
def test_the_observation_is_longer_for_who_ever_reacted_at_once(
    clinic: SmallClinic, allergic: bool, minutes: int
) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1), allergic=allergic)
    clinic.clock.move(minutes=minutes, seconds=-1)
    with pytest.raises(errors.ObservationOpen) as refusal:
        clinic.send(FinishObservation(injection.code), VACCINATOR)
    assert refusal.value.facts == {"time": f"08:{minutes}"}
    clinic.clock.move(seconds=1)
    clinic.send(FinishObservation(injection.code), VACCINATOR)
    assert clinic.happened()[-1] == "ObservationFinished"
    with pytest.raises(errors.NotExpected):
        clinic.send(FinishObservation(injection.code), VACCINATOR)


def test_an_observation_that_is_longer_by_the_rules_is_not_shortened(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(replace(TWO_DOSES, observation_minutes=45), doses=1)
    dose = clinic.inject(vaccine, allergic=True).given
    assert dose.observe_until - dose.given_at == timedelta(minutes=45)


def test_more_than_one_adverse_event_may_follow_a_dose(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    clinic.send(ReportAdverseEvent(injection.code, Severity.MILD, "발적"), VACCINATOR)
    clinic.clock.move(minutes=5)
    clinic.send(ReportAdverseEvent(injection.code, Severity.SEVERE, "호흡곤란"), VACCINATOR)
    events = clinic.records.injections[injection.code].adverse_events
    assert [(event.severity, event.description) for event in events] == [
        (Severity.MILD, "발적"),
        (Severity.SEVERE, "호흡곤란"),
    ]
    assert events[1].at - events[0].at == timedelta(minutes=5)


def test_nothing_follows_a_dose_that_was_not_given(clinic: SmallClinic) -> None:
    visit: Injection = clinic.expect(clinic.vaccine(doses=1))
    for command in (FinishObservation(visit.code), ReportAdverseEvent(visit.code, Severity.MILD, "발적")):
        with pytest.raises(errors.NotCompleted):
            clinic.send(command, VACCINATOR)
