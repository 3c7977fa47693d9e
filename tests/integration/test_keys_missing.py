"""A clinic whose keys are gone makes no new ones by itself, whatever its records are kept in."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path
from socket import gethostname

import pytest

from domain.actors import SYSTEM
from domain.errors import NoRecords
from domain.parts import Part
from domain.staff import ListStaff
from domain.statement import Credential
from kiosk.bootstrap import open_clinic
from kiosk.cli import main
from kiosk.commands.keys import PASSPHRASE as PASSPHRASE_VARIABLE
from kiosk.credential import ceremony
from kiosk.credential.ceremony import RootPlace
from kiosk.credential.errors import KeysMissing
from kiosk.credential.keys import KeyFolder, open_keys
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.upkeep import named_root, rename_root
from storage.archive import read_manifest
from tests.certificate_facts import facts
from tests.clinics import MONDAY, TestClock, clinic_in, keep_in, settings_in
from tests.integration.backups import backed_up, tampering
from tests.integration.test_records import held_back, kiosk
from tests.postgresql import Server

PASSPHRASE = "kept on paper"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_CONFIG", "")
    monkeypatch.setenv("KIOSK_LOG_FOLDER", str(tmp_path / "log"))


@pytest.fixture
async def unmounted(clinic_folder: Path) -> Settings:
    """Of a clinic that was open, and whose keys are elsewhere now."""
    async with clinic_in(clinic_folder) as clinic:
        settings = clinic.settings
    settings.key_folder.rename(clinic_folder / "unmounted")
    return settings


async def test_new_keys_are_not_made_where_old_ones_have_signed(
    unmounted: Settings, clinic_folder: Path
) -> None:
    for role, parts in (("kiosk", ()), ("supervisor", ()), ("worker-issuing", (Part.ISSUING,))):
        with pytest.raises(KeysMissing):
            await open_clinic(replace(unmounted, parts=parts), TestClock(), role)
    assert not unmounted.key_folder.exists()
    (clinic_folder / "unmounted").rename(unmounted.key_folder)
    async with clinic_in(clinic_folder):
        pass


@pytest.mark.parametrize("command", [("parts", "list"), ("staff", "list"), ("staff", "reset-pin", "관리자")])
def test_a_command_that_signs_nothing_needs_no_keys_and_makes_none(
    unmounted: Settings, command: tuple[str, ...]
) -> None:
    answer = kiosk(unmounted, *command)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout
    assert not unmounted.key_folder.exists()


def test_a_backup_of_a_clinic_without_its_keys_holds_none(unmounted: Settings) -> None:
    assert kiosk(unmounted, "parts", "list").returncode == 0
    answer = kiosk(unmounted, "backup")
    assert (answer.returncode, "no keys" in answer.stderr) == (0, True)
    assert list(read_manifest(made := Path(answer.stdout.strip())).files) == ["records.db"]
    assert "no keys" in kiosk(unmounted, "restore", "--list").stdout
    assert "no signing keys" in kiosk(unmounted, "restore", "--verify", str(made)).stderr
    assert "no signing keys" in (unmounted.log_folder / "command.log").read_text()


def test_a_worker_that_issues_says_what_to_do_about_its_keys(unmounted: Settings) -> None:
    answer = kiosk(unmounted, "worker", "issuing")
    assert (answer.returncode, "`kiosk keys init --root`" in answer.stderr) == (1, True)


async def test_a_further_kiosk_opens_with_a_signer_of_the_clinics_root(
    unmounted: Settings, clinic_folder: Path, tmp_path: Path
) -> None:
    first, safe = KeyFolder(clinic_folder / "unmounted"), RootPlace(tmp_path / "safe", b"kept on paper")
    safe.medium.mkdir()
    ceremony.init(first, safe, country="KR", clinic="A clinic", now=MONDAY)
    further = KeyFolder(unmounted.key_folder)
    ceremony.init(further, safe, country="KR", clinic="A clinic", now=MONDAY)
    services = await open_clinic(replace(unmounted, backup_hours=0), TestClock(), "kiosk")
    await services.close()
    assert further.root() == first.root()
    assert further.active().kid != first.active().kid


STRANGERS = pytest.mark.parametrize("medium", ["", "empty", "of another clinic"])


def medium_in(folder: Path, medium: str) -> list[str]:
    """What is typed behind `keys init`, and the medium that this names."""
    if not medium:
        return []
    (folder / "medium").mkdir()
    if medium == "of another clinic":
        place = RootPlace(folder / "medium", PASSPHRASE.encode())
        ceremony.init(KeyFolder(folder / "other"), place, country="KR", clinic="Another", now=MONDAY)
    return ["--root", str(folder / "medium")]


@STRANGERS
async def test_a_kiosk_takes_no_other_root_than_the_clinics_unless_that_is_lost(
    unmounted: Settings, tmp_path: Path, medium: str
) -> None:
    known = {PASSPHRASE_VARIABLE: PASSPHRASE}
    given = medium_in(tmp_path, medium)
    held = sorted((tmp_path / "medium").rglob("*"))
    refused = kiosk(unmounted, "keys", "init", *given, **known)
    assert (refused.returncode, "--new-root" in refused.stderr) == (1, True), refused.stderr
    assert KeyFolder(tmp_path / "unmounted").fingerprint()[:16] in refused.stderr
    assert not KeyFolder(unmounted.key_folder).is_made
    assert sorted((tmp_path / "medium").rglob("*")) == held
    for _ in range(2):
        done = kiosk(unmounted, "keys", "init", "--new-root", *given, **known)
        assert done.returncode == 0, done.stderr
    await (await opened(unmounted, "kiosk")).close()
    former = replace(unmounted, data_folder=tmp_path / "former")
    shutil.copytree(tmp_path / "unmounted", former.key_folder)
    if unmounted.database_url:
        with pytest.raises(KeysMissing, match=KeyFolder(unmounted.key_folder).fingerprint()[:16]):
            await opened(former, "kiosk")


@pytest.mark.parametrize("role", ["kiosk", "supervisor", "worker-issuing"])
async def test_keys_of_another_root_sign_nothing(unmounted: Settings, tmp_path: Path, role: str) -> None:
    open_keys(unmounted.key_folder, country="KR", clinic="Another", now=MONDAY)
    ours, theirs = KeyFolder(tmp_path / "unmounted"), KeyFolder(unmounted.key_folder)
    for _ in range(2):
        with pytest.raises(KeysMissing) as refused:
            await opened(unmounted, role)
        said = str(refused.value)
        assert all(keys.fingerprint()[:16] in said for keys in (ours, theirs)), said
        assert gethostname() in said
    services = await opened(unmounted, "")  # a command, which may have to sign
    with pytest.raises(KeysMissing):
        services.gateway.signer.sign(facts())
    await services.close()
    shutil.rmtree(theirs.folder)
    shutil.copytree(ours.folder, theirs.folder)
    await (await opened(unmounted, role)).close()


@pytest.mark.parametrize("role", ["kiosk", ""])
async def test_keys_of_another_root_that_come_while_it_is_open_sign_nothing_either(
    clinic_folder: Path, role: str
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        settings, ours, theirs = clinic.settings, clinic_folder / "ours", clinic_folder / "theirs"
    open_keys(theirs, country="KR", clinic="Another", now=MONDAY)
    services = await opened(settings, role)

    def sign() -> Credential:
        return services.gateway.signer.sign(facts(issued_at=MONDAY))

    first = sign()
    settings.key_folder.rename(ours)
    shutil.copytree(theirs, settings.key_folder)
    for _ in range(2):
        with pytest.raises(KeysMissing, match=KeyFolder(theirs).fingerprint()[:16]):
            sign()
    assert await services.gateway.ask(ListStaff(), SYSTEM)
    settings.key_folder.rename(theirs.with_name("away"))
    shutil.copytree(ours, settings.key_folder)
    assert sign().key_id == first.key_id
    settings.key_folder.rename(ours.with_name("former"))
    shutil.copytree(theirs, settings.key_folder)
    await rename_root(settings)  # as `kiosk keys init --new-root` does
    assert sign().key_id != first.key_id
    await services.close()


@pytest.mark.parametrize("older", [False, True])
async def test_a_clinic_that_moved_to_a_server_has_the_root_it_had(
    postgresql: Server, tmp_path: Path, older: bool
) -> None:
    """A backup of an older version names none: that of the keys in it is named when it is restored."""
    async with clinic_in(tmp_path) as clinic:
        await clinic.vaccine(doses=1)
    if older:
        with tampering(clinic.settings) as records:
            records.exec_driver_sql("DELETE FROM secret WHERE name = 'root'")
    made = backed_up(clinic.settings)
    database = postgresql.database(template="template1")
    keep_in(tmp_path, postgresql.url(database), postgresql.url(database))
    moved = replace(settings_in(tmp_path), backup_hours=0)
    answer = kiosk(moved, "restore", str(made.path))
    assert (answer.returncode, "named no root" in answer.stderr) == (0, older), answer.stderr
    further = replace(moved, data_folder=tmp_path / "further")
    refused = kiosk(further, "keys", "init")
    assert (refused.returncode, "this clinic's" in refused.stderr) == (1, True), refused.stderr
    open_keys(further.key_folder, country="KR", clinic="A clinic", now=MONDAY)
    with pytest.raises(KeysMissing, match=KeyFolder(moved.key_folder).fingerprint()[:16]):
        await opened(further, "kiosk")
    await (await opened(moved, "kiosk")).close()


async def test_a_backup_that_names_no_root_and_holds_no_keys_leaves_it_open_and_says_so(
    unmounted: Settings,
) -> None:
    with tampering(unmounted) as records:
        records.exec_driver_sql("DELETE FROM secret WHERE name = 'root'")
    made = backed_up(unmounted)
    open_keys(unmounted.key_folder, country="KR", clinic="Another", now=MONDAY)
    answer = kiosk(unmounted, "restore", "--replace", str(made.path))
    assert (answer.returncode, "name no root" in answer.stderr) == (0, True), answer.stderr
    assert named_root(unmounted) == ("", "")


async def opened(settings: Settings, role: str) -> Services:
    parts = (Part.ISSUING,) if role == "worker-issuing" else ()
    return await open_clinic(replace(settings, parts=parts, backup_hours=0), TestClock(), role)


@pytest.mark.parametrize("medium", ["missing", "data/medium", "data/keys", "data"])
def test_a_medium_is_there_and_apart_from_the_kiosk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], medium: str
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    settings = ["--data-folder", str(tmp_path / "data")]
    assert main([*settings, "keys", "init"]) == 0
    if medium != "missing":
        (tmp_path / medium).mkdir(exist_ok=True)
    held = sorted(tmp_path.rglob("*"))
    assert main([*settings, "keys", "init", "--root", str(tmp_path / medium)]) == 1
    assert str(tmp_path / medium) in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == held


def test_it_is_said_where_the_roots_key_is_and_when_that_is_the_same_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    (tmp_path / "medium").mkdir(mode=0o755)
    settings = ["--data-folder", str(tmp_path / "data")]
    assert main([*settings, "keys", "init", "--root", str(tmp_path / "medium")]) == 0
    said = capsys.readouterr().err
    assert f"the root's key is in {tmp_path / 'medium'}" in said
    assert "is the medium mounted" in said


@pytest.mark.parametrize("action", [("rotate",), ("withdraw", "--yes")])
async def test_a_medium_that_cannot_be_written_to_is_said_in_words(
    tmp_path: Path, action: tuple[str, ...]
) -> None:
    async with clinic_in(tmp_path) as clinic:
        keys = KeyFolder(clinic.settings.key_folder)
    place = RootPlace(tmp_path / "medium", PASSPHRASE.encode())
    place.medium.mkdir()
    ceremony.init(keys, place, country="KR", clinic="A clinic", now=MONDAY)
    kid, known = keys.active().kid.hex(), {PASSPHRASE_VARIABLE: PASSPHRASE}
    command = ["keys", *action, *([kid] if action[0] == "withdraw" else []), "--root", str(place.medium)]
    place.home.chmod(0o500)
    refused = held_back(clinic.settings, *command, **known)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "cannot be used (Permission denied)" in refused.stderr
    assert keys.active().kid.hex() == kid
    place.home.chmod(0o700)
    assert held_back(clinic.settings, *command, **known).returncode == 0
    assert keys.active().kid.hex() != kid


async def test_a_supervisor_of_parts_that_sign_nothing_needs_no_keys(unmounted: Settings) -> None:
    settings = replace(unmounted, parts=(), backup_hours=0)
    services = await open_clinic(settings, TestClock(), "supervisor", signs=False)
    await services.close()
    assert not unmounted.key_folder.exists()


async def test_a_worker_without_keys_founds_no_clinic(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), parts=("my-page",))
    with pytest.raises(NoRecords):
        await open_clinic(settings, role="worker-my-page")
    assert not (settings.data_folder / "clinic.db").exists()


async def test_on_a_server_keys_are_made_where_the_first_pin_is_shown_and_nowhere_else(
    clinic_folder: Path,
) -> None:
    settings = settings_in(clinic_folder)
    if not settings.database_url:
        pytest.skip("a file and its keys are in one folder")
    with pytest.raises(KeysMissing):
        await open_clinic(replace(settings, parts=(Part.ISSUING,)), TestClock(), "worker-issuing")
    assert not settings.key_folder.exists()
    services = await open_clinic(replace(settings, parts=(), backup_hours=0), TestClock(), "kiosk")
    await services.close()
    assert services.first_pin
    assert KeyFolder(settings.key_folder).is_made


async def test_a_file_that_is_named_by_its_address_is_a_clinic_too(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), database_url=f"sqlite:///{tmp_path}/elsewhere.db")
    await (await open_clinic(settings, TestClock())).close()
    shutil.rmtree(settings.key_folder)
    with pytest.raises(KeysMissing):
        await open_clinic(settings, TestClock())


def test_an_administrator_may_make_new_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--data-folder", str(tmp_path)]
    assert main([*settings, "keys", "init"]) == 0
    (tmp_path / "clinic.db").touch()
    shutil.rmtree(tmp_path / "keys")
    assert main([*settings, "worker", "issuing"]) == 1
    assert "kiosk keys init --new-root" in capsys.readouterr().err
    assert main([*settings, "keys", "init"]) == 1
    assert not (tmp_path / "keys" / "clinic").exists()
    assert main([*settings, "keys", "init", "--new-root"]) == 0
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
