"""A clinic after a storm: who is expected, what my page tells, and whether it tells it right."""

from __future__ import annotations

from typing import Any

from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage.engine import read_model_engine, writer_engine
from storage.mypage import MyPageStore


async def my_page_is_what_the_events_tell(settings: Settings) -> None:
    before, after = await my_page_told_again(settings)
    assert before
    assert after == before


async def my_page_told_again(settings: Settings) -> tuple[list[Any], list[Any]]:
    """My page as it is, and as it is when it is told again from the first event."""
    before = await my_page(settings)
    await rebuild_my_page(settings, lambda done, total: None)
    return before, await my_page(settings)


async def my_page(settings: Settings) -> list[Any]:
    """Every row of it."""
    store = MyPageStore(read_model_engine(settings.read_model_url))
    try:
        return await store.everything()
    finally:
        await store.close()


def statuses(settings: Settings) -> dict[str, str]:
    return dict(rows(settings, "SELECT code, status FROM booking"))


def visits(settings: Settings) -> set[str]:
    found = rows(settings, "SELECT booking FROM injection WHERE status NOT IN ('withdrawn', 'voided')")
    return {code for (code,) in found}


def rows(settings: Settings, statement: str) -> list[Any]:
    engine = writer_engine(settings.records_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return found
