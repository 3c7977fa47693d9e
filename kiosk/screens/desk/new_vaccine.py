"""A vaccine that the clinical rules do not hold: its facts, typed in by the clinic itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.message import Message

from domain.actors import Actor
from domain.errors import BadCharacters, NotOnALabel, VaccineExists
from domain.presentation import BOUNDS, GIVEN_AGAIN, Disease, Presentation
from domain.recipient import parse_text
from domain.stock import Vaccine
from domain.vaccine import RegisterVaccine
from kiosk.screens.base import Refused
from kiosk.screens.desk.form import Complaint, Entries, FormPage, whole
from kiosk.screens.desk.presentation_facts import read_back
from kiosk.services import Services
from kiosk.widgets.field import Field
from kiosk.widgets.pick import Pick
from kiosk.widgets.say import Say

_YEARS = (0, 100)


class NewVaccineScreen(FormPage):
    """Writes a presentation down and registers it."""

    HELP = "vaccine_admin.new_help"
    BAR = "vaccine_admin.register_bar"
    HEADING = "vaccine_admin.new_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "vaccine_admin.register")]

    @dataclass
    class Registered(Message):
        """The clinic gives it from now on."""

        vaccine: Vaccine

    def __init__(self, services: Services, actor: Actor, done: Callable[[Vaccine], None]) -> None:
        super().__init__(services, actor, lambda _: done(self._vaccine))

    def about(self) -> ComposeResult:
        """Figures that nobody has approved are the clinic's own."""
        yield Say("vaccine_admin.new_sign_off", classes="alarm")

    def entries(self) -> ComposeResult:
        """In pairs."""
        with Grid(id="pairs"):
            yield Field("name_ko", "vaccine_admin.name_ko")
            yield Field("name_en", "vaccine_admin.name_en")
            yield Field("manufacturer", "vaccine_admin.manufacturer")
            diseases = [(disease, f"vaccine_admin.of.{disease.value}") for disease in Disease]
            yield Pick("disease", "vaccine_admin.disease", diseases)
            yield Field("min_age", "vaccine_admin.min_age")
            units = [(12, "vaccine_admin.in_years"), (1, "vaccine_admin.in_months")]
            yield Pick("unit", "vaccine_admin.unit", units, 12)
            yield Field("primary_doses", "vaccine_admin.doses_in_series", value="1")
            yield Field("interval_days", "vaccine_admin.interval", value="0")
            yield Field(
                "observation_minutes",
                "vaccine_admin.observation_entry",
                value=str(BOUNDS["observation_minutes"][0]),
            )
            yield Field("volume_ml", "vaccine_admin.volume_entry", value="0.5")

    def send(self) -> None:
        """Show once more what would be registered."""
        presentation = self.read_all(self._read)
        if presentation is None:
            return
        self.confirm(
            "vaccine_admin.new_heading",
            lambda t: f"{t('vaccine_admin.new_sure')}\n{read_back(presentation, t)}",
            yes="vaccine_admin.new_yes",
            then=lambda: self.run_command(RegisterVaccine(presentation), self.Registered, self.wish),
        )  # fmt: skip

    def _read(self, entries: Entries) -> Presentation:
        today = self.today
        name_ko = entries.read("name_ko", lambda text: parse_text(text, "name_ko"))
        name_en = entries.read("name_en", english_name)
        manufacturer = entries.read("manufacturer", lambda text: parse_text(text, "manufacturer"))
        disease = entries.pick("disease")
        age = entries.read("min_age", lambda text: whole(text, "min_age", *_YEARS))
        unit = entries.pick("unit")
        doses = entries.read("primary_doses", lambda text: _figure(text, "primary_doses"))
        again = disease in GIVEN_AGAIN or (doses is not None and doses > 1)
        interval = entries.read("interval_days", lambda text: days_between(text, again))
        observation = entries.read(
            "observation_minutes",
            lambda text: _figure(text, "observation_minutes"),
        )
        volume = entries.read("volume_ml", millilitres)
        if entries.wrong:
            return Presentation("", "", "", "", Disease.OTHER)
        return Presentation(
            key=f"own-{slug(name_en)}",
            name_ko=name_ko,
            name_en=name_en,
            manufacturer=manufacturer,
            disease=disease,
            min_age_months=age * unit,
            primary_doses=doses,
            seasonal=disease is Disease.INFLUENZA,
            interval_days=interval,
            booster_interval_days=interval,
            volume_ml=volume,
            observation_minutes=observation,
            version=f"own-{today.isoformat()}",
            source=self.texts("vaccine_admin.own_source"),
            effective_from=today,
        )

    def refused(self, event: Refused) -> None:
        """It is known by its English name."""
        if not self.refuse_beside(event, "name_en", VaccineExists):
            super().refused(event)

    @on(Registered)
    def _registered(self, event: Registered) -> None:
        self._vaccine = event.vaccine
        self.finish("")


def english_name(text: str) -> str:
    """The name in Latin letters, as certificates print it. Raises an `InputError`."""
    name = parse_text(text, "name_en")
    if bad := [character for character in name if not " " <= character <= "~"]:
        if any(character.isalpha() for character in bad):
            raise NotOnALabel("name_en")
        raise BadCharacters("name_en", characters="".join(dict.fromkeys(bad))[:12])
    if not slug(name):
        raise BadCharacters("name_en", characters=name[:12])
    return name


def days_between(text: str, again: bool) -> int:
    """The least days since the dose before; none at all only where no dose follows ``again``."""
    days = _figure(text, "interval_days")
    if again and not days:
        raise Complaint("interval_days", "vaccine_admin.interval_needed")
    return days


def _figure(text: str, field: str) -> int:
    least, most = BOUNDS[field]
    return whole(text, field, int(least), int(most))


def slug(name: str) -> str:
    """The name as part of a key: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def millilitres(text: str) -> float:
    """A volume such as 0.5 or 0,5; raises a `Complaint`."""
    figure, (least, most) = text.strip().replace(",", "."), BOUNDS["volume_ml"]
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", figure) and least <= float(figure) <= most:
        return float(figure)
    raise Complaint("volume_ml", lambda t: t("vaccine_admin.volume_wrong", least=least, most=most))
