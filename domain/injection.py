"""Injections: the record of one visit, and what all of a person's records together say before the needle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from domain.clinic import Clinic
from domain.errors import NotCompleted
from domain.presentation import Presentation, Route, Site


class InjectionStatus(StrEnum):
    EXPECTED = "expected"
    CHECKED_IN = "checked-in"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"


LIVE_VISIT = (InjectionStatus.EXPECTED, InjectionStatus.CHECKED_IN, InjectionStatus.COMPLETED)
"""Of a booking one at most."""


class Concern(StrEnum):
    """What the screening asks for; each is a reason not to vaccinate today."""

    SEVERE_ALLERGY = "severe-allergy"
    """To the vaccine or a component: a reason not to give it at all."""
    ACUTE_ILLNESS = "acute-illness"
    FEVER = "fever"
    """37.5 °C or more."""
    MYOCARDITIS = "myocarditis"
    """Within three weeks after an earlier dose."""


class Severity(StrEnum):
    """Of an adverse event (FHIR AdverseEvent severity)."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class Screening:
    """The answers of the day; valid on the clinic's same day only."""

    at: datetime
    concerns: tuple[Concern, ...]
    past_allergic_reaction: bool
    by: str
    reason: str = ""
    """Why it is milder than what was found before."""

    @property
    def is_contraindicated(self) -> bool:
        """Whether it speaks against this vaccine altogether, not against today only."""
        return Concern.SEVERE_ALLERGY in self.concerns

    def overrules(self, found: Screening) -> bool:
        """Whether it is somebody else's, later, and says why."""
        return self.reason != "" and self.by != found.by and self.at >= found.at

    def may_follow(self, found: Screening) -> bool:
        """Whether it names all that was found, or overrules it."""
        return self.overrules(found) or set(found.concerns) <= set(self.concerns)


@dataclass(frozen=True, slots=True)
class Dose:
    """What was given: the product's facts, lot and expiry as they were at the needle."""

    presentation: Presentation
    lot: str
    expires_on: date
    dose_number: int
    dose_total: int
    given_at: datetime
    given_on: date
    site: Site
    route: Route
    volume_ml: float
    vaccinator: str
    observe_until: datetime
    next_due_on: date | None

    def counted_after(self, given: list[date]) -> Dose:
        """This dose as the one that follows those of its series, given on these days."""
        number, total, due = self.presentation.place_in_series(given, self.given_on)
        return replace(self, dose_number=number, dose_total=total, next_due_on=due)


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """What the recipient suffered after the dose, as told at the desk."""

    at: datetime
    severity: Severity
    description: str
    by: str

    @property
    def as_found(self) -> Screening:
        """What it says to the screening before the next dose."""
        return Screening(self.at, (Concern.SEVERE_ALLERGY,), past_allergic_reaction=True, by=self.by)


@dataclass(frozen=True, slots=True)
class Injection:
    """One visit. ``version`` counts the corrections, so that a certificate knows what it states."""

    code: str
    booking: str
    recipient: str
    vaccine: str
    slot: datetime
    status: InjectionStatus = InjectionStatus.EXPECTED
    checked_in_at: datetime | None = None
    screening: Screening | None = None
    dose: Dose | None = None
    observation_finished_at: datetime | None = None
    adverse_events: tuple[AdverseEvent, ...] = ()
    version: int = 1
    screenings: tuple[Screening, ...] = ()
    """Every one, oldest first. The version before leaves them alone, and puts its own into ``screening``."""

    @property
    def every_screening(self) -> tuple[Screening, ...]:
        """Oldest first, whichever version wrote the last."""
        kept, last = self.screenings, self.screening
        if last is None or (kept and replace(kept[-1], reason="") == replace(last, reason="")):
            return kept
        return (*kept, last)

    def checked_in(self, clinic: Clinic, now: datetime) -> bool:
        """Whether name and birth date were read back on this day."""
        return self.checked_in_at is not None and clinic.today(self.checked_in_at) == clinic.today(now)

    def screened(self, clinic: Clinic, now: datetime) -> Screening | None:
        """The last answers of this day."""
        last = next(reversed(self.every_screening), None)
        return last if last and clinic.today(last.at) == clinic.today(now) else None

    @property
    def given(self) -> Dose:
        """The dose that was given; raises NotCompleted when none was, or the record was voided."""
        if self.dose is None or self.status is not InjectionStatus.COMPLETED:
            raise NotCompleted
        return self.dose


