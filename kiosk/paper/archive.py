"""The folder where finished paper goes. A file is there whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from domain.errors import PaperFailed
from domain.ports import Place
from kiosk.credential.files import private_folder, sync

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "the folder may not be written",
    errno.EPERM: "the folder may not be written",
    errno.ENOTDIR: "its folder is a file",
    errno.EEXIST: "its folder is a file",
    errno.EFBIG: "the file is larger than allowed",
    errno.EIO: "the disk has a fault",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class FolderArchive:
    """Keeps paper as files in one folder that only the kiosk's user may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, name: str, content: bytes) -> Place:
        """Store it whole or not at all, in place of an older one of that name; gives its path."""
        return await asyncio.to_thread(self._keep, name, content)

    def _keep(self, name: str, content: bytes) -> Place:
        if not _NAME.fullmatch(name):
            raise PaperFailed(reason=f"{name!r} is no file name")
        place = self._folder / name
        try:
            private_folder(self._folder)
            self._write(place, content)
        except OSError as error:
            raise PaperFailed(reason=in_words(error)) from error
        return Place(str(place))

    def _write(self, place: Path, content: bytes) -> None:
        descriptor, draft = tempfile.mkstemp(prefix=".writing-", dir=self._folder)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
        sync(self._folder)


def in_words(error: OSError) -> str:
    """What a disk will not do, as a reason."""
    return _REASONS.get(error.errno or 0, os.strerror(error.errno or errno.EIO))
