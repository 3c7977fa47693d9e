"""Who somebody is, put right: one form for the desk that hears it and the one whose paper is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.message import Message

from domain.actors import Actor
from domain.correction import CorrectRecipient
from domain.errors import InputError, KnownAlready, NothingChanged
from domain.recipient import (
    PersonDetails,
    Sex,
    parse_birth_date,
    parse_name,
    parse_passport_name,
    parse_phone,
)
from kiosk.i18n import Texts, Words
from kiosk.screens.base import Refused
from kiosk.screens.booking_words import phone_words
from kiosk.screens.desk.form import Entries, FormPage
from kiosk.screens.desk.reason import read_reason, reason_entries
from kiosk.screens.desk.words import figures
from kiosk.services import Services
from kiosk.widgets.field import Field
from kiosk.widgets.pick import Pick

KINDS = ("details", "changed")


class DetailsScreen(FormPage):
    """The details as they are known, to be put right; read back before they are."""

    BAR = "details.bar"
    HELP = "details.help"
    HEADING = "details.heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "details.save")]

    @dataclass
    class Corrected(Message):
        """It is put right, and so many certificates were replaced."""

        replaced: int

    def __init__(
        self,
        services: Services,
        actor: Actor,
        done: Callable[[Words], None],
        recipient: str,
        person: PersonDetails,
        *,
        kind: str | None = None,
        told: str = "",
        if_right: Callable[[str], None] | None = None,
    ) -> None:
        """``kind`` and ``told`` are the reason as far as it was given before. ``if_right`` is told the
        reason when the details turn out to be right as they are known; without it that is refused."""
        super().__init__(services, actor, done)
        self.recipient, self.person = recipient, person
        self._kind, self._told, self._if_right = kind, told, if_right

    def entries(self) -> ComposeResult:
        """What is known, and why it is changed."""
        person = self.person
        with Grid(id="pairs"):
            yield Field("name", "details.name", value=person.name)
            yield Field("birth_date", "details.birth_date", value=figures(person.birth_date))
            yield Field("passport_surname", "details.passport_surname", value=person.passport_surname)
            yield Field("passport_given", "details.passport_given", value=person.passport_given)
            yield Field("phone", "details.phone", value=_as_said(person.phone))
            yield Pick("sex", "details.sex", [(sex, f"sex.{sex.value}") for sex in Sex], person.sex)
        yield from reason_entries(KINDS, self._kind, self._told)

    def send(self) -> None:
        """Read back what changes: a certificate that is out already is replaced by it."""
        command = self.read_all(self._read)
        if command is None:
            return
        if command.person == self.person and self._if_right:
            self.dismiss(None)
            self._if_right(command.reason)
            return
        self.confirm(
            self.HEADING, lambda t: self._read_back(command, t), yes="details.yes",
            then=lambda: self.run_command(command, self.Corrected, self.wish),
        )  # fmt: skip

    def _read(self, entries: Entries) -> CorrectRecipient:
        person = PersonDetails(
            name=entries.read("name", parse_name),
            birth_date=entries.read("birth_date", lambda text: parse_birth_date(text, self.today)),
            passport_surname=entries.read(
                "passport_surname", lambda text: parse_passport_name(text, "passport_surname")
            ),
            passport_given=entries.read(
                "passport_given", lambda text: parse_passport_name(text, "passport_given", required=False)
            ),
            phone=entries.read("phone", parse_phone),
            sex=entries.pick("sex"),
        )
        if not entries.wrong and person == self.person and not self._if_right:
            entries.refuse("name", "details.nothing_changed")
        return CorrectRecipient(self.recipient, person, read_reason(entries, self.texts))

    def _read_back(self, command: CorrectRecipient, texts: Texts) -> str:
        before, after = _shown(self.person, texts), _shown(command.person, texts)
        nothing = texts("details.nothing")
        lines = [
            texts("details.change", field=texts(f"details.{field}"), new=new or nothing, old=old or nothing)
            for (field, old), new in zip(before.items(), after.values(), strict=True)
            if old != new
        ]
        return "\n".join([*lines, texts("details.reason", reason=command.reason), texts("details.sure")])

    @on(Corrected)
    def _corrected(self, event: Corrected) -> None:
        name, count = self.entry("name").value.strip(), event.replaced
        self.finish(lambda t: t(f"details.{'done_replaced' if count else 'done'}", name=name, count=count))

    def refused(self, event: Refused) -> None:
        """Who is known already stands beside the name."""
        if not self.refuse_beside(event, "name", KnownAlready, NothingChanged):
            super().refused(event)


def _shown(person: PersonDetails, texts: Texts) -> dict[str, str]:
    return {
        "name": person.name,
        "birth_date": figures(person.birth_date),
        "passport_surname": person.passport_surname,
        "passport_given": person.passport_given,
        "phone": phone_words(person.phone),
        "sex": texts.word(person.sex.value),
    }


def _as_said(phone: str) -> str:
    """The number in the groups in which people say it, when it reads as the same number again."""
    said = phone_words(phone)
    try:
        return said if parse_phone(said) == phone else phone
    except InputError:
        return phone
