"""The units, as systemd's own tools judge them."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.resilience import Breakers
from kiosk.paper.print_jobs import CLOSE_SECONDS
from kiosk.paper.printer import VERIFY_SECONDS
from kiosk.setting_rules import LONGEST_PRINT
from kiosk.supervisor import GRACE
from tests.deploy.files import SERVICES, SYSTEMD, UNITS, lines_of, seconds, variables

INSTANCES = {"clinic-kiosk@.service": "clinic-kiosk@tty1.service"}
WATCHED = ["clinic-kiosk@.service", "clinic-worker@.service", "clinic-workers.service"]
DRAWING = Breakers().issuing.limit or 0.0
"""Seconds that a page may take before it goes to the printer."""
NEWER = ("RestartSteps", "RestartMaxDelaySec")
"""What systemd knows since 254; an older one says so and goes on."""
MOST_EXPOSED = 20
"""In tenths; above it systemd no longer calls a service OK."""


def _said(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _instance(unit: str) -> str:
    return INSTANCES.get(unit, unit.replace("@.", "@injection-intake."))


def _complaints(machine: Path, *units: str) -> list[str]:
    _, said = _said("systemd-analyze", "verify", f"--root={machine}", "--man=no", *units)
    about_us = [line for line in said.splitlines() if "clinic" in line]
    return [line for line in about_us if not any(f"'{key}'" in line for key in NEWER)]


def test_systemd_finds_nothing_wrong_with_any_unit(machine: Path) -> None:
    units = [_instance(path.name) for path in UNITS.iterdir() if path.is_file()]
    assert len(units) == len(SERVICES) + 3
    assert _complaints(machine, *units) == []


def test_systemd_would_have_found_a_misspelt_line_and_a_missing_program(machine: Path) -> None:
    wrong = machine / "etc/systemd/system/clinic-wrong.service"
    wrong.write_text("[Service]\nExecStart=/opt/clinic-kiosk/bin/kios\nRestrat=always\n")
    try:
        said = "\n".join(_complaints(machine, wrong.name))
    finally:
        wrong.unlink()
    assert "Restrat" in said
    assert "kios" in said.replace("kiosk", "")


@pytest.mark.parametrize("unit", SERVICES)
def test_no_service_may_touch_more_than_it_needs(machine: Path, unit: str) -> None:
    code, said = _said(
        "systemd-analyze", "security", "--offline=true", "--no-pager", f"--root={machine}",
        f"--threshold={MOST_EXPOSED}", _instance(unit),
    )  # fmt: skip
    assert code == 0, said


def test_the_folders_are_the_clinics_own_and_nobody_else_may_look_in(machine: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root may give folders to another user")
    users = [line.split(":") for line in (machine / "etc/passwd").read_text().splitlines()]
    [(uid, shell)] = [(int(user[2]), user[6]) for user in users if user[0] == "clinic-kiosk"]
    assert shell.endswith("nologin")
    named = lines_of(UNITS / "clinic-.service.d" / "common.conf", "ReadWritePaths")[0].split()
    for folder in named:
        about = (machine / folder[1:]).stat()
        assert (about.st_uid, about.st_mode & 0o777) == (uid, 0o700), folder
    settings = (machine / "etc/clinic-kiosk/environment").stat()
    assert (settings.st_uid, settings.st_mode & 0o777) == (0, 0o640)


def test_every_folder_of_the_settings_may_be_written_to() -> None:
    writable = lines_of(UNITS / "clinic-.service.d" / "common.conf", "ReadWritePaths")[0].split()
    set_here = variables(SYSTEMD / "environment.example")
    folders = [folder for name, folder in set_here.items() if name.endswith("_FOLDER")]
    assert len(folders) == 5
    for folder in folders:
        assert any(Path(folder).is_relative_to(place) for place in writable), folder


def test_the_terminal_and_the_nightly_jobs_begin_with_the_clinic(machine: Path) -> None:
    services = ["clinic-kiosk@tty1.service", "clinic-workers.service", "clinic-worker@issuing.service"]
    enabled = ["clinic.target", *services]
    timers = [path.name for path in UNITS.glob("*.timer")]
    code, said = _said("systemctl", f"--root={machine}", "enable", *enabled, *timers)
    assert code == 0, said
    system = machine / "etc/systemd/system"
    assert (system / "multi-user.target.wants/clinic.target").is_symlink()
    wanted = {path.name for path in (system / "clinic.target.wants").iterdir()}
    assert wanted == {*services, *timers}
    # and end with it, but for what a timer has just started
    for unit in (path for path in UNITS.iterdir() if path.is_file()):
        begins = "[Install]" in unit.read_text() and unit.name != "clinic.target"
        assert (lines_of(unit, "PartOf") == ["clinic.target"]) is begins, unit.name


@pytest.mark.parametrize("unit", WATCHED)
def test_a_sheet_that_is_being_printed_has_time_to_end(unit: str) -> None:
    [allowed] = lines_of(UNITS / unit, "TimeoutStopSec")
    assert seconds(allowed) > LONGEST_PRINT + VERIFY_SECONDS + CLOSE_SECONDS + DRAWING


def test_a_supervisor_waits_for_a_sheet_and_systemd_for_the_supervisor() -> None:
    [allowed] = lines_of(UNITS / "clinic-workers.service", "TimeoutStopSec")
    assert LONGEST_PRINT + VERIFY_SECONDS + CLOSE_SECONDS + DRAWING < GRACE < seconds(allowed)


@pytest.mark.parametrize("unit", WATCHED)
def test_what_says_when_it_is_ready_is_waited_for_and_watched(unit: str) -> None:
    assert lines_of(UNITS / unit, "Type") == ["notify"]
    assert lines_of(UNITS / unit, "Restart") == ["always"]
    [watchdog], [start] = (lines_of(UNITS / unit, key) for key in ("WatchdogSec", "TimeoutStartSec"))
    assert 10 <= seconds(watchdog) < seconds(start)  # or a request for more time would come too late


def test_the_screens_are_on_the_terminal_alone() -> None:
    unit = UNITS / "clinic-kiosk@.service"
    # The screens are drawn on stderr: in the journal would stand what people see and type.
    assert lines_of(unit, "StandardError") == lines_of(unit, "StandardOutput") == ["tty"]
    assert lines_of(unit, "TTYPath") == ["/dev/%I"]
    assert lines_of(unit, "Conflicts") == ["getty@%i.service"]


def test_the_command_line_for_people_has_the_settings_of_the_services(tmp_path: Path) -> None:
    script = (SYSTEMD / "clinic").read_text()
    assert (
        re.search(r"runuser -u (\S+)", script)[1]
        == lines_of(  # type: ignore[index]
            UNITS / "clinic-.service.d" / "common.conf", "User"
        )[0]
    )
    if os.getuid() != 0:
        pytest.skip("only root may become another user")
    if not shutil.which("runuser"):
        pytest.skip("runuser is not on the path")
    environment = tmp_path / "environment"
    environment.write_text((SYSTEMD / "environment.example").read_text().replace("#KIOSK_C", "KIOSK_C"))
    nobody = pwd.getpwnam("nobody").pw_name
    for ours, here in {
        "/etc/clinic-kiosk/environment": str(environment),
        "-u clinic-kiosk": f"-u {nobody}",
        "/opt/clinic-kiosk/bin/kiosk": "/usr/bin/env #",
    }.items():
        script = script.replace(ours, here)
    code, said = _said("sh", "-c", script)
    assert code == 0, said
    assert "KIOSK_CLINIC__NAME_KO=행복구 예방접종센터" in said.splitlines()
