"""Ages, intervals and dose numbers, at the very day on which they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.presentation import Presentation

from .small_clinic import FLU, FLU_TWICE, ONE_DOSE, TWO_DOSES

DAYS = st.dates(date(1900, 1, 1), date(2090, 12, 31))


def from_months(months: int) -> Presentation:
    return replace(ONE_DOSE, min_age_months=months)


@pytest.mark.parametrize(
    ("born", "months", "first_day"),
    [
        (date(2008, 3, 2), 216, date(2026, 3, 2)),
        (date(2008, 3, 3), 216, date(2026, 3, 3)),
        (date(2025, 8, 31), 6, date(2026, 3, 1)),
        (date(2025, 12, 31), 2, date(2026, 3, 1)),
        (date(2024, 2, 29), 12, date(2025, 3, 1)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2024, 1, 31), 1, date(2024, 3, 1)),
        (date(2024, 3, 31), 1, date(2024, 5, 1)),
        (date(2025, 11, 30), 3, date(2026, 3, 1)),
        (date(2025, 6, 15), 6, date(2025, 12, 15)),
        (date(2025, 7, 15), 6, date(2026, 1, 15)),
        (date(2025, 7, 15), 0, date(2025, 7, 15)),
    ],
)
def test_the_first_day_on_which_somebody_is_old_enough(born: date, months: int, first_day: date) -> None:
    assert from_months(months).old_enough_on(born) == first_day


@given(DAYS, st.integers(0, 240))
def test_nobody_is_old_enough_before_that_many_months_have_passed(born: date, months: int) -> None:
    day = from_months(months).old_enough_on(born)
    passed = (day.year - born.year) * 12 + day.month - born.month
    assert passed == months + (day.day < born.day)
    assert day.day in (born.day, 1)


@given(DAYS, DAYS, st.integers(0, 240))
def test_who_was_born_earlier_is_never_old_enough_later(one: date, other: date, months: int) -> None:
    rule = from_months(months)
    older, younger = sorted((one, other))
    assert rule.old_enough_on(older) <= rule.old_enough_on(younger)


def test_the_first_dose_has_no_interval() -> None:
    assert TWO_DOSES.earliest_after([], date(2026, 3, 1)) is None
    assert TWO_DOSES.dose_number([], date(2026, 3, 1)) == 1


@pytest.mark.parametrize(
    ("first_dose", "second_dose"),
    [
        (date(2026, 3, 1), date(2026, 3, 29)),
        (date(2026, 2, 1), date(2026, 3, 1)),
        (date(2024, 2, 1), date(2024, 2, 29)),
        (date(2025, 12, 20), date(2026, 1, 17)),
    ],
)
def test_a_28_day_interval_from_the_1st_is_met_on_the_29th(first_dose: date, second_dose: date) -> None:
    assert TWO_DOSES.earliest_after([first_dose], first_dose) == second_dose


def test_a_late_second_dose_does_not_begin_a_new_series() -> None:
    years_later = date(2030, 1, 1)
    assert TWO_DOSES.dose_number([date(2021, 6, 1)], years_later) == 2


@pytest.mark.parametrize("given_on", [*permutations([date(2025, 1, 1), date(2025, 6, 1), date(2026, 3, 1)])])
def test_the_interval_counts_from_the_last_dose_in_whatever_order_they_are_told(given_on: list[date]) -> None:
    assert TWO_DOSES.earliest_after(given_on, date(2026, 4, 1)) == date(2026, 3, 1) + timedelta(days=90)


def test_after_the_primary_series_the_booster_interval_holds() -> None:
    after_one = ONE_DOSE.earliest_after([date(2026, 1, 1)], date(2026, 2, 1))
    assert after_one == date(2026, 4, 1)


@pytest.mark.parametrize(("number", "total"), [(1, 2), (2, 2), (3, 3), (7, 7)])
def test_a_booster_is_written_n_of_n(number: int, total: int) -> None:
    assert TWO_DOSES.doses_in_series(number) == total


def test_a_season_begins_on_the_first_of_july() -> None:
    assert FLU.season_start(date(2026, 6, 30)) == date(2025, 7, 1)
    assert FLU.season_start(date(2026, 7, 1)) == date(2026, 7, 1)
    assert FLU.season_start(date(2026, 1, 1)) == date(2025, 7, 1)


def test_seasonal_doses_are_counted_anew_every_season() -> None:
    last_season = [date(2025, 6, 30)]
    assert FLU.dose_number(last_season, date(2025, 7, 1)) == 1
    assert FLU.dose_number([date(2025, 7, 1)], date(2026, 6, 30)) == 2
    assert FLU.dose_number([date(2025, 7, 1)], date(2026, 7, 1)) == 1


def test_a_second_dose_of_a_season_keeps_its_interval_where_the_rules_know_one() -> None:
    assert FLU_TWICE.earliest_after([date(2025, 10, 1)], date(2025, 10, 20)) == date(2025, 10, 29)


@pytest.mark.parametrize(
    ("product", "given", "earliest"),
    [
        (FLU, [date(2025, 10, 1)], date(2026, 7, 1)),
        (FLU, [date(2025, 7, 1)], date(2026, 7, 1)),
        (FLU, [date(2026, 6, 20)], date(2026, 7, 18)),
        (FLU_TWICE, [date(2025, 10, 1), date(2025, 11, 1)], date(2026, 7, 1)),
    ],
)
def test_the_series_of_a_season_is_given_once(
    product: Presentation, given: list[date], earliest: date
) -> None:
    assert product.earliest_after(given, date(2026, 6, 30)) == earliest


@pytest.mark.parametrize(
    ("last", "earliest"),
    [(date(2026, 6, 30), date(2026, 7, 28)), (date(2025, 10, 1), date(2025, 10, 29))],
)
def test_the_first_dose_of_a_season_keeps_its_distance_from_the_last_of_the_season_before(
    last: date, earliest: date
) -> None:
    assert FLU.earliest_after([last], date(2026, 7, 1)) == earliest


def test_a_product_is_shown_in_both_languages() -> None:
    assert TWO_DOSES.title == "두 번 백신\u00a0Twice"
