"""Random commands in any order against a real clinic on a real database; every rule after every step.

A model in a few lines says what the stock, the bookings and the wait list must be; `storage.check`
tests rules 1 to 9 on the records; and my page must tell the same as the records.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import CancelBooking, MarkNoShow
from domain.certificate import IssueCertificate, ListCertificates, RevokeCertificate
from domain.correction import CorrectInjection, CorrectRecipient, VoidInjection
from domain.errors import ClinicError
from domain.mypage import GetMyPage
from domain.presentation import Site
from domain.statement import CertificateFacts, CertificateStatus, Credential
from domain.vaccine import ListLots, ListVaccines, QuarantineLot, WriteOffStock
from domain.visit import CheckIn, CompleteInjection, FindVisits, Screen
from tests.clinics import (
    STAFF,
    OpenClinic,
    TestClock,
    clinic_in,
    keep_in,
    person,
    settings_in,
    violations,
)
from tests.postgresql import Server

EXAMPLES = int(os.environ.get("KIOSK_EXAMPLES", "96"))
ON_POSTGRESQL = EXAMPLES // 10
"""Fewer: what differs between the databases is far less than what differs between the examples."""
SEED = int(os.environ.get("KIOSK_SEED", "20261123"))
SHARES = 8
"""The examples are shared out, so that they run side by side."""
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
VACCINES = ("first", "second")
ANY = st.integers(0, 1_000)
"""Which one of those that are there. Never drawn from the things themselves: codes are random, and what
the parts have done by now depends on the moment, so the same example could not be told again."""


def pick(things: list[Any], index: int) -> Any:
    return things[index % len(things)]


class PlainPress:
    """Paper takes a third of a second; this test is about records. Its own tests print for real."""

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        return credential.text.encode()

    async def ticket(self, ticket: Any) -> bytes:
        return ticket.code.encode()


class Shelf:
    """What one vaccine's stock, reservations and wait list must be."""

    def __init__(self) -> None:
        self.lots = {"LOT1": 0, "LOT2": 0}
        self.bookings: dict[str, str] = {}
        """Status by code, in the order of booking."""
        self.arrived: set[str] = set()

    @property
    def stock(self) -> int:
        return sum(self.lots.values())

    @property
    def reserved(self) -> list[str]:
        return [code for code, status in self.bookings.items() if status == "reserved"]

    def settle(self) -> None:
        """Free doses go to whoever waits longest."""
        for code, status in self.bookings.items():
            if status == "waiting" and self.stock > len(self.reserved):
                self.bookings[code] = "reserved"

    def lose(self, lot: str, doses: int) -> None:
        """The last to have booked step back before the doses are gone."""
        while self.stock - len(self.reserved) < doses and self.reserved:
            absent = [code for code in self.reserved if code not in self.arrived]
            last = (absent or self.reserved)[-1]
            self.bookings[last] = "waiting"
            self.arrived.discard(last)
        self.lots[lot] -= doses


async def open_once(folder: Path) -> None:
    async with clinic_in(folder, capacity=1000) as clinic:
        for key in VACCINES:
            await clinic.vaccine(0, key, interval_days=0, primary_doses=1, booster_interval_days=0)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An opened clinic's folder, copied for each example: keys and layout are made once."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(open_once(folder))
    return folder


