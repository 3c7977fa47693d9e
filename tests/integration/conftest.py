"""One open clinic a test, on each database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clinics import OpenClinic, clinic_in, keep_in
from tests.postgresql import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The folder of a clinic whose records and my page are on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        yield tmp_path
        return
    server: Server = request.getfixturevalue("postgresql")
    database = server.database()
    keep_in(tmp_path, server.url(database), server.url(database))
    yield tmp_path
    server.drop(database)


@pytest.fixture
async def clinic(clinic_folder: Path) -> AsyncIterator[OpenClinic]:
    async with clinic_in(clinic_folder) as opened:
        yield opened
