"""Presentations: a product in one form, and the clinical facts that go with that form.

They are data (``assets/clinical``), versioned and dated; nothing clinical is written in code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.errors import TooEarly, TooYoung


class Disease(StrEnum):
    """The disease a product protects from."""

    COVID_19 = "covid-19"
    INFLUENZA = "influenza"
    OTHER = "other"


GIVEN_AGAIN = frozenset({Disease.COVID_19, Disease.INFLUENZA})
"""Against these one dose is followed by others, of this product or another, and each keeps its distance."""


class Site(StrEnum):
    """Where the needle went in (FHIR body site, HL7 v3 ActSite)."""

    LEFT_ARM = "LA"
    RIGHT_ARM = "RA"
    LEFT_THIGH = "LT"
    RIGHT_THIGH = "RT"


class Route(StrEnum):
    """How it went in (HL7 v3 RouteOfAdministration)."""

    INTRAMUSCULAR = "IM"
    SUBCUTANEOUS = "SC"
    INTRADERMAL = "ID"
    NASAL = "NASINHLC"


BOUNDS: dict[str, tuple[float, float]] = {
    "min_age_months": (0, 1200),
    "primary_doses": (1, 9),
    "interval_days": (0, 3650),
    "booster_interval_days": (0, 3650),
    "volume_ml": (0.01, 5),
    "observation_minutes": (15, 240),
}
"""The least and the most that a figure of a presentation can be; anything else is a typing error."""


_NO_BREAK_SPACE = "\u00a0"
"""Between the two names of a title: no name holds one, for `parse_text` makes a plain space of it."""


def names_in(title: str) -> tuple[str, str]:
    """The Korean and the English name; both are the whole title where it does not say where one ends."""
    name_ko, apart, name_en = title.partition(_NO_BREAK_SPACE)
    return (name_ko, name_en) if apart else (title, title)


@dataclass(frozen=True)
class Presentation:
    """One product in one form. Ages in months, intervals in days, volume in millilitres."""

    key: str
    name_ko: str
    name_en: str
    manufacturer: str
    disease: Disease
    min_age_months: int = 0
    primary_doses: int = 1
    interval_days: int = 0
    """Least days between the doses of the primary series; there is no most."""
    booster_interval_days: int = 0
    """Least days after a series is over, in which season soever its last dose was given."""
    seasonal: bool = False
    """The series is given once a season (from 1 July), and its doses are counted anew in the next."""
    route: Route = Route.INTRAMUSCULAR
    volume_ml: float = 0.5
    observation_minutes: int = 15
    vaccine_code: str = ""
    """``vp`` of HCERT: SNOMED CT or ATC."""
    product_code: str = ""
    """``mp`` of HCERT: EU marketing authorisation number."""
    holder_code: str = ""
    """``ma`` of HCERT: marketing authorisation holder, an SPOR organisation id."""
    cvx: str = ""
    version: str = ""
    """Of the rule file it came from; every record keeps it."""
    source: str = ""
    effective_from: date | None = None

    def __str__(self) -> str:
        """As the English text of a refusal names it."""
        return self.name_en

    @property
    def title(self) -> str:
        """The product as people know it, in both languages; see `names_in`."""
        return f"{self.name_ko}{_NO_BREAK_SPACE}{self.name_en}"

    def old_enough_on(self, birth_date: date) -> date:
        """The first day on which somebody born then may receive it."""
        years, months = divmod(birth_date.month - 1 + self.min_age_months, 12)
        year, month = birth_date.year + years, months + 1
        # Somebody born on the 31st reaches an age in a 30-day month on the 1st after it.
        try:
            return date(year, month, birth_date.day)
        except ValueError:
            return date(year + month // 12, month % 12 + 1, 1)

    def check_age(self, birth_date: date, day: date) -> None:
        """Raises TooYoung when somebody born then may not receive it yet on this day."""
        if day < self.old_enough_on(birth_date):
            years, months = divmod(self.min_age_months, 12)
            raise TooYoung(vaccine=self, years=years, months=months)

    @property
    def series(self) -> str:
        """What doses of one series have in common: the disease; where that has no name here, the vaccine."""
        return self.key if self.disease is Disease.OTHER else self.disease

    def season_start(self, day: date) -> date:
        """The first day of the season this day lies in."""
        return date(day.year if day.month >= 7 else day.year - 1, 7, 1)

    def dose_number(self, given: list[date], day: date) -> int:
        """Which dose of its series one given on this day is; derived, never typed."""
        if self.seasonal:
            given = [earlier for earlier in given if earlier >= self.season_start(day)]
        return len(given) + 1

    def doses_in_series(self, number: int) -> int:
        """The total that is written beside a dose's number; a booster counts itself (3 of 3)."""
        return max(number, self.primary_doses)

    def place_in_series(self, given: list[date], day: date) -> tuple[int, int, date | None]:
        """The number of one given on this day after those, its total, and the first day for the next."""
        number = self.dose_number(given, day)
        total = self.doses_in_series(number)
        return number, total, day + timedelta(days=self.interval_days) if number < total else None

    @property
    def is_given_again(self) -> bool:
        """Whether another dose can follow, so that an interval is needed."""
        return self.disease in GIVEN_AGAIN or self.seasonal or self.primary_doses > 1

    def earliest_after(self, given: list[date], day: date) -> date | None:
        """The first day on which the next dose may be given after those; None before the first.

        A 28-day interval from the 1st is met on the 29th. After the series of a season: not before the next.
        """
        if not given:
            return None
        number = self.dose_number(given, day)
        within = 1 < number <= self.primary_doses
        interval = timedelta(days=self.interval_days if within else self.booster_interval_days)
        earliest = max(given) + interval
        if self.seasonal and number > self.primary_doses:
            this = self.season_start(day)
            return max(earliest, this.replace(year=this.year + 1))
        return earliest

    def check_interval(self, given: list[date], day: date) -> None:
        """Raises TooEarly when this day is before the first for the next dose after those."""
        earliest = self.earliest_after(given, day)
        if earliest and day < earliest:
            raise TooEarly(date=earliest)
