"""The keys of a visit: observation, adverse events, corrections, and visits that come to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.booking import CancelBooking, MarkNoShow
from domain.messages import new_command_id
from domain.visit import FinishObservation, Visit
from kiosk.i18n import Words
from kiosk.screens.desk.after_needle import AdverseEventScreen, CorrectScreen, VoidScreen
from kiosk.screens.desk.details import DetailsScreen
from kiosk.screens.desk.form import Form
from kiosk.screens.desk.visits import Stage, stage_of
from kiosk.services import Services

_BEFORE = frozenset({Stage.EXPECTED, Stage.TO_SCREEN, Stage.TO_VACCINATE, Stage.DEFERRED})
_AFTER = frozenset({Stage.OBSERVED, Stage.OBSERVING, Stage.FINISHED})
AVAILABLE: dict[str, frozenset[Stage]] = {
    "no_show": frozenset({Stage.EXPECTED}),
    "cancel": _BEFORE,
    "details": _BEFORE,
    "screen_again": frozenset({Stage.TO_VACCINATE, Stage.DEFERRED}),
    "complete": frozenset({Stage.TO_VACCINATE}),
    "finish": frozenset({Stage.OBSERVED, Stage.OBSERVING}),
    "adverse": _AFTER | {Stage.VOIDED},
    "correct": _AFTER,
    "void": _AFTER,
}
"""At which stages of the visit each key works."""


class VisitKeys(Form):
    """What can be done with a visit beside its next step."""

    @dataclass
    class Written(Message):
        """Something about this visit was recorded."""

        answer: None = None

    @dataclass
    class Missed(Message):
        """The person did not come."""

        answer: None = None

    @dataclass
    class Cancelled(Message):
        """The booking was given back."""

        answer: None = None

    def __init__(self, services: Services, actor: Actor, done: Callable[[Words], None], visit: Visit) -> None:
        super().__init__(services, actor)
        self.done, self.visit = done, visit
        self.wish = new_command_id()
        """Of the step that is shown: sent twice, it is taken once."""
        self.screening_again = False

    def say_here(self, words: Words) -> None:
        """What was done, above the person, until the next step."""

    def show_visit(self) -> None:
        """The person, and the step of the moment."""

    @property
    def stage(self) -> Stage:
        """Where the visit stands at this moment."""
        return stage_of(self.visit.injection, self.services.clinic, self.services.clock.now())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that do nothing at this stage are not shown."""
        stages = AVAILABLE.get(action)
        if action in {"complete", "screen_again"} and self.screening_again:
            return False
        if action == "no_show" and self.visit.injection.checked_in_at:  # on an earlier day: they did come
            return False
        if stages is None:
            return super().check_action(action, parameters)
        return self.stage in stages

    def action_finish(self) -> None:
        """The person was well, and goes."""
        if self.was_read:
            self.run_command(FinishObservation(self.visit.injection.code), self.Written, self.wish)

    def action_screen_again(self) -> None:
        """The answers were others after all."""
        self.screening_again = True
        self.show_visit()

    def action_no_show(self) -> None:
        """The person did not come; their dose goes to whoever waits."""
        wish = new_command_id()
        self.confirm(
            "injection_desk.no_show", lambda t: t("injection_desk.no_show_body", name=self.visit.person.name),
            yes="injection_desk.no_show_yes",
            then=lambda: self.run_command(MarkNoShow(self.visit.injection.booking), self.Missed, wish),
        )  # fmt: skip

    def action_cancel(self) -> None:
        """There will be no dose today, and the person knows it."""
        wish = new_command_id()
        self.confirm(
            "injection_desk.cancel", lambda t: t("injection_desk.cancel_body", name=self.visit.person.name),
            yes="injection_desk.cancel_yes",
            then=lambda: self.run_command(CancelBooking(self.visit.injection.booking), self.Cancelled, wish),
        )  # fmt: skip

    @on(Missed)
    def _missed(self) -> None:
        self._leave_with("injection_desk.no_show_done")

    @on(Cancelled)
    def _cancelled(self) -> None:
        self._leave_with("injection_desk.cancel_done")

    def _leave_with(self, key: str) -> None:
        name = self.visit.person.name
        self.done(lambda t: t(key, name=name))
        self.leave()

    def action_details(self) -> None:
        """What was read back is wrong."""
        visit = self.visit
        self.lead_to(
            DetailsScreen(self.services, self.actor, self._told, visit.injection.recipient, visit.person)
        )

    def action_adverse(self) -> None:
        """Something happened after the dose."""
        self.lead_to(AdverseEventScreen(self.services, self.actor, self._told, self.visit))

    def action_correct(self) -> None:
        """What was recorded differs from what happened."""
        self.lead_to(CorrectScreen(self.services, self.actor, self._told, self.visit))

    def action_void(self) -> None:
        """The record is wrong as a whole."""
        self.lead_to(VoidScreen(self.services, self.actor, self._told, self.visit))

    def _told(self, words: Words) -> None:
        self.done(words)
        self.say_here(words)
        self.clinic_changed()
