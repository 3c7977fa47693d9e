"""From the first delivery to the certificate, through the gateway."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from domain.application import ApplyForCertificate
from domain.booking import Book, BookingReceipt, GetBooking, PrintTicket
from domain.certificate import GetCertificate, IssueCertificate, ListCertificates, PrintCertificate
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import (
    CertificateClosed,
    NotAllowed,
    NotCompleted,
    NotIdentified,
    SlotFull,
    TooManyAttempts,
    WrongPin,
)
from domain.mypage import GetMyPage, IdentifyByDetails, ListCertifiable
from domain.staff import EnrolStaff, Unlock
from domain.statement import CertificateStatus
from domain.vaccine import WriteOffStock
from domain.visit import CheckIn, FindVisits
from tests.clinics import STAFF, OpenClinic, clinic_in, everything_kept, person


async def certified(clinic: OpenClinic, vaccine: str, number: int = 1) -> tuple[str, str]:
    receipt = await clinic.book(vaccine, number)
    me = await clinic.recipient(receipt.booking)
    injection = await clinic.vaccinate(receipt.booking)
    await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    done = await clinic.gateway.send(IssueCertificate(waiting.certificate.code), STAFF)
    assert Path(done.place).read_bytes().startswith(b"%PDF")
    return injection.code, done.certificate


async def test_a_day_ends_with_a_certificate_on_paper_and_everything_on_my_page(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    receipt = await clinic.book(vaccine)
    me = await clinic.recipient(receipt.booking)
    ticket = await clinic.gateway.send(PrintTicket(receipt.booking), me)
    assert Path(ticket).read_bytes().startswith(b"%PDF")
    injection = await clinic.vaccinate(receipt.booking)
    assert injection.given.dose_number == 1
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    done = await clinic.gateway.send(IssueCertificate(waiting.certificate.code), STAFF)

    page = await clinic.gateway.ask(GetMyPage(), me)
    assert {(item.kind, item.code, item.status) for item in page.items} == {
        ("booking", receipt.booking, "completed"),
        ("injection", injection.code, "completed"),
        ("application", application.code, "issued"),
        ("certificate", done.certificate, "issued"),
    }
    assert page.name == "홍*동"
    assert await clinic.violations() == []


async def test_a_reprint_is_the_same_paper_and_is_counted(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    _, certificate = await certified(clinic, vaccine)
    first = (clinic.settings.paper_folder / f"certificate-{certificate}.pdf").read_bytes()
    again = await clinic.gateway.send(PrintCertificate(certificate), STAFF)
    assert Path(again.place).read_bytes() == first
    assert (await clinic.gateway.ask(GetCertificate(certificate), STAFF)).prints == 2


async def test_a_correction_replaces_the_certificate_and_the_old_one_never_prints_again(
    clinic: OpenClinic,
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.deliver(vaccine, 3, lot="LOT2")
    injection, old = await certified(clinic, vaccine)
    await clinic.gateway.send(CorrectInjection(injection, "wrong lot was scanned", lot="LOT2"), STAFF)
    with pytest.raises(CertificateClosed):
        await clinic.gateway.send(PrintCertificate(old), STAFF)
    [live] = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    facts = live.certificate.facts
    assert facts is not None
    assert (facts.dose.lot, facts.supersedes) == ("LOT2", old)
    paper = await clinic.gateway.send(PrintCertificate(live.certificate.code), STAFF)
    assert Path(paper.place).read_bytes().startswith(b"%PDF")
    assert await clinic.violations() == []


async def test_voiding_revokes_the_certificate_and_expects_the_person_again(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    injection, certificate = await certified(clinic, vaccine)
    await clinic.gateway.send(VoidInjection(injection, "another person's record", dose_returned=True), STAFF)
    with pytest.raises(CertificateClosed):
        await clinic.gateway.send(PrintCertificate(certificate), STAFF)
    await clinic.services.settle()
    visits = await clinic.gateway.ask(FindVisits("홍길동"), STAFF)
    assert sorted(visit.injection.status for visit in visits) == ["expected", "voided"]
    assert await clinic.violations() == []


async def test_nobody_applies_with_somebody_elses_injection(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    injection = await clinic.vaccinate((await clinic.book(vaccine, 1)).booking)
    stranger = await clinic.recipient((await clinic.book(vaccine, 2)).booking)
    with pytest.raises(NotAllowed):
        await clinic.gateway.send(ApplyForCertificate(injection.code), stranger)
    assert await clinic.gateway.ask(ListCertifiable(), stranger) == []


async def test_nothing_is_certified_before_the_injection(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    receipt = await clinic.book(vaccine)
    await clinic.services.settle()
    [visit] = await clinic.gateway.ask(FindVisits(receipt.booking), STAFF)
    with pytest.raises(NotCompleted):
        await clinic.gateway.send(
            ApplyForCertificate(visit.injection.code), await clinic.recipient(receipt.booking)
        )


async def test_a_person_is_found_by_name_birth_date_and_phone_however_they_are_typed(
    clinic: OpenClinic,
) -> None:
    receipt = await clinic.book(await clinic.vaccine(doses=1))
    by_code = await clinic.recipient(f" {receipt.booking[:3].lower()}-{receipt.booking[3:]} ")
    decomposed = unicodedata.normalize("NFD", "홍길동")  # as some input methods send it
    found = await clinic.gateway.ask(IdentifyByDetails(decomposed, "1945.8.15", "010-0000-0001"))
    assert found.code == by_code.code


async def test_codes_cannot_be_guessed_at_the_terminal(clinic: OpenClinic) -> None:
    for attempt in range(5):
        with pytest.raises(NotIdentified):
            await clinic.gateway.ask(IdentifyByDetails(f"홍길동{'가' * attempt}", "19450815", "01012345678"))
    with pytest.raises(TooManyAttempts):
        await clinic.gateway.ask(IdentifyByDetails("홍길동", "19450815", "01012345678"))
    clinic.clock.move(seconds=31)
    with pytest.raises(NotIdentified):
        await clinic.gateway.ask(IdentifyByDetails("홍길동", "19450815", "01012345678"))


async def test_the_first_start_makes_a_pin_that_opens_every_desk(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        pin = clinic.services.first_pin
        assert pin is not None
        actor = await clinic.gateway.ask(Unlock(pin))
        assert actor.roles == STAFF.roles
        added = await clinic.gateway.send(EnrolStaff("이접종", frozenset({"vaccinator"})), actor)
        assert (await clinic.gateway.ask(Unlock(added.pin))).name == "이접종"
        with pytest.raises(WrongPin):
            await clinic.gateway.ask(Unlock("no such pin"))
    async with clinic_in(clinic_folder) as clinic:
        assert clinic.services.first_pin is None
        assert pin not in everything_kept(clinic.settings)


async def test_a_name_is_found_however_it_is_capitalised(clinic: OpenClinic) -> None:
    vaccine, slot = await clinic.vaccine(doses=1), await clinic.slot()
    receipt = await clinic.gateway.send(Book(person(name="Hong Gildong"), vaccine, slot))
    await clinic.services.settle()
    for typed in ("Hong", "hong g", "HONG"):
        [visit] = await clinic.gateway.ask(FindVisits(typed), STAFF)
        assert visit.injection.booking == receipt.booking


async def status(clinic: OpenClinic, receipt: BookingReceipt) -> str:
    return str((await clinic.gateway.ask(GetBooking(receipt.booking), STAFF)).booking.status)


async def test_who_is_here_already_steps_back_last(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=2)
    absent, here = await clinic.book(vaccine, 1), await clinic.book(vaccine, 2)
    await clinic.services.settle()
    [visit] = await clinic.gateway.ask(FindVisits(here.booking), STAFF)
    await clinic.gateway.send(CheckIn(visit.injection.code), STAFF)
    await clinic.gateway.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), STAFF)
    assert (await status(clinic, absent), await status(clinic, here)) == ("waiting", "reserved")


async def test_who_waits_longest_is_promoted_whatever_day_they_wish_for(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=0)
    first = await clinic.book(vaccine, 1, slot=await clinic.slot(day=5))
    second = await clinic.book(vaccine, 2)
    await clinic.deliver(vaccine, 1)
    assert (await status(clinic, first), await status(clinic, second)) == ("reserved", "waiting")


async def test_who_was_vaccinated_takes_up_room_in_the_slot(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, capacity=1) as clinic:
        vaccine, slot = await clinic.vaccine(doses=3), await clinic.slot()
        await clinic.vaccinate((await clinic.book(vaccine, 1, slot=slot)).booking)
        with pytest.raises(SlotFull):
            await clinic.book(vaccine, 2, slot=slot)
