"""`kiosk keys`: what an administrator does with the signing keys. See docs/keys.md."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from domain.actors import SYSTEM
from domain.certificate import ReissueCertificate
from domain.errors import CertificateClosed
from domain.messages import Query
from domain.revocation import ListRevoked, ListSignedWith, Standing
from domain.statement import CertificateStatus
from kiosk.credential import ceremony
from kiosk.credential.ceremony import RootPlace, SignerState
from kiosk.credential.certificates import key_id
from kiosk.credential.errors import KeysUnusable, in_words
from kiosk.credential.keys import KeyFolder
from kiosk.credential.root import ON_MEDIUM
from kiosk.settings import Settings

R = TypeVar("R")

PASSPHRASE = "KIOSK_ROOT_PASSPHRASE"
_SHORTEST = 12


def arguments(keys: argparse.ArgumentParser) -> None:
    """Five actions."""
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    root: dict[str, Any] = {
        "type": Path,
        "metavar": "FOLDER",
        "help": "where the root's key lives, if not here",
    }
    init = actions.add_parser("init", help="make root and signer, or move the root to a medium")
    init.add_argument("--root", **root)
    init.add_argument(
        "--new-root", action="store_true",
        help="the clinic's root is lost: another takes its place, and what was issued so far ends",
    )  # fmt: skip
    rotate = actions.add_parser("rotate", help="a new signer; what older ones signed stays valid")
    rotate.add_argument("--root", **root)
    show = actions.add_parser("list", help="every signer, and when rotation is due")
    show.add_argument("--root", **root)
    export = actions.add_parser("export", help="a folder to verify with: trust list, revocation list, JWKS")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    export.add_argument("--root", **root)
    withdraw = actions.add_parser("withdraw", help="end a signer and all that it signed; prints how many")
    withdraw.add_argument("kid", metavar="KEY-ID", help="the beginning of its id in `kiosk keys list`")
    withdraw.add_argument("--reason", default="", help="kept in the trust list, which is public")
    withdraw.add_argument("--reissue", action="store_true", help="issue the live certificates anew")
    withdraw.add_argument("--yes", action="store_true", help="do not ask")
    withdraw.add_argument("--root", **root)


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """One of the five; data on stdout, words on stderr. Raises KeysUnusable."""
    keys, now = KeyFolder(settings.key_folder), datetime.now(UTC)
    place = _root_place(settings, asked)
    if asked.action != "init" and not keys.is_made:
        raise KeysUnusable(reason=f"there are none in {keys.folder}; `kiosk keys init` makes them")
    if place is not None and asked.action in {"list", "export"}:
        ceremony.take_over(keys, place)
    if asked.action == "init":
        return _init(settings, keys, place, now, new_root=asked.new_root)
    if asked.action == "rotate":
        signer = ceremony.rotate(keys, place, now)
        _say(f"signing with {key_id(signer).hex()} from now on; what older signers signed stays valid")
        return 0
    if asked.action == "export":
        return _export(settings, keys, asked, now)
    if asked.action == "withdraw":
        return _withdraw(settings, keys, place, asked, now)
    return _list(keys, now)


def _init(
    settings: Settings, keys: KeyFolder, place: RootPlace | None, now: datetime, *, new_root: bool
) -> int:
    from kiosk.upkeep import rename_root

    clinic = settings.clinic
    another = _another_root(settings, keys, place)
    if another and not new_root:
        raise KeysUnusable(
            reason=f"{another}: is this the medium, and is it mounted? Only where the clinic's root is lost, "
            "--new-root makes this one the clinic's, and ends what was issued so far"
        )
    made = ceremony.init(keys, place, country=clinic.country, clinic=clinic.name_en, now=now)
    if another:
        asyncio.run(rename_root(settings))
    active = keys.active()
    _say(f"{'ready' if made else 'nothing to do'}: this kiosk signs with {active.kid.hex()}")
    home = keys.clinic if keys.has_root_key else place.home if place else None
    _say(f"the root's key is {f'in {home}' if home else 'not here'}")
    with in_words():
        if place and place.medium.stat().st_dev == keys.folder.stat().st_dev:
            _say(f"! {place.medium} is on the same disk as the keys: is the medium mounted there?")
    return 0


def _another_root(settings: Settings, keys: KeyFolder, place: RootPlace | None) -> str:
    """In what way this kiosk's root would not be the one of a clinic that is there; empty when it would.

    Raises KeysUnusable, RecordsUnread.
    """
    from kiosk.upkeep import ROOT_DIGITS, is_founded, named_root

    named, maker = named_root(settings)
    to_be = ceremony.root_to_be(keys, place)
    if named:
        which = f"the root {to_be[:ROOT_DIGITS]} is" if to_be else "a new root would be"
        ours = f"{named[:ROOT_DIGITS]}, as {maker} has named it"
        return f"{which} another one than this clinic's, {ours}" if to_be != named else ""
    has_one = keys.is_made or (place is not None and place.home.exists())
    return "" if has_one or not is_founded(settings) else "this clinic has a root already, and it is not here"


def _list(keys: KeyFolder, now: datetime) -> int:
    for state in ceremony.states_of(keys, now):
        signer, place = state.certificate, "here" if state.here else "elsewhere"
        since, until = signer.not_valid_before_utc.date(), signer.not_valid_after_utc.date()
        print(f"{state.kid}\t{_standing(state, now)}\t{since}\t{until}\t{place}")
    if (expires := keys.trusted().expires) <= now:
        _say(f"the trust list is old since {expires.date()}: rotate, or export where the root's key is")
    return 0


def _standing(state: SignerState, now: datetime) -> str:
    if state.withdrawn:
        return f"withdrawn {state.withdrawn.date()}"
    if now >= state.certificate.not_valid_after_utc:
        return "expired, signs nothing: rotate" if state.active else "expired"
    if not state.active:
        return "trusted"
    if now >= state.rotate_from:
        return f"signing, rotation due since {state.rotate_from.date()}"
    return f"signing, rotate by {state.rotate_from.date()}"


def _export(settings: Settings, keys: KeyFolder, asked: argparse.Namespace, now: datetime) -> int:
    from kiosk.credential.export import export
    from kiosk.upkeep import require_records

    require_records(settings)  # a list of nothing, signed, would say that nothing is revoked
    done = export(keys, asked.folder, _ask(settings, ListRevoked()), now)
    if done.trusted.expires <= now:
        _say("the trust list in it is old: rotate, or export where the root's key is")
    _say(
        f"{len(done.trusted.signers)} signers, {len(done.trusted.withdrawn)} withdrawn,"
        f" {len(done.revoked.hashes)} revocation hashes; export again by {done.revoked.expires.date()}"
    )
    print(asked.folder)
    return 0


def _withdraw(
    settings: Settings, keys: KeyFolder, place: RootPlace | None, asked: argparse.Namespace, now: datetime
) -> int:
    state = ceremony.find(keys, asked.kid, now)
    issued, live = _signed_with(settings, state)
    _say(f"{len(issued)} certificates were issued with {state.kid}, {len(live)} of them are live.")
    done = state.withdrawn and not state.here  # its key is thrown away last
    if done and not asked.reissue:
        raise KeysUnusable(reason=f"{state.kid} is withdrawn already")
    if not done:
        _say("None of them will verify any more, and this cannot be taken back.")
        if not asked.yes and not _typed(state.kid):
            _say("nothing was changed")
            return 1
        replaced = ceremony.withdraw(keys, place, state.kid, asked.reason, now)
        _say(f"{state.kid} is withdrawn; export the lists and give them to whoever verifies.")
        if replaced:
            _say(f"this kiosk signs with {keys.active().kid.hex()} from now on")
        issued, live = _signed_with(settings, state)  # more may have been issued meanwhile
    if asked.reissue and live:
        _say(f"{_reissue(settings, live)} certificates were issued anew; their owners need new paper")
    print(len(issued))
    return 0


def _signed_with(settings: Settings, state: SignerState) -> tuple[list[Standing], list[Standing]]:
    """What this signer has signed, and what of it is live."""
    issued = _ask(settings, ListSignedWith(state.names))
    return issued, [one for one in issued if one.status is CertificateStatus.ISSUED]


def _reissue(settings: Settings, live: Sequence[Standing]) -> int:
    from kiosk.bootstrap import open_clinic

    async def work() -> int:
        done = 0
        services = await open_clinic(replace(settings, parts=()))
        try:
            for one in live:
                command = ReissueCertificate(one.certificate, "the signing key was withdrawn")
                with suppress(CertificateClosed):  # revoked or replaced meanwhile
                    await services.gateway.send(command, SYSTEM)
                    done += 1
        finally:
            await services.close()
        return done

    return asyncio.run(work())


def _ask(settings: Settings, query: Query[list[R]]) -> list[R]:
    from kiosk.upkeep import ask_records, has_records

    if not has_records(settings):
        return []
    answer: list[R] = asyncio.run(ask_records(settings, query))[0]
    return answer


def _typed(kid: str) -> bool:
    _say(f"Type the first eight characters of its id to withdraw it ({kid[:8]}):")
    try:
        return sys.stdin.readline().strip().lower() == kid[:8]
    except KeyboardInterrupt:
        return False


def _root_place(settings: Settings, asked: argparse.Namespace) -> RootPlace | None:
    medium = getattr(asked, "root", None)
    if medium is None:
        return None
    known = (medium / ON_MEDIUM).exists()
    if not known and asked.action != "init":
        raise KeysUnusable(reason=f"there is no root on {medium}; is this the medium, and is it mounted?")
    if asked.action == "init":
        _require_medium(settings, medium)
    passphrase = b"-" if asked.action in {"list", "export"} else _passphrase(new=not known)
    return RootPlace(medium, passphrase)


def _require_medium(settings: Settings, medium: Path) -> None:
    """What is to be kept apart from the kiosk is not kept in its own folders. Raises KeysUnusable."""
    if not medium.is_dir():
        raise KeysUnusable(reason=f"{medium} is no folder; is this the medium, and is it mounted?")
    for own in (settings.data_folder, settings.key_folder):
        if medium.resolve().is_relative_to(own.resolve()):
            raise KeysUnusable(reason=f"{medium} is in the kiosk's own {own}: a medium is kept apart from it")


def _passphrase(*, new: bool) -> bytes:
    """From the environment, or typed; a new one twice. It is kept nowhere."""
    given = os.environ.get(PASSPHRASE, "")
    if not given:
        if not sys.stdin.isatty():
            raise KeysUnusable(reason=f"the root's passphrase is needed: type it, or set {PASSPHRASE}")
        given = getpass.getpass("Passphrase of the root's key: ")
        if new and getpass.getpass("Once more: ") != given:
            raise KeysUnusable(reason="two different passphrases")
    if new and len(given) < _SHORTEST:
        raise KeysUnusable(reason=f"the root's passphrase needs at least {_SHORTEST} characters")
    return given.encode()


def _say(words: str) -> None:
    print(words, file=sys.stderr)
