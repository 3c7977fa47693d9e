"""Steps that the tests of the staff desks share."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import TypeVar

from rich.text import Text
from textual.pilot import Pilot

from domain.actors import STAFF_ROLES, Actor
from domain.application import Application, ApplyForCertificate
from domain.booking import Book, BookingReceipt, ListDays, ListSlots
from domain.injection import Injection
from domain.mypage import IdentifyByCode
from domain.presentation import Site
from domain.recipient import PersonDetails
from domain.statement import CertificateFacts, Credential
from domain.stock import LedgerEntry, Lot
from domain.vaccine import ListLedger, ListLots, ListVaccines, VaccineLevel
from domain.visit import CheckIn, CompleteInjection, FindVisits, Screen, Visit
from kiosk.app import ClinicApp
from kiosk.credential.errors import FactsNotSignable
from kiosk.i18n import put_in_words
from kiosk.screens.base import StaffScreen
from kiosk.screens.desk.form import Form
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar
from kiosk.widgets.field import Entry
from kiosk.widgets.say import Say
from tests.app.terminal import wait_for
from tests.clinics import STAFF

S = TypeVar("S", bound=StaffScreen)

COLLEAGUE = Actor("SOTHER", STAFF_ROLES, "박간호")
BORN = date(1945, 8, 15)
LONG = "가" * 10_000
MARKUP = "[/red]"
EMOJI = "주사😀"
LOOSE = unicodedata.normalize("NFD", "한글로트")
NOT_TEXT = ("", LONG, MARKUP, EMOJI)
NOT_A_NUMBER = (*NOT_TEXT, LOOSE, "-5", "열 개", "abc", "1.5", "9" * 5_000)
NOT_A_DATE = (*NOT_TEXT, LOOSE, "abc", "-5", "0", "20271345", "2020-01-01", "29991231")


def services_of(app: ClinicApp) -> Services:
    assert app.services
    return app.services


async def at_desk(app: ClinicApp, desk: type[S], actor: Actor = STAFF) -> S:
    """Open a desk as a member of staff."""
    screen = desk(services_of(app), actor)
    await app.push_screen(screen)
    return screen


def person(number: int, name: str, born: date = BORN) -> PersonDetails:
    return PersonDetails(name, born, f"+8210{number:08d}", "HONG", "GILDONG")


async def levels(app: ClinicApp) -> list[VaccineLevel]:
    return await services_of(app).gateway.ask(ListVaccines())


async def lots(app: ClinicApp, vaccine: int = 0) -> list[Lot]:
    code = (await levels(app))[vaccine].vaccine.code
    return await services_of(app).gateway.ask(ListLots(code), STAFF)


async def ledger(app: ClinicApp, vaccine: int = 0) -> list[LedgerEntry]:
    code = (await levels(app))[vaccine].vaccine.code
    lines = await services_of(app).gateway.ask(ListLedger(code, limit=500), STAFF)
    return [line.entry for line in lines]


async def book(
    app: ClinicApp,
    number: int = 1,
    name: str = "홍길동",
    vaccine: int = 0,
    day: int = 0,
    slot: int = 0,
    born: date = BORN,
) -> BookingReceipt:
    """Somebody books, elsewhere."""
    services = services_of(app)
    code = (await levels(app))[vaccine].vaccine.code
    days = await services.gateway.ask(ListDays())
    slots = await services.gateway.ask(ListSlots(days[day].date))
    receipt = await services.gateway.send(
        Book(person(number, name, born), code, slots[slot].slot, join_wait_list=True)
    )
    await services.settle()
    return receipt


async def visit_of(app: ClinicApp, booking: str) -> Visit:
    services = services_of(app)
    await services.settle()
    return (await services.gateway.ask(FindVisits(booking), STAFF))[0]


async def vaccinate(app: ClinicApp, booking: str, lot: str = "LOT1", checked_in: bool = False) -> Injection:
    """The whole visit, or what is left of it, elsewhere."""
    gateway = services_of(app).gateway
    code = (await visit_of(app, booking)).injection.code
    if not checked_in:
        await gateway.send(CheckIn(code), STAFF)
    await gateway.send(Screen(code), STAFF)
    return await gateway.send(CompleteInjection(code, lot, Site.LEFT_ARM, STAFF.name), STAFF)


async def apply(app: ClinicApp, number: int, name: str, born: date = BORN) -> Application:
    """Somebody was vaccinated and asks for a certificate."""
    gateway = services_of(app).gateway
    receipt = await book(app, number, name, born=born)
    injection = await vaccinate(app, receipt.booking)
    me = await gateway.ask(IdentifyByCode(receipt.booking))
    application = await gateway.send(ApplyForCertificate(injection.code), me)
    await services_of(app).settle()
    return application


def error_of(form: Form, field: str) -> str:
    """What stands beside an entry, in words; empty when nothing is wrong with it."""
    for entry in form.query(Entry):
        if entry.field == field:
            return put_in_words(entry.query_one(".error", Say).words, form.texts)
    raise LookupError(field)


async def refuses(pilot: Pilot[int], form: Form, field: str, *entries: str) -> None:
    """Each of these entries is refused in words beside its field, and the form stays."""
    right = form.entry(field).value
    for entry in entries:
        form.entry(field).value = entry
        await pilot.press("f2")
        await wait_for(pilot, lambda: error_of(form, field), f"{field}: {entry[:20]!r} is refused")
        assert pilot.app.screen is form, f"{field}: {entry[:20]!r} was taken"
        assert form.entry(field).value == entry or len(entry) > 100, "what was typed stays"
        assert "input-" not in error_of(form, field), "it is said in words"
    form.entry(field).value = right


def cells(table: object) -> list[list[str]]:
    """What stands in the rows of a table."""
    from textual.widgets import DataTable

    assert isinstance(table, DataTable)
    rows = [table.get_row_at(at) for at in range(table.row_count)]
    return [[cell.plain if isinstance(cell, Text) else str(cell) for cell in row] for row in rows]


def keys_of(app: ClinicApp) -> set[str]:
    """The keys that the last line of the screen shows."""
    shown = app.screen.query_one(KeyBar).keys()
    return {name for name, _, _ in shown}


def refuse_to_sign(facts: CertificateFacts) -> Credential:
    """A signer to which these facts, for a reason of their own, are not signable."""
    raise FactsNotSignable(reason="too long")
