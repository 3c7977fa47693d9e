"""One visit, from the door to the end of the observation: one step at a time, Enter takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from domain.actors import Actor
from domain.booking import BookingStatus
from domain.errors import (
    BookingClosed,
    InputError,
    InsufficientStock,
    LotExpired,
    LotInQuarantine,
    LotUnknown,
)
from domain.injection import Concern, Injection
from domain.messages import new_command_id
from domain.presentation import Site
from domain.recipient import parse_name, parse_text
from domain.stock import Lot
from domain.vaccine import ListLots
from domain.visit import CheckIn, CompleteInjection, GetVisit, ListVisitsOf, Visit
from domain.visit import Screen as RecordScreening
from kiosk.i18n import Texts, Words
from kiosk.locations import STYLES
from kiosk.scanner import Scan
from kiosk.screens.base import Refused
from kiosk.screens.desk.add_stock import lot_on_label
from kiosk.screens.desk.form import Entries
from kiosk.screens.desk.person import person_facts
from kiosk.screens.desk.steps import PAST_ALLERGY, CheckInStep, DoseStep, EndStep, ResultStep, ScreeningStep
from kiosk.screens.desk.visit_keys import AVAILABLE, VisitKeys
from kiosk.screens.desk.visits import History, Stage, explained, warnings
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.checklist import Checklist
from kiosk.widgets.facts import Facts
from kiosk.widgets.proceed import Proceed
from kiosk.widgets.say import Say

TICK_SECONDS = 5.0
"""How often the minutes of observation are counted anew."""


def _reason(text: str) -> str:
    return parse_text(text, "reason", limit=200)


@dataclass
class DeskSession:
    """What one desk remembers from visit to visit, and how it is told whom to look for next."""

    vaccinator: str
    look_for: Callable[[str], None]


class VisitScreen(VisitKeys):
    """Who it is above, the step of the moment below."""

    HELP = "injection_desk.visit_help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "injection_desk.tcss",
    ]
    # All in one list: a key bound again in a subclass loses what it was bound to before.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "finish", "injection_desk.finish"),
        Binding("f2", "complete", "injection_desk.complete"),
        Binding("f3", "screen_again", "injection_desk.screen_again"),
        Binding("f4", "adverse", "injection_desk.adverse"),
        Binding("f5", "correct", "injection_desk.correct"),
        Binding("f5", "details", "injection_desk.details"),
        Binding("f6", "void", "injection_desk.void"),
        Binding("f7", "no_show", "injection_desk.no_show"),
        Binding("f8", "cancel", "injection_desk.cancel"),
    ]

    @dataclass
    class Got(Message):
        """The visit as it was when it was asked for; ``number`` counts how often it was."""

        visit: Visit
        number: int

    @dataclass
    class Known(Message):
        """The person's visits here."""

        visits: list[Visit]

    @dataclass
    class LotsListed(Message):
        """The lots of this vaccine."""

        lots: list[Lot]

    @dataclass
    class Completed(Message):
        """The dose was given."""

        injection: Injection

    def __init__(
        self,
        services: Services,
        actor: Actor,
        done: Callable[[Words], None],
        visit: Visit,
        session: DeskSession,
    ) -> None:
        super().__init__(services, actor, done, visit)
        self.session = session
        self._asked = 0
        self._history = History()
        self._lots: list[Lot] | None = None
        self._step_of: tuple[Stage, int, tuple[Concern, ...], BookingStatus | None] | None = None

    def compose(self) -> ComposeResult:
        """The person, what speaks against the dose, the step."""
        yield TopBar("injection_desk.visit_bar", lambda t: self.actor.name)
        yield Say(id="notice")
        with VerticalScroll(id="visit", can_focus=False):
            yield Facts(id="person")
            yield Say(self._warnings, id="warnings", classes="alarm")
            yield VerticalScroll(id="step", can_focus=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known, and ask for what is not."""
        self.show_visit()
        self._ask_around()
        self.set_interval(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self.show_visit()
        for step in self.query(ResultStep):
            step.count_down()

    def clinic_changed(self) -> None:
        """It may have been cancelled, or vaccinated, at another desk."""
        self._asked += 1
        number = self._asked
        self.run_query(GetVisit(self.visit.injection.code), lambda visit: self.Got(visit, number))
        self._ask_around()

    def _ask_around(self) -> None:
        self.run_query(ListLots(self.visit.injection.vaccine), self.LotsListed)
        self.run_query(ListVisitsOf(self.visit.injection.recipient), self.Known)

    @on(Got)
    def _got(self, event: Got) -> None:
        if event.number == self._asked:  # an older answer knows less than what is shown
            self.visit = event.visit
            self.show_visit()

    @on(Known)
    def _known(self, event: Known) -> None:
        clinic, now = self.services.clinic, self.services.clock.now()
        self._history = History.of(self.visit, event.visits, clinic, now)
        self.show_visit()
        for step in self.query(ScreeningStep):
            if self._history.known:
                step.heed(self._history.known)

    @on(LotsListed)
    def _lots_listed(self, event: LotsListed) -> None:
        self._lots = event.lots
        for step in self.query(DoseStep):
            step.offer(event.lots)

    def retranslate(self) -> None:
        """`Facts` and `Say` follow by themselves."""

    def _warnings(self, texts: Texts) -> str:
        if self.stage not in AVAILABLE["cancel"]:
            return ""
        now = self.services.clock.now()
        said = warnings(self.visit, self._history, self.services.clinic, now, texts)
        return "\n".join(f"! {line}" for line in said)

    def say_here(self, words: Words) -> None:
        self.query_one("#notice", Say).say(words)

    # -- the step of the moment -------------------------------------------------------------------

    def show_visit(self) -> None:
        clinic, now = self.services.clinic, self.services.clock.now()
        self.query_one("#person", Facts).show(person_facts(self.visit, self._history, clinic, now))
        self.query_one("#warnings", Say).retranslate()
        stage = self.stage
        if self.screening_again and stage in AVAILABLE["screen_again"]:
            stage = Stage.TO_SCREEN
        injection = self.visit.injection
        concerns = injection.screening.concerns if injection.screening else ()
        booking = self.visit.booking_status if stage is Stage.WITHDRAWN else None
        here = (stage, injection.version + len(injection.adverse_events), concerns, booking)
        if here == self._step_of:  # what was typed into the step stays
            return
        if self._step_of and self._step_of[0] is not stage and stage is not Stage.VOIDED:
            self.say_here("")  # but not which papers a voided record has taken with it
        self._step_of = here
        self.let_read()
        self.wish = new_command_id()
        step = self._step(stage)
        holder = self.query_one("#step")
        holder.remove_children()
        holder.mount(step)
        self.refresh_bindings()

    def _step(self, stage: Stage) -> Widget:
        if stage is Stage.EXPECTED:
            came_at = self.visit.injection.checked_in_at
            return CheckInStep(self.services.clinic.today(came_at) if came_at else None)
        if stage is Stage.TO_SCREEN:
            before = self.visit.injection.screening if self.screening_again else None
            return ScreeningStep(before, self._history.known, self.actor.code)
        if stage is Stage.TO_VACCINATE:
            return DoseStep(self.visit, self.services, self.session.vaccinator, self._lots)
        if stage in (Stage.OBSERVING, Stage.OBSERVED, Stage.FINISHED):
            return ResultStep(self.visit, self.services)
        return EndStep(self.visit, stage)

    @on(Proceed.Pressed)
    def _proceed(self) -> None:
        if not self.was_read:
            return
        if self.stage is Stage.EXPECTED:
            self.run_command(CheckIn(self.visit.injection.code), self.Written, self.wish)
        elif not self.busy:
            self.dismiss(None)

    @on(Checklist.Confirmed)
    def _screened(self) -> None:
        if self.query_one(ScreeningStep).needs_reason and not self.entry("reason").value.strip():
            self.entry("reason").input.focus()
        else:
            self.action_submit()

    def _answers(self, entries: Entries) -> RecordScreening:
        step = self.query_one(ScreeningStep)
        concerns = tuple(concern for concern in Concern if concern in step.values)
        reason = entries.read("reason", _reason) if step.needs_reason else ""
        return RecordScreening(self.visit.injection.code, concerns, PAST_ALLERGY in step.values, reason)

    @on(VisitKeys.Written)
    def _written(self) -> None:
        self.screening_again = False
        self.clinic_changed()

    @property
    def _needle(self) -> list[DoseStep]:
        return [step for step in self.query(DoseStep) if step.is_drawn]

    def take_scan(self, scan: Scan) -> bool:
        """The ticket of the next person is for the desk, and only once there is nothing left to do here."""
        if scan.code is None:
            return super().take_scan(scan)
        injection, name = self.visit.injection, self.visit.person.name
        if scan.code in (injection.code, injection.booking):
            self.answer_scan("injection_desk.same_ticket", lambda t: t("injection_desk.is_open", name=name))
        elif self.busy or not self.query("ResultStep, EndStep"):
            self.refuse_scan(lambda t: t("injection_desk.other_ticket", name=name))
        else:
            self.dismiss(None)
            self.session.look_for(scan.code)
        return True

    # -- the needle -------------------------------------------------------------------------------

    @on(Input.Changed)
    def _lot_typed(self) -> None:
        for step in self._needle:
            step.explain()

    def took(self, stop: Widget | None) -> Widget | None:
        """A scanned box becomes its lot."""
        steps = self._needle
        if not steps or stop is not self.entry("lot").input:
            return stop
        if not steps[0].take_lot():
            return None
        vaccinator = self.entry("vaccinator")
        return vaccinator.input if vaccinator.value.strip() else stop

    def send(self) -> None:
        """The answers of the screening, or that the dose was given."""
        if not self.was_read:
            return
        if self.query(ScreeningStep):
            answers = self.read_all(self._answers)
            if answers:
                self.run_command(answers, self.Written, self.wish)
            return
        steps = self._needle
        if not steps:
            return
        steps[0].take_scan()
        command = self.read_all(self._read)
        if command is None:
            return
        if doubt := steps[0].differs:
            self.complain("lot", doubt)  # whoever says no reads on where it can be put right
            self.confirm(
                "injection_desk.label_heading", doubt,
                yes="injection_desk.label_yes", then=lambda: self._record(command),
            )  # fmt: skip
        else:
            self._record(command)

    def _record(self, command: CompleteInjection) -> None:
        self.session.vaccinator = command.vaccinator
        self.run_command(command, self.Completed, self.wish)

    def _read(self, entries: Entries) -> CompleteInjection:
        lot = entries.read("lot", lot_on_label)
        if outdated := self._needle[0].expired:
            entries.refuse("lot", outdated)
        return CompleteInjection(
            self.visit.injection.code,
            lot,
            entries.pick("site") or Site.LEFT_ARM,
            entries.read("vaccinator", lambda text: parse_name(text, "vaccinator")),
        )

    @on(Completed)
    def _completed(self, event: Completed) -> None:
        self._asked += 1
        self.visit = replace(self.visit, injection=event.injection, booking_status=BookingStatus.COMPLETED)
        self.show_visit()

    def refused(self, event: Refused) -> None:
        """Beside the lot what is about the lot; everything else says its rule over the screen."""
        error = event.error
        if event.again:
            super().refused(event)
            return
        now = self.services.clock.now()

        def words(texts: Texts) -> str:
            return explained(error, self.visit, self.services.clinic, now, texts)

        lots = (LotUnknown, LotExpired, LotInQuarantine, InsufficientStock)
        if isinstance(error, lots) and self.query(DoseStep):
            self.complain("lot", words)
        elif isinstance(error, InputError):
            self.show_error(error)
        else:
            self.show_message("shell.refused", words, alarm=True)
            if isinstance(error, BookingClosed):
                self.clinic_changed()

    def action_complete(self) -> None:
        """The same as Enter in the last entry."""
        self.action_submit()
