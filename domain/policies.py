"""Whenever this happens, then that follows: the clinic's policies, all of them, in two tables.

What must never be seen half-done follows at once, in the transaction of the event itself. What
belongs to a part of the clinic that may be down follows by relay: it waits for that part in the
order of the events, and reaches it once in effect.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from domain import application, booking, certificate, visit, wait_list
from domain import events as e
from domain.parts import Part
from domain.ports import Context, UnitOfWork

Policy = Callable[[UnitOfWork, Any, Context], None]

AT_ONCE: dict[type[e.Event], tuple[Policy, ...]] = {
    e.StockAdded: (wait_list.promote_whoever_waits,),
    e.RecipientCorrected: (certificate.reissue_after_new_details,),
    e.BookingCancelled: (wait_list.promote_after_cancelling,),
    e.BookingNoShow: (wait_list.promote_whoever_waits,),
    e.InjectionCompleted: (booking.complete_booking,),
    e.InjectionCorrected: (certificate.reissue_after_correction, wait_list.promote_whoever_waits),
    e.InjectionVoided: (certificate.revoke_after_voiding, wait_list.reopen_booking),
    e.CertificateIssued: (application.mark_issued,),
    e.CertificateRevoked: (application.mark_revoked,),
}

BY_RELAY: dict[Part, dict[type[e.Event], Policy]] = {
    Part.INJECTION_INTAKE: {
        e.Booked: visit.accept_booking,
        e.BookingPromoted: visit.accept_booking,
        e.BookingReopened: visit.accept_booking,
        e.BookingCancelled: visit.withdraw_visit,
        e.BookingNoShow: visit.withdraw_visit,
        e.BookingWaitlisted: visit.withdraw_visit,
    },
    Part.ISSUING: {
        e.CertificateApplied: certificate.prepare_issue,
        e.ApplicationCancelled: certificate.cancel_issue,
    },
}

HEARS: dict[Part, tuple[str, ...]] = {
    **{part: tuple(kind.__name__ for kind in policies) for part, policies in BY_RELAY.items()},
    Part.MY_PAGE: tuple(e.BY_NAME),
}
"""The names of the events that each part listens to; what prints listens to none."""


def follow_at_once(uow: UnitOfWork, context: Context, since: int = 0) -> None:
    """Apply what follows from the events of this transaction after so many, and from what follows then."""
    for event in islice(uow.emitted, since, None):  # grows while it is read
        for policy in AT_ONCE.get(type(event), ()):
            policy(uow, event, context)


def follow_by_relay(part: Part, uow: UnitOfWork, event: e.Event, context: Context) -> None:
    """Apply what this part of the clinic does about an event, if anything."""
    policy, before = BY_RELAY[part].get(type(event)), len(uow.emitted)
    if policy:
        policy(uow, event, context)
        follow_at_once(uow, context, before)
