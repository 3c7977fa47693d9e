"""The command line when what was asked, or the program itself, is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.parts import Part
from kiosk.cli import FAILED, USAGE, main
from kiosk.commands import check


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the commands leave behind."""
    monkeypatch.setenv("KIOSK_LOG_FOLDER", str(tmp_path / "log"))
    return tmp_path / "log" / "command.log"


def test_a_mistake_in_the_program_is_told_by_its_place_and_names_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> int:
        raise ArithmeticError("홍길동 +821012345678")

    monkeypatch.setattr(check, "run", mistaken)
    assert main(["--data-folder", str(tmp_path), "check"]) == FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "ArithmeticError at test_cli.py" in said.err
    assert "홍길동" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "command", ["check", "backup", "mypage rebuild", "parts list", "parts resume issuing"]
)
def test_a_folder_that_was_mistyped_is_not_made_a_clinic(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    folder = tmp_path / "clinc"
    assert main(["--data-folder", str(folder), *command.split()]) == FAILED
    assert "There are no records of a clinic" in capsys.readouterr().err
    assert not (folder / "clinic.db").exists()
    said = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert said[:2] == ["begins", "kiosk " + command.partition(" ")[0]]


@pytest.mark.parametrize("command", ["worker issuing", "worker my-page", "supervise"])
def test_nor_by_whoever_works_without_a_screen(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one that signs: with keys of its own nobody could verify anything."""
    folder = tmp_path / "clinc"
    assert main(["--data-folder", str(folder), *command.split()]) == FAILED
    assert "There are no records of a clinic" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize("command", ["worker", "supervise", "parts pause"])
def test_a_part_that_is_not_there_is_told_which_there_are(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "issueing"])
    assert ended.value.code == USAGE
    assert f"there is no part “issueing”; there are {', '.join(Part)}" in capsys.readouterr().err
