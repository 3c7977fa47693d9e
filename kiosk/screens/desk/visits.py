"""What the desk says of a visit: where it stands, what comes first, and what speaks against the needle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from domain.booking import BookingStatus
from domain.clinic import Clinic
from domain.errors import ClinicError, LotExpired, TooEarly, TooYoung
from domain.injection import Injection, InjectionStatus, Known, Screening
from domain.visit import Visit
from kiosk.i18n import Texts
from kiosk.screens.desk.words import figures, hour, moment_or_day
from kiosk.screens.products import product
from kiosk.widgets.desk_table import Column, Row, Toned

FIND_LIMIT = 200
TODAY = (
    Column("injection_desk.time", 5),
    Column("injection_desk.name", 13),
    Column("injection_desk.birth_date", 10),
    Column("injection_desk.vaccine"),
    Column("injection_desk.state", 18),
)
FOUND = (Column("injection_desk.day", 11), *TODAY[1:])
NARROW = 74
"""Terminals of fewer columns do without the vaccine, which the visit names; the state is never cut."""


def columns(found: bool, narrow: bool) -> tuple[Column, ...]:
    """Of the list of today, or of those who were found on any day."""
    when, name, birth_date, vaccine, state = FOUND if found else TODAY
    return (
        (when, Column(name.title), birth_date, state) if narrow else (when, name, birth_date, vaccine, state)
    )


class Stage(IntEnum):
    """Where a visit stands; the desk lists them in this order."""

    TO_SCREEN = 0
    TO_VACCINATE = 1
    DEFERRED = 2
    OBSERVED = 3
    OBSERVING = 4
    EXPECTED = 5
    FINISHED = 6
    VOIDED = 7
    WITHDRAWN = 8


_OF_STATUS = {
    InjectionStatus.EXPECTED: Stage.EXPECTED,
    InjectionStatus.WITHDRAWN: Stage.WITHDRAWN,
    InjectionStatus.VOIDED: Stage.VOIDED,
}
_TONES = {
    Stage.TO_SCREEN: "good",
    Stage.TO_VACCINATE: "good",
    Stage.DEFERRED: "alarm",
    Stage.OBSERVED: "alarm",
    Stage.FINISHED: "faint",
    Stage.VOIDED: "faint",
    Stage.WITHDRAWN: "faint",
}


def stage_of(injection: Injection, clinic: Clinic, now: datetime) -> Stage:
    """Where it stands at this moment; check-in and screening are valid on their own day only."""
    if injection.status in _OF_STATUS:
        return _OF_STATUS[injection.status]
    if injection.status is InjectionStatus.COMPLETED:
        if injection.observation_finished_at is not None or injection.dose is None:
            return Stage.FINISHED
        return Stage.OBSERVING if now < injection.dose.observe_until else Stage.OBSERVED
    if not injection.checked_in(clinic, now):
        return Stage.EXPECTED
    screening = injection.screened(clinic, now)
    if screening is None:
        return Stage.TO_SCREEN
    return Stage.DEFERRED if screening.concerns else Stage.TO_VACCINATE


def minutes_left(injection: Injection, now: datetime) -> int:
    """Minutes of observation that are left, begun ones counted whole."""
    if injection.dose is None:
        return 0
    return max(0, -int((now - injection.dose.observe_until).total_seconds() // 60))


def state_words(injection: Injection, stage: Stage, texts: Texts, now: datetime) -> str:
    """The stage in words, with the minutes that are left."""
    screening = injection.screening
    never = stage is Stage.DEFERRED and screening is not None and screening.is_contraindicated
    key = f"injection_desk.stage.{'contraindicated' if never else stage.name.lower()}"
    return texts(key, minutes=minutes_left(injection, now))


def in_order(visits: Sequence[Visit], clinic: Clinic, now: datetime) -> list[Visit]:
    """Those checked in first, then those under observation, then whoever is expected next."""

    def place(visit: Visit) -> tuple[int, datetime]:
        injection = visit.injection
        stage = stage_of(injection, clinic, now)
        if stage in (Stage.OBSERVED, Stage.OBSERVING) and injection.dose:
            return stage, injection.dose.observe_until
        if stage in (Stage.TO_SCREEN, Stage.TO_VACCINATE, Stage.DEFERRED):
            return Stage.TO_SCREEN, injection.checked_in_at or injection.slot
        return stage, injection.slot

    return sorted(visits, key=place)


def visit_row(
    visit: Visit, clinic: Clinic, now: datetime, texts: Texts, *, with_day: bool, narrow: bool
) -> Row:
    """One line of the desk's list."""
    injection = visit.injection
    stage = stage_of(injection, clinic, now)
    slot = clinic.local(injection.slot)
    words = state_words(injection, stage, texts, now)
    when = moment_or_day(slot, clinic.today(now)) if with_day else hour(slot)
    state = Toned(words, _TONES[stage]) if stage in _TONES else words
    vaccine = () if narrow else (product(visit.presentation, texts),)
    cells = (when, visit.person.name, figures(visit.person.birth_date), *vaccine, state)
    return Row(injection.code, cells)


