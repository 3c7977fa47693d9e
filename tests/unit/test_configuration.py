"""Where settings come from, which goes over which, and how whatever is wrong names itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import make_url

from domain.errors import SettingsInvalid
from kiosk.cli import main
from kiosk.configuration import Source, load_configuration

NO_FILE = {"KIOSK_CONFIG": ""}


def refusal(text: str | None = None, folder: Path | None = None, **variables: str) -> str:
    """What is said to a file with this text, and to these variables."""
    file = None
    if text is not None and folder:
        file = folder / "kiosk.toml"
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as raised:
        load_configuration(file, variables if file else {**NO_FILE, **variables})
    return str(raised.value)


def test_a_flag_goes_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(
        'language = "en"\n\ndata_folder = "/f"\nidle_seconds = 5\n[clinic]\ncode = "F1"\nphone = "1"\n'
        "[clinic.schedule]\ncapacity = 3\n"
    )
    variables = {"KIOSK_DATA_FOLDER": "/e", "KIOSK_LANGUAGE": "en", "KIOSK_CLINIC__CODE": "E1"}
    configuration = load_configuration(file, variables, {"--data-folder": ("data_folder", "/x")})
    settings, sources = configuration.settings, configuration.sources
    assert (settings.data_folder, settings.language, settings.idle_seconds) == (Path("/x"), "en", 5)
    assert (settings.clinic.code, settings.clinic.phone, settings.clinic.schedule.capacity) == ("E1", "1", 3)
    assert {name: str(source) for name, source in sources.items()} == {
        "data_folder": "--data-folder",
        "language": "KIOSK_LANGUAGE",
        "idle_seconds": f"{file}:4",
        "clinic.code": "KIOSK_CLINIC__CODE",
        "clinic.phone": f"{file}:7",
        "clinic.schedule.capacity": f"{file}:9",
    }
    assert [str(source) for setting, _, source in configuration if setting.name == "printer"] == ["default"]


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("idle_seconds", '"soon"', "“soon” is not a whole number of at least 1"),
        ("idle_seconds", "0", "“0” is not a whole number of at least 1"),
        ("idle_seconds", "true", "is not a whole number"),
        ("print_deadline_seconds", "1.5", "is not a whole number"),
        ("patience_seconds", "nan", "above 0"),
        ("log_files", "0", "at least 1"),
        ("log_to", '"stdout"', "“stdout” is not file or stderr"),
        ("language", '"fr"', "“fr” is not ko or en"),
        ("ticket_paper", '"a5"', "is not a6 or roll-80"),
        ("also_smart_health_card", '"perhaps"', "“perhaps” is not true or false"),
        ("data_folder", '""', "is not a path"),
        ("database_url", '"mysql://db/clinic"', "an address like sqlite:////srv/clinic.db or postgresql+"),
        ("database_url", '"sqlite://"', "an address like sqlite:////srv/clinic.db"),
        ("database_url", '"sqlite:///"', "an address like sqlite:////srv/clinic.db"),
        ("database_url", '"sqlite:///:memory:"', "an address like sqlite:////srv/clinic.db"),
        ("database_url", '"sqlite:///file:clinic.db?uri=true"', "an address like sqlite:////srv/clinic.db"),
        ("database_url", '"sqlite://clinic.db"', "an address like sqlite:////srv/clinic.db"),
        (
            "mypage_url",
            '"postgresql://clinic:x@127.0.0.1:abc/clinic"',
            "postgresql+psycopg://clinic@server:5432",
        ),
        ("mypage_url", '"postgresql://clinic:x@127.0.0.1:99999/clinic"', "an address like"),
        ("mypage_url", '"postgresql://clinic:x@127.0.0.1:/clinic"', "an address like"),
        ("printer", '"two words"', "the name of a queue, or an address like ipp://printer/ipp/print"),
        ("formulary_file", '"/none.toml"', "a file that is there"),
        ("issuer_url", '"http://a.kr"', "an https:// address"),
        ("parts", '["issue"]', "injection-intake, issuing, printing, my-page"),
        ("clinic.code", '"a-1"', "capitals and digits"),
        ("clinic.country", '"Korea"', "two capitals"),
        ("clinic.name_ko", '" "', "is not a name"),
        ("clinic.time_zone", '"Asia/Pyeongchang"', "a time zone like Asia/Seoul"),
        ("clinic.time_zone", '"../etc/passwd"', "a time zone like Asia/Seoul"),
        ("clinic.schedule.openings", '["12:00-09:00"]', "openings like 09:00-12:00"),
        ("clinic.schedule.openings", '["nine"]', "openings like 09:00-12:00"),
        ("clinic.schedule.openings", '["09:00:30-12:00"]', "openings like 09:00-12:00"),
        ("clinic.schedule.openings", '[{ since = "09:00" }]', "openings like 09:00-12:00"),
        ("clinic.schedule.weekdays", "[7]", "weekdays from 0 (Monday) to 6"),
        ("clinic.schedule.closed_on", '["Christmas"]', "dates like 2026-12-25"),
        ("clinic.schedule.slot_minutes", "0", "at least 1"),
    ],
)
def test_a_wrong_value_names_itself_its_place_and_what_would_be_right(
    name: str, wrong: str, right: str, tmp_path: Path
) -> None:
    said = refusal(f"\n{name} = {wrong}\n", tmp_path)
    assert said.startswith(f"{name} ({tmp_path / 'kiosk.toml'}:2): ")
    assert right in said
    variable = "KIOSK_" + name.upper().replace(".", "__")
    text = wrong.strip('[]"').replace("true", "yes")
    said = refusal(None, None, **{variable: text})
    assert said.startswith(f"{name} ({variable}): ")
    assert right in said


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refusal(
        'idle_seconds = "soon"\nlanguage = "fr"\n[clinic]\ncode = "a"\n',
        tmp_path,
        KIOSK_LOG_TO="stdout",
        KIOSK_IDLE_SECONDS="later",
        KIOSK_NONSENSE="1",
    )
    where = [line.partition(":")[0].partition(" ")[0] for line in said.splitlines()]
    assert where == ["idle_seconds", "language", "clinic.code", "idle_seconds", "log_to", "KIOSK_NONSENSE"]


@pytest.mark.parametrize(
    ("file", "near"),
    [
        ("idel_seconds = 5", "idle_seconds"),
        ('name_ko = "x"', "clinic.name_ko"),
        ("[clinic]\ncapacity = 5", "clinic.schedule.capacity"),
        ("[clinic.schedule]\ncapasity = 5", "clinic.schedule.capacity"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_one_that_may_be_meant(
    file: str, near: str, tmp_path: Path
) -> None:
    assert f"there is no such setting; did you mean {near}?" in refusal(file, tmp_path)


def test_an_unknown_variable_is_refused_with_the_one_that_may_be_meant() -> None:
    assert refusal(KIOSK_PRINTR="x") == "KIOSK_PRINTR: there is no such setting; did you mean KIOSK_PRINTER?"
    assert "KIOSK_CLINIC__SCHEDULE__CAPACITY?" in refusal(KIOSK_CLINIC_SCHEDULE_CAPACITY="5")
    assert refusal(KIOSK_XYZZY="x") == "KIOSK_XYZZY: there is no such setting"


def test_variables_that_are_no_settings_are_left_to_whom_they_belong() -> None:
    others = {
        "KIOSK_ROOT_PASSPHRASE": "correct horse",
        "KIOSK_SEED": "7",
        # what Kubernetes sets for services called kiosk and kiosk-db
        "KIOSK_SERVICE_HOST": "10.0.0.1",
        "KIOSK_SERVICE_PORT_HTTP": "80",
        "KIOSK_PORT": "tcp://10.0.0.1:80",
        "KIOSK_PORT_80_TCP_ADDR": "10.0.0.1",
        "KIOSK_DB_PORT_5432_TCP": "tcp://10.0.0.2:5432",
    }
    assert load_configuration(None, {**NO_FILE, **others}).sources == {}


def test_a_table_must_be_one(tmp_path: Path) -> None:
    assert "is not a table like [clinic]" in refusal('clinic = "x"', tmp_path)


def test_a_file_that_was_named_must_be_there_and_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(SettingsInvalid, match=r"--config: there is no file .*none\.toml"):
        load_configuration(missing, {})
    with pytest.raises(SettingsInvalid, match=r"KIOSK_CONFIG: there is no file .*none\.toml"):
        load_configuration(None, {"KIOSK_CONFIG": str(missing)})
    assert load_configuration(None, {"KIOSK_CONFIG": ""}).file is None
    assert "line 2" in refusal('printer = "x"\nidle_seconds = \n', tmp_path)
    assert str(tmp_path) in refusal("idle_seconds = ]", tmp_path)
    with pytest.raises(SettingsInvalid, match="Is a directory"):
        load_configuration(tmp_path, {})
    latin = tmp_path / "latin.toml"
    latin.write_bytes('printer = "Büro"'.encode("latin-1"))
    with pytest.raises(SettingsInvalid, match=r"latin\.toml"):
        load_configuration(latin, {})
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbfidle_seconds = 90\n")  # as some editors begin a file
    assert load_configuration(marked, {}).settings.idle_seconds == 90


# -- secrets --------------------------------------------------------------------------------------

URL = "postgresql+psycopg://clinic:s3cret@server/clinic"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/clinic.db", "sqlite:///clinic.db", "sqlite:///clinic.db?timeout=3",
        URL, "postgresql://", "postgresql:///clinic", "postgresql://server", "postgresql://server:5432",
        "postgresql://clinic@/clinic?host=/run/postgresql", "postgresql://clinic:a:b/c?@server/clinic",
        "postgresql://clinic:x@[::1]:5432/clinic?sslmode=require&application_name=a:b@c",
    ],
)  # fmt: skip
def test_every_address_that_can_be_used_is_right(url: str) -> None:
    assert load_configuration(None, {**NO_FILE, "KIOSK_DATABASE_URL": url}).settings.database_url == url
    assert make_url(url).get_backend_name() in url


def test_a_database_may_be_named_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(URL + "\n")
    configuration = load_configuration(None, {**NO_FILE, "KIOSK_DATABASE_URL_FILE": str(secret)})
    assert configuration.settings.database_url == URL
    assert configuration.sources["database_url"] == Source("environment", "KIOSK_DATABASE_URL_FILE")


def test_a_secret_that_cannot_be_read_is_refused_and_never_repeated(tmp_path: Path) -> None:
    assert refusal(KIOSK_MYPAGE_URL_FILE="/none/url").startswith(
        "mypage_url (KIOSK_MYPAGE_URL_FILE): /none/url: No such file"
    )
    secret = tmp_path / "url"
    secret.write_text("mysql://clinic:s3cret@server/clinic")
    for said in (
        refusal(KIOSK_DATABASE_URL_FILE=str(secret)),
        refusal(KIOSK_DATABASE_URL="s3cret"),
        refusal('database_url = "mysql://a:s3cret@b"', tmp_path),
        refusal('database_url = ["s3cret"]', tmp_path),
        refusal('printer = "http://desk:s3cret@printer"', tmp_path),
        refusal(KIOSK_DATABASE_URL=URL, KIOSK_DATABASE_URL_FILE=str(secret)),
    ):
        assert "s3cret" not in said
    assert "KIOSK_DATABASE_URL is set too" in refusal(KIOSK_DATABASE_URL=URL, KIOSK_DATABASE_URL_FILE="/x")
    assert "there is no such setting" in refusal(KIOSK_PRINTER_FILE="/x")


# -- the command line -----------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """None of the variables that the tests themselves may run under."""
    for name in [name for name in os.environ if name.startswith("KIOSK_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_config_show_says_every_value_and_where_it_comes_from(
    tmp_path: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(f'printer = "desk"\ndatabase_url = "{URL}"\n')
    environment.setenv("KIOSK_CLINIC__SCHEDULE__WEEKDAYS", "0,1")
    flags = ["--config", str(file), "--data-folder", "/d", "--lang", "en", "config", "show"]
    assert main(flags) == 0
    out = capsys.readouterr().out
    rows = {line.split("\t")[0]: tuple(line.split("\t")[1:]) for line in out.splitlines()}
    assert rows["printer"] == ("desk", f"{file}:1")
    assert rows["database_url"] == ("postgresql+psycopg://clinic:…@server/clinic", f"{file}:2")
    assert rows["data_folder"] == ("/d", "--data-folder")
    assert rows["language"] == ("en", "--lang")
    assert rows["clinic.schedule.weekdays"] == ("0,1", "KIOSK_CLINIC__SCHEDULE__WEEKDAYS")
    assert rows["clinic.schedule.openings"] == ("09:00-12:00,13:00-17:00", "default")
    assert rows["parts"] == ("all", "default")

    assert main([*flags, "--json"]) == 0
    out = capsys.readouterr().out
    told = {line["setting"]: line for line in map(json.loads, out.splitlines())}
    assert told.keys() == rows.keys()
    assert told["printer"] == {
        "setting": "printer", "value": "desk", "source": "file", "place": str(file), "line": 1,
    }  # fmt: skip
    assert told["clinic.schedule.weekdays"]["value"] == [0, 1]
    assert told["parts"]["value"] is None
    assert told["database_url"]["value"] == rows["database_url"][0]


def test_config_check_ends_with_0_or_2_and_says_why(
    tmp_path: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("KIOSK_CONFIG", "")
    assert main(["config", "check"]) == 0
    assert capsys.readouterr() == ("", "every setting is right (there is no file)\n")
    environment.setenv("KIOSK_IDLE_SECONDS", "soon")
    assert main(["config", "check"]) == 2
    assert capsys.readouterr() == (
        "",
        "kiosk: idle_seconds (KIOSK_IDLE_SECONDS): “soon” is not a whole number of at least 1\n",
    )
