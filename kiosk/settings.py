"""Settings: what an operator may choose. Where the choices come from is in `configuration`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import platformdirs

from domain.clinic import Clinic
from domain.errors import SettingsInvalid

APP = "clinic-kiosk"
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")


@dataclass(frozen=True)
class Settings:
    """What an operator may choose. Folders are made when the clinic opens, readable by their owner only."""

    data_folder: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir(APP)))
    database_url: str = field(default="", repr=False)
    """Where the records are kept; empty is ``clinic.db`` in the data folder."""
    mypage_url: str = field(default="", repr=False)
    """Where my page is kept, which may be another kind of database; empty is ``mypage.db`` there."""
    paper_folder: Path = field(default_factory=lambda: Path(platformdirs.user_documents_dir()) / APP)
    printer: str = ""
    """A queue, or an address like ``ipp://192.168.0.20/ipp/print``; empty keeps paper in the folder."""
    print_deadline_seconds: int = 30
    """How long somebody waits for paper; what is not printed then is cancelled."""
    ticket_paper: Literal["a6", "roll-80"] = "a6"
    issuer_url: str = ""
    """Where `kiosk keys export` is published on the web, for verifiers of SMART Health Cards."""
    also_smart_health_card: bool = False
    """A COVID-19 certificate gets a SMART Health Card too, on a page of its own."""
    log_folder: Path = field(default_factory=lambda: Path(platformdirs.user_log_dir(APP)))
    log_to: Literal["file", "stderr"] = "file"
    """Where workers and commands log; the kiosk itself always logs to the folder: stderr is its screen."""
    log_megabytes: int = 1
    """How large a log file grows before the next is begun."""
    log_files: int = 5
    """How many log files of a process are kept, with the one that is written."""
    formulary_file: Path | None = None
    """The clinic's own clinical rules, instead of those that come with the kiosk."""
    language: Literal["ko", "en"] = "ko"
    idle_seconds: int = 60
    """A public screen goes back to an empty home after so long without a key."""
    clinic: Clinic = field(default_factory=Clinic)
    demo: bool = False
    parts: tuple[str, ...] | None = None
    """The parts that work inside this kiosk; none when workers of their own do, None for all of them."""
    run_folder: Path | None = None
    """Where running processes can be asked how they are; ``run`` in the data folder when not set."""
    patience_seconds: float = 0.25
    """Who would have to wait longer than that to be served is asked to come back instead."""
    backup_folder: Path | None = None
    """Where the scheduled backups go; ``backups`` in the data folder when not set."""
    backup_hours: int = 24
    """Hours between scheduled backups; 0 for none."""
    backup_keep: int = 14
    """How many scheduled backups are kept."""

    @property
    def records_url(self) -> str:
        """The URL of the records, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_folder / 'clinic.db'}"

    @property
    def read_model_url(self) -> str:
        """The URL of my page, with the default filled in."""
        return self.mypage_url or f"sqlite:///{self.data_folder / 'mypage.db'}"

    @property
    def running_folder(self) -> Path:
        """Where running processes can be asked how they are, with the default filled in."""
        return self.run_folder or self.data_folder / "run"

    @property
    def key_folder(self) -> Path:
        """Where this kiosk's signing keys are."""
        return self.data_folder / "keys"


_FROM_ENVIRONMENT = (
    "data_folder", "database_url", "mypage_url", "paper_folder", "log_folder", "language", "idle_seconds",
    "printer", "print_deadline_seconds", "ticket_paper", "run_folder", "backup_folder", "backup_hours",
    "backup_keep",
)  # fmt: skip
"""What ``KIOSK_…`` variables may set."""


def load_settings(file: Path | None = None, environment: dict[str, str] | None = None) -> Settings:
    """Read the settings file and the ``KIOSK_…`` environment over it. Raises SettingsInvalid."""
    import msgspec

    env = dict(os.environ) if environment is None else environment
    path = file or Path(env.get("KIOSK_CONFIG", Path(platformdirs.user_config_dir(APP)) / "kiosk.toml"))
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = msgspec.toml.decode(path.read_bytes())
        except (msgspec.DecodeError, OSError) as problem:
            raise SettingsInvalid(where=path, problem=problem) from problem
    elif file is not None:
        raise SettingsInvalid(where=path, problem="there is no such file")
    for name in _FROM_ENVIRONMENT:
        if value := env.get(f"KIOSK_{name.upper()}"):
            values[name] = value
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_path)
        _ = settings.clinic.zone
    except (msgspec.ValidationError, KeyError, ValueError) as problem:
        raise SettingsInvalid(where=path if values else "environment", problem=problem) from problem
    unknown = values.keys() - Settings.__dataclass_fields__.keys()
    if unknown:
        raise SettingsInvalid(where=path, problem=f"unknown setting {sorted(unknown)[0]}")
    if settings.language not in {"ko", "en"}:
        raise SettingsInvalid(where="language", problem="choose ko or en")
    _check_databases(settings)
    _check_printer(settings)
    _check_issuer(settings.issuer_url)
    return replace(settings)


def _check_issuer(url: str) -> None:
    # A card's verifier puts "/.well-known/jwks.json" behind it, and asks nobody without https.
    if url and (not url.startswith("https://") or url.endswith("/") or len(url) > 100 or not url.isascii()):
        raise SettingsInvalid(where="issuer_url", problem="an https:// address without a slash at its end")


def _check_databases(settings: Settings) -> None:
    """The kind alone: an address may hold a password, so it is never repeated."""
    for where in ("database_url", "mypage_url"):
        kind, known, _ = str(getattr(settings, where)).partition("://")
        if kind and (not known or kind not in DATABASES):
            said = f"not “{kind}”" if known else "as in sqlite:///clinic.db"
            raise SettingsInvalid(where=where, problem=f"begins with {' or '.join(DATABASES)}, {said}")


def _check_printer(settings: Settings) -> None:
    if settings.print_deadline_seconds < 1:
        raise SettingsInvalid(where="print_deadline_seconds", problem="at least 1")
    if settings.printer:
        from kiosk.paper.address import parse_printer

        try:
            parse_printer(settings.printer)
        except ValueError as problem:
            raise SettingsInvalid(where="printer", problem=problem) from problem


def _path(kind: type, value: object) -> object:
    if kind is Path or "Path" in repr(kind):
        return Path(str(value)).expanduser()
    raise NotImplementedError(kind)
