"""`kiosk staff`: who works here, through the same door as the screens."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys

from domain.actors import STAFF, SYSTEM, Role
from domain.errors import StaffKnown
from domain.staff import EnrolStaff, ListStaff, ResetPin
from kiosk.commands.opened import with_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.upkeep import ask_records


def arguments(parser: argparse.ArgumentParser) -> None:
    """Three actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="names and roles")
    add = actions.add_parser("add", help="somebody new; prints the PIN once")
    add.add_argument("name")
    add.add_argument(
        "--role",
        action="append",
        required=True,
        choices=[role.value for role in STAFF],
        help="may be given more than once",
    )
    add.add_argument(
        "--again", action="store_true", help="also somebody who works here: other roles, a new PIN"
    )
    reset = actions.add_parser("reset-pin", help="a new PIN for somebody; prints it once")
    reset.add_argument("name")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Names and roles, one member a line; or a new PIN."""

    async def list_staff() -> None:
        [members] = await ask_records(settings, ListStaff())
        for member in members:
            print(f"{member.name}\t{' '.join(sorted(member.roles))}")

    async def add(services: Services) -> None:
        if not asked.again and any(
            member.name == asked.name for member in await services.gateway.ask(ListStaff(), SYSTEM)
        ):
            raise StaffKnown(name=asked.name)
        roles = frozenset(Role(role) for role in asked.role)
        _say(asked.name, (await services.gateway.send(EnrolStaff(asked.name, roles), SYSTEM)).pin)

    async def reset_pin(services: Services) -> None:
        _say(asked.name, (await services.gateway.send(ResetPin(asked.name), SYSTEM)).pin)

    if asked.action == "list":
        asyncio.run(list_staff())
        return 0
    return with_clinic(settings, {"add": add, "reset-pin": reset_pin}[asked.action])


def _say(name: str, pin: str) -> None:
    """It is kept nowhere: whoever could not be told needs another. Raises OSError."""
    try:
        print(pin, flush=True)
    except OSError:
        another = f"kiosk staff reset-pin {shlex.quote(name)}"
        print(f"kiosk: {name} has a new PIN that nobody was told; `{another}` makes another", file=sys.stderr)
        raise
