"""The only place where the parts of the clinic are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import STAFF_ROLES, SYSTEM
from domain.errors import ClinicError, SettingsInvalid
from domain.gateway import Gateway
from domain.messages import Query
from domain.parts import Part
from domain.ports import Archive, Clock
from domain.resilience import Breakers
from domain.revocation import GetStanding
from domain.staff import EnrolStaff, ListStaff
from domain.workflows import carry_out
from kiosk.credential.checkpoint import Checkpoint
from kiosk.credential.keys import open_keys
from kiosk.credential.restored import install_keys
from kiosk.credential.signer import FolderSigner
from kiosk.formulary import load_formulary
from kiosk.paper.address import parse_printer
from kiosk.paper.archive import FolderArchive
from kiosk.paper.press import ReportlabPress
from kiosk.paper.print_jobs import PrintJobs
from kiosk.paper.printer import PrinterArchive
from kiosk.paper.ticket import TicketPaper
from kiosk.pins import ArgonPins
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.status import answering
from storage.archive import Manifest
from storage.backup import Listed, Made, Source, back_up, list_backups
from storage.check import Checked, check_records
from storage.check_mypage import check_my_page
from storage.engine import is_server, prepare_folder, read_model_engine, reader_engine, writer_engine
from storage.migrate import migrate
from storage.mypage import MyPageStore
from storage.open import Storage, open_storage
from storage.reader import SqlReader
from storage.rebuild import Rebuild
from storage.restore import Restored, Target, finish, restore, verify
from storage.schedule import AGAIN, Schedule, due_in, run_schedule

REPORT_SECONDS = 2.0
FOR_PEOPLE = ("", "kiosk")
"""The roles of processes that somebody looks at: the screens, and the command line."""
KEEPS_BACKUPS = ("kiosk", "supervisor")
"""The roles of processes that look after the scheduled backups; one of them makes each."""
FIRST_STAFF_NAME = "관리자"


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See `domain.ports.Clock`."""
        return datetime.now(UTC)


async def open_clinic(settings: Settings, clock: Clock | None = None, role: str = "") -> Services:
    """Open the databases, the keys and the relay; on an empty clinic, enrol the first member of staff.

    A process with a ``role`` can be asked how it is (see `kiosk.status`).

    Raises a `ClinicError` that says what is in the way.
    """
    clock = clock or SystemClock()
    clinic = settings.clinic
    formulary, parts = load_formulary(settings.formulary_file), parts_of(settings)
    await asyncio.to_thread(finish_restore, settings)
    signer = await asyncio.to_thread(_open_signer, settings, clock.now())
    storage = await open_storage(
        records_url=settings.records_url,
        mypage_url=settings.read_model_url,
        clinic=clinic,
        formulary=formulary,
        clock=clock,
        patience=settings.patience_seconds,
    )
    jobs = PrintJobs(settings.data_folder / "print-jobs")
    gateway = Gateway(
        clinic=clinic,
        clock=clock,
        writer=storage.writer,
        reader=storage.reader,
        signer=signer,
        press=ReportlabPress(TicketPaper(settings.ticket_paper)),
        archive=_archive(settings, jobs),
        pins=ArgonPins(),
        identity_key=storage.identity_key,
        breakers=Breakers.for_server() if is_server(settings.records_url) else Breakers(),
    )
    storage.start(
        parts,
        now=partial(gateway.context, SYSTEM),
        carry_out=partial(carry_out, gateway),
        print_once=bool(settings.printer),
    )
    try:
        # Only where somebody can read it: a worker that opens an empty clinic would keep the PIN to itself.
        first_pin = await _first_pin(gateway) if role in FOR_PEOPLE else None
    except BaseException:
        await storage.close()
        raise
    jobs.start()
    beside = AsyncExitStack()
    if role:
        await beside.enter_async_context(
            answering(settings.running_folder, role, partial(_report, storage, gateway))
        )
    if role in KEEPS_BACKUPS and settings.backup_hours:
        backups = asyncio.create_task(scheduled_backups(settings, clock), name="backups")
        beside.push_async_callback(_ended, backups)

    async def close() -> None:
        await beside.aclose()
        await storage.close()
        await jobs.close()

    return Services(
        gateway=gateway,
        clinic=clinic,
        clock=clock,
        formulary=formulary,
        paper_folder=settings.paper_folder,
        on_change=storage.changes.listen,
        parts=storage.relay,
        queued=lambda: storage.writer.queued,
        close=close,
        first_pin=first_pin,
        check_certificate=Checkpoint(
            settings.key_folder, clock, lambda number: gateway.ask(GetStanding(number), SYSTEM)
        ).check,
    )


