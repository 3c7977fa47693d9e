"""The only place where the parts of the clinic are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import STAFF_ROLES, SYSTEM
from domain.events import Event
from domain.gateway import Gateway
from domain.policies import BY_RELAY, follow_by_relay
from domain.ports import Clock, UnitOfWork
from domain.staff import EnrolStaff, ListStaff
from kiosk.credential.keys import open_keys
from kiosk.credential.signer import ClinicSigner
from kiosk.formulary import load_formulary
from kiosk.paper.archive import FolderArchive
from kiosk.paper.press import ReportlabPress
from kiosk.pins import ArgonPins
from kiosk.services import Services
from kiosk.settings import Settings
from storage.check import Violation, check
from storage.engine import prepare_folder, read_model_engine, reader_engine, writer_engine
from storage.migrate import migrate
from storage.mypage import MyPageStore
from storage.open import open_storage
from storage.outbox import Outbox

FIRST_STAFF_NAME = "관리자"


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See `domain.ports.Clock`."""
        return datetime.now(UTC)


async def open_clinic(settings: Settings, clock: Clock | None = None) -> Services:
    """Open the databases, the keys and the relay; on an empty clinic, enrol the first member of staff.

    Raises a `ClinicError` that says what is in the way.
    """
    clock = clock or SystemClock()
    clinic = settings.clinic
    formulary = load_formulary(settings.formulary_file)
    keys = await asyncio.to_thread(
        partial(
            open_keys, settings.key_folder, country=clinic.country, clinic=clinic.name_en, now=clock.now()
        )
    )
    signer = ClinicSigner(keys)
    gateway: Gateway

    def react(part: str, uow: UnitOfWork, event: Event) -> None:
        follow_by_relay(part, uow, event, gateway.context(SYSTEM))

    storage = await open_storage(
        records_url=settings.records_url,
        mypage_url=settings.read_model_url,
        clinic=clinic,
        formulary=formulary,
        clock=clock,
        parts=tuple(BY_RELAY),
    )
    gateway = Gateway(
        clinic=clinic,
        clock=clock,
        writer=storage.writer,
        reader=storage.reader,
        signer=signer,
        press=ReportlabPress(),
        archive=FolderArchive(settings.paper_folder),
        pins=ArgonPins(),
        identity_key=storage.identity_key,
    )
    storage.start(react)
    first_pin = None
    if not await gateway.ask(ListStaff(), SYSTEM):
        first_pin = (await gateway.send(EnrolStaff(FIRST_STAFF_NAME, STAFF_ROLES), SYSTEM)).pin
    return Services(
        gateway=gateway,
        clinic=clinic,
        clock=clock,
        formulary=formulary,
        paper_folder=settings.paper_folder,
        on_change=storage.changes.listen,
        settle=storage.relay.settle,
        close=storage.close,
        first_pin=first_pin,
    )


async def rebuild_my_page(settings: Settings, progress: Callable[[int, int], None]) -> int:
    """Tell my page again from all events; answers how many there were."""
    async with _records(settings) as engine:
        mypage = MyPageStore(read_model_engine(settings.read_model_url))
        await mypage.open()
        try:
            return await mypage.rebuild(Outbox(engine), progress)
        finally:
            await mypage.close()


async def check_clinic(settings: Settings) -> list[Violation]:
    """Every row of the records that breaks a rule of the clinic."""
    async with _records(settings) as engine, engine.connect() as connection:
        return await connection.run_sync(check)


@asynccontextmanager
async def _records(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The records for reading only, beside a kiosk that may be running."""
    prepare_folder(settings.records_url)
    prepare_folder(settings.read_model_url)
    await asyncio.to_thread(_migrated, settings.records_url)
    engine = reader_engine(settings.records_url)
    try:
        yield engine
    finally:
        await engine.dispose()


def _migrated(url: str) -> None:
    engine = writer_engine(url)
    migrate(engine)
    engine.dispose()
