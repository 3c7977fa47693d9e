"""A desk whose list goes back for years: newest first, a page at a time, the row under the cursor in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.messages import Query
from domain.stock import Vaccine
from kiosk.i18n import Texts, Words
from kiosk.screens.desk.list_desk import DetailedDesk
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.desk_table import Column, Row, Toned
from kiosk.widgets.facts import Fact
from kiosk.widgets.say import Say

E = TypeVar("E")
PAGE = 100


class PagedDesk(DetailedDesk, Generic[E]):
    """Of one vaccine. Says in `asked` what it lists, and in `key`, `cells` and `facts` how an entry looks."""

    COLUMNS: ClassVar[Sequence[Column]]
    NOTHING: ClassVar[str]
    """What is said in place of an empty list."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "turn(1)", "desk.older"),
        Binding("f3", "turn(-1)", "desk.newer"),
    ]

    @dataclass
    class Listed(Message):
        """One page, with one entry more if there is more."""

        page: int
        entries: list[Any]

    def __init__(self, services: Services, actor: Actor, vaccine: Vaccine) -> None:
        super().__init__(services, actor)
        self.vaccine = vaccine
        self._page, self._more = 0, False
        self._entries: dict[str, E] = {}

    def asked(self, limit: int, offset: int) -> Query[list[E]]:
        """The question for so many entries after so many newer ones."""
        raise NotImplementedError

    def key(self, entry: E) -> str:
        """What is its own alone: the cursor stays with it when newer ones come."""
        raise NotImplementedError

    def cells(self, entry: E) -> tuple[str | Toned, ...]:
        """An entry in the list."""
        raise NotImplementedError

    def facts(self, entry: E) -> list[Fact]:
        """An entry in full."""
        raise NotImplementedError

    def heading(self, texts: Texts) -> str:
        """What the list is of."""
        return product(self.vaccine.presentation, texts)

    def above(self) -> ComposeResult:
        """What it is of, and where in it one is."""
        yield Say(self.heading, id="heading")
        yield Say(id="where", classes="hint")

    def clinic_changed(self) -> None:
        """Something was entered."""
        self._ask(self._page)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only towards where there are entries."""
        if action != "turn":
            return super().check_action(action, parameters)
        return self._more if parameters == (1,) else self._page > 0

    def action_turn(self, by: int) -> None:
        """Older or newer entries."""
        self._page, self._more = self._page + by, False
        self._ask(self._page)

    def _ask(self, page: int) -> None:
        query = self.asked(PAGE + 1, page * PAGE)
        self.run_query(query, lambda entries: self.Listed(page, entries))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if event.page != self._page:  # the answer about a page that was left meanwhile
            return
        if not event.entries and self._page:  # what stood here is elsewhere now
            self.action_turn(-1)
            return
        self._more = len(event.entries) > PAGE
        self._entries = {self.key(entry): entry for entry in event.entries[:PAGE]}
        self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = [Row(key, self.cells(entry)) for key, entry in self._entries.items()]
        self.show_rows(self.COLUMNS, rows)
        self.tell()
        self.query_one("#where", Say).say(self._where(self._page * PAGE, len(rows)) if rows else self.NOTHING)

    def _where(self, before: int, count: int) -> Words:
        key = "desk.where_more" if self._more else "desk.where"
        return lambda t: t(key, first=before + 1, last=before + count)

    def details(self, key: str) -> list[Fact]:
        """See `DetailedDesk.details`."""
        return self.facts(self._entries[key]) if key in self._entries else []
