"""Why something is undone: one key for the usual reasons, and words of one's own beside it."""

from __future__ import annotations

from textual.app import ComposeResult

from domain.recipient import parse_text
from kiosk.i18n import Texts
from kiosk.screens.desk.form import Entries
from kiosk.widgets.field import Field
from kiosk.widgets.pick import Pick

OTHER = "other"
DETAIL_LIMIT = 150
"""With the word for the kind before it, it stays below what the clinic keeps of a reason."""


def reason_entries(kinds: tuple[str, ...], picked: str | None = None, told: str = "") -> ComposeResult:
    """The usual reasons, `OTHER` behind them, and room for more words; what was said before is there."""
    answers = [(kind, f"desk.reason.{kind}") for kind in (*kinds, OTHER)]
    yield Pick("kind", "desk.reason_kind", answers, picked)
    yield Field("reason", "desk.reason_detail", value=told)


def read_reason(entries: Entries, texts: Texts) -> str:
    """The reason in words; other reasons than the usual ones must be told."""
    kind = entries.pick("kind")
    detail = entries.read(
        "reason", lambda text: parse_text(text, "reason", limit=DETAIL_LIMIT, required=kind == OTHER)
    )
    if kind is None or kind == OTHER:
        return detail
    return f"{texts(f'desk.reason.{kind}')}: {detail}" if detail else texts(f"desk.reason.{kind}")
