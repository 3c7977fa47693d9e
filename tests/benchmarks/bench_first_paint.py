"""From exec to the first screen, on a pseudo-terminal, against a Textual app that shows one word."""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 11
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("READY")
Bare().run()
"""


def seconds_until(command: list[str], word: str, environment: dict[str, str]) -> float:
    """Run it on a terminal of its own and wait for this word to be drawn."""
    start = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **environment})
        os.execv(command[0], command)
    seen = b""
    needle = word.encode()
    try:
        while needle not in seen:
            ready, _, _ = select.select([terminal], [], [], 20)
            if not ready:
                raise TimeoutError(f"{word!r} was not drawn")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - start
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main() -> None:
    """Print the ratio of the medians, the two taking turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare_file = folder / "bare.py"
        bare_file.write_text(BARE)
        environment = {f"KIOSK_{kind}_FOLDER": str(folder / kind) for kind in ("DATA", "PAPER", "LOG")}
        bare_command = [sys.executable, str(bare_file)]
        kiosk_command = [sys.executable, "-m", "kiosk", "--lang", "en"]
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(seconds_until(bare_command, "READY", {}))
            ours.append(seconds_until(kiosk_command, "help", environment))
    base, mine = statistics.median(bare), statistics.median(ours)
    times = f"{mine * 1000:.0f} / {base * 1000:.0f} ms"
    print(f"exec to first paint: {mine / base:.2f} of a bare Textual app ({times})")


if __name__ == "__main__":
    main()
