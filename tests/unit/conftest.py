"""What most tests of the clinic begin with."""

from __future__ import annotations

import pytest

from .small_clinic import SmallClinic


@pytest.fixture
def clinic() -> SmallClinic:
    """An open clinic in Seoul, on Monday 2 March 2026, an hour before its first slot."""
    return SmallClinic()
