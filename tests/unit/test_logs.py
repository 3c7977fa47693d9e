"""The log: whole lines, in files that never grow without end, shared by nobody, and about nobody."""

from __future__ import annotations

import ast
import json
import logging
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.codes import check_character, spoken
from domain.errors import AlreadyBooked
from kiosk.discretion import message_of, redacted
from kiosk.logs import LogFile, open_log
from kiosk.settings import Settings

ROOT = Path(__file__).parents[2]
log = logging.getLogger("kiosk.test")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(log_folder=tmp_path / "log")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def code(body: str) -> str:
    return body + check_character(body)


def said(file: Path) -> list[str]:
    return [line["message"] for line in lines(file)]


# -- lines ----------------------------------------------------------------------------------------


def test_a_line_says_when_who_and_what(settings: Settings) -> None:
    with open_log(settings, "worker-issuing"):
        logging.getLogger("storage.relay").warning("%s met %d things", "my-page", 3)
    [begins, line, ends] = lines(settings.log_folder / "worker-issuing.log")
    assert (begins["message"], ends["message"]) == ("begins", "ends")
    assert line.pop("time").endswith("Z")
    assert line.pop("version")
    assert line == {
        "level": "warning",
        "logger": "storage.relay",
        "message": "my-page met 3 things",
        "role": "worker-issuing",
        "pid": os.getpid(),
    }


def test_an_error_is_told_by_types_and_places_alone(settings: Settings) -> None:
    def ask_for(name: str) -> None:
        raise ValueError(f"no room for {name}")

    with open_log(settings, "kiosk"):
        try:
            ask_for("홍길동")
        except ValueError as error:
            log.exception("it failed: %s, %s", error, AlreadyBooked())
    line = lines(settings.log_folder / "kiosk.log")[1]
    assert line["message"] == "it failed: ValueError, already-booked"
    assert line["error"].startswith("builtins.ValueError at test_logs.py:")
    assert "ask_for" in line["error"]
    assert "홍" not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize(
    "personal",
    [
        "홍길동", "Nguyễn", "李小龙", "Иван", "+821012345678", "010-1234-5678", "02 123 4567 89",
        "1945-08-15", "19450815", "1945.8.15", "450815-1234567",
        "0a1b2c3d" * 8, "$argon2id$v=19$m=65536,t=3$c2FsdA$aGFzaA",
        code("BK7M3Q9X"), spoken(code("R2345678")), spoken(code("CZYXWVUT")),
    ],
)  # fmt: skip
def test_what_looks_like_somebodys_is_taken_out(personal: str) -> None:
    assert redacted(f"before {personal} after") == "before … after"


@pytest.mark.parametrize(
    "harmless",
    [
        "ipp://192.168.0.20:631/ipp/print",
        'could not translate host name "db" to address: Name or service not known',
        "UNIQUE constraint failed: recipient.identity",
        "status 0x0406",
        code("TK7M3Q9X"),
        "CANCELLED",
        "relay.py:215 _struggle < relay.py:203 _deal",
        "scheduled-20261126T053202Z.backup: 1 bytes",
        "clinic-20261126T053202Z-2.backup",
    ],
)
def test_what_an_operator_needs_stays(harmless: str) -> None:
    assert redacted(harmless) == harmless


def test_of_strangers_lines_only_the_place_is_kept(settings: Settings) -> None:
    with open_log(settings, "kiosk"):
        logging.getLogger("sqlalchemy.pool").error("row %s", "홍길동")
        logging.getLogger("somebody").info("not even that")
    [_, line, _] = lines(settings.log_folder / "kiosk.log")
    assert (line["logger"], line["level"]) == ("sqlalchemy.pool", "error")
    assert line["message"].startswith("said something in test_logs.py:")


