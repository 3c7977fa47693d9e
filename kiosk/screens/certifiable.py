"""One completed injection: apply for its certificate, follow it, take it back, print it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.application import Application, ApplyForCertificate, CancelApplication
from domain.certificate import Issued, PrintCertificate
from domain.codes import spoken
from domain.messages import new_command_id
from domain.mypage import Certifiable, ListCertifiable
from kiosk.i18n import Texts
from kiosk.screens.application import dose_words, state_of
from kiosk.screens.products import product_name
from kiosk.screens.record import RecordScreen
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice


class CertifiableScreen(RecordScreen):
    """Straight from the records, so what was just done is seen at once."""

    HELP = "application.dose.help"

    @dataclass
    class Listed(Message):
        """The completed injections as they are now."""

        injections: list[Certifiable]

    @dataclass
    class Applied(Message):
        """A certificate was applied for."""

        application: Application

    @dataclass
    class Cancelled(Message):
        """The application is no more."""

        nothing: None

    @dataclass
    class Printed(Message):
        """Where the certificate was put."""

        issued: Issued

    def __init__(self, services: Services, actor: Actor, dose: Certifiable) -> None:
        super().__init__(services)
        self.actor = actor
        self._dose = dose

    def bar(self, texts: Texts) -> str:
        """Where one is."""
        return texts("application.bar")

    def heading(self, texts: Texts) -> str:
        """Product and dose."""
        words = dose_words(self.services, self._dose)
        assert callable(words)
        return words(texts)

    def code(self, texts: Texts) -> str:
        """The code of the application, which opens one's page, until there is a certificate with its own."""
        dose, state = self._dose, state_of(self._dose)
        code = {"applied": dose.application, "issued": dose.certificate}.get(state, "")
        return texts(f"application.code.{state}", code=spoken(code)) if code else ""

    def lines(self, texts: Texts) -> list[str]:
        """When, how it stands, and what happens next."""
        dose, state = self._dose, state_of(self._dose)
        lines = [
            texts("my_page.item.given", date=dose.given_on),
            texts("my_page.item.state", state=texts(f"application.state.{state}")),
        ]
        return [*lines, texts(f"application.next.{state}")]

    def actions(self) -> list[Choice]:
        """What can be done as it stands."""
        action = {"applied": "cancel_application", "issued": "print"}.get(state_of(self._dose), "apply")
        return [Choice(action, f"my_page.act.{action}"), Choice("back", "key.back")]

    def act(self, action: str) -> None:
        """What was chosen."""
        dose, wish = self._dose, new_command_id()
        match action:
            case "back":
                self.dismiss(None)
            case "print":
                self.run_command(PrintCertificate(dose.certificate), self.Printed, paper=True)
            case "apply":
                command = ApplyForCertificate(dose.injection)
                self._ask(action, lambda: self.run_command(command, self.Applied, wish))
            case "cancel_application":
                cancel = CancelApplication(dose.application)
                self._ask(action, lambda: self.run_command(cancel, self.Cancelled, wish))

    def _ask(self, action: str, then: Callable[[], None]) -> None:
        self.confirm(
            f"my_page.ask.{action}.title",
            lambda t: t(
                f"my_page.ask.{action}.body",
                product=product_name(self.services.formulary, self._dose.product, t),
            ),
            yes=f"my_page.ask.{action}.yes",
            then=then,
            harmless=action == "apply",
        )

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        self.show_place(event.issued.place)

    @on(Applied)
    @on(Cancelled)
    def _changed(self) -> None:
        self.catch_up()

    def clinic_changed(self) -> None:
        """An officer may have issued it meanwhile."""
        self.run_query(ListCertifiable(), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._dose = next((d for d in event.injections if d.injection == self._dose.injection), self._dose)
        self.show()
