"""Question pages: one question a screen, the question is the heading, Esc goes back and keeps the answers.

A screen lists its `Step`s and says what becomes of each answer; everything that is the same for all
questions is here: the heading, the hint, the field or the list, errors beside the field and announced
above, and the number of the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from domain.errors import ClinicError, InputError, NotIdentified, TooManyAttempts
from kiosk.i18n import Texts, Words
from kiosk.screens.base import PublicScreen
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.field import Field, Go
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage

ABOUT_THE_ANSWER = (InputError, NotIdentified, TooManyAttempts)
"""What lies in the answer, and is said beside it; anything else is the clinic's own matter."""


@dataclass(frozen=True)
class Step:
    """One question. ``parse`` reads what was typed; without it the answer is chosen from a list."""

    name: str
    """Names its texts, and the ``field`` of the domain's `InputError`."""
    parse: Callable[[str], object] | None = None


class QuestionScreen(PublicScreen):
    """Asks its steps one after the other."""

    KEPT = "shell.later.kept"
    TEXTS: ClassVar[str]
    """Where its texts are: ``<TEXTS>.<step>.question`` and ``.hint``."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.steps: list[Step] = []
        self.at = 0
        self.answers: dict[str, object] = {}
        self.typed: dict[str, str] = {}
        """What stands in each field, right or wrong, for whoever comes back to it."""
        self.accepted: dict[str, str] = {}
        """The answers that are a suggestion, which Enter alone made one."""
        self._nothing = False

    def compose(self) -> ComposeResult:
        """One of the field and the list is seen at a time."""
        yield TopBar(f"{self.TEXTS}.bar", self._progress)
        with Stage(), Page(id="page"):
            yield Say(id="summary", classes="alarm")
            yield Say(id="heading")
            yield Say(id="hint")
            yield Field("")
            yield Go("shell.go")
            yield ChoiceList()
        yield KeyBar()

    def on_mount(self) -> None:
        """The first question."""
        self.show_step(0)

    # -- what a screen says about its steps ---------------------------------------------------------

    def asked(self, step: Step) -> None:
        """A step was shown: fetch what it offers."""

    def answered(self, step: Step) -> None:
        """A step has an answer: by default the next is asked."""
        self.next_step()

    def suggestion(self, step: Step) -> str:
        """What Enter alone means in this field; empty for nothing."""
        return ""

    def heading(self, step: Step, texts: Texts) -> str:
        """The question."""
        return texts(f"{self.TEXTS}.{step.name}.question")

    def hint(self, step: Step, texts: Texts) -> str:
        """How to answer."""
        suggested = self.suggestion(step)
        if suggested and texts.has(f"{self.TEXTS}.{step.name}.suggested"):
            return texts(f"{self.TEXTS}.{step.name}.suggested", suggestion=suggested)
        return texts(f"{self.TEXTS}.{step.name}.hint")

    def go_words(self, step: Step, texts: Texts) -> str:
        """What Enter does."""
        suggested = self.suggestion(step)
        return texts("shell.go_with", suggestion=suggested) if suggested else texts("shell.go")

    # -- moving -------------------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """The step that is asked now."""
        return self.steps[self.at]

    @property
    def choices(self) -> ChoiceList:
        """The list of a step that is answered by choosing."""
        return self.query_one(ChoiceList)

    @property
    def field(self) -> Field:
        """The field of a step that is answered by typing."""
        return self.query_one(Field)

    def show_step(self, at: int) -> None:
        """Ask this step; an answer given before stands in its field."""
        self.at = at
        self.let_read()
        step = self.step
        self.announce("")
        self.field.clear_error()
        self.query_one("#heading", Say).say(lambda t: self.heading(step, t))
        self.query_one("#hint", Say).say(lambda t: self.hint(step, t))
        self.query_one(".go", Say).say(lambda t: self.go_words(step, t))
        typing = step.parse is not None
        self.set_class(typing, "-typing")
        self.field.display = self.query_one(".go").display = typing
        self.choices.display = not typing
        self.query_one(TopBar).say(right=self._progress)
        self.field.field = step.name
        self.field.value = self.typed.get(step.name, "")
        self.field.input.placeholder = self.suggestion(step)
        self._nothing = False
        if not typing:
            self.choices.offer([])
        (self.field.input if typing else self.choices).focus()
        self.asked(step)

    def offer(self, choices: list[Choice], none: Words = "") -> None:
        """What can be chosen at this step; the cursor is on the earlier answer. ``none`` says there is
        nothing to choose, until there is something."""
        if choices and not self.choices.choices:
            self.let_read()
        if not choices or self._nothing:
            self.announce("" if choices else none)
        self._nothing = not choices
        self.choices.offer(choices, self.answers.get(self.step.name) if not self.choices.choices else None)

    def go_to(self, name: str, why: ClinicError | None = None) -> None:
        """Ask the step of this name (again), and say why."""
        self.show_step(next(n for n, step in enumerate(self.steps) if step.name == name))
        if why is not None:
            self.complain(why)

    def next_step(self) -> None:
        """The one after this."""
        self.show_step(self.at + 1)

    def action_back(self) -> None:
        """The question before; from the first one out. What was typed stays."""
        if self.step.parse is not None:
            self.typed[self.step.name] = self.field.value[:1000]
        if self.at == 0:
            self.dismiss(None)
        else:
            self.show_step(self.at - 1)

    # -- answering ----------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        step = self.step
        if step.parse is None or self.busy or self._is_late(event):
            return
        typed = event.value.strip()
        suggested = "" if typed else self.suggestion(step)
        self.announce("")
        self.field.clear_error()
        try:
            answer = step.parse(typed or suggested or event.value)
        except InputError as refusal:
            self.complain(refusal)
            return
        self.typed[step.name] = typed
        self.accepted[step.name] = suggested
        self.answers[step.name] = answer
        self.answered(step)

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        if self.step.parse is None and not self.busy and not self._is_late(event):
            self.answers[self.step.name] = event.value
            self.answered(self.step)

    def _is_late(self, answer: Message) -> bool:
        """Whether it was given to the question before: by a key pressed twice, or too late to be heard."""
        return answer.time < self.shown_at or (self.kiosk.pressed_again and not self.was_read)

    # -- complaining --------------------------------------------------------------------------------

    def announce(self, words: Words) -> None:
        """Say it above the question."""
        self.query_one("#summary", Say).say(words)

    def complain(self, error: ClinicError) -> None:
        """Above the question that something is to be put right, and beside the field what and how."""
        self.let_read()
        if self.step.parse is not None and isinstance(error, ABOUT_THE_ANSWER):
            self.announce("shell.put_right")
            self.field.show_error(lambda t: t.error(error))
        else:
            self.announce(lambda t: "! " + t.error(error))

    def show_error(self, error: ClinicError) -> None:
        """An error of a field goes to that field's page, any other above the present question."""
        if isinstance(error, InputError) and any(step.name == error.field for step in self.steps):
            self.go_to(error.field, error)
        else:
            self.complain(error)

    def _progress(self, texts: Texts) -> str:
        if not self.steps:
            return ""
        return texts("shell.step", at=self.at + 1, of=len(self.steps))
