"""Parts that are paused, that fail, and that meet what they can never do: the others do not notice."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from domain import policies
from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import CancelBooking
from domain.certificate import CertificateDetail, ListCertificates, PrintCertificate
from domain.errors import CannotSign, PaperFailed, PrinterResting, StorageUnavailable, TaskClosed
from domain.events import Booked, Event, Recorded
from domain.mypage import GetMyPage
from domain.orders import OrderIssue
from domain.parts import (
    DiscardTask,
    ListParts,
    ListTasks,
    LoopState,
    Part,
    PartState,
    PausePart,
    ResumePart,
    RetryTask,
    Task,
    TaskStatus,
)
from domain.ports import Context, Place, Signer, UnitOfWork
from domain.statement import CertificateFacts, CertificateStatus, Credential
from domain.visit import FindVisits
from kiosk.bootstrap import open_clinic
from kiosk.upkeep import rebuild_my_page
from storage import listeners, mypage, relay
from storage.engine import read_model_engine, reader_engine, writer_engine
from storage.leases import leases_of
from storage.listeners import Listener
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from tests.clinics import STAFF, OpenClinic, clinic_in


async def part(clinic: OpenClinic, name: Part) -> PartState:
    return next(state for state in await clinic.gateway.ask(ListParts(), STAFF) if state.name is name)


async def aside(clinic: OpenClinic) -> list[Task]:
    return await clinic.gateway.ask(ListTasks(TaskStatus.ASIDE), STAFF)  # type: ignore[no-any-return]


async def visits(clinic: OpenClinic, booking: str) -> int:
    return len(await clinic.gateway.ask(FindVisits(booking), STAFF))


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await found():  # noqa: ASYNC110 - another loop does it
            await asyncio.sleep(0.01)


async def test_a_paused_part_takes_nothing_and_catches_up_when_it_is_resumed(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    await clinic.gateway.send(PausePart("injection-intake"), STAFF)
    receipts = [await clinic.book(vaccine, number) for number in range(3)]
    await clinic.services.settle()
    state = await part(clinic, Part.INJECTION_INTAKE)
    assert (state.paused, state.behind) == (True, 3)
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [0, 0, 0]
    me = await clinic.recipient(receipts[0].booking)
    assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1

    await clinic.gateway.send(ResumePart("injection-intake"), STAFF)
    await clinic.services.settle()
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [1, 1, 1]
    assert (await part(clinic, Part.INJECTION_INTAKE)).behind == 0


async def test_a_pause_outlives_a_restart(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.gateway.send(PausePart("issuing"), STAFF)
    async with clinic_in(clinic_folder) as clinic:
        assert (await part(clinic, Part.ISSUING)).paused


async def test_a_part_that_fails_is_not_woken_by_what_is_committed(
    clinic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def failing(self: MyPageStore, events: Sequence[Recorded], after: int = 0) -> int:
        nonlocal tries
        tries += 1
        raise StorageUnavailable(reason="down")

    monkeypatch.setattr(relay, "FIRST_PAUSE", 60.0)
    monkeypatch.setattr(MyPageStore, "tell", failing)
    async with clinic_in(clinic_folder) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        await until(lambda: asyncio.sleep(0, tries > 0))
        for number in range(3):
            booking = (await clinic.book(vaccine, number)).booking

            async def expected(booking: str = booking) -> bool:
                return await visits(clinic, booking) == 1

            await until(expected)  # so other parts had all the time they needed
        assert tries == 1


async def test_what_can_never_be_done_is_put_aside_with_what_follows_from_it_and_the_rest_goes_on(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    poisoned = (await clinic.book(vaccine, 1)).booking
    await clinic.services.settle()
    receipts = [await clinic.book(vaccine, 2)]

    def stumbling(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        if isinstance(event, Booked) and event.booking == poisoned:
            raise ArithmeticError
        policies.follow_by_relay(part, uow, event, context)

    await clinic.gateway.send(CancelBooking(poisoned), STAFF)
    await clinic.services.settle()
    monkeypatch.setattr(listeners, "follow_by_relay", stumbling)
    poisoned = (await clinic.book(vaccine, 3)).booking
    receipts.append(await clinic.book(vaccine, 4))
    await clinic.services.settle()
    [first] = await aside(clinic)
    assert (first.part, first.subject, first.problem) == (Part.INJECTION_INTAKE, poisoned, "ArithmeticError")
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [1, 1]

    await clinic.gateway.send(CancelBooking(poisoned), STAFF)
    await clinic.services.settle()
    assert [task.problem for task in await aside(clinic)] == ["ArithmeticError", listeners.BEHIND]
    assert (await part(clinic, Part.INJECTION_INTAKE)).aside == 2

    monkeypatch.setattr(listeners, "follow_by_relay", policies.follow_by_relay)
    assert await clinic.gateway.send(RetryTask(first.code), STAFF) == 2
    await clinic.services.settle()
    assert await aside(clinic) == []
    assert await visits(clinic, poisoned) == 0
    assert await clinic.violations() == []


async def test_what_follows_an_event_that_is_tried_again_comes_after_it_and_is_not_left_aside(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        raise ArithmeticError

    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    monkeypatch.setattr(listeners, "follow_by_relay", never)
    booking = (await clinic.book(vaccine, 1)).booking
    await clinic.services.settle()
    [first] = await aside(clinic)
    monkeypatch.setattr(listeners, "follow_by_relay", policies.follow_by_relay)
    await asyncio.gather(
        clinic.gateway.send(RetryTask(first.code), STAFF), clinic.gateway.send(CancelBooking(booking), STAFF)
    )
    await clinic.services.settle()
    assert await aside(clinic) == []
    assert await visits(clinic, booking) == 0
    assert await clinic.violations() == []


async def test_what_the_records_refuse_is_put_aside_too_and_keeps_nobody_behind_it_waiting(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubling(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        policies.follow_by_relay(part, uow, event, context)
        if isinstance(event, Booked) and event.booking == poisoned:
            injection = uow.injections.of_booking(poisoned)
            assert injection
            uow.injections.save(replace(injection, code="X" * 9))

    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    monkeypatch.setattr(listeners, "follow_by_relay", doubling)
    poisoned = ""
    await clinic.services.gateway.send(PausePart(Part.INJECTION_INTAKE), STAFF)
    poisoned = (await clinic.book(vaccine, 1)).booking
    behind = await clinic.book(vaccine, 2)
    await clinic.services.gateway.send(ResumePart(Part.INJECTION_INTAKE), STAFF)
    await clinic.services.settle()
    [task] = await aside(clinic)
    assert (task.subject, task.problem) == (poisoned, "records-refused")
    assert await visits(clinic, behind.booking) == 1


async def test_a_damaged_event_is_put_aside_and_told_once_it_is_mended(clinic: OpenClinic) -> None:
    def written(old: str, new: str) -> None:
        engine = writer_engine(clinic.settings.records_url)
        with engine.begin() as connection:
            changed = connection.execute(
                text(
                    "UPDATE event SET payload = replace(payload, :old, :new) "
                    "WHERE name = 'Booked' AND payload LIKE :booking"
                ),
                {"old": old, "new": new, "booking": f"%{receipts[0].booking}%"},
            )
        engine.dispose()
        assert changed.rowcount == 1

    both = (Part.INJECTION_INTAKE, Part.MY_PAGE)
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    for name in both:
        await clinic.gateway.send(PausePart(name), STAFF)
    receipts = [await clinic.book(vaccine, number) for number in range(2)]
    people = [await clinic.recipient(receipt.booking) for receipt in receipts]
    written('"slot":"', '"slot":"x')
    for name in both:
        await clinic.gateway.send(ResumePart(name), STAFF)
    await clinic.services.settle()
    tasks = {task.part: task for task in await aside(clinic)}
    assert {task.problem for task in tasks.values()} == {"event-illegible"}
    assert {name: task.subject for name, task in tasks.items()} == {
        Part.INJECTION_INTAKE: receipts[0].booking,
        Part.MY_PAGE: people[0].code,
    }
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [0, 1]

    written('"slot":"x', '"slot":"')
    for task in tasks.values():
        await clinic.gateway.send(RetryTask(task.code), STAFF)
    await clinic.services.settle()
    assert await aside(clinic) == []
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [1, 1]
    for me in people:
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1
    assert await clinic.violations() == []


EVENT_DAMAGES = {
    "bytes that are no text": {
        "payload": """replace(payload, '"product":"', '"product":"' || CAST(x'f4' AS TEXT))"""
    },
    "a name that is no text": {"name": "CAST(x'c2' AS TEXT) || substr(name, 2)"},
    "an instant that is no text": {"at": "CAST(x'b2' AS TEXT) || substr(at, 2)"},
    "no instant": {"at": "'2026-1q' || substr(at, 8)"},
    "no time zone": {"at": "substr(at, 1, 26)"},
    "an id that is no text": {"id": "CAST(x'c2' AS TEXT) || substr(id, 2)"},
    "a name of nothing": {"name": "'Bookee'"},
    "an instant after all others": {"at": "'infinity'"},
}
ON_BOTH = {"a name of nothing"}
ON_SERVERS = {*ON_BOTH, "an instant after all others"}


@contextmanager
def event_damaged(clinic: OpenClinic, booking: str, damage: str) -> Iterator[None]:
    """What was told of this booking first, until it is mended in the end."""
    [(column, wrong)] = EVENT_DAMAGES[damage].items()
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as records:
        records.execute(text("CREATE TABLE sound AS SELECT * FROM event"))
        changed = records.execute(
            text(f"UPDATE event SET {column} = {wrong} WHERE name = 'Booked' AND payload LIKE :booking"),
            {"booking": f"%{booking}%"},
        )
    assert changed.rowcount == 1
    yield
    mended = f"(SELECT sound.{column} FROM sound WHERE sound.seq = event.seq)"
    with engine.begin() as records:
        records.execute(text(f"UPDATE event SET {column} = {mended} WHERE seq IN (SELECT seq FROM sound)"))
    engine.dispose()


@pytest.mark.parametrize("damage", EVENT_DAMAGES)
async def test_an_event_keeps_back_no_other_whatever_its_row_has_suffered(
    clinic: OpenClinic, damage: str
) -> None:
    on_server = clinic.settings.records_url.startswith("postgresql")
    if damage not in (ON_SERVERS if on_server else set(EVENT_DAMAGES) - ON_SERVERS | ON_BOTH):
        pytest.skip("this database keeps no such row")
    both = (Part.INJECTION_INTAKE, Part.MY_PAGE)
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    for name in both:
        await clinic.gateway.send(PausePart(name), STAFF)
    receipts = [await clinic.book(vaccine, number) for number in range(2)]
    people = [await clinic.recipient(receipt.booking) for receipt in receipts]
    told_as_it_is = damage == "an id that is no text"
    with event_damaged(clinic, receipts[0].booking, damage):
        assert (await part(clinic, Part.INJECTION_INTAKE)).behind == 2
        assert len((await clinic.gateway.ask(GetMyPage(), people[0])).items) == told_as_it_is
        assert len((await clinic.gateway.ask(GetMyPage(), people[1])).items) == 1
        for name in both:
            await clinic.gateway.send(ResumePart(name), STAFF)
        await clinic.services.settle()
        tasks = {task.part: task for task in await aside(clinic)}
        if not told_as_it_is:
            assert {task.problem for task in tasks.values()} == {"event-illegible"}
            assert [await visits(clinic, receipt.booking) for receipt in receipts] == [0, 1]
        await rebuild_my_page(clinic.settings, lambda done, of: None)
    for task in tasks.values():
        await clinic.gateway.send(RetryTask(task.code), STAFF)
    await clinic.services.settle()
    assert await aside(clinic) == []
    assert [await visits(clinic, receipt.booking) for receipt in receipts] == [1, 1]
    for me in people:
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1
    assert await clinic.violations() == []


async def cut_short(clinic: OpenClinic) -> tuple[list[str], Callable[[str], None]]:
    """Bookings of two people whose events are put aside for my page, and how to mend one of these."""
    vaccine = await clinic.vaccine(doses=3)
    await clinic.services.settle()
    await clinic.gateway.send(PausePart(Part.MY_PAGE), STAFF)
    bookings = [(await clinic.book(vaccine, number)).booking for number in (1, 2)]

    def write(statement: str, **values: str) -> None:
        engine = writer_engine(clinic.settings.records_url)
        with engine.begin() as records:
            records.execute(text(statement), values)
        engine.dispose()

    write("CREATE TABLE sound AS SELECT * FROM event")
    write("UPDATE event SET payload = substr(payload, 1, length(payload) - 3) WHERE name = 'Booked'")
    await clinic.gateway.send(ResumePart(Part.MY_PAGE), STAFF)
    await clinic.services.settle()

    def mend(booking: str) -> None:
        sound = "(SELECT sound.payload FROM sound WHERE sound.seq = event.seq)"
        write(f"UPDATE event SET payload = {sound} WHERE payload LIKE :booking", booking=f"%{booking}%")

    return bookings, mend


async def test_what_is_told_again_is_not_held_up_by_another_event_that_is_still_damaged(
    clinic: OpenClinic,
) -> None:
    bookings, mend = await cut_short(clinic)
    first, second = [task for task in await aside(clinic) if task.part is Part.MY_PAGE]
    mend(bookings[0])
    await clinic.gateway.send(RetryTask(first.code), STAFF)
    await clinic.services.settle()
    left = [task for task in await aside(clinic) if task.part is Part.MY_PAGE]
    assert [(task.code, task.problem) for task in left] == [(second.code, "event-illegible")]
    me = await clinic.recipient(bookings[0])
    assert [item.code for item in (await clinic.gateway.ask(GetMyPage(), me)).items] == bookings[:1]

    mend(bookings[1])
    await clinic.gateway.send(RetryTask(second.code), STAFF)
    await clinic.services.settle()
    me = await clinic.recipient(bookings[1])
    assert [item.code for item in (await clinic.gateway.ask(GetMyPage(), me)).items] == bookings[1:]


async def test_an_event_that_waits_to_be_told_again_can_be_discarded(clinic: OpenClinic) -> None:
    await cut_short(clinic)
    await clinic.gateway.send(PausePart(Part.MY_PAGE), STAFF)
    first, second = [task for task in await aside(clinic) if task.part is Part.MY_PAGE]
    await clinic.gateway.send(RetryTask(first.code), STAFF)
    for task in (first, second):
        await clinic.gateway.send(DiscardTask(task.code), STAFF)
    with pytest.raises(TaskClosed):
        await clinic.gateway.send(DiscardTask(first.code), STAFF)
    await clinic.gateway.send(ResumePart(Part.MY_PAGE), STAFF)
    await clinic.services.settle()
    live = [*await aside(clinic), *await clinic.gateway.ask(ListTasks(TaskStatus.WAITING), STAFF)]
    assert [task for task in live if task.part is Part.MY_PAGE] == []


async def test_nobody_waits_for_a_part_that_failed_and_was_then_paused(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: MyPageStore, events: Sequence[Recorded], after: int = 0) -> int:
        raise StorageUnavailable(reason="away")

    vaccine = await clinic.vaccine(doses=1)
    await clinic.services.settle()
    monkeypatch.setattr(MyPageStore, "tell", away)
    await clinic.book(vaccine)
    settling = asyncio.create_task(clinic.services.settle())
    await clinic.gateway.send(PausePart(Part.MY_PAGE), STAFF)
    async with asyncio.timeout(60):
        await settling


async def test_records_that_were_put_back_to_an_earlier_state_lose_nothing_that_comes_after(
    tmp_path: Path,
) -> None:
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=9)
        for number in (1, 2, 3):
            await clinic.book(vaccine, number)
        await clinic.services.settle()
        engine = writer_engine(clinic.settings.records_url)
        with engine.begin() as connection:  # as their server does that went back to what a replica had
            [last] = connection.execute(text("SELECT max(seq) - 4 FROM event")).one()
            connection.execute(text("DELETE FROM event WHERE seq > :last"), {"last": last})
            connection.execute(text("UPDATE position SET seq = min(seq, :last)"), {"last": last})
        engine.dispose()
        later = [await clinic.book(vaccine, number) for number in (4, 5, 6)]
        await clinic.services.settle()
        assert [await visits(clinic, receipt.booking) for receipt in later] == [1, 1, 1]


async def test_what_only_a_newer_version_knows_is_left_to_it_with_all_that_comes_after(
    clinic: OpenClinic,
) -> None:
    vaccine = await clinic.vaccine(doses=2)
    before = await clinic.book(vaccine, 1)
    await clinic.services.settle()
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as connection:  # a newer version works beside this one
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(
            text(
                "INSERT INTO event (id, name, payload, at)"
                " SELECT 'newer:0', 'BoosterInvited', '{}', max(at) FROM event"
            )
        )
        [newer] = connection.execute(text("SELECT max(seq) FROM event")).one()
    after = await clinic.book(vaccine, 2)
    outbox = Outbox(reader_engine(clinic.settings.records_url))
    stretch = await outbox.after(0, 100)
    assert (stretch.upto, stretch.events[-1].seq) == (newer - 1, newer - 1)
    assert [await visits(clinic, receipt.booking) for receipt in (before, after)] == [1, 0]
    with engine.begin() as connection:  # the newer one has dealt with it
        connection.execute(text("UPDATE position SET seq = :newer"), {"newer": newer})
    engine.dispose()

    async def expected() -> bool:
        await clinic.services.gateway.send(ResumePart(Part.INJECTION_INTAKE), STAFF)  # which wakes it
        return await visits(clinic, after.booking) == 1

    await until(expected)


async def test_a_view_that_was_begun_anew_is_told_from_its_beginning(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a damaged file is put aside, or a server that crashed has lost what was not on its disk yet."""
    tell = MyPageStore.tell

    async def lost_meanwhile(self: MyPageStore, events: Sequence[Recorded], after: int = 0) -> int:
        monkeypatch.setattr(MyPageStore, "tell", tell)
        async with self._writing() as connection:
            for table in (mypage.item, mypage.person):
                await connection.execute(table.delete())
            await connection.execute(mypage.state.update().values(position=0))
        return await tell(self, events, after)

    vaccine = await clinic.vaccine(doses=2)
    first = await clinic.book(vaccine, 1)
    await clinic.services.settle()
    monkeypatch.setattr(MyPageStore, "tell", lost_meanwhile)
    second = await clinic.book(vaccine, 2)
    await clinic.services.settle()
    for receipt in (first, second):
        page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipt.booking))
        assert len(page.items) == 1
    assert await clinic.violations() == []


