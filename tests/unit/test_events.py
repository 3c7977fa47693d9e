"""How events are written down."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from domain.events import BY_NAME
from storage.codec import BEFORE_RECIPIENT, event_payload

WHOM = sorted(name for name, kind in BY_NAME.items() if "recipient" in {field.name for field in fields(kind)})


@pytest.mark.parametrize("name", WHOM)
def test_a_payload_says_whom_it_is_about_where_it_is_sought(name: str) -> None:
    kind = BY_NAME[name]
    said = {field.name: f'"{field.name}' for field in fields(kind)} | {"recipient": "R23456789"}
    said |= {
        field.name: datetime(2026, 11, 23, tzinfo=UTC)
        for field in fields(kind)
        if "datetime" in str(field.type)
    }
    payload = event_payload(kind(**said))
    assert payload.split(BEFORE_RECIPIENT)[1].startswith('R23456789"')
    assert payload.count(BEFORE_RECIPIENT) == 1