@pytest.mark.parametrize("share", range(SHARES))
def test_any_commands_in_any_order_keep_every_rule(template: Path, share: int) -> None:
    class Clinic(ClinicMachine):
        folder = template

    run_examples(Clinic, SEED + share, EXAMPLES // SHARES)


def test_any_commands_in_any_order_keep_every_rule_on_postgresql(postgresql: Server, tmp_path: Path) -> None:
    database = postgresql.database()
    keep_in(tmp_path, postgresql.url(database), postgresql.url(database))
    asyncio.run(open_once(tmp_path))

    class Clinic(ClinicMachine):
        folder = tmp_path

        def prepare(self, here: Path) -> None:
            self.database = postgresql.database(template=database)
            keep_in(here, postgresql.url(self.database), postgresql.url(self.database))

        def teardown(self) -> None:
            super().teardown()
            postgresql.drop(self.database)

    run_examples(Clinic, SEED, ON_POSTGRESQL)


def run_examples(machine: type[ClinicMachine], first: int, examples: int) -> None:
    run_state_machine_as_test(
        seed(first)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=16,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class ClinicMachine(RuleBasedStateMachine):
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self._temporary = tempfile.TemporaryDirectory(dir=MEMORY)
        here = Path(self._temporary.name)
        shutil.copytree(self.folder, here, dirs_exist_ok=True)
        self.prepare(here)
        self.settings = settings_in(here, capacity=1000)
        self.runner = asyncio.Runner()
        self.shelves = {key: Shelf() for key in VACCINES}
        self.owners: dict[str, Any] = {}
        self.injections: dict[str, tuple[str, str, str]] = {}
        """Booking, vaccine and lot of each injection that was given and stands."""
        self.people = 0
        self.runner.run(self._open())

    def prepare(self, here: Path) -> None:
        """The records are files in the folder, and copied with it."""

    async def _open(self) -> None:
        self._context = clinic_in(Path(self._temporary.name), capacity=1000, clock=TestClock())
        self.clinic: OpenClinic = await self._context.__aenter__()
        self.gateway = replace(self.clinic.gateway, press=PlainPress())
        levels = await self.gateway.ask(ListVaccines())
        self.vaccines = {level.vaccine.presentation.key: level.vaccine.code for level in levels}
        self.slot = await self.clinic.slot()
        self.clinic.clock.move(minutes=15)  # it has begun: whoever is not here may be missed

    def teardown(self) -> None:
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()
        self._temporary.cleanup()

    def do(self, command: Any, actor: Any = STAFF) -> Any:
        return self.runner.run(self.gateway.send(command, actor))

    # -- vaccine ----------------------------------------------------------------------------------

    @rule(key=st.sampled_from(VACCINES), doses=st.integers(1, 6), lot=st.sampled_from(("LOT1", "LOT2")))
    def deliver(self, key: str, doses: int, lot: str) -> None:
        try:
            self.runner.run(self.clinic.deliver(self.vaccines[key], doses, lot))
        except ClinicError as refusal:
            assert refusal.code == "lot-quarantined"
            return
        self.shelves[key].lots[lot] += doses
        self.shelves[key].settle()

    @rule(key=st.sampled_from(VACCINES), doses=st.integers(1, 4), lot=st.sampled_from(("LOT1", "LOT2")))
    def write_off(self, key: str, doses: int, lot: str) -> None:
        shelf = self.shelves[key]
        try:
            self.do(WriteOffStock(self.vaccines[key], lot, doses, "fell down"))
        except ClinicError as refusal:
            assert refusal.code == "lot-unknown" or shelf.lots[lot] < doses
            return
        shelf.lose(lot, doses)

    @rule(key=st.sampled_from(VACCINES), chance=st.integers(0, 3))
    def quarantine(self, key: str, chance: int) -> None:
        if chance:  # a lot is lost for the rest of the example, so seldom
            return
        shelf = self.shelves[key]
        try:
            self.do(QuarantineLot(self.vaccines[key], "LOT2", "recalled"))
        except ClinicError as refusal:
            assert refusal.code in {"lot-unknown", "lot-quarantined"}
            return
        shelf.lose("LOT2", shelf.lots["LOT2"])

    # -- booking ----------------------------------------------------------------------------------

    @rule(key=st.sampled_from(VACCINES))
    def book(self, key: str) -> None:
        self.people += 1
        receipt = self.runner.run(self.clinic.book(self.vaccines[key], self.people, slot=self.slot))
        shelf = self.shelves[key]
        expected = "reserved" if shelf.stock > len(shelf.reserved) else "waiting"
        assert receipt.status == expected
        shelf.bookings[receipt.booking] = expected
        self.owners[receipt.booking] = self.runner.run(self.clinic.recipient(receipt.booking))

    @precondition(lambda self: self.owners)
    @rule(index=ANY)
    def cancel(self, index: int) -> None:
        key, code = self._any_booking(index)
        self._end(key, code, "cancelled", CancelBooking(code), self.owners[code], ("reserved", "waiting"))

    @precondition(lambda self: self.owners)
    @rule(index=ANY)
    def no_show(self, index: int) -> None:
        key, code = self._any_booking(index)
        self._end(key, code, "no-show", MarkNoShow(code), STAFF, ("reserved",))

    def _end(self, key: str, code: str, status: str, command: Any, actor: Any, allowed: Any) -> None:
        shelf = self.shelves[key]
        try:
            self.do(command, actor)
        except ClinicError as refusal:
            if refusal.code == "already-here":
                # Who stepped back and got a dose again before the desk heard of it is here nevertheless.
                assert (status, shelf.bookings[code]) == ("no-show", "reserved")
                return
            assert refusal.code == "booking-closed"
            assert shelf.bookings[code] not in allowed
            return
        assert shelf.bookings[code] in allowed
        assert status != "no-show" or code not in shelf.arrived
        shelf.bookings[code] = status
        shelf.arrived.discard(code)
        shelf.settle()

    # -- injection --------------------------------------------------------------------------------

    @precondition(lambda self: any(shelf.reserved for shelf in self.shelves.values()))
    @rule(index=ANY, lot=st.sampled_from(("LOT1", "LOT2")))
    def vaccinate(self, index: int, lot: str) -> None:
        reserved = [(key, code) for key, shelf in self.shelves.items() for code in shelf.reserved]
        key, code = pick(reserved, index)
        self.runner.run(self.clinic.services.settle())
        visits = self.runner.run(self.gateway.ask(FindVisits(code), STAFF))
        [visit] = [v for v in visits if v.injection.status in {"expected", "checked-in"}]
        if visit.injection.status == "expected":
            self.do(CheckIn(visit.injection.code))
            self.shelves[key].arrived.add(code)
        self.do(Screen(visit.injection.code))
        try:
            self.do(CompleteInjection(visit.injection.code, lot, Site.LEFT_ARM, "김간호"))
        except ClinicError as refusal:
            assert refusal.code in {"insufficient-stock", "lot-quarantined", "lot-unknown"}
            assert self.shelves[key].lots[lot] == 0
            return
        self.shelves[key].lots[lot] -= 1
        self.shelves[key].bookings[code] = "completed"
        self.shelves[key].arrived.discard(code)
        self.injections[visit.injection.code] = (code, key, lot)

    @precondition(lambda self: self.injections)
    @rule(index=ANY, returned=st.booleans())
    def void(self, index: int, returned: bool) -> None:
        code = pick(list(self.injections), index)
        booking, key, lot = self.injections.pop(code)
        self.do(VoidInjection(code, "wrong person", dose_returned=returned))
        shelf = self.shelves[key]
        if not returned:
            return
        quarantined = self._is_quarantined(key, lot)
        shelf.lots[lot] += 1
        if quarantined:
            shelf.lose(lot, 1)
        shelf.bookings[booking] = "waiting"
        if shelf.stock > len(shelf.reserved):
            shelf.bookings[booking] = "reserved"
        shelf.settle()

    @precondition(lambda self: self.injections)
    @rule(index=ANY)
    def correct(self, index: int) -> None:
        code = pick(list(self.injections), index)
        site = pick(list(Site), index // 7)
        try:
            self.do(CorrectInjection(code, "the other side", site=site))
        except ClinicError as refusal:
            assert refusal.code == "nothing-changed"

    @precondition(lambda self: self.owners)
    @rule(index=ANY, name=st.sampled_from(("홍길동", "홍길순")))
    def put_details_right(self, index: int, name: str) -> None:
        owner = self.owners[self._any_booking(index)[1]]
        who = person(index % (self.people + 1), name)
        try:
            self.do(CorrectRecipient(owner.code, who, "misheard"))
        except ClinicError as refusal:
            assert refusal.code in {"nothing-changed", "known-already"}

    # -- certificate ------------------------------------------------------------------------------

    @precondition(lambda self: self.injections)
    @rule(index=ANY)
    def apply(self, index: int) -> None:
        code = pick(list(self.injections), index)
        try:
            self.do(ApplyForCertificate(code), self.owners[self.injections[code][0]])
        except ClinicError as refusal:
            assert refusal.code == "already-applied"

    @precondition(lambda self: self.injections)
    @rule(index=ANY)
    def cancel_application(self, index: int) -> None:
        page = self._page_of(index)
        applied = [item for item in page.items if item.kind == "application"]
        for item in applied[:1]:
            try:
                self.do(CancelApplication(item.code), STAFF)
            except ClinicError as refusal:
                assert refusal.code == "application-closed"

    @rule(index=ANY, settle_first=st.booleans())
    def issue(self, index: int, settle_first: bool) -> None:
        if settle_first:
            self.runner.run(self.clinic.services.settle())
        ready = self.runner.run(self.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF))
        if ready:
            code = pick(ready, index).certificate.code
            try:
                self.do(IssueCertificate(code))
            except ClinicError as refusal:
                assert refusal.code in {"application-closed", "certificate-closed", "injection-not-completed"}

    @rule(index=ANY)
    def revoke(self, index: int) -> None:
        issued = self.runner.run(self.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF))
        if issued:
            code = pick(issued, index).certificate.code
            self.do(RevokeCertificate(code, "asked for by the holder"))

    # -- after every step -------------------------------------------------------------------------

    @invariant()
    def the_rules_hold(self) -> None:
        assert violations(self.settings) == []

    @invariant()
    def stock_and_bookings_are_what_they_must_be(self) -> None:
        levels = self.runner.run(self.gateway.ask(ListVaccines()))
        for level in levels:
            shelf = self.shelves[level.vaccine.presentation.key]
            assert (level.vaccine.stock, level.vaccine.reserved) == (shelf.stock, len(shelf.reserved))
            assert level.waiting == sum(status == "waiting" for status in shelf.bookings.values())

    @invariant()
    def my_page_tells_what_the_records_say(self) -> None:
        for code, owner in list(self.owners.items())[-3:]:
            page = self.runner.run(self.gateway.ask(GetMyPage(), owner))
            told = {item.code: item.status for item in page.items if item.kind == "booking"}
            expected = next(s.bookings[code] for s in self.shelves.values() if code in s.bookings)
            assert told == {code: expected}

    # -- helpers ----------------------------------------------------------------------------------

    def _any_booking(self, index: int) -> tuple[str, str]:
        every = [(key, code) for key, shelf in self.shelves.items() for code in shelf.bookings]
        return pick(every, index)

    def _page_of(self, index: int) -> Any:
        code = pick(list(self.injections), index)
        return self.runner.run(self.gateway.ask(GetMyPage(), self.owners[self.injections[code][0]]))

    def _is_quarantined(self, key: str, lot: str) -> bool:
        lots = self.runner.run(self.gateway.ask(ListLots(self.vaccines[key]), STAFF))
        return any(entry.number == lot and entry.status == "quarantined" for entry in lots)
