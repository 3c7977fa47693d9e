"""How a booking's choices and answers are said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from domain.presentation import Presentation
from domain.vaccine import VaccineLevel
from kiosk.i18n import Texts, Words
from kiosk.screens.products import product
from kiosk.widgets.choice_list import Choice

CONFIRM = "confirm"


def product_words(presentation: Presentation) -> Words:
    """The product in the language of the moment."""
    return lambda t: product(presentation, t)


def left_words(level: VaccineLevel) -> Words:
    """How many doses can still be booked, or that there is a wait list."""
    left = level.vaccine.available
    if left > 0:
        return lambda t: t("booking.vaccine.left", doses=left)
    return "booking.vaccine.sold_out"


def day_words(day: date) -> Words:
    """A day of the next weeks."""
    return lambda t: t.short_day(day)


def hour_words(hour: datetime) -> Words:
    """An hour of the day: ``오전 9시`` or ``9 am``."""

    def said(t: Texts) -> str:
        half = t("words.halves").split()[hour.hour >= 12]
        return t("booking.hour.name", half=half, hour=(hour.hour - 1) % 12 + 1)

    return said


def clock_words(moment: datetime) -> Words:
    """A time of day."""
    return lambda t: t.clock(moment)


def room_words(people: int) -> Words:
    """How many people can still come then."""
    return lambda t: t("booking.room", people=people) if people > 0 else ""


def lines_to_review(
    answers: Mapping[str, object],
    product: Words,
    local: Callable[[datetime], datetime],
    *,
    waiting: bool,
) -> list[Choice]:
    """Every answer as a line that can be chosen to change it; the first line confirms them all."""
    slot, birth_date = answers["slot"], answers["birth_date"]
    assert isinstance(slot, datetime)
    assert isinstance(birth_date, date)
    passport = f"{answers['passport_surname']} {answers['passport_given']}".strip()

    def when(t: Texts) -> str:
        return f"{t.short_day(local(slot).date())} {t.clock(local(slot))}"

    return [
        Choice(CONFIRM, "booking.review.join" if waiting else "booking.review.confirm"),
        Choice("vaccine", "booking.review.vaccine", product),
        Choice("day", "booking.review.when", when),
        Choice("name", "booking.review.name", str(answers["name"])),
        Choice("birth_date", "booking.review.birth_date", lambda t: t.day(birth_date)),
        Choice("phone", "booking.review.phone", phone_words(str(answers["phone"]))),
        Choice("passport_surname", "booking.review.passport", passport),
        Choice("sex", "booking.review.sex", f"sex.{answers['sex']}"),
    ]


def phone_words(phone: str) -> str:
    """A phone number in the groups in which people say it; a foreign one stays as it is."""
    if not phone.startswith("+82"):
        return phone
    digits = "0" + phone[3:]
    area = 2 if digits.startswith("02") else 3
    return f"{digits[:area]}-{digits[area:-4]}-{digits[-4:]}"
