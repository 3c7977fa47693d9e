"""Rows that were damaged: nothing of them is shown, and only whoever needs such a row is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Integer, cast, literal, select, text

from domain.booking import BookingReceipt, CancelBooking
from domain.correction import CorrectRecipient
from domain.errors import RecordIllegible, RecordsUnread
from domain.parts import ListTasks, Part, PausePart, ResumePart, TaskStatus
from domain.ports import UnitOfWork
from domain.visit import FindVisits
from storage import tables
from storage.engine import in_short, reader_engine, rows_of, writer_engine
from tests.clinics import STAFF, OpenClinic, clinic_in, person
from tests.integration.test_batches import together
from tests.postgresql import Server

NO_TEXT = "CAST(CAST(person AS BLOB) || x'ff' AS TEXT)"
NO_JSON = "replace(person, '}', '')"


def write(clinic: OpenClinic, statement: str) -> None:
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    engine.dispose()


def personal(said: str) -> list[str]:
    """What of a person stands in it."""
    details = person(1)
    known = (details.name, details.passport_surname, details.phone, str(details.birth_date))
    return [part for part in known if part in said]


async def test_what_is_said_of_a_row_that_is_no_text_shows_nothing_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        await clinic.book(vaccine, 1)
        write(clinic, f"UPDATE recipient SET person = {NO_TEXT}")
        engine = reader_engine(clinic.settings.records_url)
        try:
            with pytest.raises(RecordIllegible) as unread:
                await rows_of(engine, select(tables.recipient.c.person))
        finally:
            await engine.dispose()
        with pytest.raises(RecordIllegible) as unsaved:
            await clinic.book(vaccine, 1, slot=await clinic.slot(number=1))
    for said in (str(unread.value), str(unsaved.value), caplog.text):
        assert "'person'" in said
        assert personal(said) == []


async def test_what_a_server_says_of_a_value_does_not_repeat_it(postgresql: Server) -> None:
    database = postgresql.database()
    engine = reader_engine(postgresql.url(database))
    try:
        with pytest.raises(RecordsUnread) as refusal:
            await rows_of(engine, select(cast(literal('HONG "\n" GILDONG'), Integer)))
    finally:
        await engine.dispose()
        postgresql.drop(database)
    assert "invalid input syntax for type integer" in str(refusal.value)
    assert "HONG" not in str(refusal.value)
    assert "GILDONG" not in str(refusal.value)


def test_what_the_program_itself_says_of_a_value_does_not_repeat_it() -> None:
    assert in_short(ValueError("'HONG' is not a valid BookingStatus")) == "ValueError"


@pytest.mark.parametrize("damage", [NO_TEXT, NO_JSON], ids=["no text", "no JSON"])
async def test_only_the_command_that_needs_a_damaged_row_is_refused(
    clinic: OpenClinic, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    on_sqlite = clinic.settings.records_url.startswith("sqlite")
    if damage == NO_TEXT and not on_sqlite:
        pytest.skip("a server keeps no text that is none")
    vaccine = await clinic.vaccine(doses=9)
    await clinic.book(vaccine, 1)
    write(clinic, f"UPDATE recipient SET person = {damage}")
    slot = await clinic.slot(number=1)
    answers = await together(clinic, [clinic.book(vaccine, number, slot=slot) for number in (2, 1, 3)])
    assert [isinstance(answer, BookingReceipt) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], RecordIllegible)
    assert personal(str(answers[1])) == []
    assert personal(caplog.text) == []


NO_JSON_OF_A_PERSON = f"UPDATE recipient SET person = {NO_JSON}"
ALONE = {
    "no JSON": NO_JSON_OF_A_PERSON,
    "JSON of another kind": "UPDATE recipient SET person = '{}'",
    "no word": "UPDATE booking SET status = 'HONG'",
    "no instant": "UPDATE booking SET slot = 'HONG'",
    "an instant without its zone": "UPDATE booking SET slot = substr(slot, 1, 26)",
    "bytes": "UPDATE booking SET slot = x'484F4E47'",
    "an instant after all others": "UPDATE booking SET slot = 'infinity'",
    "an instant before all others": "UPDATE booking SET slot = '-infinity'",
    "an instant too far away": "UPDATE booking SET slot = '12026-11-23 09:00+00'",
}
ON_SQLITE = {"no instant", "an instant without its zone", "bytes"}
ON_SERVERS = {"an instant after all others", "an instant before all others", "an instant too far away"}


@pytest.mark.parametrize("damage", ALONE)
async def test_a_command_that_comes_alone_hears_that_the_row_which_it_needs_is_damaged(
    clinic: OpenClinic, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    on_sqlite = clinic.settings.records_url.startswith("sqlite")
    if damage in (ON_SERVERS if on_sqlite else ON_SQLITE):
        pytest.skip("this database keeps no such row")
    receipt = await clinic.book(await clinic.vaccine(doses=9), 1)
    await clinic.services.settle()
    write(clinic, ALONE[damage])
    correct = CorrectRecipient((await clinic.recipient(receipt.booking)).code, person(2), "misheard")
    needs_it = correct if "recipient" in ALONE[damage] else CancelBooking(receipt.booking)
    with pytest.raises(RecordIllegible) as refusal:
        await clinic.gateway.send(needs_it, STAFF)
    with pytest.raises(RecordIllegible) as unread:
        await rows_in_full(clinic, "recipient" if needs_it is correct else "booking")
    [logged] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert logged.startswith(f"{type(needs_it).__name__}")
    assert "record-illegible" in logged
    for said in (str(refusal.value), str(unread.value), caplog.text):
        assert personal(said) == []


async def rows_in_full(clinic: OpenClinic, table: str) -> list[list[Any]]:
    engine = reader_engine(clinic.settings.records_url)
    try:
        return await rows_of(engine, select(tables.metadata.tables[table]))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("mistake", [KeyError, TypeError, ValueError], ids=lambda kind: kind.__name__)
async def test_a_mistake_of_the_program_is_no_damage_and_is_logged_by_its_kind(
    clinic: OpenClinic, mistake: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(uow: UnitOfWork) -> None:
        raise mistake("HONG")

    with pytest.raises(mistake):
        await clinic.gateway.writer.run(mistaken, "mistaken", "Mistaken")
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert logged == [f"Mistaken met {mistake.__name__}"]


@pytest.mark.parametrize(
    "answer", ["'[\"\", '", "'[\"domain.booking:Bookee\", {}]'", "'[\"domain.bookee:Book\", {}]'"],
    ids=["no JSON", "an answer of no kind", "of no module"],
)  # fmt: skip
async def test_an_answer_that_was_damaged_is_refused_and_the_command_not_done_again(
    clinic: OpenClinic, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=2)
    await clinic.book(vaccine, 1, command_id="pressed-twice")
    write(clinic, f"UPDATE command SET result = {answer} WHERE id = 'pressed-twice'")
    with pytest.raises(RecordIllegible):
        await clinic.book(vaccine, 1, command_id="pressed-twice")

    def fails(self: object, changed: bool) -> None:
        monkeypatch.undo()
        raise clinic.gateway.writer._database_error("the disk")

    monkeypatch.setattr(type(clinic.gateway.writer._session), "commit", fails)
    with pytest.raises(RecordIllegible):  # also by whoever looks whether a commit that failed was made
        await clinic.book(vaccine, 1, command_id="pressed-twice")
    assert isinstance(await clinic.book(vaccine, 2), BookingReceipt)


async def test_an_event_whose_part_needs_a_damaged_row_is_put_aside_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        await clinic.gateway.send(PausePart(Part.INJECTION_INTAKE), STAFF)
        receipts = [await clinic.book(vaccine, number) for number in (1, 2)]
        write(
            clinic,
            "UPDATE booking SET status = CAST(CAST(status AS BLOB) || x'ff' AS TEXT) "
            f"WHERE code = '{receipts[0].booking}'",
        )
        await clinic.gateway.send(ResumePart(Part.INJECTION_INTAKE), STAFF)
        await clinic.services.settle()
        [task] = await clinic.gateway.ask(ListTasks(TaskStatus.ASIDE), STAFF)
        assert (task.subject, task.problem) == (receipts[0].booking, "record-illegible")
        assert len(await clinic.gateway.ask(FindVisits(receipts[1].booking), STAFF)) == 1
