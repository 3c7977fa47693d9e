"""Whatever people do, in whatever order, the ledger adds up and nobody is promised a missing dose."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.booking import BookingStatus, CancelBooking, MarkNoShow
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import ClinicError
from domain.injection import InjectionStatus
from domain.vaccine import QuarantineLot, WriteOffStock
from domain.visit import CheckIn, Screen

from .small_clinic import FIRST_SLOT, MANAGER, ONE_DOSE, TWO_DOSES, VACCINATOR, SmallClinic

LOTS = st.sampled_from(["LOT1", "LOT2", "LOT3"])
WHICH = st.integers(0, 1)
PLACE = st.integers(0, 40)


class ADayAtTheClinic(RuleBasedStateMachine):
    """Two vaccines, three lots each, and people who change their minds."""

    @initialize()
    def open(self) -> None:
        self.clinic = SmallClinic()
        self.clinic.with_capacity(1000)
        self.clinic.clock.move(hours=1)  # the first slot has begun: whoever is not here may be missed
        self.vaccines = [self.clinic.vaccine(TWO_DOSES), self.clinic.vaccine(ONE_DOSE)]

    @rule(which=WHICH, lot=LOTS, doses=st.integers(1, 4))
    def a_delivery(self, which: int, lot: str, doses: int) -> None:
        with suppress(ClinicError):
            self.clinic.stock(self.vaccines[which], doses, lot, date(2027, 1, 1))

    @rule(which=WHICH, lot=LOTS, doses=st.integers(1, 4))
    def a_write_off(self, which: int, lot: str, doses: int) -> None:
        with suppress(ClinicError):
            self.clinic.send(WriteOffStock(self.vaccines[which], lot, doses, "warm"), MANAGER)

    @rule(which=WHICH, lot=LOTS)
    def a_quarantine(self, which: int, lot: str) -> None:
        with suppress(ClinicError):
            self.clinic.send(QuarantineLot(self.vaccines[which], lot, "recall"), MANAGER)

    @rule(which=WHICH, number=st.integers(1, 12), wait=st.booleans())
    def somebody_books(self, which: int, number: int, wait: bool) -> None:
        with suppress(ClinicError):
            self.clinic.book(self.vaccines[which], number, FIRST_SLOT, wait)

    @rule(place=PLACE, absent=st.booleans())
    def somebody_does_not_come(self, place: int, absent: bool) -> None:
        codes = list(self.clinic.records.bookings)
        if codes:
            code = codes[place % len(codes)]
            with suppress(ClinicError):
                self.clinic.send(MarkNoShow(code) if absent else CancelBooking(code), VACCINATOR)

    @rule()
    def the_desk_catches_up(self) -> None:
        self.clinic.relay()

    @rule(place=PLACE, lot=LOTS)
    def somebody_is_vaccinated(self, place: int, lot: str) -> None:
        codes = list(self.clinic.records.injections)
        if codes:
            code = codes[place % len(codes)]
            with suppress(ClinicError):
                self.clinic.send(CheckIn(code), VACCINATOR)
            with suppress(ClinicError):
                self.clinic.send(Screen(code), VACCINATOR)
                self.clinic.give(code, lot)

    @rule(place=PLACE, lot=LOTS)
    def a_record_is_corrected(self, place: int, lot: str) -> None:
        codes = list(self.clinic.records.injections)
        if codes:
            with suppress(ClinicError):
                self.clinic.send(CorrectInjection(codes[place % len(codes)], "typo", lot=lot), VACCINATOR)

    @rule(place=PLACE, returned=st.booleans())
    def a_record_is_voided(self, place: int, returned: bool) -> None:
        codes = list(self.clinic.records.injections)
        if codes:
            with suppress(ClinicError):
                self.clinic.send(VoidInjection(codes[place % len(codes)], "wrong", returned), VACCINATOR)

    @invariant()
    def the_counters_are_the_sums_of_the_ledger(self) -> None:
        records = self.clinic.records
        for code, vaccine in records.vaccines.items():
            entries = [entry for entry in records.ledger if entry.vaccine == code]
            assert vaccine.stock == sum(entry.stock_delta for entry in entries)
            assert vaccine.reserved == sum(entry.reserved_delta for entry in entries)
            assert 0 <= vaccine.reserved <= vaccine.stock

    @invariant()
    def a_lot_is_the_sum_of_its_entries_and_the_stock_the_sum_of_its_lots(self) -> None:
        records = self.clinic.records
        for (code, number), lot in records.lots.items():
            deltas = [e.stock_delta for e in records.ledger if e.vaccine == code and e.lot == number]
            assert lot.remaining == sum(deltas) >= 0
        for code, vaccine in records.vaccines.items():
            assert vaccine.stock == sum(lot.remaining for lot in records.lots.values() if lot.vaccine == code)

    @invariant()
    def every_reserved_dose_belongs_to_a_booking(self) -> None:
        records = self.clinic.records
        for code, vaccine in records.vaccines.items():
            holders = [
                b
                for b in records.bookings.values()
                if b.vaccine == code and b.status is BookingStatus.RESERVED
            ]
            assert vaccine.reserved == len(holders)

    @invariant()
    def nobody_waits_while_a_dose_is_free(self) -> None:
        records = self.clinic.records
        for code, vaccine in records.vaccines.items():
            waiting = [
                b
                for b in records.bookings.values()
                if b.vaccine == code and b.status is BookingStatus.WAITING
            ]
            assert not (waiting and vaccine.available)

    @invariant()
    def nobody_holds_two_live_bookings_of_one_vaccine(self) -> None:
        live = [(b.recipient, b.vaccine) for b in self.clinic.records.bookings.values() if b.is_live]
        assert len(live) == len(set(live))

    @invariant()
    def a_completed_injection_is_that_of_a_completed_booking(self) -> None:
        records = self.clinic.records
        for injection in records.injections.values():
            if injection.status is InjectionStatus.COMPLETED:
                assert records.bookings[injection.booking].status is BookingStatus.COMPLETED


TestADayAtTheClinic = ADayAtTheClinic.TestCase
TestADayAtTheClinic.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
