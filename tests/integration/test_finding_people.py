"""Who is found, by whom and by what: in the desk's search, on its list of a day, at the public terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.actors import Actor
from domain.application import ApplyForCertificate
from domain.booking import Book, BookingReceipt, CancelBooking, MarkNoShow, PrintTicket
from domain.certificate import GetCertificate, IssueCertificate, ListCertificates
from domain.codes import parse_code
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import BookingClosed, NotIdentified
from domain.injection import Concern, Injection, InjectionStatus
from domain.mypage import IdentifyByCode
from domain.presentation import Site
from domain.recipient import Sex
from domain.statement import CertificateStatus
from domain.visit import (
    CheckIn,
    CompleteInjection,
    FindVisits,
    ListGiven,
    ListVisits,
    ListVisitsOf,
    Screen,
    Visit,
)
from tests.clinics import STAFF, OpenClinic, person

READ_AS_CODES = ("손상훈", "손은경", "문정영")
"""Typed with the keyboard in Hangul mode, these names have the nine characters of a code."""


async def book(clinic: OpenClinic, vaccine: str, number: int, name: str, day: int = 0) -> BookingReceipt:
    slot = await clinic.slot(day)
    receipt: BookingReceipt = await clinic.gateway.send(Book(person(number, name), vaccine, slot))
    await clinic.services.settle()
    return receipt


async def visit_of(clinic: OpenClinic, booking: str) -> Injection:
    [visit] = await clinic.gateway.ask(FindVisits(booking), STAFF)
    injection: Injection = visit.injection
    return injection


async def bookings_on(clinic: OpenClinic, day: date) -> list[str]:
    visits: list[Visit] = await clinic.gateway.ask(ListVisits(day), STAFF)
    return [visit.injection.booking for visit in visits]


# -- the desk's search ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READ_AS_CODES)
async def test_somebody_whose_name_reads_as_a_code_is_found_by_it(clinic: OpenClinic, name: str) -> None:
    assert parse_code(name)
    receipt = await book(clinic, await clinic.vaccine(doses=2), 1, name)
    for typed in (name, name[:2], receipt.booking):
        [visit] = await clinic.gateway.ask(FindVisits(typed), STAFF)
        assert (visit.injection.booking, visit.person.name) == (receipt.booking, name)


async def test_people_are_found_by_any_words_of_their_name_or_of_their_passport(clinic: OpenClinic) -> None:
    people = {
        "John Smith": "SMITH JOHN", "Anna Müller": "MUELLER ANNA", "Nguyễn Thị Hoa": "NGUYEN THI HOA",
        "李小龙": "LI XIAOLONG", "홍길동": "HONG GILDONG", "Kim Yong-su": "KIM YONG-SU",
        "Иван Петров": "PETROV IVAN",
    }  # fmt: skip
    vaccine = await clinic.vaccine(doses=len(people))
    for number, (name, passport) in enumerate(people.items()):
        surname, given = passport.split(" ", 1)
        who = replace(person(number, name), passport_surname=surname, passport_given=given, sex=Sex.FEMALE)
        await clinic.gateway.send(Book(who, vaccine, await clinic.slot()))
    await clinic.services.settle()
    whom = {
        "smith": "John Smith", "SMITH john": "John Smith", "müller": "Anna Müller",
        "muller anna": "Anna Müller", "MÜLL": "Anna Müller", "mueller": "Anna Müller",
        "nguyen": "Nguyễn Thị Hoa", "hoa nguyễn": "Nguyễn Thị Hoa", "li xiaolong": "李小龙", "Xiao": "李小龙",
        "李小": "李小龙", "홍 길동": "홍길동", "gildong": "홍길동",
        "yongsu": "Kim Yong-su", "петр": "Иван Петров",
    }  # fmt: skip
    nobody = ("mith", "m_ller", "%", "/", "-", "female", "passport", "길", "smith anna")
    for typed, name in (whom | dict.fromkeys(nobody)).items():
        found = await clinic.gateway.ask(FindVisits(typed), STAFF)
        assert [visit.person.name for visit in found] == ([name] if name else []), typed


async def test_a_code_that_holds_no_figure_finds_its_own_visit(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code of letters alone might be a name, and is looked for as both."""
    letters = parse_code("BAAAAAAAF")
    monkeypatch.setattr("domain.booking.new_code", lambda kind: letters if kind == "B" else f"{kind}22222222")
    receipt = await book(clinic, await clinic.vaccine(doses=2), 1, "홍길동")
    assert receipt.booking == letters
    assert (await visit_of(clinic, letters)).booking == letters


