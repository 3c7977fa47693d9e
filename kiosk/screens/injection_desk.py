"""The injection desk: who is expected today, who is here, who is observed, and a field to find anyone."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from domain.actors import Actor
from domain.booking import Booking, BookingStatus, GetBooking
from domain.clinic import Clinic
from domain.codes import Kind, parse_code
from domain.errors import InputError, NotFound
from domain.injection import InjectionStatus
from domain.parts import ListParts, Part, PartState
from domain.visit import FindVisits, ListVisits, Visit
from kiosk.i18n import Texts
from kiosk.scanner import Scan
from kiosk.screens.base import Refused
from kiosk.screens.desk.list_desk import FieldDesk
from kiosk.screens.desk.visit import DeskSession, VisitScreen
from kiosk.screens.desk.visits import (
    FIND_LIMIT,
    NARROW,
    Stage,
    columns,
    in_order,
    stage_of,
    visit_row,
)
from kiosk.services import Services
from kiosk.widgets.desk_table import MOST_ROWS
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import ScanField, ScanInput

ALL_OF_A_DAY = 600
"""More visits than a day has slots for, so that whoever is under observation is always among them."""
TICK_SECONDS = 5.0
"""How often the minutes of observation are counted anew."""


class FindInput(ScanInput):
    """Its Enter stands on the bar."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "injection_desk.open")]


class FindField(ScanField):
    """Where a code is scanned or a name typed; it keeps the cursor all day."""

    INPUT = FindInput

    def wants(self, scan: Scan) -> bool:
        """Nobody is found by a box."""
        return scan.box is None


