"""After the needle: an adverse event, a correction, a record struck out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from domain.actors import Actor
from domain.certificate import ListReplacements, Replacement
from domain.codes import spoken
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import InsufficientStock, LotUnknown
from domain.injection import Injection, Severity
from domain.presentation import Site
from domain.recipient import parse_name, parse_text
from domain.visit import DESCRIPTION_LIMIT, ReportAdverseEvent, Visit
from kiosk.gs1 import read_gs1
from kiosk.i18n import Texts, Words
from kiosk.screens.base import Refused
from kiosk.screens.desk.add_stock import lot_on_label
from kiosk.screens.desk.form import Entries, FormPage
from kiosk.screens.desk.reason import read_reason, reason_entries
from kiosk.screens.desk.words import figures
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.field import Field
from kiosk.widgets.pick import Pick
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import LotField


class AfterNeedle(FormPage):
    """A form about a dose that was given."""

    BAR = "injection_desk.visit_bar"

    @dataclass
    class Recorded(Message):
        """It is in the record."""

        answer: Injection | None = None

    def __init__(self, services: Services, actor: Actor, done: Callable[[Words], None], visit: Visit) -> None:
        super().__init__(services, actor, done)
        self.visit = visit

    def about(self) -> ComposeResult:
        """Whose dose."""
        person, dose = self.visit.person, self.visit.injection.dose
        yield Facts(
            [
                Fact("injection_desk.name", f"{person.name}, {figures(person.birth_date)}", "strong"),
                Fact("injection_desk.vaccine", lambda t: product(self.visit.presentation, t)),
                Fact("injection_desk.lot_used", dose.lot if dose else ""),
                Fact("injection_desk.booking", spoken(self.visit.injection.booking)),
            ]
        )

    @on(Recorded)
    def _recorded(self) -> None:
        self.recorded()

    def recorded(self) -> None:
        """Say so, and go back."""
        name = self.visit.person.name
        self.finish(lambda t: t(f"{self.HEADING}_done", name=name))


class AdverseEventScreen(AfterNeedle):
    """What the person suffered after the dose."""

    HELP = "injection_desk.adverse_help"
    HEADING = "injection_desk.adverse_heading"

    def entries(self) -> ComposeResult:
        """How bad, and what."""
        severities = [(severity, f"injection_desk.severity.{severity.value}") for severity in Severity]
        yield Pick("severity", "injection_desk.severity_label", severities)
        yield Field("description", "injection_desk.description")
        yield Say("injection_desk.duty", classes="alarm")

    def send(self) -> None:
        """Read it back first: it stays in the record as it is."""
        command = self.read_all(self._read)
        if command is None:
            return
        facts = {"name": self.visit.person.name, "description": command.description}
        severity = f"injection_desk.severity.{command.severity}"
        self.confirm(
            self.HEADING, lambda t: t("injection_desk.adverse_sure", severity=t(severity), **facts),
            yes="injection_desk.adverse_yes",
            then=lambda: self.run_command(command, self.Recorded, self.wish),
        )  # fmt: skip

    def _read(self, entries: Entries) -> ReportAdverseEvent:
        severity = entries.pick("severity")
        description = entries.read(
            "description", lambda text: parse_text(text, "description", limit=DESCRIPTION_LIMIT)
        )
        return ReportAdverseEvent(self.visit.injection.code, severity, description)


class Outdating(AfterNeedle):
    """A change of the record, after which a paper that somebody holds may be valid no more."""

    SAID: ClassVar[str]

    @dataclass
    class Replaced(Message):
        """The certificates that are void by it, and what took their place."""

        replacements: list[Replacement]

    def recorded(self) -> None:
        """Ask which, while the person is here."""
        self.run_query(ListReplacements(self.visit.injection.code), self.Replaced)

    @on(Replaced)
    def _replaced(self, event: Replaced) -> None:
        name = self.visit.person.name
        papers = [{"old": spoken(one.old), "new": spoken(one.new)} for one in event.replacements]

        def words(texts: Texts) -> str:
            voided = (
                texts(f"injection_desk.{'replaced' if paper['new'] else 'outdated'}", **paper)
                for paper in papers
            )
            return "\n".join([texts(self.SAID, name=name), *voided])

        self.finish(words)

    def refused(self, event: Refused) -> None:
        """What became of the papers may be unknown."""
        if isinstance(event.request, ListReplacements):
            super().recorded()
        else:
            super().refused(event)


class CorrectScreen(Outdating):
    """Lot, site and vaccinator as they really were; what is left as it stands is not changed."""

    HELP = "injection_desk.correct_help"
    HEADING = "injection_desk.correct_heading"
    SAID = "injection_desk.corrected"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "injection_desk.correct")]

    def entries(self) -> ComposeResult:
        """What is recorded, to be put right."""
        dose = self.visit.injection.given
        yield LotField("lot", "injection_desk.lot_used", value=dose.lot)
        sites = [(site, f"injection_desk.site.{site.value}") for site in Site]
        yield Pick("site", "injection_desk.site_plain", sites, dose.site)
        yield Field("vaccinator", "injection_desk.vaccinator", value=dose.vaccinator)
        yield from reason_entries(("label", "typing"))

    def took(self, stop: Widget | None) -> Widget | None:
        """A scanned box becomes its lot."""
        lot = self.entry("lot")
        scanned = read_gs1(lot.value, self.today)
        if stop is lot.input and scanned and scanned.lot:
            lot.value = scanned.lot
        return stop

    def send(self) -> None:
        """Record it, when anything differs."""
        self.took(self.entry("lot").input)
        command = self.read_all(self._read)
        if command:
            self.run_command(command, self.Recorded, self.wish)

    def _read(self, entries: Entries) -> CorrectInjection:
        dose = self.visit.injection.given
        lot = entries.read("lot", lot_on_label)
        site = entries.pick("site")
        vaccinator = entries.read("vaccinator", lambda text: parse_name(text, "vaccinator"))
        if not entries.wrong and (lot, site, vaccinator) == (dose.lot, dose.site, dose.vaccinator):
            entries.refuse("lot", "injection_desk.nothing_changed")
        return CorrectInjection(
            self.visit.injection.code,
            read_reason(entries, self.texts),
            lot=lot if lot != dose.lot else None,
            site=site if site != dose.site else None,
            vaccinator=vaccinator if vaccinator != dose.vaccinator else None,
        )

    def refused(self, event: Refused) -> None:
        """What is about the lot stands beside it."""
        if not self.refuse_beside(event, "lot", LotUnknown, InsufficientStock):
            super().refused(event)


class VoidScreen(Outdating):
    """The record is struck out; where the needle never went in, the dose goes back."""

    HELP = "injection_desk.void_help"
    HEADING = "injection_desk.void_heading"
    SAID = "injection_desk.void_heading_done"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "injection_desk.void")]

    def entries(self) -> ComposeResult:
        """The question that decides about the dose, and why."""
        answers = [(True, "injection_desk.was_given"), (False, "injection_desk.was_not_given")]
        yield Pick("given", "injection_desk.given_question", answers)
        yield from reason_entries(("not_given", "person", "typing"))

    def send(self) -> None:
        """Ask once more: the certificate goes with the record."""
        command = self.read_all(self._read)
        if command is None:
            return
        key = "void_returned" if command.dose_returned else "void_lost"
        facts = {"name": self.visit.person.name, "reason": command.reason}
        self.confirm(
            self.HEADING, lambda t: t(f"injection_desk.{key}", **facts), yes="injection_desk.void_yes",
            then=lambda: self.run_command(command, self.Recorded, self.wish),
        )  # fmt: skip

    def _read(self, entries: Entries) -> VoidInjection:
        given = entries.pick("given")
        return VoidInjection(self.visit.injection.code, read_reason(entries, self.texts), given is False)
