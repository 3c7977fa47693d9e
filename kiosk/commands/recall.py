"""`kiosk recall`: whoever was given a dose of a lot, for those who call them."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import logging
import sys

from domain.injection import InjectionStatus
from domain.vaccine import ListLots, ListVaccines, parse_lot
from domain.visit import Given, ListGiven
from kiosk.settings import Settings
from kiosk.upkeep import ask_records

log = logging.getLogger(__name__)

COLUMNS = ("given_at", "vaccine", "lot", "name", "passport_name", "birth_date", "phone", "record", "status")
MOST = 1_000_000
"""Doses of one lot: more than a clinic gives."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lot."""
    parser.add_argument("lot", help="its number, as on the label")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Every dose of the lot, newest first, a line each. 1 when no lot has that number."""
    number = parse_lot(asked.lot)
    found = asyncio.run(_given(settings, number))
    if not found:
        print(f"kiosk: no lot {number} was taken in here", file=sys.stderr)
        return 1
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(COLUMNS)
    for vaccine, records in found:
        table.writerows(_row(settings, vaccine, given) for given in records)
        void = sum(given.status is InjectionStatus.VOIDED for given in records)
        print(f"{vaccine}, lot {number}: {len(records)} records, of them {void} voided.", file=sys.stderr)
    log.info("who had lot %s was asked: %d records", number, sum(len(records) for _, records in found))
    print(lines.getvalue(), end="")
    return 0


async def _given(settings: Settings, number: str) -> list[tuple[str, list[Given]]]:
    """By vaccine, for two may have a lot of the same number; by its English name."""
    [levels] = await ask_records(settings, ListVaccines())
    vaccines = [level.vaccine for level in levels]
    lots = await ask_records(settings, *(ListLots(vaccine.code) for vaccine in vaccines))
    having = [v for v, its in zip(vaccines, lots, strict=True) if number in {lot.number for lot in its}]
    found = await ask_records(settings, *(ListGiven(vaccine.code, number, MOST) for vaccine in having))
    return [(vaccine.presentation.name_en, its) for vaccine, its in zip(having, found, strict=True)]


def _row(settings: Settings, vaccine: str, given: Given) -> tuple[str, ...]:
    person, local = given.person, settings.clinic.local(given.dose.given_at)
    return (
        local.isoformat(timespec="minutes"), vaccine, given.dose.lot, person.name,
        f"{person.passport_surname} {person.passport_given}".strip(), person.birth_date.isoformat(),
        person.phone, given.injection, given.status.value,
    )  # fmt: skip
