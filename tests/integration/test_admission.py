"""Who waits for the writer: turned away when it would be too long, forgotten when they have left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.booking import BookingReceipt
from domain.certificate import GetCertificate
from domain.errors import ClinicBusy, OutcomeUnknown, StorageUnavailable
from domain.orders import OrderIssue
from domain.statement import CertificateFacts, CertificateStatus, Credential
from domain.vaccine import ListVaccines
from kiosk.credential.signer import FolderSigner
from storage.engine import backend, writer_engine
from tests.clinics import STAFF, OpenClinic, clinic_in
from tests.integration.test_parts import applied

WITHIN = 30.0
"""Seconds after which a test gives up."""


class Held:
    """Something slow in the writer's hands, which ends when the test says so."""

    def __init__(self, clinic: OpenClinic, name: str) -> None:
        self._begun, self._ends = threading.Event(), threading.Event()
        writer = clinic.gateway.writer
        self._task = asyncio.create_task(writer.run_behind(self._work, name, "Hold"))

    def _work(self, _: Any) -> None:
        self._begun.set()
        assert self._ends.wait(WITHIN)

    async def begun(self) -> None:
        """It is being done, and with it whatever waited before it."""
        assert await asyncio.to_thread(self._begun.wait, WITHIN)

    def ends(self) -> None:
        self._ends.set()

    async def is_done(self) -> None:
        await self._task


@asynccontextmanager
async def another_at_its_turn(clinic: OpenClinic) -> AsyncIterator[None]:
    """Another process writes, and does not come to an end."""
    engine = writer_engine(clinic.settings.records_url)
    with engine.connect() as connection, backend(engine.dialect.name).taking_turn(connection):
        yield
        connection.rollback()
    engine.dispose()


async def at_the_gate(clinic: OpenClinic) -> None:
    """The writer has taken the first of those who waited, and waits itself."""
    async with asyncio.timeout(WITHIN):
        while not clinic.gateway.writer.admission.at_work_for():  # noqa: ASYNC110 - no event for it either
            await asyncio.sleep(0)


async def in_the_queue(clinic: OpenClinic, people: int) -> None:
    """So many wait."""
    async with asyncio.timeout(WITHIN):
        while clinic.services.queued() < people:  # noqa: ASYNC110 - a queue has no event for it
            await asyncio.sleep(0)


async def reserved(clinic: OpenClinic) -> int:
    [level] = await clinic.gateway.ask(ListVaccines())
    return int(level.vaccine.reserved)


async def test_whoever_leaves_the_queue_is_not_booked(clinic: OpenClinic) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    held = Held(clinic, "held")
    await held.begun()
    leaves = asyncio.create_task(clinic.book(vaccine, 1, slot=slot, command_id="leaves"))
    stays = asyncio.create_task(clinic.book(vaccine, 2, slot=slot))
    await in_the_queue(clinic, 2)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    held.ends()
    assert (await stays).status == "reserved"
    assert await reserved(clinic) == 1
    # Nothing is known of the command either: sent again, it is done.
    assert (await clinic.book(vaccine, 1, slot=slot, command_id="leaves")).status == "reserved"
    assert await clinic.violations() == []


async def test_whoever_leaves_while_the_writer_waits_for_its_turn_is_not_booked(clinic: OpenClinic) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    async with another_at_its_turn(clinic):
        leaves = asyncio.create_task(clinic.book(vaccine, 1, slot=slot))
        await at_the_gate(clinic)
        stays = asyncio.create_task(clinic.book(vaccine, 2, slot=slot))
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
    assert (await stays).status == "reserved"
    assert await reserved(clinic) == 1
    assert await clinic.violations() == []


