"""One's own records, one line each, that follow what becomes of them; a line leads to its page."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from domain.actors import Actor
from kiosk.screens.base import PublicScreen
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class OwnListScreen(PublicScreen):
    """Asks for its lines in `clinic_changed`, shows them by `show_lines`, and goes on in `open_line`."""

    TEXTS: ClassVar[str]
    """Where its texts are: ``<TEXTS>.question`` and ``.hint``, ``.empty`` and ``.empty_next``."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.home")]

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services)
        self.actor = actor

    def compose(self) -> ComposeResult:
        """Heading and lines."""
        yield TopBar(f"{self.TEXTS}.bar", lambda t: self.actor.name)
        with Stage(), Page(id="page"):
            yield Say("my_page.wait", id="heading")
            yield Say("", id="hint")
            yield ChoiceList()
        yield KeyBar()

    def on_mount(self) -> None:
        """Fetch them."""
        self.query_one(ChoiceList).focus()
        self.clinic_changed()

    def on_screen_resume(self) -> None:
        """Something may have been done about one."""
        self.catch_up()

    def show_lines(self, lines: list[Choice]) -> None:
        """These; with none, why there are none and what to do."""
        self.query_one("#heading", Say).say(f"{self.TEXTS}.{'question' if lines else 'empty'}")
        self.query_one("#hint", Say).say(f"{self.TEXTS}.{'hint' if lines else 'empty_next'}")
        self.query_one(ChoiceList).offer([*lines, Choice("", "my_page.finish")])

    def open_line(self, code: str) -> None:
        """The page of the line that was chosen."""
        raise NotImplementedError

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        if event.value:
            self.open_line(str(event.value))
        else:
            self.kiosk.end_visit()

    def action_back(self) -> None:
        """Behind this page is home, and it does not stay open."""
        self.kiosk.end_visit()
