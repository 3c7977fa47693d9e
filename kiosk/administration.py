"""What an administrator does from the command line, through the same door as the screens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.actors import SYSTEM, Role
from domain.staff import EnrolStaff, ListStaff, ResetPin
from kiosk.bootstrap import check_clinic, open_clinic, rebuild_my_page
from kiosk.paper.address import parse_printer, print_service
from kiosk.paper.ipp_client import IppClient, IppError
from kiosk.services import Services
from kiosk.settings import Settings

R = TypeVar("R")


def rebuild_mypage(settings: Settings) -> int:
    """Tell my page again from the events, with progress on stderr."""

    def progress(done: int, total: int) -> None:
        print(f"\rmy page: {done} of {total} events", end="", file=sys.stderr, flush=True)

    count = asyncio.run(rebuild_my_page(settings, progress))
    print(file=sys.stderr)
    print(count)
    return 0


def check_records(settings: Settings) -> int:
    """One line a violation on stdout; exit 1 when there is any."""
    violations = asyncio.run(check_clinic(settings))
    for violation in violations:
        print(f"rule {violation.rule}\t{violation.code}\t{violation.says}")
    print(f"{len(violations)} violations", file=sys.stderr)
    return 1 if violations else 0


def list_printers(settings: Settings) -> int:
    """The queues of the print service, one a line: name (``*`` is chosen), state, what is in the way."""
    address = print_service()
    try:
        queues = asyncio.run(IppClient(address).queues())
    except IppError as error:
        print(f"{address.host}:{address.port} lists no printers: {error}", file=sys.stderr)
        return 1
    states = {3: "idle", 4: "printing", 5: "stopped"}
    chosen = parse_printer(settings.printer).uri if settings.printer else ""
    for queue in queues:
        name, state = str(queue["printer-name"][0]), states.get(int(queue["printer-state"][0]), "unknown")
        mark = "*" if parse_printer(name).uri == chosen else ""
        reasons = " ".join(str(reason) for reason in queue.get("printer-state-reasons", []))
        print(f"{mark}{name}\t{state}\t{reasons}")
    return 0


def list_staff(settings: Settings) -> int:
    """Names and roles, one member a line."""

    async def ask(services: Services) -> None:
        for member in await services.gateway.ask(ListStaff(), SYSTEM):
            print(f"{member.name}\t{' '.join(sorted(member.roles))}")

    return _with_clinic(settings, ask)


def add_staff(settings: Settings, name: str, roles: list[str]) -> int:
    """Enrol somebody; the PIN goes to stdout once."""

    async def enrol(services: Services) -> None:
        answer = await services.gateway.send(
            EnrolStaff(name, frozenset(Role(role) for role in roles)), SYSTEM
        )
        print(answer.pin)

    return _with_clinic(settings, enrol)


def reset_pin(settings: Settings, name: str) -> int:
    """A new PIN for somebody; it goes to stdout once."""

    async def reset(services: Services) -> None:
        print((await services.gateway.send(ResetPin(name), SYSTEM)).pin)

    return _with_clinic(settings, reset)


def _with_clinic(settings: Settings, work: Callable[[Services], Awaitable[None]]) -> int:
    async def run() -> None:
        services = await open_clinic(settings)
        try:
            if services.first_pin:
                print(f"first start: the staff PIN is {services.first_pin}", file=sys.stderr)
            await work(services)
        finally:
            await services.close()

    asyncio.run(run())
    return 0