async def test_the_doses_of_a_person_are_those_of_nobody_else_of_that_name(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=5)
    given = []
    for number in (1, 2):
        receipt = await book(clinic, vaccine, number, "손상훈")
        given.append(await clinic.vaccinate(receipt.booking))
    await book(clinic, await clinic.vaccine(1, "other", disease="influenza"), 1, "손상훈")
    for injection in given:
        visits = await clinic.gateway.ask(ListVisitsOf(injection.recipient), STAFF)
        found = [visit.injection for visit in visits]
        assert [visit for visit in found if visit.dose] == [injection]
        assert {visit.recipient for visit in found} == {injection.recipient}


# -- the desk's list of a day -----------------------------------------------------------------------


async def test_who_comes_on_another_day_than_booked_is_on_the_list_of_the_day_they_came(
    clinic: OpenClinic,
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    early, absent = (
        await book(clinic, vaccine, 1, "홍길동", day=2),
        await book(clinic, vaccine, 2, "김민수", day=2),
    )
    assert await bookings_on(clinic, clinic.today) == []
    injection = await visit_of(clinic, early.booking)
    await clinic.gateway.send(CheckIn(injection.code), STAFF)
    assert await bookings_on(clinic, clinic.today) == [early.booking]
    await clinic.gateway.send(Screen(injection.code), STAFF)
    await clinic.gateway.send(CompleteInjection(injection.code, "LOT1", Site.LEFT_ARM, "김간호"), STAFF)
    assert await bookings_on(clinic, clinic.today) == [early.booking], "under observation"
    assert await bookings_on(clinic, clinic.today + timedelta(days=1)) == []
    assert await bookings_on(clinic, clinic.today + timedelta(days=2)) == [absent.booking, early.booking]


async def test_a_dose_put_off_to_the_next_day_is_on_the_list_of_the_day_it_was_given(
    clinic: OpenClinic,
) -> None:
    receipt = await book(clinic, await clinic.vaccine(doses=1), 1, "홍길동")
    injection = await visit_of(clinic, receipt.booking)
    await clinic.gateway.send(CheckIn(injection.code), STAFF)
    await clinic.gateway.send(Screen(injection.code, (Concern.FEVER,)), STAFF)
    clinic.clock.move(days=1)
    assert await bookings_on(clinic, clinic.today) == []
    await clinic.gateway.send(CheckIn(injection.code), STAFF)
    await clinic.gateway.send(Screen(injection.code), STAFF)
    await clinic.gateway.send(CompleteInjection(injection.code, "LOT1", Site.LEFT_ARM, "김간호"), STAFF)
    assert await bookings_on(clinic, clinic.today) == [receipt.booking]


async def test_the_list_of_a_day_begins_and_ends_at_the_clinics_midnight(clinic: OpenClinic) -> None:
    receipt = await book(clinic, await clinic.vaccine(doses=1), 1, "홍길동", day=4)
    injection = await visit_of(clinic, receipt.booking)
    clinic.clock.move(hours=14, minutes=29)  # a minute before midnight
    came_on = clinic.today
    await clinic.gateway.send(CheckIn(injection.code), STAFF)
    clinic.clock.move(minutes=2)
    assert clinic.today == came_on + timedelta(days=1)
    assert await bookings_on(clinic, came_on) == [receipt.booking]
    assert await bookings_on(clinic, clinic.today) == []


async def test_a_booking_given_back_leaves_the_list_although_the_person_came(clinic: OpenClinic) -> None:
    receipt = await book(clinic, await clinic.vaccine(doses=1), 1, "홍길동", day=2)
    await clinic.gateway.send(CheckIn((await visit_of(clinic, receipt.booking)).code), STAFF)
    await clinic.gateway.send(CancelBooking(receipt.booking), STAFF)
    await clinic.services.settle()
    assert await bookings_on(clinic, clinic.today) == []


# -- the public terminal ----------------------------------------------------------------------------


async def test_what_a_stranger_reads_on_a_certificate_opens_nobodys_page(clinic: OpenClinic) -> None:
    receipt = await book(clinic, await clinic.vaccine(doses=1), 1, "홍길동")
    me: Actor = await clinic.recipient(receipt.booking)
    injection = await clinic.vaccinate(receipt.booking)
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.services.settle()
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    done = await clinic.gateway.send(IssueCertificate(ready.certificate.code), STAFF)
    with pytest.raises(NotIdentified):
        await clinic.gateway.ask(IdentifyByCode(done.certificate))
    for code in (receipt.booking, injection.code, application.code):
        assert (await clinic.gateway.ask(IdentifyByCode(code))).code == me.code
    assert (await clinic.gateway.ask(GetCertificate(done.certificate), STAFF)).recipient == me.code


async def test_a_booking_that_came_to_its_end_prints_no_ticket(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    cancelled, missed, completed = [await book(clinic, vaccine, n, "홍길동") for n in (1, 2, 3)]
    owners = {r.booking: await clinic.recipient(r.booking) for r in (cancelled, missed, completed)}
    clinic.clock.move(minutes=30)
    await clinic.gateway.send(CancelBooking(cancelled.booking), STAFF)
    await clinic.gateway.send(MarkNoShow(missed.booking), STAFF)
    await clinic.vaccinate(completed.booking)
    for booking, status in zip(owners, ("cancelled", "no-show", "completed"), strict=True):
        with pytest.raises(BookingClosed) as refusal:
            await clinic.gateway.send(PrintTicket(booking), owners[booking])
        assert refusal.value.facts == {"status": status}
    assert not list(clinic.settings.paper_folder.glob("ticket-*.pdf"))


async def test_a_place_on_the_wait_list_has_its_ticket(clinic: OpenClinic) -> None:
    receipt = await clinic.book(await clinic.vaccine(doses=0))
    assert receipt.status == "waiting"
    await clinic.gateway.send(PrintTicket(receipt.booking), await clinic.recipient(receipt.booking))
    assert list(clinic.settings.paper_folder.glob("ticket-*.pdf"))


# -- a recall ---------------------------------------------------------------------------------------


async def had(clinic: OpenClinic, vaccine: str, lot: str, **page: int) -> list[tuple[str, InjectionStatus]]:
    doses = await clinic.gateway.ask(ListGiven(vaccine, lot, **page), STAFF)
    assert {given.dose.lot for given in doses} <= {lot}
    return [(given.person.phone[-1], given.status) for given in doses]


async def test_whoever_had_a_dose_of_a_lot_is_found_by_the_records_as_they_are_now(
    clinic: OpenClinic,
) -> None:
    vaccine, other = await clinic.vaccine(doses=9), await clinic.vaccine(doses=9, key="other")
    await clinic.deliver(vaccine, 9, "LOT2")
    doses = [await clinic.vaccinate((await clinic.book(vaccine, number)).booking) for number in range(4)]
    await clinic.vaccinate((await clinic.book(other, 7)).booking)
    await clinic.book(vaccine, 8)
    await clinic.gateway.send(VoidInjection(doses[1].code, "다른 사람의 기록", dose_returned=False), STAFF)
    await clinic.gateway.send(CorrectInjection(doses[2].code, "라벨 확인", lot="LOT2"), STAFF)
    given, void = InjectionStatus.COMPLETED, InjectionStatus.VOIDED
    assert await had(clinic, vaccine, "LOT1") == [("3", given), ("1", void), ("0", given)]
    assert await had(clinic, vaccine, "LOT1", limit=1, offset=1) == [("1", void)]
    assert await had(clinic, vaccine, "LOT2") == [("2", given)]
    assert await had(clinic, other, "LOT1") == [("7", given)]
    assert await had(clinic, other, "LOT2") == []
