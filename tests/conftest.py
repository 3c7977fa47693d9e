"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from tests.postgresql import Server, running_if_it_can


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One PostgreSQL for all tests of this process; each takes a database of its own."""
    with running_if_it_can() as server:
        yield server


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """The program takes others' rights away for its whole process; a print service that a later test starts
    in this one needs them."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