async def _ended(task: asyncio.Task[None]) -> None:
    """Stop it, and wait until it has stopped."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _report(storage: Storage, gateway: Gateway) -> dict[str, Any]:
    """What this process says of itself."""
    try:
        async with asyncio.timeout(REPORT_SECONDS):
            await storage.outbox.last()
        problem = ""
    except (TimeoutError, ClinicError) as error:
        problem = str(error) or "the records do not answer"
    return {
        "records": problem,
        "queued": storage.writer.queued,
        "parts": {loop.part: {"state": loop.state, "problem": loop.problem} for loop in storage.relay.loops},
        "breakers": gateway.breakers.states(),
    }


def parts_of(settings: Settings) -> tuple[Part, ...]:
    """The parts that work in this process. Raises SettingsInvalid.

    Where kiosks share a server, only one with a printer of its own prints what was ordered, unless told to:
    otherwise a sheet might end as a file on a kiosk in the hall.
    """
    if settings.parts is None:
        prints = bool(settings.printer) or not is_server(settings.records_url)
        return tuple(part for part in Part if prints or part is not Part.PRINTING)
    try:
        return tuple(Part(name) for name in settings.parts)
    except ValueError as problem:
        raise SettingsInvalid(where="parts", problem=f"{problem}; there are {', '.join(Part)}") from problem


async def _first_pin(gateway: Gateway) -> str | None:
    """Enrol the first member of staff. Of several kiosks that start at once, one has the PIN to show."""
    if await gateway.ask(ListStaff(), SYSTEM):
        return None
    command = EnrolStaff(FIRST_STAFF_NAME, STAFF_ROLES)
    pin = (await gateway.send(command, SYSTEM, command_id="first-staff")).pin
    first = (await gateway.ask(ListStaff(), SYSTEM))[0]
    return pin if await asyncio.to_thread(gateway.pins.matches, first.pin_hash, pin) else None


def _open_signer(settings: Settings, now: datetime) -> FolderSigner:
    clinic, folder = settings.clinic, settings.key_folder
    open_keys(folder, country=clinic.country, clinic=clinic.name_en, now=now)
    return FolderSigner(folder, settings.issuer_url, also_card=settings.also_smart_health_card)


def _archive(settings: Settings, jobs: PrintJobs) -> Archive:
    """The chosen printer; the folder where none was chosen."""
    if not settings.printer:
        return FolderArchive(settings.paper_folder)
    return PrinterArchive(parse_printer(settings.printer), jobs, settings.print_deadline_seconds)


async def rebuild_my_page(settings: Settings, progress: Callable[[int, int], None]) -> int:
    """Tell my page again from all events; answers how many there were."""
    async with _records(settings) as engine:
        view = read_model_engine(settings.read_model_url)
        mypage = MyPageStore(view)
        await mypage.open()
        try:
            return await Rebuild(engine, view, progress).run()
        finally:
            await mypage.close()


async def ask_records(settings: Settings, *queries: Query[Any]) -> list[Any]:
    """The answers to queries that need nothing but the records, beside a kiosk that may be running."""
    now = SystemClock().now()
    async with _records(settings) as engine:
        view = MyPageStore(engine)
        reader = SqlReader(engine, settings.clinic, (), view.page_of, view.position)
        return [await reader.answer(query, SYSTEM, now) for query in queries]


def has_records(settings: Settings) -> bool:
    """Whether the clinic was ever opened, as far as can be told without opening it."""
    return bool(settings.database_url) or (settings.data_folder / "clinic.db").exists()


async def check_clinic(settings: Settings, *, my_page: bool = False) -> Checked:
    """Everything that can be wrong with the records, and with my page if asked for."""
    checked = await asyncio.to_thread(check_records, settings.records_url)
    if my_page and checked.rows:
        checked.violations.extend(await check_my_page(settings.records_url, settings.read_model_url))
    return checked


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


# -- backups ----------------------------------------------------------------------------------------


def back_up_clinic(settings: Settings, place: Path | None, *, anyway: bool = False) -> Made:
    """A backup as this file, in this folder, or where the scheduled ones are. Raises BackupFailed."""
    place = place or backup_folder(settings)
    return back_up(_backup_source(settings), place, SystemClock().now(), anyway=anyway)


def restore_clinic(settings: Settings, archive: Path, *, replace: bool, anyway: bool) -> Restored:
    """A backup in the place of the records. Raises a RestoreRefused or BackupDamaged."""
    return restore(archive, _restore_target(settings), SystemClock().now(), replace=replace, anyway=anyway)


def verify_backup(archive: Path) -> tuple[Manifest, Checked]:
    """What a backup holds, and whatever is wrong with it. Raises BackupDamaged."""
    return verify(archive)


def finish_restore(settings: Settings) -> None:
    """See to the end of a restore that was killed; to be called before anything is opened."""
    finish(_restore_target(settings))


def list_clinic_backups(settings: Settings, folder: Path | None = None) -> tuple[list[Listed], bool]:
    """The backups there, newest first, and whether the newest is older than the settings ask for."""
    backups, hours = list_backups(folder or backup_folder(settings)), settings.backup_hours
    overdue = not backups or due_in(backups, hours, SystemClock().now()) < -AGAIN
    return backups, hours > 0 and overdue


async def scheduled_backups(settings: Settings, clock: Clock) -> None:
    """Make a backup whenever one is due, until cancelled; none when ``backup_hours`` is 0."""
    source, folder = _backup_source(settings), backup_folder(settings)
    await run_schedule(Schedule(source, folder, settings.backup_hours, settings.backup_keep, clock))


def backup_folder(settings: Settings) -> Path:
    """Where the scheduled backups are."""
    return settings.backup_folder or settings.data_folder / "backups"


def _backup_source(settings: Settings) -> Source:
    return Source(settings.records_url, settings.key_folder, settings.clinic.code, _version())


def _restore_target(settings: Settings) -> Target:
    take = partial(install_keys, settings.key_folder)
    return Target(settings.records_url, settings.read_model_url, settings.data_folder, take)


def _version() -> str:
    try:
        return version("clinic-kiosk")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
