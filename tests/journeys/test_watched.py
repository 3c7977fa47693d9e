"""The kiosk on its terminal, and what systemd hears from it: it starts, it is ready, it lives, it ends."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from storage.sqlite import Turn
from tests.ear import Ear
from tests.journeys import the_day as day
from tests.journeys.terminal import Terminal


def test_systemd_hears_when_the_clinic_is_open_that_the_kiosk_lives_and_when_it_ends(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    turn = Turn(str(tmp_path / "data" / "clinic.db"))
    turn.take()  # another process brings the records to its layout, and that takes its time
    command = [sys.executable, "-m", "kiosk", "--lang", "en"]
    with Ear(tmp_path, 0.4) as ear:
        environment = {**day.environment(tmp_path), **ear.environment}
        with Terminal(command, 80, 24, environment) as terminal:
            terminal.until(lambda: ear.said("EXTEND_TIMEOUT_USEC=400000") > 2, "more time is asked for")
            assert not ear.said("READY=1")
            turn.close()
            terminal.until(lambda: ear.said("WATCHDOG=1", after="READY=1") > 2, "ready, and alive")
            terminal.see("PIN")
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.wait_for_end() == 143
    assert ear.heard[-1] == "STOPPING=1"
    assert ear.said("EXTEND", after="READY=1") == 0
    assert ear.said("READY=1") == ear.said("STOPPING=1") == 1
