"""`kiosk restore`: a backup in the place of the records; what backups there are, and whether one is sound."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from kiosk.commands.counted import ago, counted, size
from kiosk.credential.keys import KeyFolder
from kiosk.settings import Settings
from kiosk.upkeep import (
    backup_folder,
    list_clinic_backups,
    named_root,
    rename_root,
    restore_clinic,
    verify_backup,
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """A file, and what to do with it."""
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a backup; a folder with --list")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="the backups there are, newest first")
    what.add_argument("--verify", action="store_true", help="test every byte and rule; nothing is restored")
    what.add_argument("--replace", action="store_true", help="put the records that are there aside")
    parser.add_argument("--anyway", action="store_true", help="also one that breaks a rule of the clinic")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Exit 1 when nothing was restored, when a backup is not sound, or when the newest is overdue."""
    if asked.list:
        return _list(settings, asked.file)
    if asked.file is None:
        print("kiosk restore: which FILE? `kiosk restore --list` shows what there is.", file=sys.stderr)
        return 2
    return _verify(asked.file) if asked.verify else _restore(settings, asked)


def _list(settings: Settings, folder: Path | None) -> int:
    if folder and not folder.is_dir():
        print(f"kiosk restore: {folder} is no folder", file=sys.stderr)
        return 2
    now, folder = datetime.now(UTC), folder or backup_folder(settings)
    backups, overdue = list_clinic_backups(settings, folder)
    for backup in backups:
        made = backup.manifest
        if made is None:
            print(f"{backup.path.name}\t{size(backup.size)}\tcannot be read: {backup.problem}")
            continue
        when = settings.clinic.local(made.made_at).strftime("%Y-%m-%d %H:%M")
        flaw = f"\tbreaks {made.violations} rules" if made.violations else ""
        flaw = f"\tlacks {', '.join(made.missing)}" if made.missing else flaw
        held = f"{size(backup.size)}\t{counted(made.rows)}\t{'keys' if made.has_keys else 'no keys'}"
        print(f"{backup.path.name}\t{when}\t{ago(made.made_at, now)}\t{held}{flaw}")
    count = f"{len(backups)} backup{'s' if len(backups) != 1 else ''} in {folder}"
    late = f" OVERDUE: one is to be made every {settings.backup_hours} hours." if overdue else ""
    print(f"{count}.{late}", file=sys.stderr)
    return 1 if overdue else 0


def _verify(file: Path) -> int:
    manifest, checked = verify_backup(file)
    for violation in checked.violations:
        print(f"rule {violation.rule}\t{violation.table} {violation.code}\t{violation.says}")
    rules = f"{len(checked.violations)} rows break a rule" if checked.violations else "every rule holds"
    when = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    print(f"Sound, {rules}: {counted(checked.rows)}, of {when}.", file=sys.stderr)
    print(f"It holds {'' if manifest.has_keys else 'no '}signing keys.", file=sys.stderr)
    return 1 if checked.violations else 0


def _restore(settings: Settings, asked: argparse.Namespace) -> int:
    done = restore_clinic(settings, asked.file, replace=asked.replace, anyway=asked.anyway)
    when = settings.clinic.local(done.manifest.made_at).strftime("%Y-%m-%d %H:%M")
    print(f"Restored as of {when}: {counted(done.manifest.rows)}.", file=sys.stderr)
    if done.aside:
        print(f"What was there before is in {done.aside}.", file=sys.stderr)
    print(_keys_in_words(settings, taken=done.keys, held=done.manifest.has_keys), file=sys.stderr)
    print("My page is told again when the kiosk opens.", file=sys.stderr)
    if not named_root(settings)[0]:
        print(_name_root(settings, known=done.manifest.has_keys), file=sys.stderr)
    return 0


def _name_root(settings: Settings, *, known: bool) -> str:
    """An older version made the backup: its root is that of its keys, if they are ``known``. Says so."""
    if not known:
        return "The records name no root yet: open them first where the clinic's keys are; that names it."
    asyncio.run(rename_root(settings))
    return "The records named no root: it is that of the signing keys from now on."


def _keys_in_words(settings: Settings, *, taken: bool, held: bool) -> str:
    """Whose they are now: the backup ``held`` some, and they were ``taken``, or not."""
    if taken:
        return "The signing keys are the backup's."
    if held:
        return "The signing keys stay as they were: they can sign, and are of the same root as the backup's."
    if KeyFolder(settings.key_folder).is_made:
        return "The signing keys stay as they were: the backup holds none."
    return (
        "There are no signing keys, neither in the backup nor here: bring the folder of the clinic's keys to "
        f"{settings.key_folder}, or the kiosk does not open."
    )
