"""Kiosks that start in the same second on an empty server: one begins the clinic, with the only root."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

from domain.errors import ClinicError
from domain.parts import Part
from kiosk import bootstrap
from kiosk.bootstrap import open_clinic
from kiosk.credential import ceremony
from kiosk.credential.ceremony import RootPlace
from kiosk.credential.errors import KeysMissing, KeysUnusable
from kiosk.credential.keys import KeyFolder, open_keys
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.upkeep import named_root
from storage.open import open_storage
from tests.clinics import MONDAY, TestClock, keep_in, settings_in
from tests.integration.backups import backed_up
from tests.postgresql import Server

KIOSKS = 4


@pytest.fixture
def kiosks(postgresql: Server, tmp_path: Path) -> list[Settings]:
    """Each with an empty folder of its own; the server they share has not even a layout."""
    empty = postgresql.url(postgresql.database(template="template1"))
    found = []
    for number in range(KIOSKS):
        (folder := tmp_path / str(number)).mkdir()
        keep_in(folder, empty, empty)
        found.append(replace(settings_in(folder), backup_hours=0))
    return found


async def opened(settings: Settings, role: str = "kiosk") -> Services:
    return await open_clinic(settings, TestClock(), role)


async def all_at_once(
    kiosks: Sequence[Settings], patch: pytest.MonkeyPatch
) -> tuple[list[Settings], dict[str, ClinicError]]:
    """Those that opened, and what the others said. None goes on before all saw that there is no clinic."""
    together = asyncio.Barrier(len(kiosks))

    async def after_all_have_looked(**how: Any) -> Any:
        await together.wait()
        return await open_storage(**how)

    patch.setattr(bootstrap, "open_storage", after_all_have_looked)
    ends = await asyncio.gather(*(opened(settings) for settings in kiosks), return_exceptions=True)
    patch.setattr(bootstrap, "open_storage", open_storage)
    winners, refused = [], {}
    for settings, end in zip(kiosks, ends, strict=True):
        if isinstance(end, Services):
            winners.append(settings)
            await end.close()
        else:
            assert isinstance(end, ClinicError), end
            refused[str(settings.key_folder)] = end
    return winners, refused


def root_of(settings: Settings) -> Any:
    return KeyFolder(settings.key_folder).root()


async def test_one_of_them_makes_the_root_and_the_others_say_where_it_is(
    kiosks: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    [winner], refused = await all_at_once(kiosks, monkeypatch)
    assert len(refused) == KIOSKS - 1
    for folder, refusal in refused.items():
        assert isinstance(refusal, KeysMissing)
        assert f":{winner.key_folder}" in str(refusal)
        assert "kiosk keys init --root" in str(refusal)
        assert list(Path(folder).iterdir()) == [], "nothing is left that could sign"
    further = next(settings for settings in kiosks if settings is not winner)
    with pytest.raises(KeysMissing, match=str(winner.key_folder)):  # nor does it forget where to look
        await opened(further)
    shutil.copytree(winner.key_folder, further.key_folder, dirs_exist_ok=True)
    await (await opened(further)).close()
    assert root_of(further) == root_of(winner)


async def test_keys_that_were_given_to_some_only_are_never_beside_those_that_another_made(
    kiosks: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for settings in kiosks[:2]:
        if settings is kiosks[0]:
            open_keys(settings.key_folder, country="KR", clinic="A clinic", now=MONDAY)
        else:
            shutil.copytree(kiosks[0].key_folder, settings.key_folder)
    winners, refused = await all_at_once(kiosks, monkeypatch)
    assert len(winners) + len(refused) == KIOSKS
    assert len({root_of(settings) for settings in winners}) == 1
    assert all(isinstance(refusal, KeysMissing) for refusal in refused.values())
    assert len({root_of(settings) for settings in kiosks[:2]}) == 1, "what was given is kept"


async def test_several_terminals_of_one_kiosk_have_one_root(
    kiosks: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        for services in await asyncio.gather(*(opened(kiosks[0], role="") for _ in range(KIOSKS))):
            stack.push_async_callback(services.close)
    with pytest.raises(KeysMissing, match=str(kiosks[0].key_folder)):
        await opened(kiosks[1])


class Killed(BaseException):
    """As by kill -9: nothing after it is done."""


def killed(*_: object) -> None:
    raise Killed


async def killed_on_the_way(settings: Settings, before: str = "KeyFolder.settle") -> None:
    """If nothing else is said, when it has named its root or heard of another's, and its keys are a draft."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"kiosk.bootstrap.{before}", killed)
        with pytest.raises(Killed):
            await opened(settings)


@pytest.mark.parametrize("before", ["_agree_on_root", "saying_root", "KeyFolder.settle", "_first_pin"])
async def test_a_kiosk_that_was_killed_on_the_way_leaves_a_clinic_that_opens(
    kiosks: list[Settings], before: str
) -> None:
    await killed_on_the_way(kiosks[0], before)
    claimed = before in {"KeyFolder.settle", "_first_pin"}
    if claimed:
        with pytest.raises(KeysMissing, match=str(kiosks[0].key_folder)):
            await opened(kiosks[1])
    else:
        await (await opened(kiosks[1])).close()
        with pytest.raises(KeysMissing, match=str(kiosks[1].key_folder)):
            await opened(kiosks[0])
        assert not KeyFolder(kiosks[0].key_folder).is_made
    first = kiosks[0 if claimed else 1]
    services = await opened(first)
    await services.close()
    assert bool(services.first_pin) == claimed
    assert KeyFolder(first.key_folder).active().root == root_of(first)


