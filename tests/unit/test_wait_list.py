"""The wait list: first come, first served, for each vaccine on its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import errors
from domain.actors import SYSTEM
from domain.booking import BookingStatus, CancelBooking, MarkNoShow
from domain.correction import CorrectInjection, VoidInjection
from domain.injection import InjectionStatus
from domain.vaccine import QuarantineLot, WriteOffStock
from domain.visit import CheckIn
from domain.wait_list import PromoteWaiting

from .memory import local
from .small_clinic import FIRST_SLOT, FLU, MANAGER, TWO_DOSES, VACCINATOR, SmallClinic

RESERVED, WAITING, CANCELLED = BookingStatus.RESERVED, BookingStatus.WAITING, BookingStatus.CANCELLED


def test_cancelling_a_waiting_booking_changes_no_quantity_and_promotes_nobody(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    reserved, first, second = (clinic.book(vaccine, number) for number in (1, 2, 3))
    ledger = len(clinic.records.ledger)
    clinic.send(CancelBooking(first), clinic.owner(first))
    assert clinic.statuses(reserved, first, second) == [RESERVED, CANCELLED, WAITING]
    assert clinic.level(vaccine) == (1, 1)
    assert len(clinic.records.ledger) == ledger


def test_cancelling_a_reserved_booking_promotes_who_waits_longest(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    reserved, first, second = (clinic.book(vaccine, number) for number in (1, 2, 3))
    clinic.send(CancelBooking(reserved), clinic.owner(reserved))
    assert clinic.statuses(first, second) == [RESERVED, WAITING]
    assert clinic.level(vaccine) == (1, 1)
    assert clinic.happened()[-2:] == ["BookingCancelled", "BookingPromoted"]


def test_a_cancelled_dose_goes_to_the_same_vaccine_only(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU)
    reserved = clinic.book(covid, 1)
    for_flu = clinic.book(flu, 2)
    for_covid = clinic.book(covid, 3)
    clinic.send(CancelBooking(reserved), clinic.owner(reserved))
    assert clinic.statuses(for_flu, for_covid) == [WAITING, RESERVED]
    assert (clinic.level(covid), clinic.level(flu)) == ((1, 1), (0, 0))


def test_a_missed_booking_promotes_who_waits_longest(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    absent, first, second = (clinic.book(vaccine, number) for number in (1, 2, 3))
    clinic.clock.move(hours=1)
    clinic.send(MarkNoShow(absent), VACCINATOR)
    assert clinic.statuses(first, second) == [RESERVED, WAITING]


def test_a_delivery_promotes_as_many_as_it_has_doses_oldest_first(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    waiting = [clinic.book(vaccine, number) for number in (1, 2, 3)]
    clinic.stock(vaccine, 2)
    assert clinic.statuses(*waiting) == [RESERVED, RESERVED, WAITING]
    assert clinic.level(vaccine) == (2, 2)
    clinic.stock(vaccine, 5)
    assert clinic.statuses(*waiting) == [RESERVED] * 3
    assert clinic.level(vaccine) == (7, 3)


def test_who_books_next_does_not_jump_the_queue_when_doses_come_and_go(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    first = clinic.book(vaccine, 1)
    clinic.stock(vaccine, 1)
    second = clinic.book(vaccine, 2)
    assert clinic.statuses(first, second) == [RESERVED, WAITING]


def test_asked_again_the_promotion_promotes_nobody(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.book(vaccine)
    clinic.stock(vaccine, 5)
    assert clinic.send(PromoteWaiting(vaccine), SYSTEM) == 0
    assert clinic.level(vaccine) == (5, 1)


def test_a_promoted_booking_keeps_its_slot_while_there_is_room(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    booking = clinic.book(vaccine, slot=FIRST_SLOT + timedelta(hours=1))
    clinic.stock(vaccine, 1)
    assert clinic.booking(booking).slot == FIRST_SLOT + timedelta(hours=1)


def test_a_promoted_booking_moves_to_the_next_slot_when_its_own_is_full(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    covid, flu = clinic.vaccine(TWO_DOSES), clinic.vaccine(FLU, doses=2)
    waiting = clinic.book(covid, 1)
    clinic.book(flu, 2)
    clinic.stock(covid, 1)
    assert clinic.statuses(waiting) == [RESERVED]
    assert clinic.booking(waiting).slot == FIRST_SLOT + timedelta(minutes=15)


def test_a_promoted_booking_whose_slot_is_past_gets_the_next_one(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    waiting = clinic.book(vaccine)
    clinic.clock.set_local("2026-03-02 16:46")
    clinic.stock(vaccine, 1)
    assert clinic.booking(waiting).slot == FIRST_SLOT + timedelta(days=1)


def test_who_waits_longest_is_promoted_whatever_day_they_wish_for(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    first, second = clinic.book(vaccine, 1, FIRST_SLOT + timedelta(days=7)), clinic.book(vaccine, 2)
    clinic.stock(vaccine, 1)
    assert clinic.statuses(first, second) == [RESERVED, WAITING]


def test_nobody_is_promoted_while_no_slot_has_room(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    waiting = clinic.book(vaccine)
    never_open(clinic)
    clinic.stock(vaccine, 1)
    assert clinic.statuses(waiting) == [WAITING]


def never_open(clinic: SmallClinic) -> None:
    schedule = replace(clinic.clinic.schedule, weekdays=frozenset())
    clinic.clinic = replace(clinic.clinic, schedule=schedule)


# -- doses are lost ---------------------------------------------------------------------------------


def test_when_doses_are_lost_the_last_to_have_booked_step_back(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    first, second, third = (clinic.book(vaccine, number) for number in (1, 2, 3))
    clinic.send(WriteOffStock(vaccine, "LOT1", 2, "fridge failed"), MANAGER)
    assert clinic.statuses(first, second, third) == [RESERVED, WAITING, WAITING]
    assert clinic.level(vaccine) == (1, 1)


def test_who_is_here_already_steps_back_after_everybody_who_is_not(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    first, second = (clinic.book(vaccine, number) for number in (1, 2))
    clinic.relay()
    clinic.send(CheckIn(clinic.visit(second).code), VACCINATOR)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    assert clinic.statuses(first, second) == [WAITING, RESERVED]


def test_who_missed_their_day_steps_back_before_everybody_who_is_yet_to_come(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=4)
    here, missed, missed_too = (clinic.book(vaccine, number) for number in (1, 2, 3))
    expected = clinic.book(vaccine, 4, local("2026-03-03 09:00"))
    everybody = here, missed, missed_too, expected
    clinic.relay()
    clinic.send(CheckIn(clinic.visit(here).code), VACCINATOR)
    clinic.clock.set_local("2026-03-02 23:59")
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)  # the day is not over yet
    assert clinic.statuses(*everybody) == [RESERVED, RESERVED, RESERVED, WAITING]
    clinic.stock(vaccine, 1)
    clinic.clock.set_local("2026-03-03 00:00")
    for statuses in (
        [RESERVED, RESERVED, WAITING, RESERVED],
        [RESERVED, WAITING, WAITING, RESERVED],
        [RESERVED, WAITING, WAITING, WAITING],
        [WAITING, WAITING, WAITING, WAITING],
    ):
        clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
        assert clinic.statuses(*everybody) == statuses


def test_doses_that_nobody_has_booked_are_lost_first(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    bookings = [clinic.book(vaccine, number) for number in (1, 2)]
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    assert clinic.statuses(*bookings) == [RESERVED, RESERVED]
    assert clinic.level(vaccine) == (2, 2)


def test_who_stepped_back_stands_before_everybody_who_came_later(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    first, second, third = (clinic.book(vaccine, number) for number in (1, 2, 3))
    assert clinic.statuses(third) == [WAITING]
    clinic.send(WriteOffStock(vaccine, "LOT1", 2, "fridge failed"), MANAGER)
    clinic.stock(vaccine, 1)
    assert clinic.statuses(first, second, third) == [RESERVED, WAITING, WAITING]
    clinic.stock(vaccine, 1)
    assert clinic.statuses(first, second, third) == [RESERVED, RESERVED, WAITING]


def test_a_quarantined_lot_sends_back_only_whom_the_other_lots_cannot_serve(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    clinic.stock(vaccine, 1, "GOOD")
    first, second, third = (clinic.book(vaccine, number) for number in (1, 2, 3))
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    assert clinic.statuses(first, second, third) == [RESERVED, WAITING, WAITING]
    assert clinic.level(vaccine) == (1, 1)


def test_another_vaccines_bookings_do_not_step_back(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    for_covid, for_flu = clinic.book(covid, 1), clinic.book(flu, 2)
    clinic.send(WriteOffStock(covid, "LOT1", 1, "broken"), MANAGER)
    assert clinic.statuses(for_covid, for_flu) == [WAITING, RESERVED]


# -- doses come back --------------------------------------------------------------------------------


def test_a_voided_dose_that_was_never_given_goes_back_to_its_own_booking(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    injection = clinic.inject(vaccine, 1)
    waiting = clinic.book(vaccine, 2)
    clinic.send(VoidInjection(injection.code, "wrong window", dose_returned=True), VACCINATOR)
    assert clinic.statuses(injection.booking, waiting) == [RESERVED, WAITING]
    assert clinic.level(vaccine) == (1, 1)


def test_a_returned_dose_goes_to_the_wait_list_when_its_person_has_booked_anew(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    injection = clinic.inject(vaccine, 1)
    anew = clinic.book(vaccine, 1, FIRST_SLOT + timedelta(days=28))
    waiting = clinic.book(vaccine, 2)
    clinic.send(VoidInjection(injection.code, "wrong window", dose_returned=True), VACCINATOR)
    assert clinic.statuses(anew, waiting) == [RESERVED, RESERVED]
    assert clinic.level(vaccine) == (2, 2)


def test_a_dose_that_a_correction_frees_goes_to_who_waits_longest(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1, lot="GOOD")
    clinic.stock(vaccine, 1, "BAD")
    injection = clinic.inject(vaccine, 1, "GOOD")
    clinic.send(QuarantineLot(vaccine, "BAD", "recall"), MANAGER)
    waiting = clinic.book(vaccine, 2)
    assert clinic.statuses(waiting) == [WAITING]
    clinic.send(CorrectInjection(injection.code, "it was BAD", lot="BAD"), VACCINATOR)
    assert clinic.statuses(waiting) == [RESERVED]
    assert clinic.level(vaccine) == (1, 1)


def test_who_was_voided_on_the_same_day_keeps_their_time(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    clinic.clock.set_local("2026-03-02 10:07")
    clinic.send(VoidInjection(injection.code, "never given", dose_returned=True), VACCINATOR)
    assert clinic.booking(injection.booking).slot == FIRST_SLOT


def test_who_was_voided_on_another_day_waits_while_no_slot_has_room(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    clinic.clock.move(days=1)
    never_open(clinic)
    clinic.send(VoidInjection(injection.code, "never given", dose_returned=True), VACCINATOR)
    assert clinic.statuses(injection.booking) == [WAITING]


# -- the desk follows -------------------------------------------------------------------------------


def test_the_desk_expects_nobody_who_waits(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    reserved = clinic.book(vaccine, 1)
    clinic.book(vaccine, 2)
    clinic.relay()
    assert [i.booking for i in clinic.records.injections.values()] == [reserved]


def test_the_desk_no_longer_expects_who_stepped_back_and_expects_them_again_when_promoted(
    clinic: SmallClinic,
) -> None:
    vaccine = clinic.vaccine(doses=1)
    first_visit = clinic.expect(vaccine)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    clinic.relay()
    assert clinic.records.injections[first_visit.code].status is InjectionStatus.WITHDRAWN
    clinic.stock(vaccine, 1)
    clinic.relay()
    assert clinic.visit(first_visit.booking).status is InjectionStatus.EXPECTED


def test_only_the_staff_of_the_stock_may_promote_by_hand(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    booking = clinic.book(vaccine)
    for actor in (VACCINATOR, clinic.owner(booking)):
        with pytest.raises(errors.NotAllowed):
            clinic.send(PromoteWaiting(vaccine), actor)
