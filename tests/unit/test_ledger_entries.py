"""Rule 9: every entry of the ledger says who, when and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import pytest

from domain.actors import PUBLIC, SYSTEM, Actor
from domain.booking import BookingStatus, CancelBooking, MarkNoShow
from domain.correction import CorrectInjection, VoidInjection
from domain.messages import Command
from domain.stock import EntryKind
from domain.vaccine import EXPIRED, QuarantineLot, WriteOffExpired, WriteOffStock

from .small_clinic import MANAGER, VACCINATOR, SmallClinic

R = TypeVar("R")


class TimePasses(SmallClinic):
    """A clinic in which no two commands come at the same time."""

    def send(self, command: Command[R], actor: Actor = PUBLIC) -> R:
        self.clock.move(seconds=1)
        return super().send(command, actor)


Said = tuple[Actor, str]
"""Who did it, and the reason that the entry has of its own."""


def received(clinic: SmallClinic) -> Said:
    clinic.vaccine(doses=1)
    return MANAGER, ""


def booked(clinic: SmallClinic) -> Said:
    clinic.book(clinic.vaccine(doses=1))
    return PUBLIC, ""


def promoted(clinic: SmallClinic) -> Said:
    vaccine = clinic.vaccine()
    clinic.book(vaccine)
    clinic.stock(vaccine, 1)
    return MANAGER, BookingStatus.WAITING


def reopened(clinic: SmallClinic) -> Said:
    injection = clinic.inject(clinic.vaccine(doses=1))
    clinic.send(VoidInjection(injection.code, "never given", dose_returned=True), VACCINATOR)
    return VACCINATOR, "never given"


def cancelled(clinic: SmallClinic) -> Said:
    booking = clinic.book(clinic.vaccine(doses=1))
    clinic.send(CancelBooking(booking, " ill "), clinic.owner(booking))
    return clinic.owner(booking), "ill"


def cancelled_without_a_word(clinic: SmallClinic) -> Said:
    booking = clinic.book(clinic.vaccine(doses=1))
    clinic.send(CancelBooking(booking), clinic.owner(booking))
    return clinic.owner(booking), BookingStatus.CANCELLED


def missed(clinic: SmallClinic) -> Said:
    booking = clinic.book(clinic.vaccine(doses=1))
    clinic.clock.move(hours=2)
    clinic.send(MarkNoShow(booking), VACCINATOR)
    return VACCINATOR, BookingStatus.NO_SHOW


def stepped_back(clinic: SmallClinic) -> Said:
    vaccine = clinic.vaccine(doses=1)
    clinic.book(vaccine)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "warm"), MANAGER)
    return MANAGER, "warm"


def stepped_back_from_what_expired(clinic: SmallClinic) -> Said:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, expires_on=date(2026, 3, 2))
    clinic.book(vaccine)
    clinic.clock.set_local("2026-03-03 00:00")
    clinic.send(WriteOffExpired(vaccine), SYSTEM)
    return SYSTEM, EXPIRED


def stepped_back_for_whom_it_was_given(clinic: SmallClinic) -> Said:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "LOT2")
    injection = clinic.inject(vaccine)
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    clinic.book(vaccine, 2)
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    return VACCINATOR, "misread"


def given(clinic: SmallClinic) -> Said:
    clinic.inject(clinic.vaccine(doses=1))
    return VACCINATOR, ""


def written_off(clinic: SmallClinic) -> Said:
    clinic.send(WriteOffStock(clinic.vaccine(doses=1), "LOT1", 1, "warm"), MANAGER)
    return MANAGER, "warm"


def quarantined(clinic: SmallClinic) -> Said:
    clinic.send(QuarantineLot(clinic.vaccine(doses=1), "LOT1", "recall"), MANAGER)
    return MANAGER, "recall"


def corrected(clinic: SmallClinic) -> Said:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 1, "LOT2")
    injection = clinic.inject(vaccine)
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    return VACCINATOR, "misread"


HOW: dict[EntryKind, tuple[Callable[[SmallClinic], Said], ...]] = {
    EntryKind.RECEIVED: (received,),
    EntryKind.RESERVED: (booked, promoted, reopened),
    EntryKind.RELEASED: (
        cancelled, cancelled_without_a_word, missed,
        stepped_back, stepped_back_from_what_expired, stepped_back_for_whom_it_was_given,
    ),
    EntryKind.GIVEN: (given,),
    EntryKind.WRITTEN_OFF: (written_off,),
    EntryKind.QUARANTINED: (quarantined,),
    EntryKind.CORRECTED: (corrected,),
}  # fmt: skip
"""How an entry of each kind comes about, by the last command that is sent."""


EVERY_WAY = [(kind, way) for kind, ways in HOW.items() for way in ways]


def test_there_is_an_example_of_every_kind_of_entry() -> None:
    assert set(HOW) == set(EntryKind)


@pytest.mark.parametrize(("kind", "way"), EVERY_WAY)
def test_an_entry_says_who_entered_it_when_and_why(
    kind: EntryKind, way: Callable[[SmallClinic], Said]
) -> None:
    clinic = TimePasses()
    actor, reason = way(clinic)
    entry = [entry for entry in clinic.records.ledger if entry.kind is kind][-1]
    assert (entry.actor, entry.at, entry.reason) == (actor.code, clinic.clock.now(), reason)
