"""A commit that failed may have happened all the same: the records are asked, by the command's id."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.booking import BookingReceipt, CancelBooking
from domain.errors import CommandReused, StorageUnavailable
from domain.vaccine import ListVaccines
from tests.clinics import OpenClinic

WITHIN = 30.0
"""Seconds after which a test gives up."""


def break_the_next_commit(clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """The connection breaks once, after or before the database has done what it was asked."""
    writer: Any = clinic.gateway.writer
    session = writer._session
    commit = session.commit

    def breaks(changed: bool) -> None:
        if after:
            commit(changed)
        raise writer._database_error("the connection broke\nDETAIL: whose it was")

    monkeypatch.setattr(session, "commit", breaks)


async def reserved(clinic: OpenClinic) -> int:
    [level] = await clinic.gateway.ask(ListVaccines())
    return int(level.vaccine.reserved)


async def test_what_was_committed_before_the_connection_broke_is_answered_as_done(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    break_the_next_commit(clinic, monkeypatch, after=True)
    receipt = await clinic.book(vaccine, command_id="once")
    assert (await clinic.book(vaccine, command_id="once")).booking == receipt.booking
    assert await reserved(clinic) == 1
    assert await clinic.violations() == []


async def test_what_was_not_committed_is_refused_and_can_be_sent_again(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    break_the_next_commit(clinic, monkeypatch, after=False)
    with pytest.raises(StorageUnavailable) as refusal:
        await clinic.book(vaccine, command_id="again")
    assert "the connection broke" in str(refusal.value)
    assert "whose" not in str(refusal.value) + caplog.text
    assert await reserved(clinic) == 0
    assert "the connection broke" in clinic.gateway.writer.problem
    assert (await clinic.book(vaccine, command_id="again")).status == "reserved"
    assert clinic.gateway.writer.problem == ""
    assert await reserved(clinic) == 1
    assert await clinic.violations() == []


async def test_a_writer_that_failed_finds_out_by_itself_that_it_can_write_again(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    monkeypatch.setattr("storage.writer.AGAIN", 0.02)
    break_the_next_commit(clinic, monkeypatch, after=False)
    with pytest.raises(StorageUnavailable):
        await clinic.book(vaccine)
    async with asyncio.timeout(WITHIN):
        while clinic.gateway.writer.problem:  # noqa: ASYNC110 - it is asked when somebody wants to know
            await asyncio.sleep(0.01)
    assert await reserved(clinic) == 0


async def test_a_key_that_was_used_for_something_else_is_refused_after_a_broken_commit(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    receipt = await clinic.book(vaccine, command_id="used")
    await clinic.services.settle()
    me = await clinic.recipient(receipt.booking)
    break_the_next_commit(clinic, monkeypatch, after=True)
    reused, booked = await asyncio.gather(
        clinic.gateway.send(CancelBooking(receipt.booking), me, command_id="used"),
        clinic.book(vaccine, 2),
        return_exceptions=True,
    )
    assert isinstance(reused, CommandReused)
    assert isinstance(booked, BookingReceipt)
    assert await reserved(clinic) == 2
