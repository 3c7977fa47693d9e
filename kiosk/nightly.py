"""What the day brings by itself, at whatever hour somebody is there to see it: lots expire, keys age."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from domain.actors import SYSTEM
from domain.errors import ClinicError
from domain.gateway import Gateway
from domain.vaccine import ListVaccines, WriteOffExpired

LOOK = 60.0
"""Seconds between two looks at the calendar: a terminal may sleep, and its clock may be set."""

log = logging.getLogger(__name__)


async def every_day(
    gateway: Gateway, rotation_due: Callable[[], datetime | None], look: float = LOOK
) -> None:
    """Do what a new day asks for, once a day, until cancelled. Of several kiosks the second finds it done.

    Since when this process's signing key is due for rotation, if it is, is said by each of them.
    """
    done_for = None
    while True:
        today = gateway.clinic.today(gateway.clock.now())
        if today != done_for:
            try:
                await write_off_expired(gateway)
            except ClinicError as problem:
                log.error("expired lots were not written off: %s", problem.code)
            else:
                done_for = today
                if since := rotation_due():
                    log.warning("the signing key is due for rotation since %s", since.date())
        await asyncio.sleep(look)


async def write_off_expired(gateway: Gateway) -> None:
    """Of every vaccine; see `WriteOffExpired`. Raises a `ClinicError`."""
    for level in await gateway.ask(ListVaccines()):
        if doses := await gateway.send(WriteOffExpired(level.vaccine.code), SYSTEM):
            log.warning("%d doses expired and were written off", doses)
