"""Disks that fail, fill up or turn read-only: everybody is told in words how it is, nothing is half-written,
and the clinic goes on once it can.
"""

from __future__ import annotations

import asyncio
import errno
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.actors import SYSTEM
from domain.booking import BookingReceipt, PrintTicket
from domain.errors import ClinicError, PaperFailed, StorageUnavailable
from domain.mypage import GetMyPage
from domain.parts import ListParts, ListTasks, Part, TaskStatus
from domain.vaccine import ListVaccines
from storage import relay
from storage.tasks import ATTEMPTS
from tests.clinics import STAFF, clinic_in, settings_in
from tests.faults.nursery import Nursery
from tests.faults.trials import Fault, on_a_failing_disk
from tests.integration.test_records import kiosk

MEGABYTES = 6
RECORDS, MY_PAGE = "clinic.db", "mypage.db"

FAULTS = {
    "one commit in seven cannot be made safe": (
        Fault("sync", f"{RECORDS}-wal", errno.EIO, every=7), {"unavailable"}, "disk I/O error",
    ),
    "no commit can be made safe": (
        Fault("sync", f"{RECORDS}-wal", errno.EIO), {"unknown"}, "not certain",
    ),
    "the disk is full": (
        Fault("write", f"{RECORDS}-wal", errno.ENOSPC), {"unavailable"}, "full",
    ),
    "the files turn read-only": (
        Fault("open,write", "", errno.EROFS), {"unavailable", "unknown"}, "Read-only",
    ),
    "the records cannot be read": (
        Fault("read", RECORDS, errno.EIO), {"unavailable"}, "disk I/O error",
    ),
    "the log cannot be copied back": (Fault("write,sync", RECORDS, errno.EIO), set(), ""),
    "my page's disk is full": (Fault("write", f"{MY_PAGE}-wal", errno.ENOSPC), set(), ""),
    "my page cannot be read": (Fault("read", f"{MY_PAGE}-wal", errno.EIO), set(), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_a_disk_that_fails_leaves_nobody_without_words(
    behind_shim: Nursery, quick: Path, name: str
) -> None:
    fault, expected, reason = FAULTS[name]
    lines, problem = await on_a_failing_disk(behind_shim, quick, fault)
    assert problem is None
    mended = lines.index("mended")
    told = [line.split(" ") for line in lines[:mended] if line.split(" ")[0] in {"unavailable", "unknown"}]
    assert {word for word, *_ in told} == expected
    assert not told or any(reason.replace(" ", "_") in about for _, about, _ in told)
    afterwards = {line.split(" ")[0] for line in lines[mended:]}
    assert {"booked", "cancelled", "refused", "over"} <= afterwards
    assert not afterwards & {"unavailable", "unknown"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount one (root)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """To the last byte; answers what to remove to have room again."""
    ballast = disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes((MEGABYTES + 1) * 1024 * 1024))
    return ballast


async def test_a_full_disk_refuses_in_words_and_the_clinic_goes_on_when_there_is_room(
    small_disk: Path,
) -> None:
    async with clinic_in(small_disk, capacity=100_000) as clinic:
        vaccine = await clinic.vaccine(doses=100_000)
        slot = await clinic.slot()
        await clinic.services.settle()
        ballast = fill(small_disk)

        async def book(number: int) -> BookingReceipt | ClinicError:
            try:
                return await clinic.book(vaccine, number, slot=slot)
            except ClinicError as refusal:
                return refusal

        answers = await asyncio.gather(*(book(number) for number in range(2_000)))
        refused = [answer for answer in answers if isinstance(answer, ClinicError)]
        assert refused, "the disk was not full"
        assert {type(refusal) for refusal in refused} == {StorageUnavailable}
        assert "full" in str(refused[0])

        ballast.unlink()
        again = await clinic.book(vaccine, 999_999, slot=slot)
        [level] = await clinic.gateway.ask(ListVaccines())
        booked = [answer for answer in answers if isinstance(answer, BookingReceipt)]
        assert level.vaccine.reserved == len(booked) + 1
        assert again.status == "reserved"
        assert await clinic.violations() == []


LISTS = (("parts", "list"), ("parts", "aside"), ("staff", "list"))


def listed(folder: Path) -> list[tuple[int, str, str]]:
    """What the commands that only list something answer there."""
    answers = [
        kiosk(replace(settings_in(folder), log_folder=folder.parent.parent / "log"), *command)
        for command in LISTS
    ]
    return [(answer.returncode, answer.stdout, answer.stderr) for answer in answers]


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


async def test_whoever_only_asks_is_answered_when_nothing_can_be_written(
    small_disk: Path,
) -> None:
    full, torn_out = small_disk / "full", small_disk / "torn-out"
    async with clinic_in(full) as clinic:
        await clinic.book(await clinic.vaccine(doses=2))
        await clinic.services.settle()
        expected = await asyncio.to_thread(listed, full)
        assert [code for code, *_ in expected] == [0, 0, 0]
        # By a process of its own: this one would let go of the locks on the file.
        await asyncio.to_thread(run, "cp", "-r", full, torn_out)
        ballast = fill(small_disk)
        assert await asyncio.to_thread(listed, full) == expected
        ballast.unlink()
    await asyncio.to_thread(run, "mount", "-o", "remount,ro", small_disk)
    assert listed(torn_out) == expected


@pytest.mark.parametrize("command", [("check",), ("backup",), ("worker", "my-page"), *LISTS], ids=" ".join)
async def test_where_no_kiosk_is_open_a_full_disk_is_called_so(
    small_disk: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with clinic_in(small_disk / "full") as clinic:
        await clinic.vaccine(doses=2)
    settings = replace(clinic.settings, log_folder=tmp_path / "log")
    (settings.data_folder / "backups").mkdir()
    ballast = fill(small_disk)
    answer = await asyncio.to_thread(kiosk, settings, *command)
    assert (answer.returncode, "disk is full" in answer.stderr) == (1, True), answer.stderr
    ballast.unlink()
    assert kiosk(settings, "check").returncode == 0


async def test_while_my_pages_disk_is_full_people_book_and_no_event_is_given_up(
    small_disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LONGEST_PAUSE", 0.1)
    url = f"sqlite:///{small_disk / MY_PAGE}"
    async with clinic_in(tmp_path, capacity=1000, mypage_url=url) as clinic:
        vaccine = await clinic.vaccine(doses=1000)
        await clinic.services.settle()
        ballast = fill(small_disk)
        receipts = [await clinic.book(vaccine, number) for number in range(50)]
        page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipts[-1].booking))
        assert [item.code for item in page.items] == [receipts[-1].booking], (
            "the records tell what my page lacks"
        )
        async with asyncio.timeout(30):
            while caplog.text.count("my-page met") < 3 * ATTEMPTS:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)
        [behind] = [
            part.behind for part in await clinic.gateway.ask(ListParts(), SYSTEM) if part.name is Part.MY_PAGE
        ]
        assert behind, "the disk was not full"
        ballast.unlink()
        await clinic.services.settle()
        for receipt in receipts:
            page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipt.booking))
            assert [item.code for item in page.items] == [receipt.booking]
        assert await clinic.gateway.ask(ListTasks(TaskStatus.ASIDE), SYSTEM) == []


async def test_without_room_for_paper_the_record_is_safe_and_the_ticket_comes_later(
    small_disk: Path, tmp_path: Path
) -> None:
    async with clinic_in(tmp_path, paper_folder=small_disk / "paper") as clinic:
        receipt = await clinic.book(await clinic.vaccine(doses=5))
        ballast = fill(small_disk)
        with pytest.raises(PaperFailed) as refusal:
            await clinic.gateway.send(PrintTicket(receipt.booking), STAFF)
        assert "full" in str(refusal.value)
        assert list((small_disk / "paper").iterdir()) == []
        ballast.unlink()
        place = await clinic.gateway.send(PrintTicket(receipt.booking), STAFF)
        assert Path(place).read_bytes().startswith(b"%PDF")
