"""Two versions of the program on one view during an upgrade, when the layout of my page has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from domain.events import Recorded
from domain.mypage import GetMyPage
from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage import mypage, rebuild
from storage import open as opening
from storage.engine import read_model_engine, reader_engine, writer_engine
from storage.outbox import Outbox
from storage.replacing import forget_my_page
from tests.clinics import OpenClinic, clinic_in
from tests.integration.test_my_page_at_scale import THREE, position_of, tables_of, view_of


def program(layout: int) -> ModuleType:
    """My page as a version of the program has it whose layout this is."""
    source = Path(mypage.__file__).read_text()
    changed = source.replace("\nLAYOUT = 1\n", f"\nLAYOUT = {layout}\n")
    assert layout == 1 or changed != source
    module = ModuleType(f"mypage_of_layout_{layout}")
    exec(compile(changed, mypage.__file__, "exec"), vars(module))
    return module


@asynccontextmanager
async def opened(settings: Settings, layout: int) -> AsyncIterator[mypage.MyPageStore]:
    """A kiosk of that version, as far as my page is concerned."""
    store = program(layout).MyPageStore(read_model_engine(settings.read_model_url))
    await store.open()
    yield store
    await store.close()


async def events_of(settings: Settings) -> list[Recorded]:
    engine = reader_engine(settings.records_url)
    found = await Outbox(engine).after(0, 10_000)
    await engine.dispose()
    return list(found.events)


async def a_morning(clinic: OpenClinic, number: int = 0) -> str:
    vaccine = await clinic.vaccine(doses=4, key=f"vaccine-{number}")
    for person in range(3):
        await clinic.book(vaccine, 10 * number + person)
    await clinic.services.settle()
    return vaccine


async def test_an_old_and_a_new_version_open_again_and_again_beside_each_other(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as old:
        await a_morning(old)
        async with opened(old.settings, 2) as new:
            assert await new.position() == 0, "it tells a view of its own"
            await new.tell(await events_of(old.settings))
            for _ in range(2):  # both are started again, one after the other, while the others work
                for layout in (1, 2):
                    async with opened(old.settings, layout) as again:
                        assert await again.everything() == await new.everything() != []
            assert await view_of(old.settings) == await new.everything()
            assert await position_of(old.settings) == await new.position() > 0
            told = await new.everything()
            await a_morning(old, 1)  # which the old version's projector tells to its own view alone
            assert await new.everything() == told
            await new.tell(await events_of(old.settings))
            assert await new.everything() == await view_of(old.settings) != told
    async with clinic_in(clinic_folder) as old:
        assert await view_of(old.settings) != told


async def test_the_parts_of_both_versions_tell_each_their_own_view(
    clinic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with clinic_in(clinic_folder) as old:
        vaccine = await a_morning(old)
        monkeypatch.setattr(opening, "MyPageStore", program(2).MyPageStore)
        async with clinic_in(clinic_folder) as new:
            monkeypatch.undo()
            for number, kiosk in enumerate((old, new, old, new), 100):
                me = await kiosk.recipient((await kiosk.book(vaccine, number)).booking)
                for version in (old, new):
                    await version.services.settle()
                    assert len((await version.gateway.ask(GetMyPage(), me)).items) == 1
            async with opened(old.settings, 2) as view:
                assert await view.everything() == await view_of(old.settings) != []
                assert await view.position() == await position_of(old.settings)


async def test_a_view_from_before_there_were_two_goes_on(clinic_folder: Path) -> None:
    """Its tables bear the names under which every version so far has made them."""
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
        assert await tables_of(clinic.settings) == THREE
        engine = writer_engine(clinic.settings.read_model_url)
        with engine.begin() as view:
            rows = view.exec_driver_sql("SELECT layout, position FROM mypage_state").all()
        engine.dispose()
        assert rows == [(1, await position_of(clinic.settings))]


async def test_the_view_of_the_layout_before_stays_and_older_ones_go(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
        settings = clinic.settings
    async with opened(settings, 2) as second:
        await second.tell(await events_of(settings))
        told = await second.everything()
        async with opened(settings, 3):
            assert await tables_of(settings) == {*named(2), *named(3)}
            assert await second.everything() == told != []
    async with clinic_in(clinic_folder) as oldest:  # a version too old to be there tells its view again
        await oldest.services.settle()
        assert await view_of(settings) == told
        assert await tables_of(settings) == {*THREE, *named(2), *named(3)}


def named(layout: int) -> set[str]:
    return {name.replace("mypage_", f"mypage{layout}_") for name in THREE}


async def test_one_version_tells_its_view_again_beside_the_other_that_does_the_same(
    clinic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
        settings = clinic.settings
        async with opened(settings, 2) as new:
            left = f"{min(THREE)}_left"  # by a rebuild of the old version, which may be at it
            engine = writer_engine(settings.read_model_url)
            with engine.begin() as view:
                view.exec_driver_sql(f"CREATE TABLE {left} (code TEXT)")
            engine.dispose()
            before = await view_of(settings)
            for table in ("person", "item", "state"):
                monkeypatch.setattr(rebuild, table, getattr(program(2), table))
            await rebuild_my_page(settings, lambda done, total: None)
            monkeypatch.undo()
            assert await tables_of(settings) == {*THREE, *named(2), left}
            assert await new.everything() == await view_of(settings) == before
            await rebuild_my_page(settings, lambda done, total: None)
            assert await tables_of(settings) == {*THREE, *named(2)}
            assert await new.everything() == await view_of(settings) == before != []


async def test_a_restore_forgets_the_view_of_every_version(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
        settings = clinic.settings
    async with opened(settings, 2):
        pass
    forget_my_page(settings.read_model_url)
    assert await tables_of(settings) == set()
