"""Certificate application: one's completed injections, and what became of the wish to certify each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.mypage import Certifiable, ListCertifiable
from kiosk.i18n import Texts, Words
from kiosk.screens.base import PublicScreen
from kiosk.screens.identify import IdentifyScreen
from kiosk.screens.products import product_name
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class ApplicationScreen(IdentifyScreen):
    """The way in."""

    def next_screen(self, actor: Actor) -> None:
        """What this person can have certified."""
        self.app.switch_screen(CertifiableListScreen(self.services, actor))


class CertifiableListScreen(PublicScreen):
    """The completed injections; with none, why there is nothing to certify and what to do."""

    HELP = "application.help"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.home")]

    @dataclass
    class Listed(Message):
        """The completed injections as they are now."""

        injections: list[Certifiable]

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services)
        self.actor = actor
        self._injections: dict[str, Certifiable] = {}

    def compose(self) -> ComposeResult:
        """Heading and lines."""
        yield TopBar("application.bar", lambda t: self.actor.name)
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
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """An officer may have issued one meanwhile."""
        self.run_query(ListCertifiable(), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._injections = {dose.injection: dose for dose in event.injections}
        empty = not event.injections
        self.query_one("#heading", Say).say("application.empty" if empty else "application.question")
        self.query_one("#hint", Say).say("application.empty_next" if empty else "application.hint")
        doses = [
            Choice(dose.injection, dose_words(self.services, dose), certified_words(dose))
            for dose in event.injections
        ]
        self.query_one(ChoiceList).offer([*doses, Choice("", "my_page.finish")])

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        from kiosk.screens.certifiable import CertifiableScreen

        if not event.value:
            self.kiosk.end_visit()
            return
        dose = self._injections[str(event.value)]
        self.app.push_screen(CertifiableScreen(self.services, self.actor, dose))

    def action_back(self) -> None:
        """Behind this page is home, and it does not stay open."""
        self.kiosk.end_visit()


def dose_words(services: Services, dose: Certifiable) -> Words:
    """Product and dose."""

    def said(t: Texts) -> str:
        product = product_name(services, dose.product, t)
        return t("my_page.item.dose", product=product, dose=dose.dose_number, of=dose.dose_total)

    return said


def state_of(dose: Certifiable) -> str:
    """Where the wish for a certificate stands: ``none``, ``applied``, ``issued`` or ``revoked``."""
    if dose.certificate_status == "issued":
        return "issued"
    if dose.application_status == "applied":
        return "applied"
    return "revoked" if "revoked" in {dose.certificate_status, dose.application_status} else "none"


def certified_words(dose: Certifiable) -> Words:
    """The same in words, with the day of the injection."""

    def said(t: Texts) -> str:
        return f"{t.short_day(dose.given_on)}, {t(f'application.state.{state_of(dose)}')}"

    return said
