"""The command line when what was asked, or the program itself, is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from domain.parts import Part
from kiosk.bootstrap import open_clinic
from kiosk.cli import FAILED, USAGE, main
from kiosk.commands import check
from kiosk.settings import Settings


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
    assert not folder.exists()
    said = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert said[:2] == ["begins", "kiosk " + command.partition(" ")[0]]


@pytest.mark.parametrize("which", ["--live", "--ready"])
def test_nor_by_whoever_asks_how_it_is(
    which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clinc"
    assert main(["--data-folder", str(folder), "health", which]) == FAILED
    problem = f"There are no records of a clinic in {folder / 'clinic.db'}."
    assert json.loads(capsys.readouterr().out) == {"well": False, "problem": problem, "processes": {}}
    assert not folder.exists()


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


# -- what lies around the program -----------------------------------------------------------------


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """The data folder of a clinic that was opened once."""

    async def begin() -> None:
        await (await open_clinic(Settings(tmp_path / "data", paper_folder=tmp_path / "paper"))).close()

    asyncio.run(begin())
    return tmp_path / "data"


def kiosk(folder: Path, command: str, before: str = "", after: str = "", **more: str) -> tuple[int, str, str]:
    """Run it from a shell; answers its exit code, its stdout and its stderr."""
    line = f"{before} {sys.executable} -m kiosk --data-folder {folder} {command} {after}"
    environment = {**os.environ, "KIOSK_CONFIG": "", "KIOSK_PAPER_FOLDER": str(folder / "paper"), **more}
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["staff list", "config show", "backup", "health --live", "--version"])
def test_an_answer_that_cannot_be_written_is_no_mistake_of_the_program(
    command: str, unbuffered: str, clinic: Path
) -> None:
    code, _, said = kiosk(clinic, command, after="> /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert code == FAILED
    assert said.splitlines()[-1] == (
        "kiosk: stdout: No space left on device; what was asked for may be done all the same"
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nor_is_one_that_nobody_reads_to_its_end(unbuffered: str, clinic: Path) -> None:
    after = "| true; exit ${PIPESTATUS[0]}"
    assert kiosk(clinic, "config show", after=after, PYTHONUNBUFFERED=unbuffered) == (141, "", "")


@pytest.mark.parametrize("command", ["add 'Kim Doe' --role vaccinator", "reset-pin 관리자"])
def test_whose_pin_could_not_be_printed_is_said_with_what_makes_another(command: str, clinic: Path) -> None:
    code, _, said = kiosk(clinic, f"staff {command}", after="> /dev/full")
    assert code == FAILED
    another = said.partition("`")[2].partition("`")[0]
    assert another.startswith("kiosk staff reset-pin ")
    assert kiosk(clinic, another.removeprefix("kiosk "))[0] == 0


@pytest.mark.parametrize("command", ["check", "parts list", "restore --list", "worker issuing", "staff list"])
def test_a_folder_that_may_not_be_read_is_named_with_the_reason(command: str, clinic: Path) -> None:
    clinic.chmod(0)
    try:
        code, told, said = kiosk(clinic, command, before=without_rights())
    finally:
        clinic.chmod(0o700)
    assert (code, told) == (FAILED, "")
    assert said.startswith(f"kiosk: {clinic}")
    assert said.endswith(": Permission denied\n")


def test_health_answers_in_json_also_when_nobody_can_be_asked(clinic: Path) -> None:
    (clinic / "run").mkdir(mode=0)
    code, told, _ = kiosk(clinic, "health --live", before=without_rights())
    answer = {"well": False, "problem": f"{clinic / 'run'}: Permission denied", "processes": {}}
    assert (code, json.loads(told)) == (FAILED, answer)


def without_rights() -> str:
    """Before a command: root gives up what only root may."""
    if os.getuid() != 0:
        return ""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here")
    return "setpriv --bounding-set=-all --inh-caps=-all --no-new-privs"


@pytest.mark.parametrize("server", ["bad:port", "[::1", ":631"])
def test_a_print_service_that_is_none_is_named(
    server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPS_SERVER", server)
    assert main(["printers"]) == USAGE
    assert capsys.readouterr().err == f"kiosk: CUPS_SERVER: “{server}” is not a server like localhost:631\n"


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01", "2026-13-01"])
def test_a_time_that_is_none_is_refused_in_words(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "x.pdf", "--at", time])
    assert ended.value.code == USAGE
    assert f"“{time}” is not a time like 2026-11-22T09:00" in capsys.readouterr().err
