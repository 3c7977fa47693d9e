"""What a busy day leaves in the logs: everything that went wrong, and nobody's data."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.actors import Actor
from domain.application import ApplyForCertificate
from domain.booking import Book, BookingReceipt, CancelBooking, PrintTicket
from domain.certificate import IssueCertificate, ListCertificates
from domain.errors import ClinicError
from domain.mypage import GetMyPage, IdentifyByCode, IdentifyByDetails
from domain.parts import LoopState
from domain.recipient import PersonDetails
from domain.staff import EnrolStaff, Unlock
from domain.statement import CertificateStatus
from kiosk import crash
from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.logs import open_log
from kiosk.services import Services
from kiosk.settings import Settings
from storage import mypage, tables
from storage.engine import writer_engine
from tests.app.terminal import see, wait_for
from tests.clinics import STAFF, OpenClinic, TestClock, clinic_in, keep_in
from tests.postgresql import USER, Server

PASSWORD = "s3cretWord"
PEOPLE = [
    PersonDetails("홍길동", date(1945, 8, 15), "+821055550001", "HONG", "GILDONG"),
    PersonDetails("Nguyễn Thị Hòa", date(1988, 2, 29), "+821055550002", "NGUYEN", "THI HOA"),
    PersonDetails("김영자", date(1951, 12, 3), "+821055550003", "KIM", "YOUNGJA"),
    PersonDetails("남궁민수", date(1979, 6, 10), "+821055550004", "NAMGUNG", "MINSU"),
]
FORBIDDEN_ROW = "no room for {0.name}, born {0.birth_date}, call {0.phone}".format(PEOPLE[3])
PERSONAL = [
    *(part for person in PEOPLE for part in person.name.split()),
    *(word for person in PEOPLE for word in (person.passport_surname, person.passport_given)),
    *(person.phone[-8:] for person in PEOPLE),
    *(f"{person.birth_date:{form}}" for person in PEOPLE for form in ("%Y-%m-%d", "%Y%m%d", "%y%m%d")),
    "김간호", "이접종", PASSWORD,
]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A clinic's folder; on PostgreSQL its address holds a password."""
    if request.param == "sqlite":
        yield tmp_path
        return
    server: Server = request.getfixturevalue("postgresql")
    database = server.database()
    url = server.url(database).replace(f"{USER}@", f"{USER}:{PASSWORD}@")
    keep_in(tmp_path, url, url)
    yield tmp_path
    server.drop(database)


