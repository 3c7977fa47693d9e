"""A page about one record: a heading, some lines, and what can be done about it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from domain.ports import Place
from kiosk.i18n import Texts
from kiosk.screens.base import PublicScreen
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class RecordScreen(PublicScreen):
    """Says what it is about in `heading` and `lines`, offers `actions`, and does them in `act`."""

    def compose(self) -> ComposeResult:
        """Bars, words, choices."""
        yield TopBar(self.bar, self.whose)
        with Stage(), Page(id="page"):
            yield Say(self.heading, id="heading")
            yield Say(self.code, id="code")
            yield Say(lambda t: "\n".join(self.lines(t)), id="lines")
            yield ChoiceList(self.actions())
        yield KeyBar()

    def on_mount(self) -> None:
        """Numbers work as soon as the page was there to be read."""
        self.let_read()
        self.query_one(ChoiceList).focus()

    # -- what a page says -----------------------------------------------------------------------------

    def bar(self, texts: Texts) -> str:
        """Where one is."""
        raise NotImplementedError

    def whose(self, texts: Texts) -> str:
        """Whose record it is, masked."""
        return self.actor.name

    def heading(self, texts: Texts) -> str:
        """What it is, and its state in words."""
        raise NotImplementedError

    def code(self, texts: Texts) -> str:
        """The code under which it is found again; empty for none."""
        raise NotImplementedError

    def lines(self, texts: Texts) -> list[str]:
        """What is known of it."""
        raise NotImplementedError

    def actions(self) -> list[Choice]:
        """What can be done about it now."""
        raise NotImplementedError

    def act(self, action: str) -> None:
        """Do it."""
        raise NotImplementedError

    # -- the same for all -----------------------------------------------------------------------------

    def show(self) -> None:
        """Say everything anew."""
        for say in self.query(Say):
            say.retranslate()
        self.query_one(ChoiceList).offer(self.actions())

    def on_resize(self) -> None:
        """A code to scan is offered where there is room for it."""
        self.query_one(ChoiceList).offer(self.actions())

    def show_place(self, place: Place) -> None:
        """Where the paper was put."""
        how = "printed" if place.printed else "filed"
        self.show_message(f"shell.paper.{how}.title", lambda t: t(f"shell.paper.{how}.place", place=place))

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        if self.was_read and not self.busy:
            self.act(str(event.value))
