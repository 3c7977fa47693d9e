"""The printer in the settings: a file, the environment, and what is wrong with either."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import SettingsInvalid
from kiosk.configuration import load_configuration
from kiosk.settings import Settings


def loaded(folder: Path, file: str = "", **environment: str) -> Settings:
    path = folder / "kiosk.toml"
    path.write_text(file)
    return load_configuration(path, environment).settings


def test_without_a_printer_paper_goes_to_the_folder(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert (settings.printer, settings.print_deadline_seconds, settings.ticket_paper) == ("", 30, "a6")


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        'printer = "desk"\nticket_paper = "roll-80"\nprint_deadline_seconds = 20\n',
        KIOSK_PRINTER="ipp://printer/ipp/print",
        KIOSK_PRINT_DEADLINE_SECONDS="45",
    )
    assert settings.printer == "ipp://printer/ipp/print"
    assert (settings.print_deadline_seconds, settings.ticket_paper) == (45, "roll-80")


@pytest.mark.parametrize(
    "line",
    [
        'printer = "two words"',
        'printer = "http://x/"',
        'ticket_paper = "a5"',
        "print_deadline_seconds = 0",
        "print_deadline_seconds = 61",
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_opens(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsInvalid):
        loaded(tmp_path, line)
