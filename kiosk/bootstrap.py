"""The only place where the parts of the clinic are put together."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from domain.actors import STAFF_ROLES, SYSTEM
from domain.errors import ClinicError, PinSaidBefore, SettingsInvalid, StorageUnavailable
from domain.gateway import Gateway
from domain.parts import Part
from domain.ports import Archive, Clock
from domain.resilience import Breakers
from domain.revocation import GetStanding
from domain.staff import EnrolStaff, ListStaff
from domain.workflows import carry_out
from kiosk.clock import SystemClock
from kiosk.collector import look_seldom
from kiosk.credential.checkpoint import Checkpoint
from kiosk.credential.errors import KeysUnusable
from kiosk.credential.keys import KeyFolder, open_keys
from kiosk.credential.signer import FolderSigner, KeySigner, LateSigner, NoSigner
from kiosk.formulary import load_formulary
from kiosk.nightly import every_day
from kiosk.paper.address import parse_printer
from kiosk.paper.archive import FolderArchive
from kiosk.paper.press import ReportlabPress
from kiosk.paper.print_jobs import PrintJobs
from kiosk.paper.printer import PrinterArchive
from kiosk.paper.ticket import TicketPaper
from kiosk.pins import ArgonPins
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.status import Question, answering
from kiosk.upkeep import (
    ROOT,
    finish_restore,
    has_records,
    is_founded,
    keys_missing,
    named_root,
    require_records,
    require_root,
    root_said,
    saying_root,
    scheduled_backups,
)
from storage.engine import is_server
from storage.open import Storage, open_storage

REPORT_SECONDS = 2.0
FOR_PEOPLE = ("", "kiosk")
"""The roles of processes that somebody looks at: the screens, and the command line.

They alone begin a clinic, for they show its first PIN.
"""
LOOKS_AFTER = ("kiosk", "supervisor")
"""The roles of processes that look after what comes by itself: the day, and the scheduled backups."""
FIRST_STAFF_NAME = "관리자"


async def open_clinic(
    settings: Settings, clock: Clock | None = None, role: str = "", *, signs: bool | None = None
) -> Services:
    """Open the databases, the keys and the relay; on an empty clinic, enrol the first member of staff.

    A process with a ``role`` can be asked how it is (see `kiosk.status`). Whether it ``signs``, and needs the
    keys from the beginning, its role and its parts decide, unless it is said.

    Raises a `ClinicError` that says what is in the way.
    """
    clock = clock or SystemClock()
    clinic = settings.clinic
    formulary, parts = load_formulary(settings.formulary_file), parts_of(settings)
    await asyncio.to_thread(finish_restore, settings)
    if role not in FOR_PEOPLE:
        await asyncio.to_thread(require_records, settings)
    await asyncio.to_thread(_make_private, settings.data_folder)
    if signs is None:
        signs = role in LOOKS_AFTER or Part.ISSUING in parts
    begins = await asyncio.to_thread(_begins, settings, role)
    signer = await asyncio.to_thread(_open_signer, settings, clock.now(), role, signs, begins)
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
    opened = AsyncExitStack()
    opened.push_async_callback(jobs.close)
    opened.push_async_callback(storage.close)
    try:
        if begins or signs:
            await _agree_on_root(settings, storage, clock.now(), begins)
        if begins and isinstance(signer, LateSigner):
            await asyncio.to_thread(signer.open)
        jobs.start()  # what was left behind is being withdrawn before any part may print
        storage.start(
            parts,
            now=partial(gateway.context, SYSTEM),
            carry_out=partial(carry_out, gateway),
            print_once=bool(settings.printer),
        )
        # Only where somebody can read it: a worker that opens an empty clinic would keep the PIN to itself.
        first_pin = await _first_pin(gateway) if role in FOR_PEOPLE else None
        if role:
            await opened.enter_async_context(_asked(settings, role, storage, gateway))
            look_seldom()
    except BaseException:
        await opened.aclose()
        raise
    rotation_due = partial(_rotation_due, signer, clock)
    if role in LOOKS_AFTER:
        days = asyncio.create_task(every_day(gateway, rotation_due), name="days")
        opened.push_async_callback(_ended, days)
    if role in LOOKS_AFTER and settings.backup_hours:
        backups = asyncio.create_task(scheduled_backups(settings, clock), name="backups")
        opened.push_async_callback(_ended, backups)

    return Services(
        gateway=gateway,
        clinic=clinic,
        clock=clock,
        formulary=formulary,
        on_change=storage.changes.listen,
        parts=storage.relay,
        queued=lambda: storage.writer.queued,
        close=opened.aclose,
        first_pin=first_pin,
        rotation_due=rotation_due,
        check_certificate=Checkpoint(
            settings.key_folder, clock, lambda number: gateway.ask(GetStanding(number), SYSTEM)
        ).check,
    )


def _make_private(folder: Path) -> None:
    """For its owner only, before anything is made in it. Raises StorageUnavailable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageUnavailable(reason=f"{folder}: {problem.strerror}") from problem


