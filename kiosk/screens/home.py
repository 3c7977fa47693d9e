"""Home: what one can do here, in four numbers."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from domain.clinic import Clinic
from kiosk.i18n import Texts
from kiosk.screens.base import ClinicScreen
from kiosk.widgets.bars import KeyBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class HomeScreen(ClinicScreen):
    """The first screen; nothing that a visitor leaves is kept on it."""

    BINDINGS: ClassVar[list[BindingType]] = []
    HELP = "shell.home.help"

    def __init__(self, clinic: Clinic) -> None:
        super().__init__()
        self._clinic = clinic

    def compose(self) -> ComposeResult:
        """The clinic's name, the question, four answers."""
        yield Say(self._clinic_name, id="clinic")
        with Stage(), Page(id="page"):
            yield Say("shell.home.question", id="question")
            yield Say("", id="state")
            yield ChoiceList(
                [
                    Choice("booking", "shell.home.booking"),
                    Choice("my_page", "shell.home.my_page"),
                    Choice("application", "shell.home.application"),
                    Choice("staff", "shell.home.staff"),
                ]
            )
            yield Say("shell.home.language", id="language")
        yield KeyBar()

    def on_mount(self) -> None:
        """The tactile keypad works from the first moment."""
        self.query_one(ChoiceList).focus()

    def _clinic_name(self, texts: Texts) -> str:
        return self._clinic.name_ko if texts.language == "ko" else self._clinic.name_en

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        self.kiosk.enter(str(event.value))

    def waiting(self) -> None:
        """A choice was made before the clinic is open."""
        self.query_one("#state", Say).say("shell.home.opening")

    def opened(self) -> None:
        """The clinic is open."""
        self.query_one("#state", Say).say("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing behind home."""
        return action != "back"
