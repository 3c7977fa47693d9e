"""One open clinic a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clinics import OpenClinic, clinic_in


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[OpenClinic]:
    async with clinic_in(tmp_path) as opened:
        yield opened
