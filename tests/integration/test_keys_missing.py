"""A clinic whose keys are gone makes no new ones by itself."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import NoRecords
from kiosk.bootstrap import open_clinic
from kiosk.cli import FAILED, main
from kiosk.credential.errors import KeysMissing
from tests.clinics import clinic_in, settings_in


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_CONFIG", "")
    monkeypatch.setenv("KIOSK_LOG_FOLDER", str(tmp_path / "log"))


async def test_new_keys_are_not_made_where_old_ones_have_signed(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        settings = clinic.settings
    elsewhere = settings.key_folder.rename(tmp_path / "unmounted")
    with pytest.raises(KeysMissing):
        await open_clinic(settings)
    assert not settings.key_folder.exists()
    elsewhere.rename(settings.key_folder)
    async with clinic_in(tmp_path):
        pass


async def test_a_worker_without_keys_founds_no_clinic(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), parts=("my-page",))
    with pytest.raises(NoRecords):
        await open_clinic(settings, role="worker-my-page")
    assert not (settings.data_folder / "clinic.db").exists()


def test_an_administrator_may_make_new_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--data-folder", str(tmp_path)]
    assert main([*settings, "keys", "init"]) == 0
    (tmp_path / "clinic.db").touch()
    shutil.rmtree(tmp_path / "keys")
    assert main([*settings, "staff", "list"]) == FAILED
    assert "kiosk keys init" in capsys.readouterr().err
    assert main([*settings, "keys", "init"]) == 0
    assert main([*settings, "staff", "list"]) == 0


def test_what_a_command_makes_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "clinic"
    assert main(["--data-folder", str(folder), "keys", "init"]) == 0
    (folder / "clinic.db").touch()
    assert main(["--data-folder", str(folder), "staff", "list"]) == 0
    assert main(["--data-folder", str(folder), "backup"]) == 0
    made = [folder, *folder.rglob("*")]
    assert len(made) > 10
    open_to_others = [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []
