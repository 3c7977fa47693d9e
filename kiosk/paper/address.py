"""Where a printer is: an IPP address as it stands, or the name of a queue of the local print service."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.errors import SettingsInvalid

_PORT = 631
_QUEUE = re.compile(r"[^\s/#\\'\"?:]{1,127}")


@dataclass(frozen=True)
class Address:
    """An IPP endpoint, taken apart."""

    uri: str
    host: str
    port: int
    path: str
    tls: bool

    @property
    def is_queue(self) -> bool:
        """Whether a print service stands between the kiosk and the printer."""
        return self.path.startswith(("/printers/", "/classes/"))

    @property
    def name(self) -> str:
        """As people call it: the queue, or the machine."""
        return self.path.rpartition("/")[2] if self.is_queue else self.host


def parse_printer(text: str) -> Address:
    """The printer of the settings: ``kiosk``, or ``ipp://192.168.0.20/ipp/print``.

    Raises ValueError, and SettingsInvalid where a queue's print service is none.
    """
    if "://" not in text:
        if not _QUEUE.fullmatch(text):
            raise ValueError(f"{text!r} is neither a queue nor an address like ipp://printer/ipp/print")
        text = f"ipp://{_service()}/printers/{text}"
    parts = urlsplit(text)
    if parts.scheme not in {"ipp", "ipps"} or not parts.hostname or len(parts.path) < 2:
        raise ValueError(f"{text!r} is no address like ipp://printer/ipp/print")
    port, tls = parts.port or _PORT, parts.scheme == "ipps"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    uri = f"{parts.scheme}://{host}:{port}{parts.path}"
    return Address(uri, parts.hostname, port, parts.path, tls)


def print_service() -> Address:
    """The print service itself, where its queues are listed. Raises SettingsInvalid."""
    return parse_printer(f"ipp://{_service()}/printers")


def _service() -> str:
    """CUPS's own variable is heard, except for a socket's path: the protocol is spoken over TCP.

    Raises SettingsInvalid.
    """
    named = os.environ.get("CUPS_SERVER", "").partition("/")[0] or f"localhost:{_PORT}"
    try:
        known = urlsplit(f"//{named}")
        if known.hostname and (known.port is None or known.port):
            return named
    except ValueError:
        pass  # its text is about Python
    raise SettingsInvalid(where="CUPS_SERVER", problem=f"“{named}” is not a server like localhost:{_PORT}")
