"""A command's way to the gateway: open the clinic, do one thing, close it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.upkeep import require_records


def with_clinic(settings: Settings, work: Callable[[Services], Awaitable[None]]) -> int:
    """Run it on the open clinic; answers the exit code. Raises what it raises, and NoRecords."""
    require_records(settings)

    async def run() -> None:
        services = await open_clinic(replace(settings, parts=()))
        try:
            if services.first_pin:
                print(f"first start: the staff PIN is {services.first_pin}", file=sys.stderr)
            await work(services)
        finally:
            await services.close()

    asyncio.run(run())
    return 0