def found_by(screenings: Iterable[Screening]) -> dict[Concern, Screening]:
    """Each concern that stands, as it was found first: who only named it too may overrule it."""
    standing: dict[Concern, Screening] = {}
    for screening in sorted(screenings, key=lambda screening: screening.at):
        for concern in Concern:
            if concern in screening.concerns:
                standing.setdefault(concern, replace(screening, concerns=(concern,)))
            elif concern in standing and screening.overrules(standing[concern]):
                del standing[concern]
    return standing


@dataclass(frozen=True, slots=True)
class Known:
    """What this clinic knows of a person before the needle, out of all their visits."""

    standing: tuple[Screening, ...]
    """A concern each: of today, or against this series altogether. A milder screening overrules them."""
    severe: tuple[AdverseEvent, ...]
    """After doses of the series; so it has to overrule these."""
    told: tuple[Screening, ...]
    """The last of each other visit and day: of today, of a severe allergy, or of an earlier reaction."""
    events: tuple[AdverseEvent, ...]
    """After any dose. Nobody can tell from its text which of them was a reaction at once."""
    is_allergic: bool
    """Whether a severe allergy stands, against whatever was to be given."""

    @classmethod
    def of(
        cls,
        injection: Injection,
        visits: Iterable[Injection],
        series: Mapping[str, str],
        clinic: Clinic,
        now: datetime,
    ) -> Known:
        """As of now, for this visit, which may be one of these; ``series`` is that of each vaccine."""
        by_code = {visit.code: visit for visit in (*visits, injection)}
        others = [visit for visit in by_code.values() if visit.code != injection.code]
        today, own = clinic.today(now), injection.screened(clinic, now)

        def is_of_today(screening: Screening) -> bool:
            return clinic.today(screening.at) == today

        of_today, of_series = list[Screening](), defaultdict[str, list[Screening]](list)
        for visit in by_code.values():
            of_today += filter(is_of_today, visit.every_screening)
            of_series[series[visit.vaccine]] += visit.every_screening
        allergies = {
            name: found[Concern.SEVERE_ALLERGY]
            for name, screenings in of_series.items()
            if Concern.SEVERE_ALLERGY in (found := found_by(screenings))
        }
        this, passing = series[injection.vaccine], found_by(of_today)
        passing.pop(Concern.SEVERE_ALLERGY, None)
        never = [found for name, found in allergies.items() if name == this or is_of_today(found)]
        last = (screening for visit in by_code.values() for screening in visit.every_screening[-1:])
        given = [visit for visit in others if visit.dose and visit.dose.presentation.series == this]
        return cls(
            standing=(*never, *passing.values()),
            severe=tuple(e for v in given for e in v.adverse_events if e.severity is Severity.SEVERE),
            told=tuple(
                s
                for s in last
                if s is not own
                if s.past_allergic_reaction or s.is_contraindicated or (s.concerns and is_of_today(s))
            ),
            events=tuple(event for visit in others for event in visit.adverse_events),
            is_allergic=bool(allergies),
        )

    @property
    def findings(self) -> tuple[Screening, ...]:
        """What the next screening has to name, unless it overrules it."""
        return (*self.standing, *(event.as_found for event in self.severe))

    @property
    def expected(self) -> frozenset[Concern]:
        """What it will name unless somebody says otherwise: an allergy does not pass in a day."""
        found = frozenset(concern for finding in self.findings for concern in finding.concerns)
        return found | {Concern.SEVERE_ALLERGY} if self.is_allergic else found

    @property
    def told_of_reaction(self) -> bool:
        """Whether the person told of an allergic reaction right after a dose."""
        return any(screening.past_allergic_reaction for screening in self.told)

    @property
    def may_have_reacted(self) -> bool:
        """Whether they told of one, or may have had one here."""
        return self.told_of_reaction or bool(self.events)
