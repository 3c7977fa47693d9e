"""The command line when the program itself is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.cli import FAILED, main
from kiosk.commands import check


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