async def test_what_is_tried_again_in_vain_is_put_aside_again(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        raise ArithmeticError

    monkeypatch.setattr(listeners, "follow_by_relay", never)
    await clinic.book(await clinic.vaccine(doses=1))
    await clinic.services.settle()
    [task] = await aside(clinic)
    await clinic.gateway.send(RetryTask(task.code), STAFF)
    await clinic.services.settle()
    [again] = await aside(clinic)
    assert (again.code, again.attempts) == (task.code, 5)
    await clinic.gateway.send(DiscardTask(task.code), STAFF)
    assert await aside(clinic) == []
    with pytest.raises(TaskClosed):
        await clinic.gateway.send(RetryTask(task.code), STAFF)


async def applied(clinic: OpenClinic, people: int) -> tuple[str, ...]:
    """Certificates that are ready to be issued."""
    vaccine = await clinic.vaccine(doses=people)
    for number in range(people):
        injection = await clinic.vaccinate((await clinic.book(vaccine, number)).booking)
        me = await clinic.recipient(injection.booking)
        await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.services.settle()
    ready = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    return tuple(detail.certificate.code for detail in ready)


def prints(details: list[CertificateDetail]) -> dict[str, int]:
    return {detail.certificate.code: detail.certificate.prints for detail in details}


async def test_what_an_officer_orders_is_issued_and_printed_once(clinic: OpenClinic) -> None:
    codes = await applied(clinic, 3)
    assert await clinic.gateway.send(OrderIssue(codes), STAFF) == 3
    await clinic.gateway.send(OrderIssue(codes), STAFF)
    await clinic.services.settle()
    issued = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    assert prints(issued) == dict.fromkeys(codes, 1)
    assert {facts.issued_by for detail in issued if (facts := detail.certificate.facts)} == {STAFF.name}
    papers = sorted(path.name for path in clinic.settings.paper_folder.iterdir())
    assert papers == sorted(f"certificate-{code}.pdf" for code in codes)
    assert await clinic.violations() == []


async def test_an_order_that_was_overtaken_by_a_cancellation_ends_by_itself(clinic: OpenClinic) -> None:
    [code] = await applied(clinic, 1)
    await clinic.gateway.send(PausePart("issuing"), STAFF)
    await clinic.gateway.send(OrderIssue((code,)), STAFF)
    [detail] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    await clinic.gateway.send(CancelApplication(detail.certificate.application), STAFF)
    await clinic.gateway.send(ResumePart("issuing"), STAFF)
    await clinic.services.settle()
    assert await aside(clinic) == []
    [task] = await clinic.gateway.ask(ListTasks(TaskStatus.DISCARDED), STAFF)
    assert (task.subject, task.problem) == (code, "certificate-closed")
    assert await clinic.violations() == []


class Printer:
    """A tray for tests: it fails as it is told, and remembers what came out."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.tray: list[str] = []

    async def keep(self, name: str, content: bytes) -> Place:
        if self.failure:
            raise self.failure
        self.tray.append(name)
        return Place("tray", printed=True)


class Refused(PaperFailed):
    code = "test-refused"
    of_this_paper = True


class PerhapsOut(PaperFailed):
    code = "test-perhaps-out"
    may_have_come_out = True


async def test_prints_wait_in_order_while_the_printer_is_down(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer, breaker = Printer(), clinic.gateway.breakers.printing
    breaker.rest = breaker.longest_rest = 0.1
    object.__setattr__(clinic.gateway, "archive", printer)
    printer.failure = PaperFailed(reason="switched off")
    codes = await applied(clinic, 3)
    await clinic.gateway.send(OrderIssue(codes), STAFF)

    async def all_wait() -> bool:
        state = await part(clinic, Part.PRINTING)
        return state.waiting == 3 and (await part(clinic, Part.ISSUING)).waiting == 0

    await until(all_wait)
    assert len(await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)) == 3
    printer.failure = None
    await clinic.services.settle()
    assert printer.tray == [f"certificate-{code}.pdf" for code in codes]


async def test_nothing_is_made_or_counted_for_a_printer_that_rests(clinic: OpenClinic) -> None:
    printer, breaker = Printer(), clinic.gateway.breakers.printing
    [code] = await applied(clinic, 1)
    await clinic.gateway.send(OrderIssue((code,)), STAFF)
    await clinic.services.settle()
    object.__setattr__(clinic.gateway, "archive", printer)
    printer.failure = PaperFailed(reason="switched off")
    for _ in range(breaker.failures):
        with pytest.raises(PaperFailed):
            await clinic.gateway.send(PrintCertificate(code), STAFF)
    commits: list[str] = []
    clinic.gateway.writer.on_commit(lambda: commits.append("one"))
    with pytest.raises(PrinterResting):
        await clinic.gateway.send(PrintCertificate(code), STAFF)
    assert commits == []


async def test_what_is_being_printed_is_in_progress_and_cannot_be_discarded(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, printer="ipp://127.0.0.1:9/ipp/print") as clinic:
        [code] = await applied(clinic, 1)
        printer, begun, go_on = Printer(), asyncio.Event(), asyncio.Event()
        keep = printer.keep

        async def slow(name: str, content: bytes) -> Place:
            begun.set()
            await go_on.wait()
            return await keep(name, content)

        printer.keep = slow  # type: ignore[method-assign]
        object.__setattr__(clinic.gateway, "archive", printer)
        await clinic.gateway.send(OrderIssue((code,)), STAFF)
        await begun.wait()
        assert await aside(clinic) == []
        assert (await part(clinic, Part.PRINTING)).waiting == 1
        [task] = await clinic.gateway.ask(ListTasks(TaskStatus.IN_PROGRESS), STAFF)
        assert task.subject == code
        with pytest.raises(TaskClosed):
            await clinic.gateway.send(DiscardTask(task.code), STAFF)
        go_on.set()
        await clinic.services.settle()
        assert [t.code for t in await clinic.gateway.ask(ListTasks(TaskStatus.DONE), STAFF)][-1] == task.code
        assert printer.tray == [f"certificate-{code}.pdf"]


class NoKeys:
    """A signer whose keys cannot be used until they are brought back."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.tried, self.keys = asyncio.Event(), False

    def sign(self, facts: CertificateFacts) -> Credential:
        self.loop.call_soon_threadsafe(self.tried.set)
        if not self.keys:
            raise CannotSign
        return self.signer.sign(facts)

    loop: asyncio.AbstractEventLoop


async def test_certificates_wait_for_keys_that_cannot_be_used_and_none_is_put_aside(
    clinic: OpenClinic,
) -> None:
    codes = await applied(clinic, 3)
    signer = NoKeys(clinic.gateway.signer)
    signer.loop = asyncio.get_running_loop()
    object.__setattr__(clinic.gateway, "signer", signer)
    await clinic.gateway.send(OrderIssue(codes), STAFF)
    for _ in range(7):  # more often than a task is tried before it is put aside
        signer.tried.clear()
        await signer.tried.wait()
    assert await aside(clinic) == []
    signer.keys = True
    await clinic.services.settle()
    assert len(await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)) == 3


