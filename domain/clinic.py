"""The clinic itself: its name, its country and time zone, and the hours it is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Opening:
    """One stretch of an open day, local time; the last slot ends by ``until``."""

    since: time
    until: time


@dataclass(frozen=True)
class Schedule:
    """When people can come: slots of ``slot_minutes`` with room for ``capacity`` people each."""

    openings: tuple[Opening, ...] = (Opening(time(9), time(12)), Opening(time(13), time(17)))
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4, 5})
    """Open weekdays, Monday is 0."""
    closed_on: frozenset[date] = frozenset()
    slot_minutes: int = 15
    capacity: int = 12
    """People a slot: one vaccinator takes about one a minute."""
    horizon_days: int = 28
    """How many days ahead the public may book."""

    def is_open(self, day: date) -> bool:
        """Whether the clinic takes anybody on this day."""
        return day.weekday() in self.weekdays and day not in self.closed_on


@dataclass(frozen=True)
class Clinic:
    """What is printed as the issuer, and how this clinic counts days."""

    name_ko: str = "우리동네 예방접종센터"
    name_en: str = "Neighbourhood Vaccination Clinic"
    code: str = "CLINIC1"
    """Stands in every certificate's UVCI; capitals and digits."""
    country: str = "KR"
    time_zone: str = "Asia/Seoul"
    phone: str = ""
    schedule: Schedule = field(default_factory=Schedule)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this clinic's days begin."""
        return ZoneInfo(self.time_zone)

    def today(self, now: datetime) -> date:
        """The calendar day at the clinic at this instant."""
        return now.astimezone(self.zone).date()

    def local(self, instant: datetime) -> datetime:
        """This instant on the clinic's wall clock."""
        return instant.astimezone(self.zone)

    def start_of(self, day: date) -> datetime:
        """The first instant (UTC) of a day at the clinic."""
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def slots_on(self, day: date) -> list[datetime]:
        """The starts (UTC) of the slots of a day, in order; none when it is closed."""
        if not self.schedule.is_open(day):
            return []
        step = timedelta(minutes=self.schedule.slot_minutes)
        starts = []
        for opening in self.schedule.openings:
            start = datetime.combine(day, opening.since)
            while start + step <= datetime.combine(day, opening.until):
                starts.append(start.replace(tzinfo=self.zone).astimezone(UTC))
                start += step
        return starts

    def is_slot(self, instant: datetime) -> bool:
        """Whether a slot begins at this instant."""
        local = instant.astimezone(self.zone)
        if not self.schedule.is_open(local.date()) or local.second or local.microsecond:
            return False
        minute, length = 60 * local.hour + local.minute, self.schedule.slot_minutes
        return any(
            since <= minute and minute + length <= until and (minute - since) % length == 0
            for since, until in ((_minutes(o.since), _minutes(o.until)) for o in self.schedule.openings)
        )

    def slot_end(self, slot: datetime) -> datetime:
        """The instant (UTC) at which a slot is over."""
        return slot + timedelta(minutes=self.schedule.slot_minutes)

    def last_day(self, now: datetime) -> date:
        """The horizon: the last day that the public may book."""
        return self.today(now) + timedelta(days=self.schedule.horizon_days)

    def bookable_days(self, now: datetime) -> list[date]:
        """The open days from today to the horizon."""
        today = self.today(now)
        days = (today + timedelta(days=n) for n in range(self.schedule.horizon_days + 1))
        return [day for day in days if self.schedule.is_open(day)]

    def slots_from(self, instant: datetime, days: int = 400) -> Iterator[datetime]:
        """Every slot that begins at or after this instant, for as many days."""
        first = self.today(instant)
        for n in range(days):
            yield from (s for s in self.slots_on(first + timedelta(days=n)) if s >= instant)


def _minutes(clock: time) -> int:
    return 60 * clock.hour + clock.minute
