"""The command line: the kiosk itself, and what an administrator does beside it.

Data goes to stdout, words to stderr. Exit codes: 0 done, 1 failed, 2 usage or configuration,
128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import ClinicError, SettingsInvalid
from kiosk.commands import COMMANDS, LOGGED
from kiosk.configuration import configured
from kiosk.crash import describe
from kiosk.settings import Settings
from kiosk.stdout import STDOUT, answering
from kiosk.version import version

if TYPE_CHECKING:
    from kiosk.services import Services

DONE, FAILED, USAGE = 0, 1, 2

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; answers the exit code."""
    os.umask(0o077)  # whatever is made here holds somebody's data
    typed = sys.argv[1:] if arguments is None else list(arguments)
    asked = _parser(typed).parse_args(typed)
    return _guarded(asked)


def _guarded(asked: argparse.Namespace) -> int:
    """Do it; whatever goes wrong is said in words, and by the exit code."""
    try:
        return _done(asked)
    except ClinicError as problem:
        print(f"kiosk: {problem}", file=sys.stderr)
        return USAGE if isinstance(problem, SettingsInvalid) else FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as problem:
        return _in_the_way(problem)
    except Exception as mistake:  # noqa: BLE001 - its own words could name people
        return _mistaken(mistake)


def _in_the_way(problem: OSError) -> int:
    if problem.filename is None:
        return _mistaken(problem)
    if problem.filename == STDOUT and isinstance(problem, BrokenPipeError):
        return 128 + signal.SIGPIPE  # whoever reads the answer has seen enough
    done = "; what was asked for may be done all the same" if problem.filename == STDOUT else ""
    print(f"kiosk: {problem.filename}: {problem.strerror}{done}", file=sys.stderr)
    return FAILED


def _mistaken(mistake: Exception) -> int:
    print(f"kiosk: a mistake in the program, please report it: {describe(mistake)}", file=sys.stderr)
    return FAILED


def _done(asked: argparse.Namespace) -> int:
    """Raises a `ClinicError`, and OSError with the name of the file that is in the way."""
    if asked.version:
        with answering():
            print(version())
        return DONE
    if asked.demo and asked.command:
        print(
            f"kiosk: --demo opens the screens; kiosk {asked.command} works on real records", file=sys.stderr
        )
        return USAGE
    settings = configured(asked).settings
    if asked.command is None:
        return _open_kiosk(settings, demo=asked.demo)
    with answering(), _log(settings, asked.command):
        done: int = _module(asked.command).run(settings, asked)
    return done


@contextmanager
def _log(settings: Settings, command: str) -> Iterator[None]:
    """What is left of a command that does something: that it was asked for, and how it ended."""
    if command not in LOGGED:
        yield
        return
    from kiosk.logs import open_log

    with open_log(settings, "command"):
        log.info("kiosk %s", command)
        yield


def _open_kiosk(settings: Settings, demo: bool) -> int:
    """The screens. Storage, paper and signatures are imported after the first of them is drawn."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # the second is what is drawn on
        print("kiosk: the screens need a terminal; `kiosk --help` has the commands", file=sys.stderr)
        return USAGE
    from kiosk.app import run_kiosk

    if demo:
        from kiosk.demo import demo_clinic

        with demo_clinic(settings) as (open_demo, of_the_demo):
            return run_kiosk(open_demo, of_the_demo)

    async def opening() -> Services:
        # Half a second of imports: in a thread, so that keys are answered meanwhile.
        bootstrap = await asyncio.to_thread(importlib.import_module, "kiosk.bootstrap")
        services: Services = await bootstrap.open_clinic(settings, role="kiosk")
        return services

    return run_kiosk(opening, settings)


def _parser(typed: Sequence[str]) -> argparse.ArgumentParser:
    """Of all commands the names, of the one that was typed the arguments too."""
    parser = argparse.ArgumentParser(prog="kiosk", description="The terminal of a vaccination clinic.")
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--lang", choices=("ko", "en"), help="language of the first screen")
    parser.add_argument("--data-folder", type=Path, metavar="FOLDER", help="where the databases and keys are")
    parser.add_argument("--demo", action="store_true", help="a busy day of invented people, kept nowhere")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in typed:
            _module(name).arguments(command)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"kiosk.commands.{command}")