class Unredacted(logging.Handler):
    """What any other log of the same day would say."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += logging.Formatter().format(record) + "\n"


async def refused(clinic: OpenClinic, command: Any, actor: Actor = STAFF) -> None:
    with pytest.raises(ClinicError):
        await clinic.gateway.send(command, actor)


async def the_day_of_everybody(clinic: OpenClinic) -> list[BookingReceipt]:
    """Three people book, are refused twice, are vaccinated, and take their certificates home."""
    vaccine, send, ask = await clinic.vaccine(doses=20), clinic.gateway.send, clinic.gateway.ask
    receipts = []
    for person in PEOPLE[:3]:
        book = Book(person, vaccine, await clinic.slot())
        receipt = await send(book)
        receipts.append(receipt)
        await refused(clinic, book)
        me = await clinic.recipient(receipt.booking)
        await send(PrintTicket(receipt.booking), me)
        injection = await clinic.vaccinate(receipt.booking)
        await send(ApplyForCertificate(injection.code), me)
        await refused(clinic, CancelBooking(receipt.booking), me)
        await clinic.services.settle()
        await ask(GetMyPage(), me)
    for detail in await ask(ListCertificates(CertificateStatus.READY), STAFF):
        await send(IssueCertificate(detail.certificate.code), STAFF)
    await send(EnrolStaff("이접종", STAFF.roles), STAFF)
    for question in (
        IdentifyByDetails(PEOPLE[3].name, "19790610", "01055550004"),
        IdentifyByCode("B22222222"),
        Unlock("000000"),
    ):
        with pytest.raises(ClinicError):
            await ask(question)
    return receipts


def break_the_records(settings: Settings) -> None:
    """From now on the database refuses a new person, in words that name them, as no rule of ours would."""
    engine = writer_engine(settings.records_url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER no_room BEFORE INSERT ON recipient "
                f"BEGIN SELECT RAISE(ABORT, '{FORBIDDEN_ROW}'); END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{FORBIDDEN_ROW}'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER no_room BEFORE INSERT ON recipient FOR EACH ROW EXECUTE FUNCTION no_room()"
            )
    engine.dispose()


def drop_my_page(settings: Settings) -> None:
    engine = writer_engine(settings.read_model_url)
    with engine.begin() as connection:
        mypage.metadata.drop_all(connection)
    engine.dispose()


async def everything_breaks(clinic: OpenClinic) -> None:
    """A write, a part, a task of the event loop, a thread: each with a person's data in its error."""
    vaccine = await clinic.vaccine(doses=1, key="another-vaccine")
    await asyncio.to_thread(break_the_records, clinic.settings)
    try:
        await clinic.gateway.send(Book(PEOPLE[3], vaccine, await clinic.slot()))
    except Exception as error:  # noqa: BLE001 - whatever it is, a screen would hand it to the log
        crash.record("a write failed", error)
    else:
        raise AssertionError("it was written")

    async def unheard() -> None:
        raise RuntimeError(FORBIDDEN_ROW)

    task = asyncio.create_task(unheard())
    await asyncio.wait([task])
    del task
    gc.collect()
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(RuntimeError(FORBIDDEN_ROW)))
    thread.start()
    await asyncio.to_thread(thread.join)

    await asyncio.to_thread(drop_my_page, clinic.settings)
    await clinic.vaccine(doses=0, key="one-more")
    async with asyncio.timeout(20):
        while not any(loop.state is LoopState.FAILING for loop in clinic.services.parts.loops):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def a_screen_breaks(settings: Settings, clock: TestClock) -> None:
    async def opener() -> Services:
        return await open_clinic(settings, clock)

    def fail() -> None:
        raise RuntimeError(FORBIDDEN_ROW)

    app = ClinicApp(opener, settings)
    async with app.run_test() as pilot:
        await wait_for(pilot, lambda: app.services is not None)
        app.screen.call_later(fail)
        await see(pilot, "문제가 생겼습니다")
        app._exception = None


def kept_of_people(settings: Settings) -> list[str]:
    """Digests of people and of PINs, and codes that open my page."""
    engine = writer_engine(settings.records_url)
    with engine.connect() as connection:
        columns = (
            tables.recipient.c.identity, tables.recipient.c.code, tables.booking.c.code,
            tables.injection.c.code, tables.certificate.c.code, tables.staff.c.pin_hash,
        )  # fmt: skip
        kept = [value for column in columns for value in connection.scalars(select(column))]
    engine.dispose()
    return kept


async def test_a_busy_day_with_every_fault_leaves_nobodys_data_in_the_logs(folder: Path) -> None:
    unredacted = Unredacted()
    logging.getLogger().addHandler(unredacted)
    hook, threading.excepthook = threading.excepthook, lambda ended: None
    try:
        async with clinic_in(folder) as clinic:
            with open_log(clinic.settings, "kiosk"):
                receipts = await the_day_of_everybody(clinic)
                secrets = [*PERSONAL, *kept_of_people(clinic.settings), *(r.booking for r in receipts)]
                await a_screen_breaks(clinic.settings, clinic.clock)
                await everything_breaks(clinic)
    finally:
        threading.excepthook = hook
        logging.getLogger().removeHandler(unredacted)
    logs = list(clinic.settings.log_folder.glob("*.log*"))
    text = "".join(file.read_text(encoding="utf-8") for file in logs)
    assert [secret for secret in secrets if secret in text] == []
    lines = [json.loads(line) for line in text.splitlines()]
    # All of it went wrong, and was there to be given away:
    assert {line["logger"] for line in lines} >= {
        "kiosk",
        "kiosk.log",
        "storage.writer",
        "storage.relay",
        "asyncio",
    }
    messages = " ".join(line["message"] for line in lines)
    for happened in (
        "a screen broke",
        "a write failed",
        "a thread ended",
        "my-page met",
        "default_exception_handler",
    ):
        assert happened in messages
    for bait in (PEOPLE[3].name, str(PEOPLE[3].birth_date), PEOPLE[3].phone):
        assert bait in unredacted.text
