"""For which day a dose can be promised: a lot that has expired by then holds none."""

from __future__ import annotations

from datetime import date, timedelta

from domain.ports import Context, UnitOfWork
from domain.stock import LotStatus

A_DAY = timedelta(days=1)


def promised_until(uow: UnitOfWork, context: Context, vaccine: str, day: date) -> date | None:
    """None when one more dose can be promised for this day; otherwise the last day for which one can.

    Whoever is expected after a lot has expired needs a dose that keeps longer. So for each lot that expires
    before the day, or has and is not written off yet: those who are expected later, and one more, must not be
    more than the doses left then.
    """
    clinic = context.clinic
    lots = [lot for lot in uow.vaccines.lots(vaccine) if lot.remaining and lot.status is LotStatus.USABLE]
    for expiry in sorted({lot.expires_on for lot in lots if lot.expires_on < day}):
        keep = sum(lot.remaining for lot in lots if lot.expires_on > expiry)
        if uow.bookings.reserved_since(vaccine, clinic.start_of(expiry + A_DAY)) >= keep:
            return expiry
    return None
