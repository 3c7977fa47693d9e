"""What the day brings by itself, at whatever hour somebody is there to see it: lots expire at midnight."""

from __future__ import annotations

import asyncio
import logging

from domain.actors import SYSTEM
from domain.errors import ClinicError
from domain.gateway import Gateway
from domain.vaccine import ListVaccines, WriteOffExpired

LOOK = 60.0
"""Seconds between two looks at the calendar: a terminal may sleep, and its clock may be set."""

log = logging.getLogger(__name__)


async def every_day(gateway: Gateway, look: float = LOOK) -> None:
    """Do what a new day asks for, once a day, until cancelled. Of several kiosks the second finds it done."""
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
        await asyncio.sleep(look)


async def write_off_expired(gateway: Gateway) -> None:
    """Of every vaccine; see `WriteOffExpired`. Raises a `ClinicError`."""
    for level in await gateway.ask(ListVaccines()):
        if doses := await gateway.send(WriteOffExpired(level.vaccine.code), SYSTEM):
            log.warning("%d doses expired and were written off", doses)