def test_a_thread_that_ends_by_an_error_is_logged_without_its_text(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise RuntimeError("홍길동")

    with open_log(settings, "kiosk"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert (
        "a thread ended by builtins.RuntimeError at test_logs.py"
        in said(settings.log_folder / "kiosk.log")[1]
    )
    assert capsys.readouterr().err == ""


def test_what_ends_a_process_is_logged_and_goes_on_its_way(settings: Settings) -> None:
    with pytest.raises(AlreadyBooked), open_log(settings, "command"):
        raise AlreadyBooked
    with pytest.raises(ZeroDivisionError), open_log(settings, "command"):
        raise ZeroDivisionError("홍길동")
    messages = said(settings.log_folder / "command.log")
    assert messages[1] == "refused with already-booked"
    assert messages[3].startswith("ended by builtins.ZeroDivisionError at test_logs.py")


def test_a_line_that_does_not_fit_its_values_is_kept_without_them() -> None:
    def message(sentence: str, *values: object) -> str:
        return message_of(logging.LogRecord("kiosk", logging.ERROR, __file__, 1, sentence, values, None))

    assert message("only %d", "one") == "only %d"
    assert message("%s", "too", "many") == "%s"
    assert message("%(who)s and %(many)d", {"who": "홍길동", "many": 2}) == "… and 2"


def test_every_log_call_says_a_fixed_sentence() -> None:
    """What varies is handed over beside it, where `kiosk.discretion` looks at it."""
    calls = 0
    for file in [
        file for package in ("domain", "storage", "kiosk") for file in ROOT.glob(f"{package}/**/*.py")
    ]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method, owner = node.func.attr, ast.unparse(node.func.value)
                levels = {"debug", "info", "warning", "error", "exception", "critical"}
                if method in levels and (owner in {"log", "logger"} or "getLogger" in owner):
                    calls += 1
                    assert isinstance(node.args[0], ast.Constant), f"{file}:{node.lineno}"
    assert calls > 15


# -- files ----------------------------------------------------------------------------------------


SMALL = 10_000
"""Bytes, for a megabyte."""


def test_a_full_file_makes_room_for_the_next_and_the_oldest_goes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.logs.MEGABYTE", SMALL)
    folder = settings.log_folder
    folder.mkdir()
    (folder / "kiosk.log.7").write_text("from when more were kept")
    (folder / "kiosk.log.bak").write_text("somebody's own")
    with open_log(replace(settings, log_megabytes=2, log_files=3), "kiosk"):
        for number in range(500):
            log.info("number %d", number)
    names = ["kiosk.log", "kiosk.log.1", "kiosk.log.2"]
    assert sorted(file.name for file in folder.glob("kiosk.log*")) == [*names, "kiosk.log.bak"]
    sizes = [(folder / name).stat().st_size for name in names]
    assert max(sizes) <= 2 * SMALL
    assert min(sizes[1:]) > 1.9 * SMALL
    messages = [message for name in reversed(names) for message in said(folder / name)]
    assert messages[-1] == "ends"
    numbers = [int(message.removeprefix("number ")) for message in messages[:-1]]
    assert numbers == list(range(numbers[0], 500))


def test_one_file_may_be_all_that_is_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.logs.MEGABYTE", SMALL)
    with open_log(replace(settings, log_files=1), "kiosk"):
        for number in range(200):
            log.info("number %d", number)
    assert [file.name for file in settings.log_folder.glob("kiosk.log*")] == ["kiosk.log"]
    assert said(settings.log_folder / "kiosk.log")[-2] == "number 199"


def test_only_the_owner_reads_the_log(settings: Settings) -> None:
    with open_log(settings, "kiosk"):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in settings.log_folder.iterdir()}
    assert modes == {"kiosk.log": 0o600, ".kiosk.lock": 0o600}
    assert stat.S_IMODE(settings.log_folder.stat().st_mode) == 0o700


def test_two_of_a_kind_have_a_file_each_and_the_next_takes_over_from_the_first(settings: Settings) -> None:
    folder = settings.log_folder
    with open_log(settings, "worker-issuing"):
        second = LogFile(folder, "worker-issuing", 1, 5)
        second.open()
    third = LogFile(folder, "worker-issuing", 1, 5)
    third.open()
    for handler in (second, third):
        handler.emit(logging.makeLogRecord({"msg": f"{handler._path.name}"}))
        handler.close()
    assert (folder / "worker-issuing-2.log").read_text() == "worker-issuing-2.log\n"
    assert (folder / "worker-issuing.log").read_text().endswith("worker-issuing.log\n")


WRITER = """
import logging, sys, time
from pathlib import Path
from kiosk import logs
from kiosk.settings import Settings
logs.MEGABYTE = 10_000
with logs.open_log(Settings(log_folder=Path(sys.argv[1]), log_files=60), "worker"):
    for number in range(500):
        logging.getLogger("kiosk.test").info("%s %d", sys.argv[2], number)
    print("done", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def writers(settings: Settings, names: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    for name in names:
        command = [sys.executable, "-c", WRITER, str(settings.log_folder), name, str(seconds)]
        yield subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_processes_that_share_a_folder_lose_no_line_to_each_others_rotation(settings: Settings) -> None:
    running = list(writers(settings, "abc", 0))
    assert [process.wait(60) for process in running] == [0, 0, 0]
    for process in running:
        process.communicate()
    written = [message for file in settings.log_folder.glob("*.log*") for message in said(file)]
    assert len(list(settings.log_folder.glob("*.log.*"))) >= 3
    for name in "abc":
        mine = sorted(int(m.split()[1]) for m in written if m.startswith(f"{name} "))
        assert mine == list(range(500))


def test_the_file_of_a_process_that_was_killed_is_gone_on_with(settings: Settings) -> None:
    [process] = writers(settings, "a", 60)
    assert process.stdout
    assert process.stdout.readline() == "done\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with open_log(settings, "worker"):
        log.info("here again")
    assert [file.name for file in settings.log_folder.glob("*.log")] == ["worker.log"]
    assert said(settings.log_folder / "worker.log")[-2] == "here again"


# -- when it cannot be written --------------------------------------------------------------------


def test_a_folder_that_cannot_be_had_is_said_once_and_stops_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.log_folder.write_text("a file is in its place")
    with open_log(settings, "worker"):
        log.info("lost")
        log.info("lost")
        assert capsys.readouterr().err == f"kiosk: no log in {settings.log_folder}: File exists\n"
        settings.log_folder.unlink()
        log.info("kept")
    assert said(settings.log_folder / "worker.log") == ["lines that could not be written: 3", "kept", "ends"]
    assert capsys.readouterr().err == ""


def test_nothing_is_written_across_the_screen(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    settings.log_folder.write_text("a file is in its place")
    with open_log(replace(settings, log_to="stderr"), "kiosk", has_screen=True):
        log.error("lost")
        settings.log_folder.unlink()
        log.error("kept")
        room(settings.log_folder / "kiosk.log", 0)
        log.error("lost")
        room(settings.log_folder / "kiosk.log", None)
    assert said(settings.log_folder / "kiosk.log")[:2] == ["lines that could not be written: 1", "kept"]
    assert capfd.readouterr() == ("", "")


def room(file: Path, beyond: int | None) -> None:
    """So many bytes more can be written; a write past them comes back half done, as on a full disk."""
    size = resource.RLIM_INFINITY if beyond is None else file.stat().st_size + beyond
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_a_full_disk_cuts_no_line_short_and_what_was_lost_is_counted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = settings.log_folder / "kiosk.log"
    with open_log(settings, "kiosk"):
        log.info("kept")
        try:
            room(file, 100)
            log.info("lost")
            log.info("lost")
        finally:
            room(file, None)
        log.info("kept again")
    assert said(file) == ["begins", "kept", "lines that could not be written: 2", "kept again", "ends"]
    assert capsys.readouterr().err == f"kiosk: no log in {settings.log_folder}: the disk is full\n"


def test_a_command_whose_last_words_are_lost_says_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = settings.log_folder / "command.log"
    try:
        with open_log(settings, "command"):
            room(file, 0)
    finally:
        room(file, None)
    assert said(file) == ["begins"]
    assert capsys.readouterr().err.startswith(f"kiosk: no log in {settings.log_folder}: ")


def test_a_log_that_is_taken_away_is_begun_anew(settings: Settings) -> None:
    file = settings.log_folder / "kiosk.log"
    with open_log(settings, "kiosk"):
        file.rename(settings.log_folder / "taken")
        log.info("one")
        assert said(file) == ["one"]
        shutil.rmtree(settings.log_folder)
        log.info("two")
        assert said(file) == ["two"]


def test_in_a_container_the_lines_go_to_stderr(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_log(replace(settings, log_to="stderr"), "worker-printing"):
        log.info("here")
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["message"], line["role"]) for line in told[1:2]] == [("here", "worker-printing")]
    assert not settings.log_folder.exists()
