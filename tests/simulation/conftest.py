"""What goes wrong on purpose is not written down a hundred thousand times."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