class InjectionDeskScreen(FieldDesk):
    """One field, one list; Enter opens a visit."""

    BAR = "injection_desk.bar"
    HELP = "injection_desk.help"

    @dataclass
    class Listed(Message):
        """The visits of today."""

        visits: list[Visit]

    @dataclass
    class Found(Message):
        """The visits that a code or a name leads to; ``again``, when they were only asked for once more."""

        text: str
        visits: list[Visit]
        again: bool = False

    @dataclass
    class Missing(Message):
        """Nobody was found: whether the list is all there, and the booking, when it was one's code."""

        intake: PartState
        booking: Booking | None

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self.session = DeskSession(actor.name, self.look_for)
        self._visits: list[Visit] = []
        self._found: list[Visit] | None = None
        self._sought = ""

    def above(self) -> ComposeResult:
        """The field stands above the list."""
        yield FindField("text", "injection_desk.find")
        yield Say(self._counts, id="counters")

    def on_mount(self) -> None:
        """Minutes pass."""
        self.set_interval(TICK_SECONDS, self._fill)

    def clinic_changed(self) -> None:
        """Somebody booked, came or was vaccinated, here or elsewhere."""
        self.run_query(ListVisits(self.today, limit=ALL_OF_A_DAY), self.Listed)
        if self._found is not None:
            text = self._sought
            again = FindVisits(text, limit=FIND_LIMIT)
            self.run_query(again, lambda visits: self.Found(text, visits, again=True))

    def retranslate(self) -> None:
        """The list in the language of the moment."""
        self._fill()

    def on_resize(self) -> None:
        """A narrow terminal shows fewer columns."""
        self._fill()

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._visits = event.visits
        self._fill()

    # -- the list ---------------------------------------------------------------------------------

    @property
    def _shown(self) -> list[Visit]:
        """What was found, those of today first; or today, narrowed down to the name that is being typed."""
        clinic, now = self.services.clinic, self.services.clock.now()
        today, found = in_order(self._visits, clinic, now), self._found
        if found is None:
            return _called(self.query_one(FindField).value, today) or today
        codes, of_today = ({visit.injection.code for visit in visits} for visits in (found, today))
        others = [visit for visit in found if visit.injection.code not in of_today]
        # Of a common name only the latest are found.
        called = {visit.injection.code for visit in _called(self._sought, today)}
        first = [visit for visit in today if visit.injection.code in codes | called]
        return [*first, *in_order(others, clinic, now)]

    def _fill(self) -> None:
        clinic, now = self.services.clinic, self.services.clock.now()
        found, narrow = self._found is not None, self.size.width < NARROW
        rows = [
            visit_row(visit, clinic, now, self.texts, with_day=found, narrow=narrow)
            for visit in self._shown[:MOST_ROWS]
        ]
        self.show_rows(columns(found, narrow), rows, "injection_desk.nobody")
        self.query_one("#counters", Say).retranslate()

    def _counts(self, texts: Texts) -> str:
        if self._found is not None:
            return texts("injection_desk.found", text=self._sought, count=len(self._shown))
        clinic, now = self.services.clinic, self.services.clock.now()
        stages = Counter(stage_of(visit.injection, clinic, now) for visit in self._visits)
        counts = texts(
            "injection_desk.counts",
            day=texts.short_day(clinic.today(now)),
            expected=stages[Stage.EXPECTED],
            here=stages[Stage.TO_SCREEN] + stages[Stage.TO_VACCINATE] + stages[Stage.DEFERRED],
            observed=stages[Stage.OBSERVING] + stages[Stage.OBSERVED],
            finished=stages[Stage.FINISHED],
        )
        more = len(self._visits) - MOST_ROWS
        return f"{counts}   {texts('injection_desk.more', more=more)}" if more > 0 else counts

    # -- finding ----------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typing(self) -> None:
        self.query_one(FindField).clear_error()
        self._fill()

    @on(Input.Submitted)
    def _sought_for(self) -> None:
        text = self.query_one(FindField).value.strip()
        if text:
            self.look_for(text)
            return
        code = self.table.current
        visit = next((visit for visit in self._shown if visit.injection.code == code), None)
        if visit:
            self._open(visit)

    def look_for(self, text: str) -> None:
        """Whoever is meant by this code or name."""
        self.query_one(FindField).value = text
        self.query_one("#notice", Say).say("")
        self.run_query(FindVisits(text, limit=FIND_LIMIT), lambda visits: self.Found(text, visits))

    @on(Found)
    def _found_them(self, event: Found) -> None:
        if event.again:
            if self._found is not None and event.text == self._sought:
                self._found = event.visits
                self._fill()
            return
        if not self.is_active:  # Enter was pressed twice: the visit is open already
            return
        if not event.visits:
            self.run_queries(ListParts(), partial(self._ask_why, event.text))
            return
        highlighted, field = self.table.current, self.query_one(FindField)
        field.value = ""
        single = one_meant(event.text, event.visits)
        if single:
            self._open(single)
            return
        self._sought, self._found = event.text, event.visits
        self._fill()
        self.table.move_cursor(row=0)
        self.table.go_to(highlighted or "")  # Enter once more opens whoever it was

    async def _ask_why(self, text: str) -> Message:
        ask, booking = self.services.gateway.ask, None
        [intake] = [s for s in await ask(ListParts(), self.actor) if s.name is Part.INJECTION_INTAKE]
        with suppress(InputError, NotFound):
            booking = (await ask(GetBooking(parse_code(text, Kind.BOOKING)), self.actor)).booking
        return self.Missing(intake, booking)

    @on(Missing)
    def _say_why(self, event: Missing) -> None:
        clinic = self.services.clinic
        self.query_one(FindField).show_error(lambda t: why_nobody(event.intake, event.booking, clinic, t))

    def refused(self, event: Refused) -> None:
        """What cannot be looked for is said beside the field."""
        if isinstance(event.error, InputError):
            self.query_one(FindField).show_error(lambda t: t.error(event.error))
        else:
            super().refused(event)

    def action_back(self) -> None:
        """From what was typed or found back to today's list, then out."""
        field = self.query_one(FindField)
        if field.value or self._found is not None:
            field.value = ""
            self._found, self._sought = None, ""
            field.clear_error()
            self._fill()
        else:
            self.dismiss(None)

    def _open(self, visit: Visit) -> None:
        if not self.is_active:
            return
        self.query_one("#notice", Say).say("")
        self.lead_to(VisitScreen(self.services, self.actor, self.done, visit, self.session))


def why_nobody(intake: PartState, booking: Booking | None, clinic: Clinic, texts: Texts) -> str:
    """What is amiss when nobody was found: the person's booking, the list, or what was typed."""
    if booking is None:
        said = [texts("injection_desk.not_found")]
    elif booking.status is BookingStatus.RESERVED:
        said = [texts("injection_desk.not_listed", time=clinic.local(booking.slot))]
    else:
        said = [texts("injection_desk.not_expected", status=booking.status)]
    if intake.paused:
        said.append(texts("injection_desk.list_paused"))
    elif intake.behind or (booking and booking.status is BookingStatus.RESERVED):
        said.append(texts("injection_desk.list_behind"))
    return " ".join(said)


def one_meant(text: str, visits: list[Visit]) -> Visit | None:
    """The visit that is meant, if there can be no doubt; a name shared by several visits leaves one."""
    if len(visits) == 1:
        return visits[0]
    try:
        code = parse_code(text)
    except InputError:
        return None
    if any(code not in (visit.injection.code, visit.injection.booking) for visit in visits):
        return None  # some names can be read as a code
    # One booking has several visits when the record of an earlier one was voided.
    live = [v for v in visits if v.injection.status in (InjectionStatus.EXPECTED, InjectionStatus.CHECKED_IN)]
    return live[0] if len(live) == 1 else None


def _called(typed: str, visits: list[Visit]) -> list[Visit]:
    """Those of this name, as far as it is typed."""
    return [visit for visit in visits if visit.person.is_called(typed)]