async def test_a_task_that_fails_by_itself_rests_before_it_is_tried_again(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(facts: CertificateFacts) -> Credential:
        if facts.number == codes[0]:
            raise ArithmeticError
        return sign(facts)

    codes = await applied(clinic, 3)
    sign = clinic.gateway.signer.sign
    monkeypatch.setattr(relay, "FIRST_PAUSE", 3600.0)
    [loop] = [loop for loop in clinic.services.parts.loops if loop.part is Part.ISSUING]
    monkeypatch.setattr(clinic.gateway.signer, "sign", wrong)
    await clinic.gateway.send(PausePart(Part.ISSUING), STAFF)
    await clinic.services.settle()
    await clinic.gateway.send(OrderIssue(codes), STAFF)
    await clinic.gateway.send(ResumePart(Part.ISSUING), STAFF)

    async def rests() -> bool:
        return loop.state is LoopState.FAILING

    await until(rests)
    [task] = await clinic.gateway.ask(ListTasks(TaskStatus.WAITING, Part.ISSUING), STAFF)
    assert (task.subject, task.attempts) == (codes[0], 1)
    assert len(await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)) == 2


@pytest.mark.parametrize("failure", [Refused(reason="no"), PerhapsOut(reason="who knows")])
async def test_a_paper_that_fails_by_itself_keeps_no_other_waiting(
    clinic: OpenClinic, failure: PaperFailed
) -> None:
    printer = Printer()
    codes = await applied(clinic, 2)
    object.__setattr__(clinic.gateway, "archive", printer)
    keep = printer.keep

    async def choosy(name: str, content: bytes) -> Place:
        if codes[0] in name:
            raise failure
        return await keep(name, content)

    printer.keep = choosy  # type: ignore[method-assign]
    clinic.gateway.breakers.printing.failures = 99
    await clinic.gateway.send(OrderIssue(codes), STAFF)
    await clinic.services.settle()
    assert printer.tray == [f"certificate-{codes[1]}.pdf"]
    [task] = await aside(clinic)
    assert (task.subject, task.problem) == (codes[0], failure.code)


