"""A real clinic in a temporary folder, on SQLite or on PostgreSQL, with a clock that the test owns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, select

from domain.actors import STAFF_ROLES, Actor
from domain.booking import Book, BookingReceipt, ListDays, ListSlots
from domain.clinic import Clinic, Schedule
from domain.injection import Injection
from domain.mypage import IdentifyByCode
from domain.parts import Part
from domain.presentation import Disease, Presentation, Site
from domain.recipient import PersonDetails
from domain.vaccine import AddStock, RegisterVaccine
from domain.visit import CheckIn, CompleteInjection, FindVisits, Screen
from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from storage.check import Violation, check
from storage.engine import writer_engine
from storage.tables import metadata

STAFF = Actor("STEST", STAFF_ROLES, "김간호")
MONDAY = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
"""Half past nine in the morning in Seoul, on an open day."""


class TestClock:
    """Stands still until the test moves it."""

    __test__ = False

    def __init__(self, start: datetime = MONDAY) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)


def presentation(key: str = "test-vaccine", **facts: object) -> Presentation:
    values: dict[str, object] = {
        "name_ko": "시험백신",
        "name_en": f"Testvax {key}",
        "manufacturer": "Testpharma",
        "disease": Disease.COVID_19,
        "primary_doses": 2,
        "interval_days": 21,
        "booster_interval_days": 90,
        "vaccine_code": "1119349007",
        "product_code": "EU/1/20/1528",
        "holder_code": "ORG-100030215",
        "cvx": "208",
    }
    return Presentation(key=key, **{**values, **facts})  # type: ignore[arg-type]


def person(number: int = 1, name: str = "홍길동") -> PersonDetails:
    return PersonDetails(name, date(1945, 8, 15), f"+8210{number:08d}", "HONG", "GILDONG")


@dataclass
class OpenClinic:
    """The services of a test's clinic, and the steps of a day in one call each."""

    services: Services
    settings: Settings
    clock: TestClock

    @property
    def gateway(self):  # type: ignore[no-untyped-def]
        return self.services.gateway

    @property
    def today(self) -> date:
        return self.services.clinic.today(self.clock.now())

    async def vaccine(self, doses: int, key: str = "test-vaccine", lot: str = "LOT1", **facts: object) -> str:
        vaccine = await self.gateway.send(RegisterVaccine(presentation(key, **facts)), STAFF)
        if doses:
            await self.deliver(vaccine.code, doses, lot)
        return str(vaccine.code)

    async def deliver(self, vaccine: str, doses: int, lot: str = "LOT1") -> None:
        await self.gateway.send(AddStock(vaccine, lot, self.today + timedelta(days=30), doses), STAFF)

    async def slot(self, day: int = 0, number: int = 0) -> datetime:
        days = await self.gateway.ask(ListDays())
        slots = await self.gateway.ask(ListSlots(days[day].date))
        return slots[number].slot  # type: ignore[no-any-return]

    async def book(self, vaccine: str, number: int = 1, **more: object) -> BookingReceipt:
        slot = more.pop("slot", None) or await self.slot()
        command = Book(person(number), vaccine, slot, join_wait_list=True)
        return await self.gateway.send(command, **more)  # type: ignore[no-any-return]

    async def recipient(self, code: str) -> Actor:
        return await self.gateway.ask(IdentifyByCode(code))  # type: ignore[no-any-return]

    async def vaccinate(self, booking: str, lot: str = "LOT1") -> Injection:
        await self.services.settle()
        [visit] = await self.gateway.ask(FindVisits(booking), STAFF)
        code = visit.injection.code
        await self.gateway.send(CheckIn(code), STAFF)
        await self.gateway.send(Screen(code), STAFF)
        command = CompleteInjection(code, lot, Site.LEFT_ARM, STAFF.name)
        return await self.gateway.send(command, STAFF)  # type: ignore[no-any-return]

    async def violations(self) -> list[Violation]:
        return violations(self.settings)


def violations(settings: Settings) -> list[Violation]:
    """What `kiosk check` finds in the records."""
    with _engine(settings.records_url).connect() as connection:
        return check(connection)


def everything_kept(settings: Settings) -> str:
    """Every row of the records, as text."""
    with _engine(settings.records_url).connect() as connection:
        return repr([connection.execute(select(table)).all() for table in metadata.sorted_tables])


@lru_cache(maxsize=1)
def _engine(url: str) -> Engine:
    """Kept for the next look: compiling the rules' statements costs more than running them."""
    return writer_engine(url)


def keep_in(folder: Path, database_url: str, mypage_url: str = "") -> None:
    """From now on the clinic in this folder keeps its records, and my page, there."""
    (folder / "urls").write_text(f"{database_url}\n{mypage_url}\n")


def settings_in(folder: Path, capacity: int = 12) -> Settings:
    urls = folder / "urls"
    database_url, mypage_url = urls.read_text().splitlines() if urls.exists() else ("", "")
    return Settings(
        database_url=database_url,
        mypage_url=mypage_url,
        data_folder=folder / "data",
        paper_folder=folder / "paper",
        log_folder=folder / "log",
        parts=tuple(Part),
        patience_seconds=60.0,  # a busy machine is not what most tests are about
        clinic=Clinic(schedule=Schedule(capacity=capacity)),
    )


@asynccontextmanager
async def clinic_in(
    folder: Path, *, capacity: int = 12, clock: TestClock | None = None, **choices: object
) -> AsyncIterator[OpenClinic]:
    """Open a clinic in this folder, with these choices of its settings, and close it in the end."""
    settings, clock = replace(settings_in(folder, capacity), **choices), clock or TestClock()  # type: ignore[arg-type]
    services = await open_clinic(settings, clock)
    services.gateway.breakers.my_page.limit = None  # a busy machine is not what this is about
    try:
        yield OpenClinic(services, settings, clock)
    finally:
        await services.close()
