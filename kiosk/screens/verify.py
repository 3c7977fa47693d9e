"""Verify: whatever is scanned, pasted or named as a file gets a verdict in words, offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input

from domain.errors import ClinicError
from kiosk.credential.checkpoint import NoSuchFile
from kiosk.credential.telling import Told, tell
from kiosk.credential.verify import Verdict
from kiosk.i18n import Texts
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import ScanField
from kiosk.widgets.stage import Page, Stage


class VerifyScreen(StaffScreen):
    """The field is always ready for the next one; the verdict stands below it until then."""

    HELP = "verify.help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "verify.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "other", "verify.other"),
        # Before the field's own ancestors, which have nothing to scroll.
        Binding("pagedown", "scroll(1)", "key.down", priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
    ]

    @dataclass
    class Judged(Message):
        """Verdicts on what was entered, those with a problem first."""

        verdicts: list[Verdict]

    @dataclass
    class Failed(Message):
        """It could not be judged at all; the text is what was entered."""

        error: ClinicError
        text: str

    def compose(self) -> ComposeResult:
        """Field, verdict, reason, claims."""
        yield TopBar("verify.bar", self._which)
        with Stage(), Page(id="page"):
            yield Say("verify.question", id="heading")
            yield ScanField("shown")
            yield Say("verify.hint", id="hint")
            yield Say(lambda t: self._line(t, "verdict"), id="verdict")
            with VerticalScroll(id="about", can_focus=False):
                yield Say(lambda t: self._line(t, "why"), id="why")
                yield Say(lambda t: "\n".join(f"! {c}" for c in self._cautions(t)), id="cautions")
                yield Say(lambda t: self._line(t, "heading"), id="claims-heading")
                yield Facts(id="claims")
                yield Say(lambda t: t("verify.compare") if self._is_good else "", id="compare")
        yield KeyBar()

    def on_mount(self) -> None:
        """Scan at once."""
        self._verdicts: list[Verdict] = []
        self._at = 0
        self.query_one(Input).focus()
        self.refresh_bindings()
        self.watch(self._about, "show_vertical_scrollbar", self.refresh_bindings)  # known after the layout

    @property
    def verdict(self) -> Verdict | None:
        """The one that is shown."""
        return self._verdicts[self._at] if self._verdicts else None

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        text = event.value
        if self.busy or not text.strip():
            return
        self.busy = True
        self.clear_errors()
        self.query_one(ScanField).value = ""  # what the next one scans is not added to it
        self._show([])
        self.query_one("#hint", Say).say("verify.working")
        self.run_worker(self._judge(text))

    async def _judge(self, text: str) -> None:
        try:
            verdicts = await self.services.check_certificate(text)
        except ClinicError as error:
            self.post_message(self.Failed(error, text))
        else:
            self.post_message(self.Judged(sorted(verdicts, key=lambda verdict: verdict.ok)))

    @on(Judged)
    def _judged(self, event: Judged) -> None:
        self.busy = False
        self._show(event.verdicts)

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.busy = False
        self._show([])
        if isinstance(event.error, NoSuchFile):  # to be put right, or replaced by what is scanned next
            self.query_one(ScanField).value = event.text
        self.show_error(event.error)

    def action_other(self) -> None:
        """The next credential on the same paper."""
        self._at = (self._at + 1) % max(1, len(self._verdicts))
        self._show(self._verdicts, self._at)

    def action_scroll(self, pages: int) -> None:
        """The claims, while the field keeps the keys."""
        about = self._about
        about.scroll_relative(y=pages * max(1, about.size.height - 1), animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for what there is."""
        if action == "other":
            return len(self._verdicts) > 1
        return action != "scroll" or (self.is_mounted and self._about.show_vertical_scrollbar)

    def retranslate(self) -> None:
        """The claims in the language of the moment; the rest follows by itself."""
        self._show_claims()

    # -- within -------------------------------------------------------------------------------------

    _verdicts: list[Verdict] = []  # noqa: RUF012 - replaced, never changed
    _at: int = 0

    @property
    def _about(self) -> VerticalScroll:
        return self.query_one("#about", VerticalScroll)

    @property
    def _is_good(self) -> bool:
        return self.verdict is not None and self.verdict.ok

    def _show(self, verdicts: list[Verdict], at: int = 0) -> None:
        self._verdicts, self._at = verdicts, at
        self.query_one("#hint", Say).say("" if verdicts else "verify.hint")
        self.query_one("#heading").display = not verdicts
        told = self._told(self.texts)
        banner = self.query_one("#verdict")
        banner.set_class(self._is_good, "-good")
        banner.set_class(told is not None and not self._is_good, "-bad")
        for say in self.query(Say):
            if say.id in {"verdict", "why", "cautions", "claims-heading", "compare"}:
                say.retranslate()
        self.query_one(TopBar).say(right=self._which)
        self._about.scroll_home(animate=False)
        self._show_claims()
        self.refresh_bindings()

    def _show_claims(self) -> None:
        told = self._told(self.texts)
        claims = told.claims if told else []
        tones = ("strong", "strong", "strong")
        self.query_one(Facts).show(
            [
                Fact(lambda _, label=label: label, lambda _, value=value: value, tone)  # type: ignore[misc]
                for (label, value), tone in zip(claims, (*tones, *[""] * len(claims)), strict=False)
            ]
        )

    def _told(self, texts: Texts) -> Told | None:
        return tell(self.verdict, texts, self.services.clinic.zone) if self.verdict else None

    def _line(self, texts: Texts, part: str) -> str:
        told = self._told(texts)
        if told is None:
            return ""
        return f"{told.symbol}  {told.verdict}" if part == "verdict" else str(getattr(told, part))

    def _cautions(self, texts: Texts) -> list[str]:
        told = self._told(texts)
        return told.cautions if told else []

    def _which(self, texts: Texts) -> str:
        if len(self._verdicts) < 2:
            return self.actor.name
        return texts("verify.one_of", at=self._at + 1, of=len(self._verdicts))
