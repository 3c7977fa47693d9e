"""The command line: the kiosk itself, and what an administrator does beside it.

Data goes to stdout, words to stderr. Exit codes: 0 done, 1 failed, 2 usage or configuration,
128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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


def _dispatch(asked: argparse.Namespace, settings: Settings) -> int:
    if asked.command is None:
        return _open_kiosk(settings, demo=asked.demo)
    from kiosk import administration as admin

    if asked.command == "mypage":
        return admin.rebuild_mypage(settings)
    if asked.command == "check":
        return admin.check_records(settings)
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
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 25 ms: not on the way to the screen

    try:
        return version("clinic-kiosk")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0 (source)"
