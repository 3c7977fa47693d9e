"""Every flush slowed down, as on a cheap disk: a library of a few lines, put before the C library's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from domain.errors import SettingsInvalid

_SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait_a_little(void) {
    struct timespec pause = {MICROSECONDS / 1000000, (MICROSECONDS % 1000000) * 1000L};
    nanosleep(&pause, 0);
}
int fsync(int file) {
    wait_a_little();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}
int fdatasync(int file) {
    wait_a_little();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
"""


def environment(folder: Path, milliseconds: float) -> dict[str, str]:
    """What to add to the environment of a process. Raises SettingsInvalid where there is no C compiler."""
    if not milliseconds:
        return {}
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SettingsInvalid(where="--flush-ms", problem="needs a C compiler (gcc)")
    source, library = folder / "slow.c", folder / "slow.so"
    source.write_text(_SOURCE.replace("MICROSECONDS", str(int(milliseconds * 1000))))
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
