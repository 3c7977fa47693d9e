"""Who the visit is of: what is read back to the person, and what is known before the needle."""

from __future__ import annotations

from datetime import datetime

from domain.clinic import Clinic
from domain.codes import spoken
from domain.injection import InjectionStatus
from domain.visit import Visit
from kiosk.i18n import Texts
from kiosk.screens.desk.visits import History, answer_words, stage_of, state_words
from kiosk.screens.desk.words import age, day_of_birth, hour, name_words, sex
from kiosk.screens.products import product
from kiosk.widgets.facts import Fact


def person_facts(visit: Visit, history: History, clinic: Clinic, now: datetime) -> list[Fact]:
    """The person and the dose, for the top of the visit."""
    person, injection = visit.person, visit.injection
    today, slot = clinic.today(now), clinic.local(injection.slot)

    def birth(texts: Texts) -> str:
        born = person.birth_date
        parts = [day_of_birth(born, texts), age(born, today, texts), sex(person.sex, texts)]
        return ", ".join(part for part in parts if part)

    def dose(texts: Texts) -> str:
        if injection.dose is not None and injection.status is InjectionStatus.COMPLETED:
            number, total = injection.dose.dose_number, injection.dose.dose_total
            return texts("injection_desk.dose_of", number=number, total=total)
        if history.given is None:
            return texts("injection_desk.dose_unknown")
        number = visit.presentation.dose_number(list(history.given), today)
        expected = texts(
            "injection_desk.dose_expected", number=number, total=visit.presentation.doses_in_series(number)
        )
        if not history.given:
            return expected
        return f"{expected}, {texts('injection_desk.last_dose', date=history.given[-1])}"

    def booked(texts: Texts) -> str:
        return f"{texts.day(slot.date())} {hour(slot)}, {spoken(injection.booking)}"

    def state(texts: Texts) -> str:
        words = state_words(injection, stage_of(injection, clinic, now), texts, now)
        screening = injection.screened(clinic, now)
        if screening is None:
            return words
        return f"{words}, {texts('injection_desk.screening')}: {answer_words(screening, texts)}"

    return [
        Fact("injection_desk.name", name_words(person), "strong"),
        Fact("injection_desk.birth_date", birth, "strong"),
        Fact("injection_desk.vaccine", lambda t: product(visit.presentation, t), "strong"),
        Fact("injection_desk.dose", dose),
        Fact("injection_desk.booking", booked),
        Fact("injection_desk.state", state),
    ]
