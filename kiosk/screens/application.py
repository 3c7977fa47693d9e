"""Certificate application: one's completed injections, and what became of the wish to certify each."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.mypage import Certifiable, ListCertifiable
from kiosk.i18n import Texts, Words
from kiosk.screens.identify import IdentifyScreen
from kiosk.screens.own_list import OwnListScreen
from kiosk.screens.products import product_name
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice


class ApplicationScreen(IdentifyScreen):
    """The way in."""

    def next_screen(self, actor: Actor) -> None:
        """What this person can have certified."""
        self.give_way_to(CertifiableListScreen(self.services, actor))


class CertifiableListScreen(OwnListScreen):
    """The completed injections; with none, why there is nothing to certify and what to do."""

    TEXTS = "application"
    HELP = "application.help"

    @dataclass
    class Listed(Message):
        """The completed injections as they are now."""

        injections: list[Certifiable]

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._injections: dict[str, Certifiable] = {}

    def clinic_changed(self) -> None:
        """An officer may have issued one meanwhile."""
        self.run_query(ListCertifiable(), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._injections = {dose.injection: dose for dose in event.injections}
        self.show_lines(
            [
                Choice(dose.injection, dose_words(self.services, dose), certified_words(dose))
                for dose in event.injections
            ]
        )

    def open_line(self, code: str) -> None:
        """One injection and its certificate."""
        from kiosk.screens.certifiable import CertifiableScreen

        self.lead_to(CertifiableScreen(self.services, self.actor, self._injections[code]))


def dose_words(services: Services, dose: Certifiable) -> Words:
    """Product and dose."""

    def said(t: Texts) -> str:
        product = product_name(services.formulary, dose.product, t)
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
