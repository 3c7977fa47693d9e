"""What is written down when something breaks: where, and of what type. Never whose data it was."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

log = logging.getLogger("kiosk")


def describe(error: BaseException) -> str:
    """The types and code lines of an error and its causes: no message, no locals, no personal data."""
    parts: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = traceback.extract_tb(cause.__traceback__)
        lines = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames[-12:]))
        parts.append(f"{type(cause).__module__}.{type(cause).__qualname__} at {lines or 'unknown'}")
        inner = getattr(cause, "error", None)
        cause = inner if isinstance(inner, BaseException) else cause.__cause__ or cause.__context__
    return " | because of ".join(parts)


def record(what: str, error: BaseException) -> None:
    """Write it to the log, redacted."""
    log.error("%s: %s", what, describe(error))
