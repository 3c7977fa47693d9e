"""What a part has put aside: why, and whether it is tried once more or never."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from domain.actors import Actor
from domain.messages import new_command_id
from domain.parts import DiscardTask, ListTasks, Part, RetryTask, Task, TaskKind, TaskStatus
from kiosk.i18n import Texts
from kiosk.locations import STYLES
from kiosk.screens.desk.list_desk import ListDesk
from kiosk.screens.desk.part_words import NARROW, TASKS, TASKS_NARROW, task_facts, task_row
from kiosk.services import Services
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.facts import Facts
from kiosk.widgets.say import Say


class AsideScreen(ListDesk):
    """The tasks, oldest first, and all that is known of the one under the cursor."""

    BAR = "parts.aside_bar"
    HELP = "parts.aside_help"
    OF_A_ROW = frozenset({"retry", "discard"})
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "parts.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "retry", "parts.retry"),
        Binding("f3", "discard", "parts.discard"),
    ]

    @dataclass
    class Listed(Message):
        """What was put aside."""

        tasks: list[Task]

    @dataclass
    class Retried(Message):
        """So many tasks are tried once more."""

        count: int

    @dataclass
    class Discarded(Message):
        """It is never done."""

        answer: None = None

    def __init__(self, services: Services, actor: Actor, part: Part) -> None:
        super().__init__(services, actor)
        self._part = part
        self._tasks: list[Task] = []

    def above(self) -> ComposeResult:
        """Whose tasks these are."""
        yield Say(self._heading, id="heading")

    def below(self) -> ComposeResult:
        """The one under the cursor in full."""
        with VerticalScroll(id="more", can_focus=False):
            yield Facts(id="task")

    def _heading(self, texts: Texts) -> str:
        part = texts(f"parts.of.{self._part}")
        return texts("parts.aside_heading", part=part, count=len(self._tasks))

    def clinic_changed(self) -> None:
        """Something was put aside, tried or discarded, here or elsewhere."""
        self.run_query(ListTasks(TaskStatus.ASIDE, self._part), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._tasks = event.tasks
        self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        self._fill()

    def on_resize(self) -> None:
        """A narrow terminal shows fewer columns."""
        self._fill()

    def _fill(self) -> None:
        narrow = self.size.width < NARROW
        rows = [task_row(task, self.services.clinic, self.texts, narrow) for task in self._tasks]
        self.show_rows(TASKS_NARROW if narrow else TASKS, rows, "parts.nothing_aside")
        self.query_one("#heading", Say).retranslate()
        self._tell()

    @property
    def _chosen(self) -> Task | None:
        return next((task for task in self._tasks if task.code == self.table.current), None)

    @on(DeskTable.RowHighlighted)
    def _tell(self) -> None:
        task = self._chosen
        self.query_one("#task", Facts).show(task_facts(task, self.services.clinic) if task else [])
        self.refresh_bindings()

    # -- keys -------------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """Once more, with everything that waits behind it."""
        if (task := self._chosen) is None:
            return
        command, wish = RetryTask(task.code), new_command_id()
        if task.kind is not TaskKind.PRINT:
            self.run_command(command, self.Retried, wish)
            return
        self.confirm(
            "parts.retry", "parts.retry_print", yes="parts.retry_yes",
            then=lambda: self.run_command(command, self.Retried, wish),
        )  # fmt: skip

    def action_discard(self) -> None:
        """Ask first: it cannot be taken back."""
        if (task := self._chosen) is None:
            return
        command, wish = DiscardTask(task.code), new_command_id()
        self.confirm(
            "parts.discard", f"parts.discard_means.{task.kind}", yes="parts.discard_yes",
            then=lambda: self.run_command(command, self.Discarded, wish),
        )  # fmt: skip

    @on(Retried)
    def _retried(self, event: Retried) -> None:
        count = event.count
        self.done(lambda t: t("parts.retried", count=count))

    @on(Discarded)
    def _discarded(self) -> None:
        self.done("parts.discarded")
