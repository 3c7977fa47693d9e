"""Settings: what an operator may choose. Where the choices come from is in `configuration`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import platformdirs

from domain.clinic import Clinic

APP = "clinic-kiosk"


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
    """How long somebody waits for paper, 60 at most; what is not printed then is cancelled."""
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
    clinic: Clinic = field(default_factory=Clinic)

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
