"""Whenever this happens, then that follows: in time, out of time, and more than once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import events as e
from domain import policies
from domain.application import CancelApplication
from domain.booking import BookingStatus, CancelBooking, MarkNoShow
from domain.errors import ClinicError, NotFound
from domain.injection import InjectionStatus
from domain.parts import Part
from domain.vaccine import WriteOffStock
from domain.visit import CheckIn

from .memory import MemoryUnitOfWork
from .small_clinic import FIRST_SLOT, FLU, MANAGER, OFFICER, VACCINATOR, SmallClinic


def last(clinic: SmallClinic, kind: type[e.Event]) -> e.Event:
    return [event for event in clinic.records.events if type(event) is kind][-1]


def test_what_must_not_be_seen_half_done_does_not_wait_for_the_relay() -> None:
    at_once = {kind.__name__ for kind in policies.AT_ONCE}
    by_relay = {kind.__name__ for part in policies.BY_RELAY.values() for kind in part}
    assert {"StockAdded", "InjectionCorrected", "RecipientCorrected", "CertificateIssued"} <= at_once
    assert by_relay == {
        "Booked", "BookingPromoted", "BookingReopened", "BookingCancelled", "BookingNoShow",
        "BookingWaitlisted", "CertificateApplied", "ApplicationCancelled",
    }  # fmt: skip


def test_what_follows_from_what_follows_is_in_the_same_transaction(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    reserved = clinic.book(vaccine, 1)
    clinic.book(vaccine, 2)
    since = len(clinic.records.events)
    clinic.send(CancelBooking(reserved), clinic.owner(reserved))
    assert clinic.happened(since) == ["BookingCancelled", "BookingPromoted"]


def test_when_a_policy_fails_the_command_it_followed_has_not_happened(
    clinic: SmallClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise NotFound(what="the policy's")

    vaccine = clinic.vaccine(doses=1)
    booking = clinic.book(vaccine)
    before = clinic.records
    monkeypatch.setitem(policies.AT_ONCE, e.BookingCancelled, (fails,))
    with pytest.raises(NotFound):
        clinic.send(CancelBooking(booking), clinic.owner(booking))
    assert clinic.records is before
    assert clinic.statuses(booking) == [BookingStatus.RESERVED]


def test_a_booking_is_accepted_at_the_desk_once_however_often_it_is_told(clinic: SmallClinic) -> None:
    clinic.expect(clinic.vaccine(doses=1))
    before = clinic.records.injections
    for _ in range(3):
        clinic.deliver("injection-intake", last(clinic, e.Booked))
    assert clinic.records.injections == before
    assert clinic.happened().count("InjectionRegistered") == 1


def test_a_booking_that_was_cancelled_before_the_desk_heard_of_it_is_not_expected(
    clinic: SmallClinic,
) -> None:
    booking = clinic.book(clinic.vaccine(doses=1))
    clinic.send(CancelBooking(booking), clinic.owner(booking))
    clinic.relay()
    assert clinic.records.injections == {}


@pytest.mark.parametrize("missed", [False, True])
def test_the_visit_of_a_booking_given_back_is_withdrawn(clinic: SmallClinic, missed: bool) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    clinic.clock.move(hours=1)
    clinic.send(MarkNoShow(visit.booking) if missed else CancelBooking(visit.booking), VACCINATOR)
    clinic.relay()
    assert clinic.records.injections[visit.code].status is InjectionStatus.WITHDRAWN


def test_a_cancellation_told_after_the_needle_withdraws_nothing(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    late = e.BookingCancelled(injection.booking, injection.recipient, injection.vaccine, True, "")
    clinic.deliver("injection-intake", late)
    assert clinic.records.injections[injection.code] == injection


def test_an_old_step_back_does_not_withdraw_who_was_promoted_meanwhile(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    visit = clinic.expect(vaccine)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    clinic.stock(vaccine, 1)
    clinic.relay()
    assert clinic.records.injections[visit.code] == visit


def test_a_visit_moves_with_its_booking_that_stepped_back_and_got_another_slot(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine, flu = clinic.vaccine(doses=1), clinic.vaccine(FLU, doses=1)
    visit = clinic.expect(vaccine, 1)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    clinic.book(flu, 2)
    clinic.stock(vaccine, 1)
    clinic.relay()
    later = FIRST_SLOT + timedelta(minutes=15)
    assert clinic.booking(visit.booking).slot == later
    assert clinic.visit(visit.booking) == replace(visit, slot=later)


def test_an_arrived_person_whose_booking_is_cancelled_is_no_longer_expected(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    clinic.send(CheckIn(visit.code), VACCINATOR)
    clinic.send(CancelBooking(visit.booking), clinic.owner(visit.booking))
    clinic.relay()
    assert clinic.records.injections[visit.code].status is InjectionStatus.WITHDRAWN


def test_an_issue_is_prepared_once_however_often_it_is_told(clinic: SmallClinic) -> None:
    clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    for _ in range(3):
        clinic.deliver("issuing", last(clinic, e.CertificateApplied))
    assert len(clinic.records.certificates) == 1
    assert clinic.happened().count("IssuePrepared") == 1


def test_an_application_cancelled_before_issuing_heard_of_it_prepares_nothing(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.apply(injection)
    clinic.send(CancelApplication(application.code), OFFICER)
    clinic.relay()
    count = len(clinic.records.certificates)
    clinic.deliver("issuing", last(clinic, e.CertificateApplied))
    assert len(clinic.records.certificates) == count


def test_a_cancelled_application_told_twice_cancels_its_issue_once(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    clinic.send(CancelApplication(application.code), OFFICER)
    clinic.relay()
    clinic.deliver("issuing", last(clinic, e.ApplicationCancelled))
    assert clinic.happened().count("IssueCancelled") == 1


def test_an_old_cancellation_does_not_cancel_what_was_issued(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    certificate = clinic.issue(application)
    stale = e.ApplicationCancelled(application.code, application.injection, application.recipient)
    clinic.deliver("issuing", stale)
    assert clinic.records.certificates[certificate.code] == certificate


def test_a_part_ignores_what_does_not_concern_it(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.book(vaccine)
    clinic.deliver("issuing", last(clinic, e.Booked))
    assert clinic.records.injections == {}
    assert clinic.records.certificates == {}


def test_a_delivery_told_again_reserves_nothing_again(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.book(vaccine)
    clinic.stock(vaccine, 2)
    uow = MemoryUnitOfWork(clinic.records)
    uow.emit(e.StockAdded(vaccine, "LOT1", 2))
    policies.follow_at_once(uow, clinic.context(MANAGER))
    assert len(uow.emitted) == 1
    assert uow.vaccines.get(vaccine).reserved == 1


def test_what_followed_from_one_event_of_a_batch_does_not_follow_again_from_the_next(
    clinic: SmallClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[e.Event] = []

    def emits(uow: MemoryUnitOfWork, event: e.Booked, _: object) -> None:
        uow.emit(e.StockAdded(event.vaccine, event.booking, 1))

    monkeypatch.setitem(policies.BY_RELAY[Part.INJECTION_INTAKE], e.Booked, emits)
    monkeypatch.setitem(policies.AT_ONCE, e.StockAdded, (lambda uow, event, context: followed.append(event),))
    uow = MemoryUnitOfWork(clinic.records)
    for booking in ("first", "second"):
        event = e.Booked(booking, "somebody", "vaccine", "product", FIRST_SLOT)
        policies.follow_by_relay(Part.INJECTION_INTAKE, uow, event, clinic.context(MANAGER))
    assert [event.lot for event in followed if isinstance(event, e.StockAdded)] == ["first", "second"]


def test_every_refusal_is_one_of_the_clinics_own() -> None:
    kinds, todo = set[type[ClinicError]](), [ClinicError]
    while todo:
        kind = todo.pop()
        kinds.add(kind)
        todo += kind.__subclasses__()
    own = [kind for kind in kinds if kind.__module__ == "domain.errors"]
    assert len({kind.code for kind in own}) == len(own)
    assert all(kind.text.endswith((".", "}")) or "For example" in kind.text for kind in own)
