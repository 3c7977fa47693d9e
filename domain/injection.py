"""Injections: the record of one visit, and what all of a person's records together say before the needle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from domain.clinic import Clinic
from domain.errors import (
    NotCompleted,
)
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

    def may_follow(self, found: Screening) -> bool:
        """Whether it names all that was found, or somebody else overrules that for a reason."""
        overruled = self.reason != "" and self.by != found.by and self.at >= found.at
        return overruled or set(found.concerns) <= set(self.concerns)


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


@dataclass(frozen=True, slots=True)
class Known:
    """What this clinic knows of a person before the needle, out of all their visits."""

    standing: tuple[Screening, ...]
    """Of today, with a concern each; a milder one has to overrule them."""
    never: tuple[Screening, ...]
    """The same, of other days: against this vaccine altogether. The first of today has to answer it."""
    severe: tuple[AdverseEvent, ...]
    """After doses of the series; so it has to overrule these."""
    told: tuple[Screening, ...]
    """Of other visits or days, of a severe allergy or an earlier reaction."""
    events: tuple[AdverseEvent, ...]
    """After any dose. Nobody can tell from its text which of them was a reaction at once."""

    @classmethod
    def of(
        cls, injection: Injection, series: str, visits: Iterable[Injection], clinic: Clinic, now: datetime
    ) -> Known:
        """As of now, for this visit, which may be one of these; its dose would be one of this series."""
        others = [visit for visit in visits if visit.code != injection.code]
        own = injection.screened(clinic, now)
        last = [(visit, s) for visit in (injection, *others) for s in visit.every_screening[-1:]]
        today = [screening for visit, screening in last if visit.screened(clinic, now)]
        given = [visit for visit in others if visit.dose and visit.dose.presentation.series == series]
        return cls(
            # What was found before the visit's own screening has been answered by it.
            standing=tuple(s for s in today if s.concerns and (own is None or s.at >= own.at)),
            never=tuple(
                replace(screening, concerns=(Concern.SEVERE_ALLERGY,))
                for visit, screening in last
                if own is None and visit.vaccine == injection.vaccine
                if screening.is_contraindicated and screening not in today
            ),
            severe=tuple(e for v in given for e in v.adverse_events if e.severity is Severity.SEVERE),
            told=tuple(
                s for _, s in last if s is not own and (s.past_allergic_reaction or s.is_contraindicated)
            ),
            events=tuple(event for visit in others for event in visit.adverse_events),
        )

    @property
    def findings(self) -> tuple[Screening, ...]:
        """What the next screening has to name, unless it overrules it."""
        return (*self.standing, *self.never, *(event.as_found for event in self.severe))

    @property
    def expected(self) -> frozenset[Concern]:
        """What it will name unless somebody says otherwise: an allergy does not pass in a day."""
        found = frozenset(concern for finding in self.findings for concern in finding.concerns)
        allergic = any(screening.is_contraindicated for screening in self.told)
        return found | {Concern.SEVERE_ALLERGY} if allergic else found

    @property
    def told_of_reaction(self) -> bool:
        """Whether the person told of an allergic reaction right after a dose."""
        return any(screening.past_allergic_reaction for screening in self.told)

    @property
    def may_have_reacted(self) -> bool:
        """Whether they told of one, or may have had one here."""
        return self.told_of_reaction or bool(self.events)
