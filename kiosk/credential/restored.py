"""The keys of a backup in the place of this kiosk's, where those are none, or another clinic's."""

from __future__ import annotations

from pathlib import Path

from kiosk.credential.errors import KeysUnusable
from kiosk.credential.files import private_folder, sync
from kiosk.credential.keys import KeyFolder


def install_keys(here: Path, staged: Path, aside: Path) -> bool:
    """Take the staged keys unless those here are of the same root and can sign; answers whether it did.

    Those here are then the newer ones: a signer that was withdrawn since the backup stays withdrawn.
    Killed anywhere, it can be begun again.
    """
    if _can_stay(here, staged):
        return False
    private_folder(here.parent)
    if here.exists():
        private_folder(aside.parent)
        here.rename(aside)
        sync(aside.parent)
    staged.rename(here)
    sync(here.parent)
    return True


def _can_stay(here: Path, staged: Path) -> bool:
    try:
        root = KeyFolder(here).active().root
    except KeysUnusable:
        return False
    try:
        return KeyFolder(staged).root() == root
    except KeysUnusable:
        return True
