"""A clinic in the middle of a busy day, made of invented people, in a folder that is thrown away."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from kiosk.settings import Settings

if TYPE_CHECKING:
    from domain.actors import Actor
    from domain.gateway import Gateway
    from domain.recipient import PersonDetails
    from kiosk.services import Services

PEOPLE = 60
_SURNAMES = (("김", "KIM"), ("이", "LEE"), ("박", "PARK"), ("최", "CHOI"), ("정", "JUNG"), ("강", "KANG"))
_GIVEN = (
    ("서연", "SEOYEON"), ("민준", "MINJUN"), ("영자", "YOUNGJA"), ("정호", "JEONGHO"), ("지우", "JIWOO"),
    ("순자", "SOONJA"), ("도윤", "DOYUN"), ("하은", "HAEUN"), ("병철", "BYEONGCHEOL"), ("미경", "MIKYUNG"),
)  # fmt: skip
_FOREIGN = (
    ("Nguyễn Thị Hòa", "NGUYEN", "THI HOA"),
    ("Anna Müller", "MUELLER", "ANNA"),
    ("李小龙", "LI", "XIAOLONG"),
    ("Иван Петров", "PETROV", "IVAN"),
)


class DemoClock:
    """Starts at eleven on an open morning and runs on from there."""

    def __init__(self, start: datetime) -> None:
        self._shift = start - datetime.now(UTC)

    def now(self) -> datetime:
        """See `domain.ports.Clock`."""
        return datetime.now(UTC) + self._shift

    def move_to(self, instant: datetime) -> None:
        """The day is told from its beginning."""
        self._shift = instant - datetime.now(UTC)


@contextmanager
def demo_clinic(settings: Settings) -> Iterator[tuple[Callable[[], Awaitable[Services]], Settings]]:
    """How to open the demo's clinic, and its settings; its folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="clinic-demo-") as name:
        folder = Path(name)
        of_the_demo = replace(
            settings, data_folder=folder, database_url="", mypage_url="",
            paper_folder=folder / "paper", printer="",
            parts=None, run_folder=None, backup_hours=0,
        )  # fmt: skip

        async def opening() -> Services:
            bootstrap = await asyncio.to_thread(importlib.import_module, "kiosk.bootstrap")
            clinic = settings.clinic
            day = clinic.bookable_days(datetime.now(UTC))[0]
            clock = DemoClock(clinic.start_of(day) + timedelta(hours=8))
            services: Services = await bootstrap.open_clinic(of_the_demo, clock)
            await fill(services, clock, day)
            return services

        yield opening, of_the_demo


async def fill(services: Services, clock: DemoClock, day: date) -> None:
    """The morning of this day, from the first delivery to eleven o'clock."""
    from domain.actors import STAFF_ROLES, SYSTEM
    from domain.staff import EnrolStaff, Unlock
    from domain.vaccine import AddStock, RegisterVaccine

    gateway, clinic = services.gateway, services.clinic
    enrolled = await gateway.send(EnrolStaff("김간호", STAFF_ROLES), SYSTEM)
    staff = await gateway.ask(Unlock(enrolled.pin))
    vaccines = []
    for presentation, doses in zip(services.formulary[:3], (40, 12, 0), strict=False):
        vaccine = await gateway.send(RegisterVaccine(presentation), staff)
        vaccines.append(vaccine.code)
        if doses:
            lot = f"{presentation.key[:2].upper()}{day:%m%d}"
            expiry = day + timedelta(days=2 if doses < 20 else 60)
            await gateway.send(AddStock(vaccine.code, lot, expiry, doses), staff)
    await _book(gateway, vaccines, clinic.slots_on(day), day)
    await services.settle()
    await _vaccinate(services, staff, clock, clinic.start_of(day))
    await services.settle()


async def _book(gateway: Gateway, vaccines: list[str], slots: list[datetime], day: date) -> None:
    from domain.booking import Book
    from domain.errors import ClinicError

    random = Random(day.toordinal())
    for number in range(PEOPLE):
        vaccine = vaccines[0] if number % 3 else vaccines[number // 3 % len(vaccines)]
        try:
            await gateway.send(
                Book(_person(number, random), vaccine, slots[number // 3], join_wait_list=True)
            )
        except ClinicError:  # too young for this product, or a full slot: as on any day
            continue


async def _vaccinate(services: Services, staff: Actor, clock: DemoClock, midnight: datetime) -> None:
    """Those with a slot before eleven come, and a few of them apply for a certificate."""
    from domain.application import ApplyForCertificate
    from domain.presentation import Site
    from domain.vaccine import ListLots
    from domain.visit import CheckIn, CompleteInjection, FinishObservation, ListVisits, Screen

    gateway = services.gateway
    eleven = midnight + timedelta(hours=11)
    visits = await gateway.ask(ListVisits(services.clinic.today(midnight)), staff)
    for number, visit in enumerate(visit for visit in visits if visit.injection.slot < eleven):
        code = visit.injection.code
        clock.move_to(visit.injection.slot + timedelta(minutes=number % 12))
        await gateway.send(CheckIn(code), staff)
        if visit.injection.slot + timedelta(minutes=30) > eleven and number % 2:
            continue
        await gateway.send(Screen(code), staff)
        lots = await gateway.ask(ListLots(visit.injection.vaccine), staff)
        await gateway.send(CompleteInjection(code, lots[0].number, Site.LEFT_ARM, staff.name), staff)
        if visit.injection.slot + timedelta(minutes=45) < eleven:
            clock.move_to(clock.now() + timedelta(minutes=30))
            await gateway.send(FinishObservation(code), staff)
        if number % 4 == 0:
            await gateway.send(ApplyForCertificate(code), staff)
    clock.move_to(eleven)


def _person(number: int, random: Random) -> PersonDetails:
    from domain.recipient import PersonDetails, Sex

    birth_date = date(random.randint(1938, 2006), random.randint(1, 12), random.randint(1, 28))
    sex = random.choice((Sex.FEMALE, Sex.MALE, Sex.UNKNOWN))
    phone = f"+8210{random.randint(10_000_000, 99_999_999)}"
    if number % 12 == 7:
        name, surname, given = _FOREIGN[number // 12 % len(_FOREIGN)]
    else:
        (hangul, surname), (own, given) = random.choice(_SURNAMES), random.choice(_GIVEN)
        name = hangul + own
    return PersonDetails(name, birth_date, phone, surname, given, sex)
