"""Booking a dose in a slot: who may, when, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from domain import errors
from domain.actors import SYSTEM
from domain.booking import Book, BookingDetail, BookingStatus, CancelBooking, MarkNoShow, ticket_facts
from domain.clinic import Clinic, Opening, Schedule
from domain.injection import Concern
from domain.recipient import Sex
from domain.stock import EntryKind
from domain.vaccine import QuarantineLot, WriteOffExpired
from domain.visit import CheckIn, Screen

from .memory import local
from .small_clinic import (
    FIRST_SLOT,
    FLU,
    FLU_TWICE,
    MANAGER,
    ONE_DOSE,
    TWO_DOSES,
    VACCINATOR,
    SmallClinic,
    person,
)

AT_NIGHT = Clinic(schedule=Schedule(openings=(Opening(time(0), time(12)),), horizon_days=2))


def test_a_booking_reserves_a_dose_for_a_person_in_a_slot(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    receipt = clinic.send(Book(person(), vaccine, FIRST_SLOT))
    assert (receipt.status, receipt.slot, receipt.product) == (
        BookingStatus.RESERVED,
        FIRST_SLOT,
        TWO_DOSES.title,
    )
    assert clinic.level(vaccine) == (3, 1)
    entry = clinic.records.ledger[-1]
    assert (entry.kind, entry.reserved_delta, entry.reference) == (EntryKind.RESERVED, 1, receipt.booking)
    assert clinic.happened()[-2:] == ["RecipientRegistered", "Booked"]


def test_without_a_dose_nobody_is_booked_unless_they_agree_to_wait(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    with pytest.raises(errors.SoldOut):
        clinic.send(Book(person(), vaccine, FIRST_SLOT))
    assert clinic.records.bookings == {}
    assert clinic.records.recipients == {}
    receipt = clinic.send(Book(person(), vaccine, FIRST_SLOT, join_wait_list=True))
    assert receipt.status is BookingStatus.WAITING
    assert clinic.level(vaccine) == (0, 0)
    assert clinic.happened()[-1] == "BookingWaitlisted"


def test_who_agrees_to_wait_still_gets_a_dose_that_is_there(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    assert clinic.statuses(clinic.book(vaccine, wait=True)) == [BookingStatus.RESERVED]


def test_a_slot_takes_as_many_people_as_it_has_room_for_over_all_vaccines(clinic: SmallClinic) -> None:
    clinic.with_capacity(2)
    one, other = clinic.vaccine(TWO_DOSES, doses=9), clinic.vaccine(FLU, doses=9)
    clinic.book(one, 1)
    clinic.book(other, 2)
    with pytest.raises(errors.SlotFull):
        clinic.book(one, 3)
    assert clinic.level(one) == (9, 1)
    clinic.book(one, 3, FIRST_SLOT + timedelta(minutes=15))
    assert clinic.level(one) == (9, 2)


def test_a_cancelled_booking_leaves_its_place_in_the_slot(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine = clinic.vaccine(doses=9)
    first = clinic.book(vaccine, 1)
    clinic.send(CancelBooking(first), clinic.owner(first))
    assert clinic.statuses(clinic.book(vaccine, 2)) == [BookingStatus.RESERVED]


def test_somebody_who_came_still_fills_the_slot(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine = clinic.vaccine(doses=9)
    clinic.inject(vaccine, 1)
    with pytest.raises(errors.SlotFull):
        clinic.book(vaccine, 2)


def test_the_wait_list_does_not_fill_a_slot(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine = clinic.vaccine()
    waiting = [clinic.book(vaccine, number) for number in (1, 2, 3)]
    assert set(clinic.statuses(*waiting)) == {BookingStatus.WAITING}


@pytest.mark.parametrize(
    "slot",
    ["2026-03-08 09:00", "2026-03-02 12:30", "2026-03-02 09:07", "2026-03-02 17:00", "2026-03-01 09:00"],
)
def test_a_time_at_which_the_clinic_takes_nobody_is_refused(clinic: SmallClinic, slot: str) -> None:
    vaccine = clinic.vaccine(doses=1)
    with pytest.raises(errors.SlotUnknown):
        clinic.book(vaccine, slot=local(slot))


def test_a_slot_can_be_booked_until_it_is_over(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    clinic.clock.set_local("2026-03-02 09:14:59")
    assert clinic.statuses(clinic.book(vaccine, 1)) == [BookingStatus.RESERVED]
    clinic.clock.set_local("2026-03-02 09:15")
    with pytest.raises(errors.SlotUnknown):
        clinic.book(vaccine, 2)


def test_the_public_books_up_to_the_horizon_and_the_staff_beyond_it(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    last, beyond = local("2026-03-30 09:00"), local("2026-03-31 09:00")
    clinic.book(vaccine, 1, last)
    with pytest.raises(errors.SlotUnknown):
        clinic.book(vaccine, 2, beyond)
    assert clinic.statuses(clinic.book(vaccine, 2, beyond, actor=MANAGER)) == [BookingStatus.RESERVED]


def test_one_person_has_one_live_booking_of_a_vaccine(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    clinic.book(vaccine)
    with pytest.raises(errors.AlreadyBooked, match="already have a booking"):
        clinic.book(vaccine, slot=FIRST_SLOT + timedelta(days=1))
    assert clinic.level(vaccine) == (5, 1)


def test_waiting_counts_as_a_live_booking_and_a_cancelled_one_does_not(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    booking = clinic.book(vaccine)
    with pytest.raises(errors.AlreadyBooked, match="already on the wait list"):
        clinic.book(vaccine)
    clinic.send(CancelBooking(booking), clinic.owner(booking))
    assert clinic.statuses(clinic.book(vaccine)) == [BookingStatus.WAITING]


def test_the_same_person_is_known_again_and_may_book_another_vaccine(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    first = clinic.book(covid)
    second = clinic.book(flu, who=person(name="이 하나", phone="+82 10 0000 0001"))
    assert clinic.booking(first).recipient == clinic.booking(second).recipient
    assert clinic.happened().count("RecipientRegistered") == 1


def test_the_passport_spelling_can_be_put_right_with_the_next_booking(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    booking = clinic.book(covid, who=person(passport_surname="LI"))
    clinic.book(flu, who=person(passport_surname="LEE"))
    recipient = clinic.records.recipients[clinic.booking(booking).recipient]
    assert recipient.person.passport_surname == "LEE"


def test_a_booking_that_says_less_takes_nothing_away(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    known = person(sex=Sex.FEMALE)
    booking = clinic.book(covid, who=known)
    clinic.book(flu, who=person(name="이 하나", passport_given="", sex=Sex.UNKNOWN))
    assert clinic.records.recipients[clinic.booking(booking).recipient].person == known


def test_what_a_booking_says_anew_counts(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    booking = clinic.book(covid, who=person(passport_given=""))
    said = person(passport_given="HANNA", sex=Sex.MALE)
    clinic.book(flu, who=said)
    assert clinic.records.recipients[clinic.booking(booking).recipient].person == said


def test_who_is_too_young_on_the_day_is_refused_and_a_day_later_is_not(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=2)
    child = person(birth_date=date(2008, 3, 4))
    with pytest.raises(errors.TooYoung) as refusal:
        clinic.book(vaccine, slot=local("2026-03-03 16:45"), who=child)
    assert refusal.value.facts == {"vaccine": TWO_DOSES, "years": 18, "months": 0}
    assert clinic.records.recipients == {}
    clinic.book(vaccine, slot=local("2026-03-04 09:00"), who=child)


def test_an_age_below_a_year_is_said_in_months_alone(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(FLU, doses=1)
    with pytest.raises(errors.TooYoung) as refusal:
        clinic.book(vaccine, who=person(birth_date=date(2025, 9, 3)))
    assert str(refusal.value) == "Flu is given from 6 months of age."


def test_a_second_dose_is_booked_from_the_29th_when_the_first_was_on_the_1st(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=5)
    clinic.inject(vaccine)
    with pytest.raises(errors.TooEarly) as refusal:
        clinic.book(vaccine, slot=local("2026-03-28 16:45"))
    assert refusal.value.facts == {"date": date(2026, 3, 30)}
    clinic.book(vaccine, slot=local("2026-03-30 09:00"))


def test_a_dose_of_another_product_against_the_same_disease_counts(clinic: SmallClinic) -> None:
    once, twice = clinic.vaccine(ONE_DOSE, doses=1), clinic.vaccine(TWO_DOSES, doses=5)
    clinic.inject(once)
    with pytest.raises(errors.TooEarly):
        clinic.book(twice, slot=local("2026-03-28 09:00"))


def test_a_dose_against_another_disease_does_not_count(clinic: SmallClinic) -> None:
    flu, covid = clinic.vaccine(FLU, doses=1), clinic.vaccine(TWO_DOSES, doses=1)
    clinic.inject(flu)
    assert clinic.statuses(clinic.book(covid, slot=local("2026-03-03 09:00"))) == [BookingStatus.RESERVED]


def test_the_recipient_and_the_staff_cancel_and_a_stranger_does_not(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    mine, yours = clinic.book(vaccine, 1), clinic.book(vaccine, 2)
    with pytest.raises(errors.NotAllowed):
        clinic.send(CancelBooking(mine), clinic.owner(yours))
    with pytest.raises(errors.NotAllowed):
        clinic.send(CancelBooking(mine))
    clinic.send(CancelBooking(mine), clinic.owner(mine))
    clinic.send(CancelBooking(yours, reason="전화로 취소"), VACCINATOR)
    assert set(clinic.statuses(mine, yours)) == {BookingStatus.CANCELLED}
    assert clinic.level(vaccine) == (3, 0)


def test_a_booking_is_cancelled_once(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    booking = clinic.book(vaccine)
    clinic.send(CancelBooking(booking), clinic.owner(booking))
    with pytest.raises(errors.BookingClosed):
        clinic.send(CancelBooking(booking), clinic.owner(booking))
    assert clinic.level(vaccine) == (3, 0)


def test_a_completed_booking_can_neither_be_cancelled_nor_missed(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    injection = clinic.inject(vaccine)
    for command in (CancelBooking(injection.booking), MarkNoShow(injection.booking)):
        with pytest.raises(errors.BookingClosed):
            clinic.send(command, VACCINATOR)
    assert clinic.level(vaccine) == (2, 0)


def test_somebody_who_did_not_come_gives_the_dose_back(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    booking = clinic.book(vaccine)
    clinic.clock.move(hours=1)
    clinic.send(MarkNoShow(booking), VACCINATOR)
    assert clinic.statuses(booking) == [BookingStatus.NO_SHOW]
    assert clinic.level(vaccine) == (1, 0)


def test_nobody_is_missed_before_their_slot_has_begun(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    booking = clinic.book(vaccine)
    clinic.clock.move(minutes=59)
    with pytest.raises(errors.SlotNotBegun) as refusal:
        clinic.send(MarkNoShow(booking), VACCINATOR)
    assert refusal.value.facts == {"date": date(2026, 3, 2), "time": "09:00"}
    assert clinic.statuses(booking) == [BookingStatus.RESERVED]
    assert clinic.level(vaccine) == (1, 1)


@pytest.mark.parametrize("concerns", [(), (Concern.FEVER,)])
def test_somebody_who_is_checked_in_cannot_have_missed_it_and_keeps_the_dose(
    clinic: SmallClinic, concerns: tuple[Concern, ...]
) -> None:
    vaccine = clinic.vaccine(doses=1)
    visit = clinic.expect(vaccine)
    clinic.send(CheckIn(visit.code), VACCINATOR)
    clinic.send(Screen(visit.code, concerns), VACCINATOR)
    clinic.clock.move(hours=9)
    with pytest.raises(errors.AlreadyHere):
        clinic.send(MarkNoShow(visit.booking), VACCINATOR)
    assert clinic.statuses(visit.booking) == [BookingStatus.RESERVED]
    assert clinic.level(vaccine) == (1, 1)
    clinic.send(CancelBooking(visit.booking), VACCINATOR)
    assert clinic.level(vaccine) == (1, 0)


def test_who_only_waits_cannot_have_missed_anything(clinic: SmallClinic) -> None:
    booking = clinic.book(clinic.vaccine())
    with pytest.raises(errors.BookingClosed):
        clinic.send(MarkNoShow(booking), VACCINATOR)


def test_a_booking_nobody_knows_is_refused(clinic: SmallClinic) -> None:
    with pytest.raises(errors.NotFound):
        clinic.send(CancelBooking("BZZZZZZZZ"), VACCINATOR)


def test_the_ticket_says_the_time_on_the_clinics_clock_and_no_whole_name(clinic: SmallClinic) -> None:
    booking = clinic.booking(clinic.book(clinic.vaccine()))
    ticket = ticket_facts(BookingDetail(booking, TWO_DOSES, "이*나", ahead=0), clinic.context(MANAGER))
    assert f"{ticket.slot:%Y-%m-%d %H:%M}" == "2026-03-02 09:00"
    assert (ticket.code, ticket.name, ticket.waiting) == (booking.code, "이*나", True)


def test_a_dose_is_promised_for_no_day_after_its_lot_expires(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 2, "EARLY", date(2026, 3, 3))
    with pytest.raises(errors.DoseKeepsUntil) as refused:
        clinic.book(vaccine, 1, local("2026-03-04 09:00"))
    assert refused.value.facts["date"] == date(2026, 3, 3)
    assert clinic.level(vaccine) == (2, 0)
    clinic.book(vaccine, 1, local("2026-03-03 09:00"))
    assert clinic.level(vaccine) == (2, 1)


def test_a_dose_that_expired_is_promised_to_nobody_also_before_it_is_written_off(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 2, "EARLY", date(2026, 3, 2))
    clinic.stock(vaccine, 1, "LATE", date(2026, 3, 31))
    clinic.clock.set_local("2026-03-03 00:00")
    in_the_morning = local("2026-03-03 09:00")
    assert clinic.statuses(clinic.book(vaccine, 1, in_the_morning)) == [BookingStatus.RESERVED]
    with pytest.raises(errors.SoldOut):
        clinic.book(vaccine, 2, in_the_morning, wait=False)
    waiting = clinic.book(vaccine, 2, in_the_morning)
    clinic.send(WriteOffExpired(vaccine), SYSTEM)
    assert clinic.statuses(waiting) == [BookingStatus.WAITING]
    assert clinic.level(vaccine) == (1, 1)


def test_a_lot_that_expires_today_is_promised_for_no_later_day(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, "EARLY", date(2026, 3, 2))
    with pytest.raises(errors.DoseKeepsUntil):
        clinic.book(vaccine, 1, local("2026-03-03 09:00"))


def test_who_comes_on_the_last_day_of_a_lot_needs_none_that_keeps_longer(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, "EARLY", date(2026, 3, 3))
    clinic.stock(vaccine, 1, "LATE", date(2026, 3, 31))
    clinic.book(vaccine, 1, local("2026-03-03 09:00"))
    clinic.book(vaccine, 2, local("2026-03-04 09:00"))
    assert clinic.level(vaccine) == (2, 2)


def test_who_comes_at_midnight_after_a_lot_expires_needs_one_that_keeps_longer() -> None:
    clinic = SmallClinic(AT_NIGHT)
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, "EARLY", date(2026, 3, 3))
    clinic.stock(vaccine, 1, "LATE", date(2026, 3, 31))
    clinic.book(vaccine, 1, local("2026-03-04 00:00"))
    with pytest.raises(errors.DoseKeepsUntil):
        clinic.book(vaccine, 2, local("2026-03-04 01:00"))


def test_doses_that_keep_longer_are_kept_for_those_who_come_later(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 2, "EARLY", date(2026, 3, 3))
    clinic.stock(vaccine, 2, "LATE", date(2026, 3, 31))
    clinic.book(vaccine, 1, FIRST_SLOT)  # gets one of the early ones
    for number in (2, 3):
        clinic.book(vaccine, number, local("2026-03-10 09:00"))
    with pytest.raises(errors.DoseKeepsUntil):
        clinic.book(vaccine, 4, local("2026-03-04 09:00"))
    clinic.book(vaccine, 4, local("2026-03-03 09:00"))
    assert clinic.level(vaccine) == (4, 4)


def test_a_lot_in_quarantine_keeps_for_nobody(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, "EARLY", date(2026, 3, 3))
    clinic.stock(vaccine, 5, "LATE", date(2026, 3, 31))
    clinic.send(QuarantineLot(vaccine, "LATE", "리콜"), MANAGER)
    with pytest.raises(errors.DoseKeepsUntil):
        clinic.book(vaccine, 1, local("2026-03-10 09:00"))


def test_the_day_of_a_slot_is_the_clinics_and_not_that_of_utc() -> None:
    clinic = SmallClinic(AT_NIGHT)
    vaccine = clinic.vaccine(doses=2)
    clinic.book(vaccine, 1, local("2026-03-04 07:00"))
    with pytest.raises(errors.SlotUnknown):  # at the clinic it is the day after the horizon
        clinic.book(vaccine, 2, local("2026-03-05 07:00"))


def test_a_full_slot_can_be_wished_for_on_the_wait_list(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine = clinic.vaccine(doses=1)
    clinic.book(vaccine, 1)
    assert clinic.statuses(clinic.book(vaccine, 2)) == [BookingStatus.WAITING]


def test_who_was_vaccinated_takes_up_room_in_the_slot(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine = clinic.vaccine(doses=2)
    clinic.inject(vaccine, 1)
    with pytest.raises(errors.SlotFull):
        clinic.book(vaccine, 2)


def test_the_season_of_the_day_that_is_booked_says_which_interval_holds(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(replace(FLU_TWICE, booster_interval_days=60), doses=2)
    clinic.clock.set_local("2026-06-29 08:00")
    clinic.inject(vaccine, slot=local("2026-06-29 09:00"))
    with pytest.raises(errors.TooEarly) as refusal:  # the first of a season, not the second of the one before
        clinic.book(vaccine, 1, local("2026-07-27 09:00"))
    assert refusal.value.facts["date"] == date(2026, 8, 28)
