"""Whatever the units, the manifests and the guide set or type is what this program knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.cli import _parser
from kiosk.commands import COMMANDS
from kiosk.configuration import load_configuration
from kiosk.settings import Settings
from tests.deploy.files import KUBERNETES, SYSTEMD, command_lines, examples, image_variables, variables


def _given(tmp_path: Path, chosen: dict[str, str]) -> dict[str, str]:
    """These settings with the files that they name put there."""
    (tmp_path / "kiosk.toml").touch()
    here = dict(chosen)
    for name, value in chosen.items():
        if name.endswith("_FILE"):
            secret = examples()[0]["stringData"].get(Path(value).name, "postgresql+psycopg://clinic@/clinic")
            (tmp_path / Path(value).name).write_text(secret)
            here[name] = str(tmp_path / Path(value).name)
    return here | {"KIOSK_CONFIG": str(tmp_path / "kiosk.toml")}


@pytest.mark.parametrize(
    "chosen",
    [
        variables(SYSTEMD / "environment.example"),
        variables(KUBERNETES / "settings.env"),
        image_variables(),
    ],
    ids=["environment.example", "settings.env", "Containerfile"],
)
def test_every_variable_is_a_setting_and_chooses_something(tmp_path: Path, chosen: dict[str, str]) -> None:
    chosen.pop("KIOSK_CONFIG", None)
    found = load_configuration(environment=_given(tmp_path, chosen))
    assert {source.place for source in found.sources.values()} == set(chosen)
    for setting, value, source in found:
        assert (value != setting.default) is (source.kind == "environment"), setting.name
    assert len(found.sources) == len(chosen) >= 5


def test_in_the_cluster_the_records_and_my_page_are_on_the_server(tmp_path: Path) -> None:
    chosen = image_variables() | variables(KUBERNETES / "settings.env")
    settings = load_configuration(environment=_given(tmp_path, chosen)).settings
    assert settings.records_url.startswith("postgresql")
    assert settings.read_model_url.startswith("postgresql")
    assert settings.parts == ()
    assert settings.log_to == "stderr"


def test_every_command_line_is_one_that_is_understood(cluster: list[dict[str, Any]]) -> None:
    lines = command_lines(cluster)
    assert {"worker", "supervise", "health", "backup", "check"} <= {w[0] for w in lines.values() if w}
    for where, words in lines.items():
        try:
            _parser(words).parse_args(words)
        except SystemExit:
            assert words[0] == "backup" and "backup" not in COMMANDS, f"{where}: {words}"  # noqa: PT018


def test_the_folders_of_the_image_are_those_of_the_services() -> None:
    assert image_variables().items() <= (variables(SYSTEMD / "environment.example") | {
        # of a container there is one volume for all that has to stay
        "KIOSK_BACKUP_FOLDER": "/var/lib/clinic-kiosk/backups",
    }).items()  # fmt: skip
    assert Settings().run_folder is None
