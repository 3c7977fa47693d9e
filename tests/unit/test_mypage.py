"""My page is told by the events alone, and shows the same as the records do."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain import events as e
from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import CancelBooking, MarkNoShow
from domain.certificate import RevokeCertificate
from domain.correction import CorrectInjection, CorrectRecipient, VoidInjection
from domain.injection import Severity
from domain.mypage import Change, ItemKind, MyPageItem, Person, project
from domain.vaccine import QuarantineLot, WriteOffStock
from domain.visit import ReportAdverseEvent

from .small_clinic import FIRST_SLOT, FLU, MANAGER, OFFICER, VACCINATOR, SmallClinic, person

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

EVENTS = list(e.BY_NAME.values())
SHOW_NOTHING = {
    e.VaccineRegistered, e.StockAdded, e.StockWrittenOff, e.LotQuarantined,
    e.InjectionRegistered, e.ObservationFinished, e.AdverseEventReported, e.MyPageMended,
}  # fmt: skip


def made_up(kind: type[e.Event]) -> e.Event:
    """An event of this kind with something in every field."""
    samples: dict[str, Any] = {
        "int": 2, "bool": True, "date": date(2026, 3, 2), "date | None": date(2026, 3, 30),
        "datetime": FIRST_SLOT,
    }  # fmt: skip
    return kind(**{f.name: samples.get(str(f.type), f"<{f.name}>") for f in fields(kind)})


class Page:
    """What a read model makes of projections: items by their code."""

    def __init__(self) -> None:
        self.items: dict[str, MyPageItem] = {}
        self.people: dict[str, Person] = {}

    def tell(self, event: e.Event, at: datetime = AT) -> None:
        for projection in project(event, at):
            if isinstance(projection, Person):
                self.people[projection.recipient] = projection
            elif isinstance(projection, MyPageItem):
                self.items[projection.code] = projection
            else:
                changed: Any = projection.fields
                self.items[projection.code] = replace(self.items[projection.code], **changed)


def page_of(clinic: SmallClinic) -> Page:
    clinic.relay()
    page = Page()
    for event in clinic.records.events:
        page.tell(event)
    return page


def agrees(clinic: SmallClinic) -> Page:
    """The page shows the status of every record that it is about."""
    page, records = page_of(clinic), clinic.records
    for kind, shelf in (
        (ItemKind.BOOKING, records.bookings),
        (ItemKind.APPLICATION, records.applications),
        (ItemKind.CERTIFICATE, records.certificates),
    ):
        shown = {code: item.status for code, item in page.items.items() if item.kind is kind}
        recorded: dict[str, str] = {code: str(thing.status) for code, thing in shelf.items()}
        assert shown == recorded
    for code, item in page.items.items():
        if item.kind is ItemKind.INJECTION:
            assert item.status == records.injections[code].status
            dose = records.injections[code].dose
            assert dose is not None
            assert (item.lot, item.dose_number, item.given_on) == (dose.lot, dose.dose_number, dose.given_on)
        if item.kind is ItemKind.BOOKING:
            assert item.slot == records.bookings[code].slot
    return page


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_shown_or_is_known_to_show_nothing(kind: type[e.Event]) -> None:
    assert bool(project(made_up(kind), AT)) == (kind not in SHOW_NOTHING)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_line_says_when_it_last_changed(kind: type[e.Event]) -> None:
    for projection in project(made_up(kind), AT):
        if isinstance(projection, MyPageItem):
            assert projection.at == AT
        elif isinstance(projection, Change):
            assert projection.fields["at"] == AT


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_a_change_names_fields_that_a_line_has(kind: type[e.Event]) -> None:
    lines = {field.name for field in fields(MyPageItem)}
    for projection in project(made_up(kind), AT):
        if isinstance(projection, Change):
            assert projection.fields.keys() <= lines


def test_no_event_carries_a_birth_date_a_phone_or_a_passport_name() -> None:
    for kind in EVENTS:
        names = {field.name for field in fields(kind)}
        assert not names & {"birth_date", "phone", "person", "surname", "given", "passport_surname"}
        assert "name" not in names or kind in {e.RecipientRegistered, e.RecipientCorrected}


def test_the_person_on_the_page_is_masked(clinic: SmallClinic) -> None:
    booking = clinic.book(clinic.vaccine(doses=1))
    shown = page_of(clinic).people[clinic.booking(booking).recipient]
    assert shown.name == "이*나"


def test_the_page_is_found_by_the_details_that_were_put_right(clinic: SmallClinic) -> None:
    booking = clinic.book(clinic.vaccine(doses=1))
    recipient = clinic.booking(booking).recipient
    clinic.send(CorrectRecipient(recipient, person(name="이한아"), "misheard"), VACCINATOR)
    shown = agrees(clinic).people[recipient]
    assert (shown.name, shown.identity) == ("이*아", clinic.records.recipients[recipient].identity)


def test_the_page_follows_a_booking_through_its_life(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    kept, waiting, leaving = (clinic.book(vaccine, number) for number in (1, 2, 3))
    agrees(clinic)
    clinic.send(CancelBooking(leaving), clinic.owner(leaving))
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    assert agrees(clinic).items[kept].status == "waiting"
    clinic.stock(vaccine, 1)
    assert agrees(clinic).items[kept].status == "reserved"
    clinic.clock.move(hours=1)
    clinic.send(MarkNoShow(kept), VACCINATOR)
    page = agrees(clinic)
    assert [page.items[code].status for code in (kept, waiting, leaving)] == [
        "no-show",
        "reserved",
        "cancelled",
    ]


def test_the_page_shows_the_slot_that_a_promotion_moved_to(clinic: SmallClinic) -> None:
    clinic.with_capacity(1)
    vaccine, flu = clinic.vaccine(), clinic.vaccine(FLU, doses=1)
    waiting = clinic.book(vaccine, 1)
    clinic.book(flu, 2)
    clinic.stock(vaccine, 1)
    assert agrees(clinic).items[waiting].slot != FIRST_SLOT


def test_the_page_follows_an_injection_that_is_corrected_and_voided(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.stock(vaccine, 3, "LOT2")
    injection = clinic.inject(vaccine)
    assert agrees(clinic).items[injection.booking].status == "completed"
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    assert agrees(clinic).items[injection.code].lot == "LOT2"
    clinic.send(VoidInjection(injection.code, "pressed twice", dose_returned=True), VACCINATOR)
    page = agrees(clinic)
    assert (page.items[injection.code].status, page.items[injection.booking].status) == ("voided", "reserved")


def test_the_page_follows_a_certificate_that_is_issued_reissued_and_revoked(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.stock(vaccine, 3, "LOT2")
    injection = clinic.inject(vaccine)
    application = clinic.apply(injection)
    assert agrees(clinic).items[clinic.certificate_of(application).code].status == "ready"
    old = clinic.issue(application)
    assert agrees(clinic).items[application.code].status == "issued"
    clinic.send(CorrectInjection(injection.code, "misread", lot="LOT2"), VACCINATOR)
    new = clinic.certificate_of(application)
    page = agrees(clinic)
    assert (page.items[old.code].status, page.items[new.code].status) == ("revoked", "issued")
    clinic.send(RevokeCertificate(new.code, "wrong name"), OFFICER)
    assert agrees(clinic).items[application.code].status == "revoked"


def test_every_line_knows_what_it_follows_from(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.apply(injection)
    items = agrees(clinic).items
    certificate = clinic.certificate_of(application).code
    assert items[certificate].parent == application.code
    assert items[application.code].parent == injection.code
    assert items[injection.code].parent == injection.booking
    assert {item.recipient for item in items.values()} == {injection.recipient}


def test_what_is_between_the_person_and_the_desk_is_not_on_the_page(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    injection = clinic.inject(vaccine)
    before = page_of(clinic).items
    clinic.send(ReportAdverseEvent(injection.code, Severity.MILD, "발적"), VACCINATOR)
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    assert page_of(clinic).items == before


def test_told_again_from_the_first_event_the_page_is_the_same(clinic: SmallClinic) -> None:
    injection = clinic.inject(clinic.vaccine(doses=1))
    application = clinic.send(ApplyForCertificate(injection.code), OFFICER)
    clinic.send(CancelApplication(application.code), OFFICER)
    once = agrees(clinic)
    again = page_of(clinic)
    assert (once.items, once.people) == (again.items, again.people)


def test_every_event_is_stored_under_the_name_of_its_class() -> None:
    kinds = [kind for kind in e.Event.__subclasses__() if kind.__module__ == e.__name__]
    assert set(e.BY_NAME) == {kind.__name__ for kind in kinds}
    for name, kind in e.BY_NAME.items():
        assert kind is getattr(e, name)
