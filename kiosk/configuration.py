"""Where the settings come from: a flag over the environment over the file over the default.

Whatever is wrong is found at once, and each complaint names the setting, where its value stands, what is
wrong and what would be right.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from domain.errors import SettingsInvalid
from kiosk.setting_values import SECRETS, Setting, WrongValue, settings_by_name, value_of
from kiosk.settings import APP, Settings

NOT_SETTINGS = frozenset(
    {
        "KIOSK_CONFIG", "KIOSK_ROOT_PASSPHRASE",
        # of the tests and benchmarks
        "KIOSK_CUTS", "KIOSK_EXAMPLES", "KIOSK_FUZZ", "KIOSK_KILLS", "KIOSK_SEED", "KIOSK_SEEDS",
        "KIOSK_SERVER_KILLS",
        "KIOSK_TEST_CACHE",
    }
)  # fmt: skip
"""Variables that are read elsewhere."""
_ORCHESTRATOR = re.compile(
    r"KIOSK_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""Kubernetes tells every container where a service called kiosk is."""
_TABLES = frozenset({"clinic", "clinic.schedule"})
_TABLE_LINE = re.compile(r"\s*\[\s*([\w.]+)\s*\]")
_VALUE_LINE = re.compile(r"\s*([\w.]+)\s*=")


@dataclass(frozen=True)
class Source:
    """Where a value stands."""

    kind: Literal["default", "file", "environment", "flag"]
    place: str = ""
    """The file, the variable or the flag."""
    line: int = 0
    """In a file, where it is known."""

    def __str__(self) -> str:
        return (f"{self.place}:{self.line}" if self.line else self.place) or self.kind


DEFAULT = Source("default")


@dataclass(frozen=True)
class Configuration:
    """The settings, and where each that was chosen comes from."""

    settings: Settings
    sources: Mapping[str, Source]
    file: Path | None
    """The settings file that was read."""

    def __iter__(self) -> Iterator[tuple[Setting, Any, Source]]:
        for name, setting in settings_by_name().items():
            value: Any = self.settings
            for part in name.split("."):
                value = getattr(value, part)
            yield setting, value, self.sources.get(name, DEFAULT)


@dataclass
class _Reading:
    """What was found so far."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    complaints: list[tuple[str, object]] = field(default_factory=list)

    def take(self, name: str, written: Any, source: Source, *, is_text: bool) -> None:
        """A value goes over the one from before."""
        try:
            self.values[name] = value_of(settings_by_name()[name], written, is_text=is_text)
            self.sources[name] = source
        except WrongValue as wrong:
            self.complain(f"{name} ({source})", wrong)

    def complain(self, where: str, problem: object) -> None:
        """Go on looking: everything that is wrong is said at once."""
        self.complaints.append((where, problem))


def configured(asked: argparse.Namespace) -> Configuration:
    """What holds for a command line. Raises SettingsInvalid."""
    flags = {"--lang": ("language", asked.lang), "--data-folder": ("data_folder", asked.data_folder)}
    given = {flag: (name, str(value)) for flag, (name, value) in flags.items() if value}
    return load_configuration(asked.config, flags=given)


def load_configuration(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, str]] | None = None,
) -> Configuration:
    """Read the settings file, the ``KIOSK_…`` environment over it, and the flags over that.

    Raises SettingsInvalid, with all that is wrong.
    """
    environment = os.environ if environment is None else environment
    reading = _Reading()
    path = _read_file(reading, file, environment)
    _read_environment(reading, environment)
    for flag, (name, text) in (flags or {}).items():
        reading.take(name, text, Source("flag", flag), is_text=True)
    if reading.complaints:
        (where, problem), *others = reading.complaints
        more = "".join(f"\n{elsewhere}: {another}" for elsewhere, another in others)
        raise SettingsInvalid(where=where, problem=f"{problem}{more}")
    settings = _built(Settings(), reading.values, "")
    assert isinstance(settings, Settings)
    return Configuration(settings, reading.sources, path)


def _built(defaults: Any, values: Mapping[str, Any], prefix: str) -> Any:
    chosen = {}
    for each in fields(defaults):
        name, default = prefix + each.name, getattr(defaults, each.name)
        chosen[each.name] = (
            _built(default, values, name + ".") if is_dataclass(default) else values.get(name, default)
        )
    return type(defaults)(**chosen)


# -- the file -------------------------------------------------------------------------------------


def _read_file(reading: _Reading, file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The one that is named must be there; an empty ``KIOSK_CONFIG`` means that there is none."""
    named = environment.get("KIOSK_CONFIG")
    if file is None and named == "":
        return None
    path = file or Path(named or Path(platformdirs.user_config_dir(APP)) / "kiosk.toml")
    import tomllib

    try:
        if not path.exists():
            if file or named:
                reading.complain("--config" if file else "KIOSK_CONFIG", f"there is no file {path}")
            return None
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
        tables = tomllib.loads(text)
    except (OSError, ValueError) as problem:
        reading.complain(str(path), getattr(problem, "strerror", None) or problem)
        return None
    lines = _lines(text)
    for name, value in _flat(tables):
        source = Source("file", str(path), lines.get(name) or lines.get(name.rpartition(".")[0], 0))
        if name in settings_by_name():
            reading.take(name, value, source, is_text=False)
        elif name in _TABLES:
            reading.complain(f"{name} ({source})", f"is not a table like [{name}]")
        else:
            reading.complain(
                f"{name} ({source})", f"there is no such setting{_near(name, settings_by_name())}"
            )
    return path


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and prefix + key in _TABLES:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _lines(text: str) -> dict[str, int]:
    """On which line each value begins, as far as the file is written plainly."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE_LINE.match(line):
            table = f"{found[1]}."
        elif found := _VALUE_LINE.match(line):
            lines.setdefault(table + found[1], number)
    return lines


# -- the environment ------------------------------------------------------------------------------


def _read_environment(reading: _Reading, environment: Mapping[str, str]) -> None:
    by_variable = {setting.variable: name for name, setting in settings_by_name().items()}
    files = {f"{settings_by_name()[name].variable}_FILE": name for name in SECRETS}
    for variable in sorted(environment):
        if not variable.startswith("KIOSK_") or variable in NOT_SETTINGS or _ORCHESTRATOR.fullmatch(variable):
            continue
        source = Source("environment", variable)
        if name := by_variable.get(variable):
            reading.take(name, environment[variable], source, is_text=True)
        elif name := files.get(variable):
            if settings_by_name()[name].variable in environment:
                reading.complain(variable, f"{settings_by_name()[name].variable} is set too: which one?")
            else:
                _read_secret(reading, name, environment[variable], source)
        else:
            near = _near(variable, [*by_variable, *files])
            reading.complain(variable, f"there is no such setting{near}")


def _read_secret(reading: _Reading, name: str, file: str, source: Source) -> None:
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
    except OSError as problem:
        reading.complain(f"{name} ({source})", f"{file}: {problem.strerror}")
    except ValueError:
        reading.complain(f"{name} ({source})", f"{file} is not text")
    else:
        if not secret:
            reading.complain(f"{name} ({source})", f"{file} is empty")
        reading.take(name, secret, source, is_text=True)


def _near(name: str, known: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
