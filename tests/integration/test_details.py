"""Who somebody is, put right: the records, the certificates, my page and the desk follow together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.actors import Actor, Role
from domain.application import ApplyForCertificate
from domain.booking import Book
from domain.certificate import (
    GetCertificate,
    IssueCertificate,
    ListCertificates,
    ListReplacements,
    PrintCertificate,
    Replacement,
)
from domain.correction import CorrectInjection, CorrectRecipient
from domain.errors import CertificateClosed, KnownAlready, NotAllowed, NothingChanged, NotIdentified
from domain.mypage import GetMyPage, IdentifyByDetails
from domain.recipient import PersonDetails, Sex
from domain.statement import Certificate, CertificateStatus
from domain.visit import FindVisits
from storage.check_mypage import check_my_page
from tests.clinics import STAFF, OpenClinic, person

WRONG = person(1)
RIGHT = replace(WRONG, name="홍길순", birth_date=date(1946, 8, 15), passport_surname="HWANG", sex=Sex.FEMALE)


async def identified(clinic: OpenClinic, who: PersonDetails) -> Actor:
    details = IdentifyByDetails(who.name, who.birth_date.isoformat(), who.phone)
    found: Actor = await clinic.gateway.ask(details)
    return found


async def certified(clinic: OpenClinic, booking: str) -> str:
    injection = await clinic.vaccinate(booking)
    await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    await clinic.gateway.send(IssueCertificate(ready.certificate.code), STAFF)
    return str(ready.certificate.code)


async def sound(clinic: OpenClinic) -> bool:
    """Whether `kiosk check` finds nothing."""
    await clinic.services.settle()
    settings = clinic.settings
    return not await clinic.violations() and not await check_my_page(
        settings.records_url, settings.read_model_url
    )


async def test_details_are_put_right_everywhere_at_once(clinic: OpenClinic) -> None:
    booking = (await clinic.book(await clinic.vaccine(doses=2))).booking
    old = await certified(clinic, booking)
    me = await identified(clinic, WRONG)
    assert await clinic.gateway.send(CorrectRecipient(me.code, RIGHT, "misheard"), STAFF) == 1

    [issued] = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    facts = issued.certificate.facts
    assert issued.name == RIGHT.name
    assert facts is not None
    assert facts.is_of(RIGHT)
    assert facts.supersedes == old
    with pytest.raises(CertificateClosed):
        await clinic.gateway.send(PrintCertificate(old), STAFF)
    assert (await clinic.gateway.ask(GetCertificate(old), STAFF)).reason == "misheard"
    await clinic.gateway.send(PrintCertificate(issued.certificate.code), STAFF)

    with pytest.raises(NotIdentified):
        await identified(clinic, WRONG)
    assert (await identified(clinic, RIGHT)).code == me.code
    [visit] = await clinic.gateway.ask(FindVisits("홍길순"), STAFF)
    assert visit.person == RIGHT
    assert await clinic.gateway.ask(FindVisits("홍길동"), STAFF) == []
    for told in (False, True):  # beside the view, and out of it
        page = await clinic.gateway.ask(GetMyPage(), me)
        assert page.name == "홍*순"
        shown = {item.code: item.status for item in page.items if item.kind == "certificate"}
        assert shown == {old: "revoked", issued.certificate.code: "issued"}
        if not told:
            assert await sound(clinic)


async def test_what_waits_to_be_issued_states_the_new_details(clinic: OpenClinic) -> None:
    booking = (await clinic.book(await clinic.vaccine(doses=1))).booking
    injection = await clinic.vaccinate(booking)
    await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    assert await clinic.gateway.send(CorrectRecipient(injection.recipient, RIGHT, "misheard"), STAFF) == 0
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    assert ready.name == RIGHT.name
    await clinic.gateway.send(IssueCertificate(ready.certificate.code), STAFF)
    certificate = await clinic.gateway.ask(GetCertificate(ready.certificate.code), STAFF)
    assert certificate.facts.is_of(RIGHT)
    assert await sound(clinic)


async def test_what_is_put_right_while_nothing_can_be_signed_is_issued_when_it_can(
    clinic: OpenClinic,
) -> None:
    old = await certified(clinic, (await clinic.book(await clinic.vaccine(doses=2))).booking)
    me, keys = await identified(clinic, WRONG), clinic.settings.key_folder
    away = keys.rename(keys.with_name("away"))
    assert await clinic.gateway.send(CorrectRecipient(me.code, RIGHT, "misheard"), STAFF) == 1
    assert (await clinic.gateway.ask(GetCertificate(old), me)).status is CertificateStatus.REVOKED
    assert await sound(clinic)
    away.rename(keys)
    outdated = ListReplacements((await clinic.gateway.ask(GetCertificate(old), STAFF)).injection)
    assert await clinic.gateway.ask(outdated, STAFF) == [Replacement(old, "")]
    anew = await only_certificate(clinic, CertificateStatus.READY)
    await clinic.gateway.send(IssueCertificate(anew.code), STAFF)
    facts = (await only_certificate(clinic, CertificateStatus.ISSUED)).facts
    assert facts is not None
    assert facts.is_of(RIGHT)
    assert await clinic.gateway.ask(outdated, STAFF) == []  # another paper, which was applied for anew
    clinic.clock.move(days=731)  # the signer is valid for two years
    correction = CorrectInjection(anew.injection, "misheard", vaccinator="박민수")
    assert (await clinic.gateway.send(correction, STAFF)).given.vaccinator == "박민수"
    assert await sound(clinic)
    assert (await only_certificate(clinic, CertificateStatus.READY)).injection == anew.injection


async def only_certificate(clinic: OpenClinic, status: CertificateStatus) -> Certificate:
    [detail] = await clinic.gateway.ask(ListCertificates(status), STAFF)
    certificate: Certificate = detail.certificate
    return certificate


async def test_who_books_again_with_the_right_details_is_the_same_person(clinic: OpenClinic) -> None:
    one, two = await clinic.vaccine(doses=3), await clinic.vaccine(doses=3, key="other")
    await clinic.book(one)
    me = await identified(clinic, WRONG)
    await clinic.gateway.send(CorrectRecipient(me.code, RIGHT, "misheard"), STAFF)
    slot = await clinic.slot()
    again = await clinic.gateway.send(Book(RIGHT, two, slot), STAFF)
    assert (await clinic.recipient(again.booking)).code == me.code
    stranger = await clinic.gateway.send(Book(WRONG, two, slot), STAFF)
    assert (await clinic.recipient(stranger.booking)).code != me.code
    with pytest.raises(KnownAlready):
        await clinic.gateway.send(CorrectRecipient(me.code, WRONG, "misheard"), STAFF)
    with pytest.raises(NothingChanged):
        await clinic.gateway.send(CorrectRecipient(me.code, RIGHT, "misheard"), STAFF)
    assert await sound(clinic)


async def test_only_the_desks_put_details_right(clinic: OpenClinic) -> None:
    await clinic.book(await clinic.vaccine(doses=1))
    me = await identified(clinic, WRONG)
    manager = Actor("SMANAGER2", frozenset({Role.VACCINE_MANAGER}))
    for actor in (me, manager):
        with pytest.raises(NotAllowed):
            await clinic.gateway.send(CorrectRecipient(me.code, RIGHT, "misheard"), actor)