async def test_a_worker_that_signs_nothing_works_where_no_keys_are(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, parts=()) as clinic:
        booking = (await clinic.book(await clinic.vaccine(doses=1))).booking
        shutil.rmtree(clinic.settings.key_folder)
        settings = replace(clinic.settings, parts=("injection-intake", "my-page"))
        worker = await open_clinic(settings, clinic.clock, role="worker-my-page")
        await worker.settle()
        await worker.close()
        assert await visits(clinic, booking) == 1
    assert not clinic.settings.key_folder.exists(), "nor does it make any"


async def test_a_lease_is_held_by_one_and_ends_with_its_holder(clinic: OpenClinic) -> None:
    engines = [reader_engine(clinic.settings.records_url) for _ in range(2)]
    mine, other = (leases_of(engine) for engine in engines)
    async with mine.hold("something") as held, other.hold("something") as too, other.hold("else") as another:
        assert (held, too, another) == (True, False, True)
        async with mine.hold("something") as twice:
            assert not twice
    async with other.hold("something") as free:
        assert free
    left_behind = mine.hold("something")
    assert await left_behind.__aenter__()
    await mine.close()

    async def is_free() -> bool:
        async with other.hold("something") as freed:
            return freed

    await until(is_free)  # a server hears of a closed connection when it comes to it
    await other.close()
    for engine in engines:
        await engine.dispose()


