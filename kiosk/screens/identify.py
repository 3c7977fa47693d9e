"""Who are you: by the code of a booking or an application, or by name, birth date and phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.codes import Kind, parse_code
from domain.errors import InputError, TooManyAttempts
from domain.mypage import IdentifyByCode, IdentifyByDetails
from domain.recipient import parse_birth_date, parse_name, parse_phone
from kiosk.i18n import Texts
from kiosk.screens.base import Refused, seconds_of
from kiosk.screens.question import QuestionScreen, Step
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice

BY_CODE, BY_DETAILS = "code", "details"


class CertificateNumber(InputError):
    """Told by its first letter, whether there is such a certificate or not."""

    code = "certificate-number"
    text = "This is a certificate's number. Write the code of the application or of the booking."


class IdentifyScreen(QuestionScreen):
    """Asks who it is, then goes on to `next_screen`."""

    TEXTS = "identify"
    HELP = "identify.help"
    BAR = "identify.bar"

    @dataclass
    class Identified(Message):
        """The gateway knows this person."""

        actor: Actor

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._how = Step("how")
        self._code = [Step("code", parse_own_code)]
        self._details = [
            Step("name", parse_name),
            Step("birth_date", lambda text: parse_birth_date(text, self.today)),
            Step("phone", parse_phone),
        ]
        self.steps = [self._how, *self._details]

    def next_screen(self, actor: Actor) -> None:
        """Where this person wanted to go."""
        raise NotImplementedError

    def asked(self, step: Step) -> None:
        """Two ways."""
        if step is self._how:
            self.offer([Choice(way, f"identify.how.by_{way}") for way in (BY_CODE, BY_DETAILS)])

    def answered(self, step: Step) -> None:
        """The last answer of either way asks the gateway."""
        if step is self._how:
            self.steps = [self._how, *(self._code if self.answers["how"] == BY_CODE else self._details)]
            self.next_step()
        elif step is not self.steps[-1]:
            self.next_step()
        elif step.name == "code":
            self._identify(IdentifyByCode(str(self.answers["code"])))
        else:
            answers = self.answers
            birth_date = answers["birth_date"]
            assert isinstance(birth_date, date)
            self._identify(
                IdentifyByDetails(str(answers["name"]), birth_date.isoformat(), str(answers["phone"]))
            )

    def _identify(self, query: IdentifyByCode | IdentifyByDetails) -> None:
        self.busy = True
        self.announce("shell.working")
        self.run_query(query, self.Identified)

    @on(Identified)
    def _identified(self, event: Identified) -> None:
        self.busy = False
        self.next_screen(event.actor)

    def refused(self, event: Refused) -> None:
        """Beside the last field; what was typed stays to be put right."""
        self.busy = False
        self.announce("")
        request = event.request
        if event.again and isinstance(request, IdentifyByCode | IdentifyByDetails):
            event.again = partial(self._identify, request)
            super().refused(event)
            return
        self.complain(event.error)
        if isinstance(event.error, TooManyAttempts):  # nothing is to be put right, only waited for
            self.announce("")
            self.field.value = ""
            self.field.count_down(seconds_of(event.error), self.services.clock)

    def heading(self, step: Step, texts: Texts) -> str:
        """The questions about the person are those of booking."""
        return texts(f"{'booking' if step in self._details else 'identify'}.{step.name}.question")

    def hint(self, step: Step, texts: Texts) -> str:
        """What was told at the booking is what is asked here."""
        return texts(f"{'booking' if step.name == 'birth_date' else 'identify'}.{step.name}.hint")


def parse_own_code(text: str) -> str:
    """A code that opens its owner's page. Raises an `InputError` for any other."""
    code = parse_code(text)
    if code.startswith(Kind.CERTIFICATE):
        raise CertificateNumber("code")
    return code
