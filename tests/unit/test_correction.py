"""Putting a record right: doses move in the ledger, nothing is deleted, certificates follow."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain import errors
from domain.actors import SYSTEM
from domain.booking import BookingStatus
from domain.correction import CorrectInjection, VoidInjection
from domain.injection import InjectionStatus, Severity
from domain.presentation import Site
from domain.stock import EntryKind
from domain.vaccine import EXPIRED, QuarantineLot, WriteOffExpired, WriteOffStock
from domain.visit import ReportAdverseEvent

from .memory import local
from .small_clinic import FIRST_SLOT, FLU, MANAGER, VACCINATOR, SmallClinic


def two_lots(clinic: SmallClinic) -> str:
    vaccine = clinic.vaccine(doses=3, lot="LOT1")
    clinic.stock(vaccine, 3, "LOT2", date(2027, 1, 31))
    return vaccine


def test_a_dose_that_came_from_another_lot_moves_in_the_ledger(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine, 1, "LOT1")
    ledger = len(clinic.records.ledger)
    corrected = clinic.send(CorrectInjection(injection.code, "misread", lot=" lot2 "), VACCINATOR)
    assert (corrected.given.lot, corrected.given.expires_on) == ("LOT2", date(2027, 1, 31))
    assert (clinic.remaining(vaccine, "LOT1"), clinic.remaining(vaccine, "LOT2")) == (3, 2)
    assert clinic.level(vaccine) == (5, 0)
    entries = clinic.records.ledger[ledger:]
    assert [(e.kind, e.lot, e.stock_delta) for e in entries] == [
        (EntryKind.CORRECTED, "LOT1", 1),
        (EntryKind.CORRECTED, "LOT2", -1),
    ]
    assert {(e.reference, e.reason) for e in entries} == {(injection.code, "misread")}


def test_site_and_vaccinator_are_put_right_without_touching_the_stock(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    ledger = list(clinic.records.ledger)
    command = CorrectInjection(injection.code, "other arm", site=Site.RIGHT_ARM, vaccinator="박민수")
    dose = clinic.send(command, VACCINATOR).given
    assert (dose.site, dose.vaccinator, dose.lot) == (Site.RIGHT_ARM, "박민수", "LOT1")
    assert clinic.records.ledger == ledger


def test_every_correction_counts_up_the_version_and_says_why(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    assert injection.version == 1
    assert clinic.send(CorrectInjection(injection.code, "one", lot="LOT2"), VACCINATOR).version == 2
    assert clinic.send(CorrectInjection(injection.code, "two", lot="LOT1"), VACCINATOR).version == 3
    with pytest.raises(errors.Missing):
        clinic.send(CorrectInjection(injection.code, "  ", lot="LOT2"), VACCINATOR)


def test_a_correction_that_changes_nothing_is_refused(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    before = clinic.records
    with pytest.raises(errors.NothingChanged):
        clinic.send(CorrectInjection(injection.code, "none", lot="LOT1", site=Site.LEFT_ARM), VACCINATOR)
    assert clinic.records is before


def test_a_lot_typed_in_small_letters_is_the_same_and_moves_no_dose(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    ledger = list(clinic.records.ledger)
    command = CorrectInjection(injection.code, "other arm", lot=" lot1", site=Site.RIGHT_ARM)
    assert clinic.send(command, VACCINATOR).given.site is Site.RIGHT_ARM
    assert clinic.records.ledger == ledger


def test_a_lot_nobody_knows_or_of_another_vaccine_is_refused(clinic: SmallClinic) -> None:
    clinic.vaccine(FLU, doses=3, lot="FLU1")
    injection = clinic.inject(two_lots(clinic))
    for lot in ("FLU1", "NOSUCH"):
        with pytest.raises(errors.LotUnknown):
            clinic.send(CorrectInjection(injection.code, "misread", lot=lot), VACCINATOR)


def test_a_lot_that_had_no_dose_left_cannot_have_been_the_one(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    clinic.send(WriteOffStock(vaccine, "LOT2", 3, "broken"), MANAGER)
    before = clinic.records
    with pytest.raises(errors.InsufficientStock):
        clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    assert clinic.records is before


@pytest.mark.parametrize("quarantined", [False, True])
def test_a_fact_is_not_refused_because_the_lot_has_expired_since_and_was_written_off(
    clinic: SmallClinic, quarantined: bool
) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.stock(vaccine, 2, "OLD", date(2026, 3, 2))
    injection = clinic.inject(vaccine)
    clinic.clock.move(days=1)
    assert clinic.send(WriteOffExpired(vaccine), SYSTEM) == 2
    if quarantined:
        clinic.send(QuarantineLot(vaccine, "OLD", "recall"), MANAGER)
    ledger = len(clinic.records.ledger)
    dose = clinic.send(CorrectInjection(injection.code, "it was OLD", lot="OLD"), VACCINATOR).given
    assert (dose.lot, clinic.remaining(vaccine, "OLD"), clinic.level(vaccine)) == ("OLD", 0, (3, 0))
    assert [(e.kind, e.lot, e.stock_delta, e.reason) for e in clinic.records.ledger[ledger:]] == [
        (EntryKind.CORRECTED, "LOT1", 1, "it was OLD"),
        (EntryKind.WRITTEN_OFF, "OLD", 1, EXPIRED),
        (EntryKind.CORRECTED, "OLD", -1, "it was OLD"),
    ]


def test_no_more_doses_were_given_from_an_expired_lot_than_were_written_off(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.stock(vaccine, 2, "OLD", date(2026, 3, 2))
    clinic.send(WriteOffStock(vaccine, "OLD", 1, "broken"), MANAGER)
    first, second = clinic.inject(vaccine, 1), clinic.inject(vaccine, 2)
    clinic.clock.move(days=1)
    clinic.send(WriteOffExpired(vaccine), SYSTEM)
    clinic.send(CorrectInjection(first.code, "it was OLD", lot="OLD"), VACCINATOR)
    before = clinic.records
    with pytest.raises(errors.InsufficientStock):
        clinic.send(CorrectInjection(second.code, "it was OLD", lot="OLD"), VACCINATOR)
    assert clinic.records is before


def test_a_dose_put_back_into_an_expired_lot_is_written_off_and_promised_to_nobody(
    clinic: SmallClinic,
) -> None:
    vaccine = clinic.vaccine(doses=2)
    clinic.stock(vaccine, 1, "OLD", date(2026, 3, 2))
    voided = clinic.inject(vaccine, 1, "OLD")
    waiting = [clinic.book(vaccine, number, FIRST_SLOT + timedelta(days=1)) for number in (2, 3, 4)]
    clinic.clock.move(days=1)
    assert clinic.send(WriteOffExpired(vaccine), SYSTEM) == 0
    clinic.send(VoidInjection(voided.code, "never given", dose_returned=True), VACCINATOR)
    assert (clinic.level(vaccine), clinic.remaining(vaccine, "OLD")) == ((2, 2), 0)
    assert clinic.statuses(voided.booking, *waiting) == [
        BookingStatus.WAITING, BookingStatus.RESERVED, BookingStatus.RESERVED, BookingStatus.WAITING,
    ]  # fmt: skip
    entries = [(e.kind, e.stock_delta, e.reason) for e in clinic.records.ledger if e.lot == "OLD"]
    assert entries[-2:] == [(EntryKind.CORRECTED, 1, "never given"), (EntryKind.WRITTEN_OFF, -1, EXPIRED)]


def test_a_dose_from_a_quarantined_lot_is_recorded_and_the_lot_stays_closed(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine, 1, "LOT1")
    clinic.send(QuarantineLot(vaccine, "LOT2", "recall"), MANAGER)
    corrected = clinic.send(CorrectInjection(injection.code, "it was LOT2", lot="LOT2"), VACCINATOR)
    assert corrected.given.lot == "LOT2"
    assert (clinic.remaining(vaccine, "LOT1"), clinic.remaining(vaccine, "LOT2")) == (3, 0)
    assert clinic.level(vaccine) == (3, 0)
    with pytest.raises(errors.LotInQuarantine):
        clinic.stock(vaccine, 1, "LOT2", date(2027, 1, 31))


def test_a_dose_put_back_into_a_quarantined_lot_does_not_become_bookable(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine, 1, "LOT1")
    bookings = [clinic.book(vaccine, number) for number in (2, 3, 4)]
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    clinic.send(CorrectInjection(injection.code, "it was LOT2", lot="LOT2"), VACCINATOR)
    assert clinic.level(vaccine) == (2, 2)
    assert (clinic.remaining(vaccine, "LOT1"), clinic.remaining(vaccine, "LOT2")) == (0, 2)
    assert clinic.statuses(*bookings) == [
        BookingStatus.RESERVED,
        BookingStatus.RESERVED,
        BookingStatus.WAITING,
    ]


def test_no_more_doses_were_given_from_a_lot_in_quarantine_than_were_there(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.inject(vaccine)
    clinic.stock(vaccine, 2, "LOT2")
    other = clinic.inject(vaccine, 2, "LOT2")
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    with pytest.raises(errors.InsufficientStock):
        clinic.send(CorrectInjection(other.code, "it was LOT1", lot="LOT1"), VACCINATOR)
    assert clinic.level(vaccine) == (1, 0)


def test_only_a_completed_injection_is_corrected_or_voided(clinic: SmallClinic) -> None:
    visit = clinic.expect(two_lots(clinic))
    for command in (CorrectInjection(visit.code, "x", lot="LOT2"), VoidInjection(visit.code, "x", True)):
        with pytest.raises(errors.NotCompleted):
            clinic.send(command, VACCINATOR)


# -- voiding ----------------------------------------------------------------------------------------


def test_a_dose_that_was_never_given_goes_back_to_the_lot_it_came_from(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine, 1, "LOT2")
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    assert (clinic.remaining(vaccine, "LOT1"), clinic.remaining(vaccine, "LOT2")) == (3, 3)
    assert clinic.level(vaccine) == (6, 1)
    assert clinic.records.injections[injection.code].status is InjectionStatus.VOIDED
    assert clinic.statuses(injection.booking) == [BookingStatus.RESERVED]
    assert clinic.happened()[-2:] == ["InjectionVoided", "BookingReopened"]


def test_a_dose_that_was_given_stays_given_when_its_record_is_voided(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    assert clinic.level(vaccine) == (5, 0)
    assert clinic.statuses(injection.booking) == [BookingStatus.COMPLETED]


def test_an_adverse_event_may_follow_a_dose_whose_record_was_struck_out(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    clinic.send(ReportAdverseEvent(injection.code, Severity.SEVERE, "호흡곤란"), VACCINATOR)
    assert len(clinic.records.injections[injection.code].adverse_events) == 1


def test_who_was_voided_on_another_day_is_expected_in_a_slot_that_is_to_come(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    clinic.clock.move(days=1)
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    booking = clinic.records.bookings[injection.booking]
    assert booking.status is BookingStatus.RESERVED
    assert booking.slot > clinic.clock.now()
    clinic.relay()
    assert clinic.visit(booking.code).slot == booking.slot


def test_a_voided_record_keeps_what_it_said(clinic: SmallClinic) -> None:
    injection = clinic.inject(two_lots(clinic))
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    kept = clinic.records.injections[injection.code]
    assert (kept.dose, kept.version) == (injection.dose, 2)
    with pytest.raises(errors.NotCompleted):
        _ = kept.given


def test_a_dose_returned_to_a_quarantined_lot_is_not_bookable_and_its_person_waits(
    clinic: SmallClinic,
) -> None:
    vaccine = clinic.vaccine(doses=1)
    injection = clinic.inject(vaccine)
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    assert clinic.level(vaccine) == (0, 0)
    assert clinic.remaining(vaccine) == 0
    assert clinic.statuses(injection.booking) == [BookingStatus.WAITING]


def test_who_was_voided_is_expected_again_and_can_be_injected_the_same_day(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    clinic.relay()
    again = clinic.visit(injection.booking)
    assert (again.status, again.dose) == (InjectionStatus.EXPECTED, None)
    assert again.code != injection.code


def test_a_voided_dose_does_not_count_in_the_series(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    clinic.send(VoidInjection(injection.code, "wrong person", dose_returned=False), VACCINATOR)
    assert clinic.inject(vaccine).given.dose_number == 1


def test_an_injection_is_voided_once(clinic: SmallClinic) -> None:
    vaccine = two_lots(clinic)
    injection = clinic.inject(vaccine)
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    with pytest.raises(errors.NotCompleted):
        clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    assert clinic.level(vaccine) == (6, 1)


def test_voiding_a_dose_leaves_later_doses_against_other_diseases_as_they_are(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(doses=3), clinic.vaccine(FLU, doses=3)
    clinic.inject(covid)
    clinic.clock.set_local("2026-03-30 08:00")
    second = clinic.inject(covid, slot=local("2026-03-30 09:00"))
    clinic.clock.move(minutes=5)
    other = clinic.inject(flu, slot=local("2026-03-30 09:15"))
    clinic.send(VoidInjection(second.code, "wrong person", dose_returned=False), VACCINATOR)
    assert clinic.records.injections[other.code] == other
