"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from tests.postgresql import QUICK, CannotStart, Server, running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One PostgreSQL for all tests of this process; each takes a database of its own."""
    try:
        with running(QUICK) as server:
            yield server
    except CannotStart as problem:
        pytest.skip(f"no PostgreSQL here: {problem}")


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """The program takes others' rights away for its whole process; a print service that a later test starts
    in this one needs them."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
