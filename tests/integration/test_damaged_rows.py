"""Rows that were damaged: nothing of them is shown, and only whoever needs such a row is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Integer, cast, literal, select, text

from domain.booking import BookingReceipt
from domain.errors import ClinicError, RecordIllegible, RecordsUnread
from domain.injection import FindVisits
from domain.parts import ListTasks, Part, PausePart, ResumePart, TaskStatus
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
    if damage == NO_TEXT:
        assert isinstance(answers[1], RecordIllegible)
    assert not isinstance(answers[1], ClinicError) or personal(str(answers[1])) == []
    assert personal(caplog.text) == []


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
