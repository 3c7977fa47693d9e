"""The command line: the kiosk itself, and what an administrator does beside it.

Data goes to stdout, words to stderr. Exit codes: 0 done, 1 failed, 2 usage or configuration,
128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import ClinicError, SettingsInvalid
from kiosk.settings import Settings, load_settings

if TYPE_CHECKING:
    from kiosk.services import Services

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; answers the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.version:
        print(_version())
        return DONE
    try:
        settings = _settings(asked)
    except SettingsInvalid as problem:
        print(f"kiosk: {problem}", file=sys.stderr)
        return USAGE
    try:
        return _dispatch(asked, settings)
    except ClinicError as problem:
        print(f"kiosk: {problem}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever reads the answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _dispatch(asked: argparse.Namespace, settings: Settings) -> int:
    if asked.command is None:
        return _open_kiosk(settings, demo=asked.demo)
    if asked.command in {"keys", "verify"}:
        done: int = importlib.import_module(f"kiosk.{asked.command}_command").run(settings, asked)
        return done
    from kiosk import administration as admin

    if asked.command == "mypage":
        return admin.rebuild_mypage(settings)
    if asked.command == "check":
        return admin.check_records(settings)
    if asked.command == "printers":
        return admin.list_printers(settings)
    actions: dict[str, Callable[[], int]] = {
        "list": lambda: admin.list_staff(settings),
        "add": lambda: admin.add_staff(settings, asked.name, asked.role),
        "reset-pin": lambda: admin.reset_pin(settings, asked.name),
    }
    return actions[asked.action]()


def _open_kiosk(settings: Settings, demo: bool) -> int:
    """The screens. Storage, paper and signatures are imported after the first of them is drawn."""
    from kiosk.app import run_kiosk

    if demo:
        from kiosk.demo import demo_clinic

        with demo_clinic(settings) as (open_demo, of_the_demo):
            return run_kiosk(open_demo, of_the_demo)

    async def opening() -> Services:
        # Half a second of imports: in a thread, so that keys are answered meanwhile.
        bootstrap = await asyncio.to_thread(importlib.import_module, "kiosk.bootstrap")
        services: Services = await bootstrap.open_clinic(settings)
        return services

    return run_kiosk(opening, settings)


def _settings(asked: argparse.Namespace) -> Settings:
    settings = load_settings(asked.config)
    if asked.lang:
        settings = replace(settings, language=asked.lang)
    if asked.data_folder:
        settings = replace(settings, data_folder=asked.data_folder)
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk", description="The terminal of a vaccination clinic.")
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--lang", choices=("ko", "en"), help="language of the first screen")
    parser.add_argument("--data-folder", type=Path, metavar="FOLDER", help="where the databases and keys are")
    parser.add_argument("--demo", action="store_true", help="a busy day of invented people, kept nowhere")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    mypage = commands.add_parser("mypage", help="the view that my page is read from")
    mypage.add_argument("action", choices=("rebuild",), help="tell it again from the events")
    commands.add_parser("check", help="test every rule of the clinic on the records")
    commands.add_parser("printers", help="the printers that can be chosen in the settings")
    staff = commands.add_parser("staff", help="who works here")
    actions = staff.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="names and roles")
    add = actions.add_parser("add", help="somebody new; prints the PIN once")
    add.add_argument("name")
    add.add_argument(
        "--role",
        action="append",
        required=True,
        choices=("vaccine-manager", "vaccinator", "certificate-officer", "administrator"),
        help="may be given more than once",
    )
    reset = actions.add_parser("reset-pin", help="a new PIN for somebody; prints it once")
    reset.add_argument("name")
    _add_keys(commands)
    _add_verify(commands)
    return parser


def _add_keys(commands: Any) -> None:
    keys = commands.add_parser("keys", help="the signing keys, and what others verify with")
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    root: dict[str, Any] = {
        "type": Path,
        "metavar": "FOLDER",
        "help": "where the root's key lives, if not here",
    }
    init = actions.add_parser("init", help="make root and signer, or move the root to a medium")
    init.add_argument("--root", **root)
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


def _add_verify(commands: Any) -> None:
    verify = commands.add_parser(
        "verify",
        help="judge a certificate, offline",
        description="Judge every credential in a PDF, a picture or a text, offline.",
        epilog="exit codes: 0 valid, 1 not valid or no certificate, 2 it could not be judged",
    )
    verify.add_argument("shown", metavar="FILE|TEXT|-", help="a file, what a scanner read, or - for stdin")
    verify.add_argument(
        "--trust",
        action="append",
        default=[],
        type=Path,
        metavar="FILE|FOLDER",
        help="believe these signers instead of this clinic's: certificates, a trust list, an export;"
        " may be given more than once",
    )
    verify.add_argument("--at", type=_instant, metavar="TIME", help="judge as of then, e.g. 2026-11-22T09:00")
    verify.add_argument("--json", action="store_true", help="one JSON object a credential, one a line")


def _instant(text: str) -> datetime:
    # Without a zone it is the machine's.
    return datetime.fromisoformat(text).astimezone(UTC)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 25 ms: not on the way to the screen

    try:
        return version("clinic-kiosk")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0 (source)"
