"""The folder for finished paper: a file is there whole, or not at all and in words why."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import PaperFailed
from domain.ports import Archive
from kiosk.paper.archive import FolderArchive


def keep(folder: Path, name: str, content: bytes) -> Path:
    """Store a page, as the desk does."""
    archive: Archive = FolderArchive(folder)
    return Path(asyncio.run(archive.keep(name, content)))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine mounts no tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_paper_is_kept_where_only_the_kiosk_can_read_it(tmp_path: Path) -> None:
    place = keep(tmp_path / "new" / "paper", "CK7M3Q9XA.pdf", b"%PDF content")
    assert place == tmp_path / "new" / "paper" / "CK7M3Q9XA.pdf"
    assert place.read_bytes() == b"%PDF content"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_corrected_page_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path
    keep(folder, "page.pdf", b"old")
    keep(folder, "page.pdf", b"corrected")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("page.pdf", b"corrected")]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../page.pdf", "/etc/page.pdf", "a/b.pdf", ".hidden", "김하늘.pdf", "a" * 101, "a\0"],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PaperFailed, match="no file name"):
        keep(tmp_path / "paper", name, b"content")
    assert list(tmp_path.rglob("*")) == []


def test_a_full_disk_leaves_the_old_page_and_nothing_else(small_disk: Path) -> None:
    folder = small_disk
    keep(folder, "page.pdf", b"old")
    with pytest.raises(PaperFailed, match="the disk is full"):
        keep(folder, "page.pdf", bytes(200_000))
    assert [(path.name, path.read_bytes()) for path in small_disk.iterdir()] == [("page.pdf", b"old")]


def test_a_read_only_disk_is_said_in_words(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(PaperFailed, match="read-only"):
        keep(small_disk / "paper", "page.pdf", b"content")


def test_a_page_cut_off_by_a_limit_leaves_nothing_half_written(tmp_path: Path) -> None:
    folder = tmp_path
    keep(folder, "page.pdf", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(PaperFailed, match="larger than allowed"):
            keep(folder, "page.pdf", bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("page.pdf", b"old")]


def test_a_file_in_the_folders_place_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("in the way")
    with pytest.raises(PaperFailed, match="its folder is a file"):
        keep(tmp_path / "paper", "page.pdf", b"content")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_said_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PaperFailed, match="may not be written"):
        keep(tmp_path / "paper", "page.pdf", b"content")