async def test_what_follows_is_mostly_left_to_the_process_that_serves_people(
    clinic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, deal = relay.Relay._turn, relay.Relay._deal
    looked: Counter[relay.Relay] = Counter()
    dealt: Counter[relay.Relay] = Counter()

    async def look(self: relay.Relay, loop: relay.Loop, woken: bool) -> float | None:
        looked[self] += 1
        return await turn(self, loop, woken)

    async def count(
        self: relay.Relay, loop: relay.Loop, listener: Listener, events: Sequence[Recorded]
    ) -> None:
        dealt[self] += len(events)
        await deal(self, loop, listener, events)

    monkeypatch.setattr(relay.Relay, "_turn", look)
    monkeypatch.setattr(relay.Relay, "_deal", count)
    opened = partial(clinic_in, clinic_folder, capacity=10_000)
    async with opened() as serving, opened() as other:
        vaccine = await serving.vaccine(doses=10_000)
        for clinic in (serving, other):
            await clinic.services.settle()
        looked.clear()
        dealt.clear()
        slot, number = await serving.slot(), 0
        while looked[other.services.parts] < 12:  # of its parts, once a second each
            number += 1
            await serving.book(vaccine, number, slot=slot)
        await serving.services.settle()
        assert dealt[other.services.parts] < dealt[serving.services.parts] / 4


async def test_several_processes_share_the_tasks_and_each_is_done_once(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, parts=("injection-intake", "my-page", "issuing")) as desk:
        codes = await applied(desk, 6)
        await desk.gateway.send(PausePart("issuing"), STAFF)
        await desk.gateway.send(OrderIssue(codes), STAFF)
        async with clinic_in(clinic_folder, parts=("issuing",)) as one, clinic_in(clinic_folder) as other:
            await desk.gateway.send(ResumePart("issuing"), STAFF)
            for kiosk in (desk, one, other):
                await kiosk.services.settle()
        issued = await desk.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
        assert prints(issued) == dict.fromkeys(codes, 1)
        assert await desk.violations() == []


async def test_a_retry_is_told_to_every_view_also_to_one_that_has_yet_to_pass_the_event_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default each kiosk has a view of its own, in a file beside it."""
    poisoned, mended = "", False
    tell = MyPageStore.tell

    async def stumbling(self: MyPageStore, events: Sequence[Recorded], after: int = 0) -> int:
        about = [recorded.event for recorded in events]
        if not mended and any(isinstance(event, Booked) and event.booking == poisoned for event in about):
            raise ArithmeticError
        return await tell(self, events, after)

    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "other", "late")]
    views = [MyPageStore(read_model_engine(url)) for url in urls]
    async with (
        clinic_in(tmp_path, mypage_url=urls[0]) as one,
        clinic_in(tmp_path, mypage_url=urls[1]) as other,
    ):
        vaccine = await one.vaccine(doses=2)
        monkeypatch.setattr(MyPageStore, "tell", stumbling)
        poisoned = (await one.book(vaccine)).booking
        me = await one.recipient(poisoned)
        for kiosk in (one, other):
            await kiosk.services.settle()
        [task] = await aside(one)
        assert [(await view.page_of(me.code)).items for view in views[:2]] == [[], []]
        mended = True
        await one.gateway.send(RetryTask(task.code), STAFF)
        for kiosk in (one, other):
            await kiosk.services.settle()
        async with clinic_in(tmp_path, mypage_url=urls[2]) as late:
            await late.services.settle()
    for view in views:
        assert [item.code for item in (await view.page_of(me.code)).items] == [poisoned]
        await view.close()
