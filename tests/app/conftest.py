"""A clinic in a temporary folder, copied from one that was prepared once."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path

import pytest
from textual.pilot import Pilot

from domain.vaccine import AddStock, RegisterVaccine
from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.settings import Settings
from tests.app.terminal import run_kiosk
from tests.clinics import STAFF, TestClock

os.environ["TEXTUAL_ANIMATIONS"] = "none"

Kiosk = Callable[..., AbstractAsyncContextManager[tuple[ClinicApp, Pilot[int]]]]


def settings_in(folder: Path) -> Settings:
    """Settings of a kiosk that keeps everything in this folder."""
    return Settings(
        data_folder=folder / "data",
        paper_folder=folder / "paper",
        log_folder=folder / "log",
        idle_seconds=600,
        patience_seconds=60.0,  # a busy machine is not what most tests are about
    )


async def prepare(settings: Settings) -> str:
    """A first start; 50 doses of the first vaccine, none of the second, one of the third. The first PIN."""
    services = await open_clinic(settings, TestClock())
    for presentation, doses in zip(services.formulary[:3], (50, 0, 1), strict=True):
        vaccine = await services.gateway.send(RegisterVaccine(presentation), STAFF)
        if doses:
            await services.gateway.send(AddStock(vaccine.code, "LOT1", date(2028, 1, 1), doses), STAFF)
    await services.settle()
    await services.close()
    assert services.first_pin
    return services.first_pin


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a clinic that has been started before, and its first PIN."""
    folder = tmp_path_factory.mktemp("prepared")
    return folder, asyncio.run(prepare(settings_in(folder)))


@pytest.fixture
def pin(prepared: tuple[Path, str]) -> str:
    """The PIN of the first member of staff, who may do everything."""
    return prepared[1]


@pytest.fixture
def settings(prepared: tuple[Path, str], tmp_path: Path) -> Settings:
    """Settings of a clinic of this test's own."""
    shutil.copytree(prepared[0], tmp_path / "clinic")
    return settings_in(tmp_path / "clinic")


@pytest.fixture
def clock() -> TestClock:
    """The clinic's clock: Monday, half past nine in the morning."""
    return TestClock()


@pytest.fixture
def kiosk(settings: Settings, clock: TestClock) -> Kiosk:
    """``async with kiosk(size=(40, 16)) as (app, pilot):`` - the kiosk with its clinic open."""

    def start(
        size: tuple[int, int] = (80, 24), settings: Settings = settings
    ) -> AbstractAsyncContextManager[tuple[ClinicApp, Pilot[int]]]:
        return run_kiosk(settings, clock, size)

    return start
