"""The faults of the product this one comes from, each shown to be absent as far as the domain reaches."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain import errors
from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import BookingStatus, CancelBooking
from domain.correction import CorrectInjection, CorrectRecipient, VoidInjection
from domain.events import Booked
from domain.gateway import COMMANDS, WORKFLOWS
from domain.injection import Severity
from domain.mypage import MyPageItem, Person, project
from domain.statement import CertificateStatus
from domain.visit import FinishObservation, ReportAdverseEvent

from .memory import MemoryUnitOfWork
from .small_clinic import FLU, OFFICER, TWO_DOSES, VACCINATOR, SmallClinic


def test_a_command_that_is_refused_half_way_emits_nothing(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "EMPTY")
    injection = clinic.inject(vaccine, 1, "EMPTY")
    events, ledger = len(clinic.records.events), len(clinic.records.ledger)
    with pytest.raises(errors.LotUnknown):
        clinic.send(CorrectInjection(injection.code, "misread", lot="NOSUCH"), VACCINATOR)
    assert (len(clinic.records.events), len(clinic.records.ledger)) == (events, ledger)


def test_the_last_dose_is_booked_once(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    outcomes = [clinic.booking(clinic.book(vaccine, number)).status for number in range(1, 6)]
    assert outcomes == [BookingStatus.RESERVED] + [BookingStatus.WAITING] * 4
    assert clinic.level(vaccine) == (1, 1)


def test_a_reservation_is_checked_against_the_stock_as_it_is_when_it_is_written(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    late = MemoryUnitOfWork(clinic.records)
    seen_before = late.vaccines.get(vaccine)
    clinic.book(vaccine, 1)
    assert seen_before.available == 1
    with pytest.raises(errors.SoldOut):
        clinic.book(vaccine, 2, wait=False)


def test_cancelling_a_waiting_booking_lowers_no_quantity(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.book(vaccine, 1)
    waiting = clinic.book(vaccine, 2)
    clinic.send(CancelBooking(waiting), clinic.owner(waiting))
    assert clinic.level(vaccine) == (1, 1)


def test_promotion_minds_the_vaccine(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU)
    reserved, for_flu = clinic.book(covid, 1), clinic.book(flu, 2)
    clinic.send(CancelBooking(reserved), clinic.owner(reserved))
    assert clinic.statuses(for_flu) == [BookingStatus.WAITING]
    assert (clinic.level(covid), clinic.level(flu)) == ((1, 0), (0, 0))


def test_adding_stock_promotes_who_waits(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    waiting = clinic.book(vaccine)
    clinic.stock(vaccine, 1)
    assert clinic.statuses(waiting) == [BookingStatus.RESERVED]


def test_updating_an_injection_completes_nothing_again_and_takes_no_stock_again(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    injection = clinic.inject(vaccine)
    clinic.clock.move(minutes=15)
    clinic.send(CorrectInjection(injection.code, "spelling", vaccinator="박민수"), VACCINATOR)
    clinic.send(ReportAdverseEvent(injection.code, Severity.MILD, "발적"), VACCINATOR)
    clinic.send(FinishObservation(injection.code), VACCINATOR)
    clinic.relay()
    assert clinic.level(vaccine) == (4, 0)
    assert clinic.happened().count("InjectionCompleted") == 1


def test_a_cancelled_application_ends_up_cancelled_in_the_view(clinic: SmallClinic) -> None:
    application = clinic.apply(clinic.inject(clinic.vaccine(doses=1)))
    clinic.send(CancelApplication(application.code), OFFICER)
    clinic.relay()
    shown: dict[str, str] = {}
    for event in clinic.records.events:
        for line in project(event, clinic.clock.now()):
            if isinstance(line, MyPageItem):
                shown[line.code] = line.status
            elif not isinstance(line, Person) and "status" in line.fields:
                shown[line.code] = str(line.fields["status"])
    certificate = clinic.certificate_of(application)
    assert shown[application.code] == "cancelled"
    assert shown[certificate.code] == "cancelled"
    assert certificate.status is CertificateStatus.CANCELLED


def test_nobody_applies_with_anybodys_injection(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    injection = clinic.inject(vaccine, 1)
    stranger = clinic.owner(clinic.book(vaccine, 2))
    with pytest.raises(errors.NotAllowed):
        clinic.send(ApplyForCertificate(injection.code), stranger)
    with pytest.raises(errors.NotAllowed):
        clinic.send(ApplyForCertificate(injection.code))


def test_no_command_lets_its_sender_state_an_owner_or_an_id_for_what_is_new() -> None:
    # Staff put a person's details right: that person is what the command is about.
    for kind in (COMMANDS.keys() | WORKFLOWS.keys()) - {CorrectRecipient}:
        stated: dict[str, Any] = getattr(kind, "__dataclass_fields__", {})
        assert not stated.keys() & {
            "recipient",
            "owner",
            "actor",
            "id",
            "code",
            "status",
            "given_at",
            "dose_number",
        }


def test_correcting_an_injection_revokes_what_was_certified_of_it(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "LOT2")
    injection = clinic.inject(vaccine)
    certificate = clinic.issue(clinic.apply(injection))
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    assert clinic.records.certificates[certificate.code].status is CertificateStatus.REVOKED


def test_voiding_takes_no_dose_from_the_wrong_lot(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    clinic.stock(vaccine, 5, "LOT2")
    injection = clinic.inject(vaccine, 1, "LOT2")
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    assert (clinic.remaining(vaccine, "LOT1"), clinic.remaining(vaccine, "LOT2")) == (5, 5)


@pytest.mark.parametrize(
    "wall_clock", ["2024-12-30 10:00", "2025-12-29 10:00", "2026-12-31 10:00", "2027-01-01 10:00"]
)
def test_a_dose_around_new_year_is_dated_in_its_calendar_year(clinic: SmallClinic, wall_clock: str) -> None:
    vaccine = clinic.vaccine()
    clinic.clock.set_local(wall_clock)
    clinic.stock(vaccine, 1, "LOT1", date(2028, 1, 1))
    day = date.fromisoformat(wall_clock[:10])
    injection = clinic.inject(vaccine, slot=clinic.clinic.slots_on(day)[-1])
    assert injection.given.given_on == day
    facts = clinic.issue(clinic.apply(injection)).facts
    assert facts is not None
    assert (facts.dose.given_on, facts.issued_on) == (day, day)


def test_the_public_books_while_the_injection_desk_is_down(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    bookings = [clinic.book(vaccine, number) for number in (1, 2)]
    assert set(clinic.statuses(*bookings)) == {BookingStatus.RESERVED}
    assert clinic.records.injections == {}
    clinic.relay()
    assert [visit.booking for visit in clinic.records.injections.values()] == bookings


def test_every_event_tells_of_a_change_that_is_there(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    booking = clinic.book(vaccine)
    assert clinic.happened() == ["VaccineRegistered", "StockAdded", "RecipientRegistered", "Booked"]
    (booked,) = [event for event in clinic.records.events if isinstance(event, Booked)]
    kept = clinic.booking(booking)
    assert booked == Booked(booking, kept.recipient, vaccine, TWO_DOSES.title, kept.slot)