async def test_who_has_waited_too_long_for_the_turn_is_told_that_nothing_was_done(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    monkeypatch.setattr("storage.writer.LIMIT", 0.05)
    async with another_at_its_turn(clinic):
        with pytest.raises(StorageUnavailable):
            await clinic.book(vaccine, 1, slot=slot)
    monkeypatch.undo()
    assert (await clinic.book(vaccine, 2, slot=slot)).status == "reserved"
    assert await reserved(clinic) == 1


async def test_a_writer_that_cannot_write_says_so(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    writer = clinic.gateway.writer
    assert writer.problem == ""
    monkeypatch.setattr("storage.writer.STUCK", 0.05)
    async with another_at_its_turn(clinic):
        waits = asyncio.create_task(clinic.book(vaccine, 1, slot=slot))
        async with asyncio.timeout(WITHIN):
            while not writer.problem:  # noqa: ASYNC110 - it is asked when somebody wants to know
                await asyncio.sleep(0.01)
    await waits
    monkeypatch.undo()
    assert writer.problem == ""


async def test_whoever_leaves_when_they_are_being_served_is_booked_all_the_same(clinic: OpenClinic) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    before = Held(clinic, "before")
    await before.begun()
    leaves = asyncio.create_task(clinic.book(vaccine, 1, slot=slot, command_id="leaves"))
    await in_the_queue(clinic, 1)
    after = Held(clinic, "after")
    await in_the_queue(clinic, 2)
    before.ends()
    await after.begun()  # in the same transaction, after the booking
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    after.ends()
    await after.is_done()
    assert await reserved(clinic) == 1
    again = await clinic.book(vaccine, 1, slot=slot, command_id="leaves")
    assert (await clinic.recipient(again.booking)).code
    assert await reserved(clinic) == 1


async def test_whoever_would_wait_too_long_is_turned_away_at_once(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, parts=(), patience_seconds=0.0) as clinic:
        vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
        held = Held(clinic, "held")
        await held.begun()
        first = asyncio.create_task(clinic.book(vaccine, 1, slot=slot))
        await in_the_queue(clinic, 1)
        with pytest.raises(ClinicBusy) as refusal:
            await clinic.book(vaccine, 2, slot=slot)
        assert refusal.value.facts["seconds"] >= 1
        assert clinic.services.queued() == 1
        held.ends()
        assert (await first).status == "reserved"
        assert await reserved(clinic) == 1
        assert (await clinic.book(vaccine, 2, slot=slot)).status == "reserved"


async def test_the_parts_of_the_clinic_are_never_turned_away(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, parts=(), patience_seconds=0.0) as clinic:
        held = Held(clinic, "held")
        await held.begun()
        behind = [Held(clinic, f"behind-{number}") for number in range(3)]
        await in_the_queue(clinic, 3)
        for each in (held, *behind):
            each.ends()
        for each in (held, *behind):
            await each.is_done()


async def test_what_was_ordered_is_done_once_and_in_its_turn_while_people_are_turned_away(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed, sign = [], FolderSigner.sign

    def counted(signer: FolderSigner, facts: CertificateFacts) -> Credential:
        signed.append(facts.number)
        return sign(signer, facts)

    monkeypatch.setattr(FolderSigner, "sign", counted)
    vaccine, slot = await clinic.vaccine(doses=5, key="another"), await clinic.slot()
    [certificate] = await applied(clinic, 1)
    writer: Any = clinic.gateway.writer
    await clinic.gateway.send(OrderIssue((certificate,)), STAFF)
    writer.admission._patience = 0.0
    monkeypatch.setattr("storage.writer.LIMIT", 0.05)
    held = [Held(clinic, "held")]
    await held[0].begun()
    held.append(Held(clinic, "waits"))
    async with asyncio.timeout(WITHIN):
        while not signed:  # noqa: ASYNC110 - another thread does it
            await asyncio.sleep(0.01)
    await in_the_queue(clinic, 2)  # what was signed is to be recorded
    with pytest.raises(ClinicBusy):
        await clinic.book(vaccine, 7, slot=slot)
    await asyncio.sleep(0.1)  # longer than anybody else is kept waiting
    for each in held:
        each.ends()
        await each.is_done()
    await clinic.services.settle()
    issued = await clinic.gateway.ask(GetCertificate(certificate), STAFF)
    assert (issued.status, issued.prints) == (CertificateStatus.ISSUED, 1)
    assert len(signed) == 1
    assert [loop.problem for loop in clinic.services.parts.loops] == [""] * 4


async def test_who_has_waited_too_long_without_being_served_is_told_that_nothing_was_done(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    held = Held(clinic, "held")
    await held.begun()
    monkeypatch.setattr("storage.writer.LIMIT", 0.05)
    with pytest.raises(StorageUnavailable):
        await clinic.book(vaccine, 1, slot=slot)
    held.ends()
    await held.is_done()
    assert await reserved(clinic) == 0


async def test_who_is_being_served_for_too_long_is_told_to_look_it_up(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
    await clinic.services.settle()
    before = Held(clinic, "before")
    await before.begun()
    monkeypatch.setattr("storage.writer.LIMIT", 1.0)
    waits = asyncio.create_task(clinic.book(vaccine, 1, slot=slot, command_id="once"))
    await in_the_queue(clinic, 1)
    after = Held(clinic, "after")
    await in_the_queue(clinic, 2)
    before.ends()
    await after.begun()
    with pytest.raises(OutcomeUnknown):
        await waits
    after.ends()
    await after.is_done()
    monkeypatch.undo()
    assert await reserved(clinic) == 1
    receipt: BookingReceipt = await clinic.book(vaccine, 1, slot=slot, command_id="once")
    assert receipt.status == "reserved"
    assert await reserved(clinic) == 1
    assert await clinic.violations() == []
