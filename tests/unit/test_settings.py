"""What can be chosen, and how it is written: in a file, in a variable, and in what `kiosk config` shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from domain.clinic import Opening
from kiosk.configuration import NOT_SETTINGS, load_configuration
from kiosk.setting_values import masked, settings_by_name, shown
from kiosk.settings import Settings

ROOT = Path(__file__).parents[2]
SAMPLES: dict[str, tuple[str, str, Any]] = {
    "data_folder": ('"/d"', "/d", Path("/d")),
    "database_url": ('"postgresql://db/x"', "postgresql://db/x", "postgresql://db/x"),
    "mypage_url": ('"sqlite:///m.db"', "sqlite:///m.db", "sqlite:///m.db"),
    "paper_folder": ('"/p"', "/p", Path("/p")),
    "printer": ('"desk"', "desk", "desk"),
    "print_deadline_seconds": ("45", "45", 45),
    "ticket_paper": ('"roll-80"', "roll-80", "roll-80"),
    "issuer_url": ('"https://a.kr/x"', "https://a.kr/x", "https://a.kr/x"),
    "also_smart_health_card": ("true", "true", True),
    "log_folder": ('"/l"', "/l", Path("/l")),
    "log_to": ('"stderr"', "stderr", "stderr"),
    "log_megabytes": ("7", "7", 7),
    "log_files": ("2", "2", 2),
    "formulary_file": (f'"{__file__}"', __file__, Path(__file__)),
    "language": ('"en"', "en", "en"),
    "idle_seconds": ("90", "90", 90),
    "parts": ('["issuing", "my-page"]', "issuing,my-page", ("issuing", "my-page")),
    "run_folder": ('"/run/k"', "/run/k", Path("/run/k")),
    "patience_seconds": ("1.5", "1.5", 1.5),
    "backup_folder": ('"/b"', "/b", Path("/b")),
    "backup_hours": ("0", "0", 0),
    "backup_keep": ("3", "3", 3),
    "clinic.name_ko": ('"행복구 보건소"', "행복구 보건소", "행복구 보건소"),
    "clinic.name_en": ('"Haengbok-gu"', "Haengbok-gu", "Haengbok-gu"),
    "clinic.code": ('"HB7"', "HB7", "HB7"),
    "clinic.country": ('"VN"', "VN", "VN"),
    "clinic.time_zone": ('"Asia/Ho_Chi_Minh"', "Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
    "clinic.phone": ('"02-123-4567"', "02-123-4567", "02-123-4567"),
    "clinic.schedule.openings": (
        '[{ since = "08:30:00", until = 12:00:00 }, "13:00-17:30"]',
        "08:30-12:00,13:00-17:30",
        (Opening(time(8, 30), time(12)), Opening(time(13), time(17, 30))),
    ),
    "clinic.schedule.weekdays": ("[4, 0]", "0,4", frozenset({0, 4})),
    "clinic.schedule.closed_on": (
        '["2026-12-25", 2027-01-01]',
        "2026-12-25,2027-01-01",
        frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
    ),
    "clinic.schedule.slot_minutes": ("20", "20", 20),
    "clinic.schedule.capacity": ("5", "5", 5),
    "clinic.schedule.horizon_days": ("14", "14", 14),
}
"""Of every setting: in the file, in a variable and as it is shown, and what is meant. None is the default."""


def chosen(settings: Settings, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_there_is_a_sample_of_every_setting() -> None:
    assert SAMPLES.keys() == settings_by_name().keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_setting_can_be_set_in_the_file_and_by_a_variable(name: str, tmp_path: Path) -> None:
    toml, text, value = SAMPLES[name]
    assert value != settings_by_name()[name].default
    file = tmp_path / "kiosk.toml"
    file.write_text(f"{name} = {toml}\n", encoding="utf-8")
    assert chosen(load_configuration(file, {}).settings, name) == value
    variable = "KIOSK_" + name.upper().replace(".", "__")
    assert chosen(load_configuration(None, {"KIOSK_CONFIG": "", variable: text}).settings, name) == value
    assert shown(settings_by_name()[name], value) == text


def test_without_a_file_and_variables_everything_has_its_default() -> None:
    assert load_configuration(None, {"KIOSK_CONFIG": ""}).settings == Settings()


def test_what_is_set_in_one_table_leaves_the_rest_of_it_alone() -> None:
    settings = load_configuration(
        None, {"KIOSK_CONFIG": "", "KIOSK_CLINIC__SCHEDULE__CAPACITY": "5"}
    ).settings
    clinic = Settings().clinic
    assert settings == replace(
        Settings(), clinic=replace(clinic, schedule=replace(clinic.schedule, capacity=5))
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", ()), ("none", ()), ("all", None), ("issuing , my-page", ("issuing", "my-page"))],
)  # fmt: skip
def test_no_parts_are_not_the_same_as_all_of_them(text: str, parts: tuple[str, ...] | None) -> None:
    assert load_configuration(None, {"KIOSK_CONFIG": "", "KIOSK_PARTS": text}).settings.parts == parts


def test_a_variable_may_take_back_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(
        'printer = "desk"\nrun_folder = "/run/k"\nparts = []\nclinic.schedule.closed_on = [2026-12-25]\n'
    )
    empty = {"KIOSK_PRINTER": "", "KIOSK_RUN_FOLDER": "", "KIOSK_CLINIC__SCHEDULE__CLOSED_ON": "none"}
    settings = load_configuration(file, {**empty, "KIOSK_PARTS": "all"}).settings
    assert settings == Settings()


def test_a_home_folder_is_written_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_configuration(None, {"KIOSK_CONFIG": "", "KIOSK_DATA_FOLDER": "~/clinic"}).settings
    assert settings.data_folder == tmp_path / "clinic"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://clinic:s3cret@server/clinic",
        "postgresql+psycopg://clinic:s3c@s3cret:s3cret/s3cret@server:5432/clinic?sslmode=require",
        "postgresql://clinic@/clinic?host=/run/postgresql&password=s3cret&sslmode=require",
        "postgresql://clinic:s3 s3cret@server/clinic",
        "postgresql://the clinic:s3cret@server/clinic",
        "postgresql://server/clinic?user=clinic&password=s3 s3cret",
        "postgresql://server/clinic?password='s3'&user=clinic",
        "host=server password=s3cret user=clinic",
        "host=server password='s3 s3cret' user=clinic",
        "host=server password = s3 s3cret user=clinic",
        "ipp://desk:s3cret@printer/ipp/print",
    ],
)
def test_a_password_in_an_address_is_not_shown(address: str) -> None:
    for told in (
        masked(address),
        masked(f"it said: {address}"),
        shown(settings_by_name()["printer"], address),
    ):
        assert "s3" not in told
        assert "…" in told
        assert "user=clinic" not in address or "user=clinic" in told


@pytest.mark.parametrize("password", ["s3\ns3", "s3/s3?s3#s3", "s3'", "s3 s3=s3"])
def test_a_password_may_hold_anything(password: str) -> None:
    for address, told in (
        (f"postgresql://clinic:{password}@db/clinic", "postgresql://clinic:…@db/clinic"),
        (f"postgresql://here/clinic:{password}@db", "postgresql://here/clinic:…@db"),
        (f"postgresql://db/clinic?password={password}&user=a", "postgresql://db/clinic?password=…&user=a"),
        (f"postgresql://db/clinic?password={password}", "postgresql://db/clinic?password=…"),
    ):
        assert shown(settings_by_name()["database_url"], address) == told


@pytest.mark.parametrize(
    "harmless", ["postgresql://clinic@server:5432/clinic", "sqlite:////srv/clinic.db", "ipp://desk:631/ipp"]
)
def test_an_address_without_a_password_is_shown_as_it_is(harmless: str) -> None:
    assert masked(harmless) == shown(settings_by_name()["database_url"], harmless) == harmless


def test_every_variable_that_this_repository_reads_is_a_setting_or_known_not_to_be_one() -> None:
    """A driver of tests that reads a new one adds it to `NOT_SETTINGS`: else the kiosk refuses to start."""
    in_python = re.compile(r"""(?:environ(?:\.get\(|\[)|getenv\()\s*["'](KIOSK_\w+)""")
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("kiosk/**/*.py")]
    found = {name for file in files for name in in_python.findall(file.read_text(encoding="utf-8"))}
    found |= set(re.findall(r"\b(KIOSK_\w+)=", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {"KIOSK_EXAMPLES", "KIOSK_KILLS"} <= found
    assert found - {setting.variable for setting in settings_by_name().values()} <= NOT_SETTINGS


def test_the_reference_for_operators_has_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    section = text.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (?:`([^`]*)`|) ?\|", section, re.MULTILINE))
    assert list(rows) == list(settings_by_name())
    for name, setting in settings_by_name().items():
        default = setting.default
        if isinstance(default, Path):
            assert Path(rows[name]).name == default.name
        else:
            assert rows[name] == shown(setting, default), name


def test_the_file_in_the_reference_is_one_that_can_be_read(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(# kiosk\.toml\n.*?)```", text, re.DOTALL)
    file = tmp_path / "kiosk.toml"
    file.write_text(example, encoding="utf-8")
    configuration = load_configuration(file, {})
    assert len(configuration.sources) > 10
    assert all(source.line for source in configuration.sources.values())
