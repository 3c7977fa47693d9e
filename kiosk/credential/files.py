"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644
_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


def private_folder(folder: Path) -> None:
    """Make it, for its owner only, with its name in the folder above down on the disk."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in made:
        with suppress(PermissionError):
            sync(place.parent)
    with suppress(PermissionError):  # a removable medium may know no owners
        folder.chmod(0o700)


def write_new(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file that must not be there yet, down to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(PermissionError):  # a removable medium may know no owners
            os.fchmod(descriptor, mode)  # whatever the umask takes away
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """The new content, or still the old one, whatever happens meanwhile."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        write_new(draft, content, mode)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def new_folder(place: Path, contents: Mapping[str, bytes]) -> bool:
    """Make a private folder of these files; answers False when somebody else was first."""
    draft = Path(tempfile.mkdtemp(prefix=".making-", dir=place.parent))  # 0700
    try:
        _fill(draft, contents, PRIVATE)
        try:
            draft.rename(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        sync(place.parent)
        return True
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # gone already when it was published


def replace_folder(place: Path, contents: Mapping[str, bytes]) -> None:
    """Make a public folder of these files in one step, in place of the one that is there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        draft.chmod(0o755)
        _fill(draft, contents, PUBLIC)
        if place.exists():
            _exchange(draft, place)
        else:
            draft.rename(place)
        sync(place.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sync(folder: Path) -> None:
    """Bring the folder's own entries down to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(folder: Path, contents: Mapping[str, bytes], mode: int) -> None:
    for name, content in contents.items():
        write_new(folder / name, content, mode)
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        with suppress(PermissionError):
            path.chmod(0o755 if mode == PUBLIC else 0o700)
        sync(path)


def _exchange(draft: Path, place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    swap = getattr(libc, "renameat2", None)
    if swap and swap(_HERE, bytes(draft), _HERE, bytes(place), _EXCHANGE) == 0:
        return
    # Elsewhere than on Linux, and on media without it, there is an instant without the folder.
    aside = draft.with_name(draft.name + "-old")
    place.rename(aside)
    draft.rename(place)
    shutil.rmtree(aside, ignore_errors=True)
