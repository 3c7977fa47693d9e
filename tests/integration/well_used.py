"""A clinic that has seen everything: what the checks and the backups are tried on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import CancelBooking, MarkNoShow
from domain.certificate import IssueCertificate, ListCertificates
from domain.correction import CorrectInjection, CorrectRecipient, VoidInjection
from domain.injection import Injection
from domain.recipient import Sex
from domain.statement import CertificateFacts, CertificateStatus, Credential
from domain.vaccine import QuarantineLot, WriteOffStock
from tests.clinics import STAFF, OpenClinic, person


class PlainPress:
    """Paper takes a third of a second; its own tests print for real."""

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        return credential.text.encode()


@dataclass(frozen=True)
class WellUsed:
    """The codes of what is there, by what became of it."""

    plenty: str
    """A vaccine with doses left."""
    scarce: str
    """One that people wait for."""
    first: str
    """Injections of one person: first and second dose."""
    second: str
    both: str
    """The certificate that states both."""
    corrected: str
    reissued: str
    voided: str
    revoked: str
    applied: str
    """An application that waits, and the injection it is for."""
    applied_for: str
    ready: str
    cancelled: str
    """A cancelled application."""
    expected: str
    """A booking with a dose reserved."""
    given_back: str
    """One that was cancelled."""
    reserved: tuple[str, str]
    """Bookings of the scarce vaccine, in their order."""
    waiting: tuple[str, str]


async def well_used(clinic: OpenClinic) -> WellUsed:
    """Everything that can happen in a clinic, once."""
    send = clinic.gateway.send
    plenty = await clinic.vaccine(20, "plenty")
    await clinic.deliver(plenty, 6, "LOT2")
    await clinic.deliver(plenty, 4, "LOT3")
    scarce = await clinic.vaccine(2, "scarce")
    given = [await clinic.vaccinate((await clinic.book(plenty, n)).booking) for n in range(1, 6)]
    held = [await clinic.book(plenty, n) for n in range(6, 9)]
    await clinic.services.settle()  # so that they are expected before they say that they do not come
    await send(CancelBooking(held[1].booking, "ill"), STAFF)
    clinic.clock.move(minutes=30)
    await send(MarkNoShow(held[2].booking), STAFF)
    queue = [(await clinic.book(scarce, n)).booking for n in range(11, 15)]

    reissued = await _issued(clinic, given[1])
    await send(CorrectInjection(given[1].code, "the label was misread", lot="LOT2"), STAFF)
    put_right = replace(person(2, "홍길순"), sex=Sex.FEMALE)
    await send(CorrectRecipient(given[1].recipient, put_right, "the name was misheard"), STAFF)
    [corrected] = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    revoked = await _issued(clinic, given[2])
    await send(VoidInjection(given[2].code, "another person's record", dose_returned=False), STAFF)
    applied = await send(ApplyForCertificate(given[3].code), STAFF)
    cancelled = await send(ApplyForCertificate(given[4].code), STAFF)
    await clinic.services.settle()
    await send(CancelApplication(cancelled.code), STAFF)
    await send(WriteOffStock(plenty, "LOT2", 1, "fell down"), STAFF)
    await send(QuarantineLot(plenty, "LOT3", "recalled"), STAFF)

    clinic.clock.move(days=22)
    second = await clinic.vaccinate((await clinic.book(plenty, 1)).booking)
    both = await _issued(clinic, second)
    await clinic.services.settle()
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    assert reissued != corrected.certificate.code
    return WellUsed(
        plenty=plenty, scarce=scarce, first=given[0].code, second=second.code, both=both,
        corrected=given[1].code, reissued=corrected.certificate.code, voided=given[2].code, revoked=revoked,
        applied=applied.code, applied_for=given[3].code, ready=ready.certificate.code,
        cancelled=cancelled.code, expected=held[0].booking, given_back=held[1].booking,
        reserved=(queue[0], queue[1]), waiting=(queue[2], queue[3]),
    )  # fmt: skip


async def _issued(clinic: OpenClinic, injection: Injection) -> str:
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    ready = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    [code] = [c.certificate.code for c in ready if c.certificate.application == application.code]
    plain = replace(clinic.gateway, press=PlainPress())  # type: ignore[arg-type]
    await plain.send(IssueCertificate(code), STAFF)
    return code
