"""A page of a file is damaged: the clinic says so in words, and my page, which can be told again, is."""

from __future__ import annotations

from pathlib import Path

import pysqlite3
import pytest

from domain.errors import StorageUnavailable
from domain.mypage import GetMyPage
from tests.clinics import clinic_in, settings_in
from tests.faults.aftermath import my_page_is_what_the_events_tell

CAPACITY = 1000
PEOPLE = 200


def damage(file: Path, name: str) -> None:
    """Overwrite the head of the first page of this table or index."""
    connection = pysqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchall()
    [(size,)] = connection.execute("PRAGMA page_size").fetchall()
    connection.close()
    with file.open("r+b") as content:
        content.seek((page - 1) * size)
        content.write(b"\xa5" * 64)


async def visited(folder: Path) -> tuple[str, str]:
    """A clinic with some bookings, closed again: its vaccine, and the first booking."""
    async with clinic_in(folder, capacity=CAPACITY) as clinic:
        vaccine, slot = await clinic.vaccine(doses=PEOPLE // 2), await clinic.slot()
        receipts = [await clinic.book(vaccine, number, slot=slot) for number in range(PEOPLE)]
        await clinic.services.settle()
    return vaccine, receipts[0].booking


@pytest.mark.parametrize("name", ["uq_booking_live", "booking", "event"])
async def test_damaged_records_take_no_booking_and_say_why(tmp_path: Path, name: str) -> None:
    vaccine, _ = await visited(tmp_path)
    damage(tmp_path / "data" / "clinic.db", name)
    async with clinic_in(tmp_path, capacity=CAPACITY) as clinic:
        slot = await clinic.slot()
        for number in range(PEOPLE, PEOPLE + 3):
            with pytest.raises(StorageUnavailable) as refusal:
                await clinic.book(vaccine, number, slot=slot)
            assert "malformed" in str(refusal.value)


async def test_a_clinic_that_cannot_open_its_records_says_why(tmp_path: Path) -> None:
    await visited(tmp_path)
    damage(tmp_path / "data" / "clinic.db", "command")
    with pytest.raises(StorageUnavailable) as refusal:
        async with clinic_in(tmp_path):
            pass
    assert "malformed" in str(refusal.value)


@pytest.mark.parametrize("name", ["mypage_item", "mypage_state"])
async def test_a_damaged_my_page_is_put_aside_and_told_again(tmp_path: Path, name: str) -> None:
    vaccine, first = await visited(tmp_path)
    damage(tmp_path / "data" / "mypage.db", name)
    async with clinic_in(tmp_path, capacity=CAPACITY) as clinic:
        receipt = await clinic.book(vaccine, PEOPLE)
        await clinic.services.settle()
        for code in (first, receipt.booking):
            page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(code))
            assert [item.code for item in page.items] == [code]
    assert (tmp_path / "data" / "mypage.db-damaged").exists()
    await my_page_is_what_the_events_tell(settings_in(tmp_path))