async def test_the_root_that_is_named_is_never_lost_by_doing_as_the_refusal_says(
    kiosks: list[Settings], tmp_path: Path
) -> None:
    first, further = kiosks[:2]
    await killed_on_the_way(first)
    named = KeyFolder(first.key_folder).draft.fingerprint()
    with pytest.raises(KeysMissing, match="first there and then here"):
        await opened(further)
    (tmp_path / "medium").mkdir()
    for settings in (first, further):
        keys, medium = KeyFolder(settings.key_folder), RootPlace(tmp_path / "medium", b"kept on paper")
        assert ceremony.init(keys, medium, country="KR", clinic="A clinic", now=MONDAY)
    for settings in (further, first):
        await (await opened(settings)).close()
        assert KeyFolder(settings.key_folder).fingerprint() == named
        assert not list(settings.key_folder.rglob("root.key"))


async def test_a_draft_that_was_copied_is_good_in_both_places(kiosks: list[Settings]) -> None:
    first, further = kiosks[:2]
    await killed_on_the_way(first)
    shutil.copytree(first.key_folder, further.key_folder)
    for settings in (further, first):
        await (await opened(settings)).close()
    assert root_of(first) == root_of(further)


async def test_the_root_that_is_named_is_kept_while_other_keys_are_in_its_place(
    kiosks: list[Settings], tmp_path: Path
) -> None:
    await killed_on_the_way(kiosks[0])
    keys = KeyFolder(kiosks[0].key_folder)
    named = keys.draft.fingerprint()
    open_keys(keys.folder, country="KR", clinic="Another", now=MONDAY)
    for _ in range(2):
        with pytest.raises(KeysUnusable, match=f"move {keys.clinic} away"):
            await opened(kiosks[0])
    keys.clinic.rename(tmp_path / "away")
    await (await opened(kiosks[0])).close()
    assert keys.fingerprint() == named


async def test_a_draft_that_was_half_thrown_away_is_none(
    kiosks: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_amid(folder: Path, **_: object) -> None:
        for path in folder.rglob("root.pem"):
            path.unlink()
            raise Killed

    winner, loser = kiosks[:2]
    await killed_on_the_way(winner)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed_amid)
        with pytest.raises(Killed):
            await opened(loser)
    with pytest.raises(KeysMissing, match=str(winner.key_folder)):
        await opened(loser)
    assert list(loser.key_folder.iterdir()) == []


async def test_a_draft_that_came_to_nothing_is_in_no_backup_and_goes_at_the_next_start(
    kiosks: list[Settings],
) -> None:
    winner, loser = kiosks[:2]
    for settings in (winner, loser):
        await killed_on_the_way(settings)
    await (await opened(winner)).close()
    assert list(loser.key_folder.rglob("root.key"))
    assert not [name for name in backed_up(loser).manifest.files if name.startswith("keys/")]
    with pytest.raises(KeysMissing, match=str(winner.key_folder)):
        await opened(loser)
    assert list(loser.key_folder.iterdir()) == []


async def test_a_worker_leaves_a_draft_alone_that_its_kiosk_may_yet_name(kiosks: list[Settings]) -> None:
    await killed_on_the_way(kiosks[0], "saying_root")
    draft = KeyFolder(kiosks[0].key_folder).draft
    offered = draft.fingerprint()
    with pytest.raises(KeysMissing):
        await open_clinic(replace(kiosks[0], parts=(Part.ISSUING,)), TestClock(), "worker-issuing")
    assert draft.fingerprint() == offered


async def test_a_folder_with_a_long_name_begins_a_clinic_too(kiosks: list[Settings], tmp_path: Path) -> None:
    far = replace(kiosks[0], data_folder=tmp_path / ("x" * 200))
    await (await opened(far)).close()
    with pytest.raises(KeysMissing, match=f"made in {gethostname()}:/.*…"):
        await opened(kiosks[1])


@pytest.mark.parametrize("given", [False, True])
async def test_where_an_older_version_begins_the_clinic_and_names_no_root_there_is_one_all_the_same(
    kiosks: list[Settings], monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    old, new = kiosks[:2]

    async def names_none(*_: object) -> None: ...  # as the first versions

    async def begun_meanwhile(**how: Any) -> Any:
        monkeypatch.setattr(bootstrap, "open_storage", open_storage)
        open_keys(old.key_folder, country="KR", clinic="A clinic", now=MONDAY)
        with monkeypatch.context() as patch:
            patch.setattr(bootstrap, "_agree_on_root", names_none)
            await (await opened(old)).close()
        if given:
            shutil.copytree(old.key_folder, new.key_folder)
        return await open_storage(**how)

    monkeypatch.setattr(bootstrap, "open_storage", begun_meanwhile)
    if given:
        await (await opened(new)).close()
        assert root_of(new) == root_of(old)
        assert named_root(old)[0] == KeyFolder(old.key_folder).fingerprint(), "from now on"
    else:
        for _ in range(2):
            with pytest.raises(KeysMissing, match="restore a backup"):
                await opened(new)
            assert list(new.key_folder.iterdir()) == []
