"""Whoever was given a dose of a lot: for a recall, and for what is asked about a lot afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from domain.actors import Actor
from domain.codes import spoken
from domain.injection import AdverseEvent, InjectionStatus
from domain.stock import Vaccine
from domain.visit import Given, ListGiven
from kiosk.i18n import Texts
from kiosk.screens.booking_words import phone_words
from kiosk.screens.desk.paged import PagedDesk
from kiosk.screens.desk.words import figures, moment_or_day, name_words
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.desk_table import Column, Toned
from kiosk.widgets.facts import Fact


class GivenScreen(PagedDesk[Given]):
    """Who they are, and how to reach them."""

    BAR = "vaccine_admin.given_bar"
    HELP = "vaccine_admin.given_help"
    NOTHING = "vaccine_admin.given_to_nobody"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("vaccine_admin.at", 11),
        Column("injection_desk.name"),
        Column("injection_desk.birth_date", 10),
        Column("details.phone", 16),
        Column("desk.state", 8),
    )

    def __init__(self, services: Services, actor: Actor, vaccine: Vaccine, lot: str) -> None:
        super().__init__(services, actor, vaccine)
        self._lot = lot

    def heading(self, texts: Texts) -> str:
        """The vaccine and the lot."""
        vaccine = product(self.vaccine.presentation, texts)
        return texts("vaccine_admin.given_heading", vaccine=vaccine, lot=self._lot)

    def asked(self, limit: int, offset: int) -> ListGiven:
        """A page of those who had this lot."""
        return ListGiven(self.vaccine.code, self._lot, limit, offset)

    def key(self, entry: Given) -> str:
        """The record's code."""
        return entry.injection

    def cells(self, entry: Given) -> tuple[str | Toned, ...]:
        """One dose a line; a voided record stands out."""
        clinic = self.services.clinic
        state = self.texts(_state(entry))
        return (
            moment_or_day(clinic.local(entry.dose.given_at), clinic.today(self.services.clock.now())),
            entry.person.name,
            figures(entry.person.birth_date),
            phone_words(entry.person.phone),
            Toned(state, "alarm") if entry.status is InjectionStatus.VOIDED else state,
        )

    def facts(self, entry: Given) -> list[Fact]:
        """What was given, and what happened after it."""
        given_at = self.services.clinic.local(entry.dose.given_at)
        number, total, vaccinator = entry.dose.dose_number, entry.dose.dose_total, entry.dose.vaccinator
        return [
            Fact("injection_desk.name", name_words(entry.person), "strong"),
            Fact("details.phone", phone_words(entry.person.phone), "strong"),
            Fact("vaccine_admin.at", lambda t: t.fact(given_at)),
            Fact("injection_desk.dose", lambda t: t("injection_desk.dose_of", number=number, total=total)),
            Fact("injection_desk.vaccinator", vaccinator),
            Fact("vaccine_admin.injection", spoken(entry.injection)),
            Fact("desk.state", _state(entry), "alarm" if entry.status is InjectionStatus.VOIDED else ""),
            *(
                Fact("vaccine_admin.adverse_event", partial(self._event_words, event), "alarm")
                for event in entry.adverse_events
            ),
        ]

    def _event_words(self, event: AdverseEvent, texts: Texts) -> str:
        """How severe and when: what it was is for those who treat."""
        severity = texts(f"injection_desk.severity.{event.severity.value}")
        return f"{severity}, {texts.day(self.services.clinic.today(event.at))}"


def _state(entry: Given) -> str:
    return f"vaccine_admin.given_state.{entry.status.value}"
