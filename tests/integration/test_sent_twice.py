"""Commands of several steps, sent again under the same id: paper comes once more, a PIN does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from domain.actors import Role
from domain.application import ApplyForCertificate
from domain.booking import PrintTicket
from domain.certificate import GetCertificate, IssueCertificate, ListCertificates, PrintCertificate
from domain.errors import PinSaidBefore
from domain.ports import Place
from domain.staff import EnrolStaff, ResetPin, Unlock
from domain.statement import CertificateFacts, CertificateStatus, Credential
from tests.clinics import STAFF, OpenClinic, TestClock


class Tray:
    """Where the paper of this test comes out."""

    def __init__(self) -> None:
        self.papers: list[bytes] = []

    async def keep(self, name: str, content: bytes) -> Place:
        self.papers.append(content)
        return Place(name)


class PlainPress:
    """Paper shows its credential. So many certificates are begun before the first of them is done."""

    def __init__(self, at_once: int = 1) -> None:
        self._begun = [asyncio.Barrier(at_once)] * at_once

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        if self._begun:
            await self._begun.pop().wait()
        return credential.text.encode()

    async def ticket(self, facts: object) -> bytes:
        return b"ticket"


class TimePasses(TestClock):
    """No two ask at the same moment, so what is signed twice is two credentials."""

    def now(self) -> datetime:
        self.move(seconds=1)
        return super().now()


async def ready(clinic: OpenClinic) -> str:
    """A certificate that waits for its issue."""
    injection = await clinic.vaccinate((await clinic.book(await clinic.vaccine(doses=1))).booking)
    await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    return str(waiting.certificate.code)


def with_paper(clinic: OpenClinic, press: PlainPress) -> tuple[Any, list[bytes]]:
    """The clinic's door, and what comes out of its press."""
    tray = Tray()
    return replace(clinic.gateway, press=press, archive=tray, clock=TimePasses()), tray.papers


@pytest.mark.parametrize("again", [EnrolStaff("이접종", frozenset({Role.VACCINATOR})), ResetPin("이접종")])
async def test_a_pin_is_said_once_and_the_one_that_was_said_opens(
    clinic: OpenClinic, again: EnrolStaff | ResetPin
) -> None:
    send, ask = clinic.gateway.send, clinic.gateway.ask
    await send(EnrolStaff("이접종", frozenset({Role.VACCINATOR})), STAFF)
    said = await send(again, STAFF, "wish")
    with pytest.raises(PinSaidBefore, match="이접종"):
        await send(again, STAFF, "wish")
    assert (await ask(Unlock(said.pin))).name == "이접종"
    assert (await send(again, STAFF, "another wish")).pin != said.pin


@pytest.mark.parametrize("at_once", [1, 2])
async def test_a_certificate_is_issued_once_and_its_paper_is_made_and_counted_each_time(
    clinic: OpenClinic, at_once: int
) -> None:
    certificate = await ready(clinic)
    gateway, papers = with_paper(clinic, PlainPress(at_once))
    for _ in range(2 // at_once):
        sent = (gateway.send(IssueCertificate(certificate), STAFF, "wish") for _ in range(at_once))
        await asyncio.gather(*sent)
    issued = await gateway.ask(GetCertificate(certificate), STAFF)
    assert papers == [issued.credential.text.encode()] * 2
    assert issued.prints == 2
    for _ in range(2):
        await gateway.send(PrintCertificate(certificate), STAFF, "another wish")
    assert papers == [issued.credential.text.encode()] * 4
    assert (await gateway.ask(GetCertificate(certificate), STAFF)).prints == 4


async def test_a_ticket_is_printed_each_time(clinic: OpenClinic) -> None:
    booking = (await clinic.book(await clinic.vaccine(doses=1))).booking
    gateway, papers = with_paper(clinic, PlainPress())
    for _ in range(2):
        await gateway.send(PrintTicket(booking), STAFF, "wish")
    assert papers == [b"ticket"] * 2
