"""Words that several desks share: an age, times and dates in columns."""

from __future__ import annotations

from datetime import date, datetime

from domain.recipient import PersonDetails, Sex
from kiosk.i18n import Texts


def age(birth_date: date, today: date, texts: Texts) -> str:
    """The age in full years; in months below two years."""
    months = 12 * (today.year - birth_date.year) + today.month - birth_date.month
    months -= today.day < birth_date.day
    return texts("desk.age_months", months=months) if months < 24 else texts("desk.age", years=months // 12)


def age_of_use(months: int, texts: Texts) -> str:
    """From which age a product is given."""
    years, rest = divmod(months, 12)
    if not months:
        return texts("desk.from_birth")
    if not rest:
        return texts("desk.from_years", years=years)
    if not years:
        return texts("desk.from_months", months=months)
    return texts("desk.from_both", years=years, months=rest)


def day_of_birth(day: date, texts: Texts) -> str:
    """A birth date as it is read aloud: nobody knows its weekday."""
    if texts.language == "ko":
        return f"{day.year}년 {day.month}월 {day.day}일"
    return f"{day.day} {texts.month(day)} {day.year}"


def name_words(person: PersonDetails) -> str:
    """A name, with the passport's spelling of it."""
    return f"{person.name} ({f'{person.passport_surname} {person.passport_given}'.strip()})"


def hour(local: datetime) -> str:
    """A time of day that keeps its column: ``09:05``."""
    return f"{local:%H:%M}"


def figures(day: date) -> str:
    """A date that keeps its column: ``2026-11-22``."""
    return day.isoformat()


def moment(local: datetime) -> str:
    """Date and time that keep their column: ``11-22 09:05``."""
    return f"{local:%m-%d %H:%M}"


def moment_or_day(local: datetime, today: date) -> str:
    """The same in a list that goes back for years: of another year than this one the date with its year."""
    return moment(local) if local.year == today.year else figures(local.date())


def sex(value: Sex, texts: Texts) -> str:
    """The sex in a word; nothing when it was not told."""
    return "" if value is Sex.UNKNOWN else texts.word(value.value)