@dataclass(frozen=True)
class History:
    """The days on which the person was given doses of this series here; None until it is known.

    ``known``: what else speaks for care, out of all their visits.
    """

    given: tuple[date, ...] | None = None
    known: Known | None = None

    @classmethod
    def of(cls, visit: Visit, visits: Sequence[Visit], clinic: Clinic, now: datetime) -> History:
        """Out of all visits of the person."""
        every, this = [visit, *visits], visit.presentation.series
        injections = [other.injection for other in visits]
        doses = [one.given for one in injections if one.status is InjectionStatus.COMPLETED]
        series = {other.injection.vaccine: other.presentation.series for other in every}
        return cls(
            tuple(sorted(dose.given_on for dose in doses if dose.presentation.series == this)),
            Known.of(visit.injection, injections, series, clinic, now),
        )


def warnings(visit: Visit, history: History, clinic: Clinic, now: datetime, texts: Texts) -> list[str]:
    """What the clinic would refuse at the needle, said before it: which rule, by how much, until when."""
    today, product_facts = clinic.today(now), visit.presentation
    said = []
    slot_day = clinic.local(visit.injection.slot).date()
    if slot_day != today:
        said.append(texts("injection_desk.warn.other_day", date=slot_day))
    if visit.booking_status is not BookingStatus.RESERVED:
        said.append(texts("injection_desk.warn.no_dose", status=visit.booking_status))
    old_enough = product_facts.old_enough_on(visit.person.birth_date)
    if today < old_enough:
        said.append(texts("injection_desk.warn.too_young", date=old_enough, days=(old_enough - today).days))
    given = list(history.given or ())
    if today in given:
        said.append(texts("injection_desk.warn.dose_today"))
    earliest = product_facts.earliest_after(given, today)
    if earliest and today < earliest and today not in given:
        said.append(texts("injection_desk.warn.too_early", date=earliest, days=(earliest - today).days))
    return said + (_known_words(history.known, clinic, texts) if history.known else [])


def _known_words(known: Known, clinic: Clinic, texts: Texts) -> list[str]:
    """What the person's other visits and days say, so that nobody has to remember it."""
    said = []
    for event in known.events:
        severity = texts(f"injection_desk.severity.{event.severity.value}")
        facts = {"date": clinic.today(event.at), "severity": severity, "description": event.description}
        said.append(texts("injection_desk.warn.event", **facts))
    return said + [_found_words(screening, clinic, texts) for screening in known.told]


def _found_words(screening: Screening, clinic: Clinic, texts: Texts) -> str:
    return texts(
        "injection_desk.warn.found", date=clinic.today(screening.at), found=answer_words(screening, texts)
    )


def answer_words(screening: Screening, texts: Texts) -> str:
    """What was answered by yes, in short."""
    found = [texts.word(concern.value) for concern in screening.concerns]
    if screening.past_allergic_reaction:
        found.append(texts("injection_desk.past_allergy_short"))
    return ", ".join(found) or texts("injection_desk.no_concern")


def explained(error: ClinicError, visit: Visit, clinic: Clinic, now: datetime, texts: Texts) -> str:
    """A refusal at the needle: which rule, and by how much and until when it is broken."""
    today = clinic.today(now)
    words = [texts.error(error)]
    day = error.facts.get("date")
    if isinstance(error, TooEarly) and isinstance(day, date):
        words.append(texts("injection_desk.by.days_left", days=(day - today).days))
    elif isinstance(error, LotExpired) and isinstance(day, date):
        words.append(texts("injection_desk.by.days_over", days=(today - day).days))
    elif isinstance(error, TooYoung):
        old_enough = visit.presentation.old_enough_on(visit.person.birth_date)
        words.append(texts("injection_desk.by.until", date=old_enough, days=(old_enough - today).days))
    return "\n".join(words)