async def _ended(task: asyncio.Task[None]) -> None:
    """Stop it, and wait until it has stopped."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def _asked(settings: Settings, role: str, storage: Storage, gateway: Gateway) -> AsyncIterator[None]:
    """Meanwhile the process answers `kiosk health` and `kiosk parts list`. Raises StorageUnavailable."""
    report = partial(_report, storage, gateway, Question(storage.outbox.last, REPORT_SECONDS))
    try:
        async with answering(settings.running_folder, role, report):
            yield
    except OSError as problem:
        raise StorageUnavailable(reason=f"{settings.running_folder}: {problem.strerror}") from problem


async def _report(storage: Storage, gateway: Gateway, records: Question) -> dict[str, Any]:
    """What this process says of itself."""
    try:
        await records.answered()
        problem = storage.writer.problem
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
    try:
        return (await gateway.send(command, SYSTEM, command_id="first-staff")).pin
    except PinSaidBefore:
        return None


def _begins(settings: Settings, role: str) -> bool:
    """Whether this process may begin the clinic of a server. It does where the first PIN is shown: keys that
    are made anywhere else would be another clinic's. Raises RecordsUnread."""
    return is_server(settings.records_url) and role in FOR_PEOPLE and not is_founded(settings)


def _open_signer(settings: Settings, now: datetime, role: str, signs: bool, begins: bool) -> KeySigner:
    """The keys for whoever signs. They are made before the clinic, by whoever makes that, and never later.

    Raises KeysMissing.
    """
    clinic, folder = settings.clinic, settings.key_folder
    if not signs and role:
        return NoSigner()
    if begins or (not signs and has_records(settings)):
        return LateSigner(partial(_signer_of, settings))
    keys = KeyFolder(folder)
    if not keys.is_made and has_records(settings):
        fingerprint, maker = named_root(settings)
        # Where none is named, one may be just now, by another process here: its draft is left alone.
        if not (fingerprint and folder.exists() and keys.settle(fingerprint)):
            raise keys_missing(keys, fingerprint, maker)
    open_keys(folder, country=clinic.country, clinic=clinic.name_en, now=now)
    return _signer_of(settings)


def _rotation_due(signer: KeySigner, clock: Clock) -> datetime | None:
    """Since when; None where it is not due, or there is no key: whoever has to sign says that."""
    with suppress(KeysUnusable):
        if (due := signer.rotate_from()) and due <= clock.now():
            return due
    return None


def _signer_of(settings: Settings) -> FolderSigner:
    """Signs with the keys here while they are of the clinic's root. Raises KeysMissing, KeysUnusable."""
    folder = settings.key_folder

    def known(root: str) -> None:
        require_root(root, KeyFolder(folder), *named_root(settings))

    return FolderSigner(
        folder, settings.issuer_url, also_card=settings.also_smart_health_card, require_root=known
    )


async def _agree_on_root(settings: Settings, storage: Storage, now: datetime, begins: bool) -> None:
    """The first to open the records with keys names its root in them; nobody signs by another one.

    Of kiosks that begin a clinic at once, that is the one that made it. It has the keys on its disk by then,
    so whoever is killed here finds them, or another begins the clinic. Where somebody works already, an
    older version began the clinic, and a draft is not of its root.
    Raises KeysMissing.
    """
    keys, clinic = KeyFolder(settings.key_folder), settings.clinic
    offer = partial(keys.offer, country=clinic.country, clinic=clinic.name_en, now=now)
    fingerprint = await asyncio.to_thread(offer if begins else keys.fingerprint)
    mine, in_use = saying_root(fingerprint, keys), keys.is_made

    def first(uow: Any) -> str:
        named: str = uow.secret(ROOT, "")
        if not named and (in_use or not uow.staff.all()):
            uow.save_secret(ROOT, named := mine)
        return named

    named = await storage.writer.run_behind(first, f"secret:{secrets.token_hex(8)}", "Root")
    fingerprint, maker = root_said(named)
    settled = not begins or await asyncio.to_thread(keys.settle, fingerprint)
    if in_use:
        require_root(keys.fingerprint(), keys, fingerprint, maker)
    if not settled:
        raise keys_missing(keys, fingerprint, maker)


def _archive(settings: Settings, jobs: PrintJobs) -> Archive:
    """The chosen printer; the folder where none was chosen."""
    if not settings.printer:
        return FolderArchive(settings.paper_folder)
    return PrinterArchive(parse_printer(settings.printer), jobs, settings.print_deadline_seconds)
