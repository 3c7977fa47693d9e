"""Full disks and records that vanish: said in words, nothing half-written, and the clinic goes on."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.booking import BookingReceipt
from domain.errors import ClinicError, StorageUnavailable
from domain.vaccine import ListVaccines
from tests.clinics import clinic_in

MEGABYTES = 6


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


async def test_a_full_disk_refuses_in_words_and_the_clinic_goes_on_when_there_is_room(
    small_disk: Path,
) -> None:
    async with clinic_in(small_disk, capacity=100_000) as clinic:
        vaccine = await clinic.vaccine(doses=100_000)
        slot = await clinic.slot()
        await clinic.services.settle()
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(bytes(MEGABYTES * 1024 * 1024))

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
