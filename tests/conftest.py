"""What tests of several folders share."""

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
