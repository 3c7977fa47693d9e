"""The clinic's days, slots and horizon, in the clinic's own time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from domain.clinic import Clinic, Opening, Schedule

from .memory import local

CLINIC = Clinic()
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)


def with_schedule(**changed: object) -> Clinic:
    return replace(CLINIC, schedule=replace(Schedule(), **changed))  # type: ignore[arg-type]


def test_the_day_changes_at_midnight_in_seoul_not_in_greenwich() -> None:
    assert CLINIC.today(datetime(2026, 3, 1, 14, 59, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert CLINIC.today(datetime(2026, 3, 1, 15, 0, tzinfo=UTC)) == date(2026, 3, 2)


def test_a_day_at_the_clinic_begins_at_its_own_midnight() -> None:
    assert CLINIC.start_of(MONDAY) == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
    assert CLINIC.today(CLINIC.start_of(MONDAY)) == MONDAY


def test_new_year_is_a_day_of_its_own_year() -> None:
    assert CLINIC.today(datetime(2024, 12, 30, 3, 0, tzinfo=UTC)).isoformat() == "2024-12-30"
    assert CLINIC.today(datetime(2025, 12, 31, 15, 0, tzinfo=UTC)).isoformat() == "2026-01-01"


def test_the_slots_of_a_day_fill_the_openings_and_leave_out_lunch() -> None:
    slots = CLINIC.slots_on(MONDAY)
    assert slots[0] == local("2026-03-02 09:00")
    assert slots[-1] == local("2026-03-02 16:45")
    assert len(slots) == 3 * 4 + 4 * 4
    assert local("2026-03-02 11:45") in slots
    assert not any(local("2026-03-02 12:00") <= slot < local("2026-03-02 13:00") for slot in slots)


def test_a_slot_that_would_end_after_closing_time_is_not_offered() -> None:
    clinic = with_schedule(openings=(Opening(time(9), time(9, 50)),), slot_minutes=20)
    assert clinic.slots_on(MONDAY) == [local("2026-03-02 09:00"), local("2026-03-02 09:20")]


def test_the_clinic_is_closed_on_sundays_and_on_the_days_it_names() -> None:
    assert CLINIC.slots_on(SUNDAY) == []
    clinic = with_schedule(closed_on=frozenset({MONDAY}))
    assert clinic.slots_on(MONDAY) == []
    assert not clinic.is_slot(local("2026-03-02 09:00"))


def test_only_the_beginning_of_a_slot_is_a_slot() -> None:
    assert CLINIC.is_slot(local("2026-03-02 09:15"))
    assert not CLINIC.is_slot(local("2026-03-02 09:16"))
    assert not CLINIC.is_slot(local("2026-03-02 08:45"))
    assert not CLINIC.is_slot(local("2026-03-02 17:00"))


def test_what_is_offered_as_a_slot_is_what_is_taken_as_one() -> None:
    hours = (Opening(time(8, 50), time(12, 5)), Opening(time(13), time(17)))
    odd = with_schedule(openings=hours, slot_minutes=20)
    for clinic in (CLINIC, odd):
        for day in (MONDAY, SUNDAY):
            minutes = [clinic.start_of(day) + timedelta(minutes=n) for n in range(24 * 60)]
            assert [minute for minute in minutes if clinic.is_slot(minute)] == clinic.slots_on(day)
    assert not CLINIC.is_slot(local("2026-03-02 09:00:01"))
    assert not CLINIC.is_slot(local("2026-03-02 09:00") + timedelta(microseconds=1))


def test_a_slot_is_over_when_the_next_begins() -> None:
    assert CLINIC.slot_end(local("2026-03-02 09:00")) == local("2026-03-02 09:15")


def test_the_bookable_days_run_from_today_through_the_horizon_without_sundays() -> None:
    days = CLINIC.bookable_days(local("2026-03-02 23:59"))
    assert days[0] == MONDAY
    assert days[-1] == date(2026, 3, 30)
    assert SUNDAY not in days
    assert len(days) == 25


def test_the_horizon_moves_at_midnight_in_seoul() -> None:
    clinic = with_schedule(horizon_days=1)
    assert clinic.bookable_days(local("2026-03-02 23:59")) == [MONDAY, date(2026, 3, 3)]
    assert clinic.bookable_days(local("2026-03-03 00:00")) == [date(2026, 3, 3), date(2026, 3, 4)]
    assert clinic.last_day(local("2026-03-02 23:59")) == date(2026, 3, 3)


def test_the_slots_from_now_on_cross_into_the_next_open_day() -> None:
    saturday_afternoon = local("2026-03-07 16:31")
    slots = list(CLINIC.slots_from(saturday_afternoon, days=3))
    assert slots[:2] == [local("2026-03-07 16:45"), local("2026-03-09 09:00")]


def test_a_clinic_elsewhere_keeps_its_wall_clock_when_the_clocks_change() -> None:
    berlin = replace(
        CLINIC, time_zone="Europe/Berlin", schedule=replace(Schedule(), weekdays=frozenset(range(7)))
    )
    winter, summer = berlin.slots_on(date(2026, 3, 28))[0], berlin.slots_on(date(2026, 3, 29))[0]
    assert (winter.hour, summer.hour) == (8, 7)
    assert berlin.local(winter).hour == berlin.local(summer).hour == 9
    assert summer - winter == timedelta(hours=23)
