"""The one door: every command and every query of every screen, command line and test comes in here.

receipt = await gateway.send(Book(person, vaccine, slot), actor=PUBLIC)
me = await gateway.ask(IdentifyByCode(receipt.booking))
page = await gateway.ask(GetMyPage(), actor=me)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from domain import (
    application,
    booking,
    certificate,
    correction,
    orders,
    parts,
    policies,
    staff,
    vaccine,
    visit,
    wait_list,
    workflows,
)
from domain.actors import PUBLIC, Actor
from domain.attempts import Attempts
from domain.clinic import Clinic
from domain.codes import parse_code
from domain.errors import NotAllowed, NotIdentified, WrongPin
from domain.messages import Command, Query, new_command_id
from domain.mypage import GetMyPage, IdentifyByCode, IdentifyByDetails, IdentifyByDigest
from domain.ports import (
    Archive,
    Clock,
    Context,
    Foreseen,
    PinHasher,
    Press,
    Reader,
    Signer,
    UnitOfWork,
    Writer,
)
from domain.recipient import identity_digest, parse_birth_date, parse_name, parse_phone
from domain.resilience import Breakers

R = TypeVar("R")

COMMANDS: dict[type[Command[Any]], Callable[[UnitOfWork, Any, Context], Any]] = {
    vaccine.RegisterVaccine: vaccine.register_vaccine,
    vaccine.AddStock: vaccine.add_stock,
    vaccine.WriteOffStock: vaccine.write_off_stock,
    vaccine.WriteOffExpired: vaccine.write_off_expired,
    vaccine.QuarantineLot: vaccine.quarantine_lot,
    booking.Book: booking.book,
    booking.CancelBooking: booking.cancel_booking,
    booking.MarkNoShow: booking.mark_no_show,
    wait_list.PromoteWaiting: wait_list.promote_waiting,
    visit.CheckIn: visit.check_in,
    visit.Screen: visit.screen,
    visit.CompleteInjection: visit.complete_injection,
    correction.CorrectInjection: correction.correct_injection,
    correction.VoidInjection: correction.void_injection,
    correction.CorrectRecipient: correction.correct_recipient,
    visit.FinishObservation: visit.finish_observation,
    visit.ReportAdverseEvent: visit.report_adverse_event,
    application.ApplyForCertificate: application.apply_for_certificate,
    application.CancelApplication: application.cancel_application,
    certificate.RecordIssue: certificate.record_issue,
    certificate.RecordPrint: certificate.record_print,
    certificate.RecordFailedPrint: certificate.record_failed_print,
    certificate.ReissueCertificate: certificate.reissue_certificate,
    certificate.RevokeCertificate: certificate.revoke_certificate,
    staff.RecordStaff: staff.record_staff,
    orders.OrderIssue: orders.order_issue,
    orders.OrderPrint: orders.order_print,
    parts.PausePart: parts.pause_part,
    parts.ResumePart: parts.resume_part,
    parts.RetryTask: parts.retry_task,
    parts.DiscardTask: parts.discard_task,
}
"""What is done in one transaction."""

FORESEEN: dict[type[Command[Any]], Callable[[Any, Context], Foreseen]] = {
    booking.Book: booking.foresee_booking,
}
"""What everybody does at once says beforehand what it will look at."""

WORKFLOWS: dict[type[Command[Any]], Callable[[Any, Any, Actor, str], Awaitable[Any]]] = {
    booking.PrintTicket: workflows.print_ticket,
    certificate.IssueCertificate: workflows.issue_certificate,
    certificate.PrintCertificate: workflows.print_certificate,
    staff.EnrolStaff: workflows.enrol_staff,
    staff.ResetPin: workflows.reset_pin,
}
"""What takes paper, signatures or slow hashes beside a transaction, and therefore several steps."""


@dataclass(frozen=True)
class Gateway:
    """Checks who may, runs the handler in a transaction, and the policies that follow at once."""

    clinic: Clinic
    clock: Clock
    writer: Writer
    reader: Reader
    signer: Signer
    press: Press
    archive: Archive
    pins: PinHasher
    identity_key: bytes
    breakers: Breakers = field(default_factory=Breakers)
    behind: bool = False
    """Whether the clinic's own parts come in here, who are never turned away and wait as long as it takes."""
    _code_attempts: Attempts = field(default_factory=Attempts)
    _details_attempts: Attempts = field(default_factory=Attempts)
    _pin_attempts: Attempts = field(default_factory=Attempts)
    """Counted apart: whoever knows one code of their own must not earn new guesses with it, neither at a PIN
    nor at the details of somebody else."""

    async def send(self, command: Command[R], actor: Actor = PUBLIC, command_id: str | None = None) -> R:
        """Do it. Sent again with the same ``command_id`` it is not done again; the answer is the same.

        Of those in `WORKFLOWS` only what they record is not done again. Paper comes once more: a ticket, or
        a certificate as it is recorded, counted as a copy. A PIN does not: that is refused (PinSaidBefore).

        Raises a `ClinicError`: then nothing was changed (except OutcomeUnknown, which says so).
        """
        if not actor.has(command.allowed):
            raise NotAllowed
        workflow = WORKFLOWS.get(type(command))
        if workflow:
            return cast(R, await workflow(self, command, actor, command_id or new_command_id()))
        if not self.behind:
            self.writer.admit()
        handler = COMMANDS[type(command)]
        context = self.context(actor)

        def work(uow: UnitOfWork) -> R:
            result: R = handler(uow, command, context)
            policies.follow_at_once(uow, context)
            return result

        foresee = FORESEEN.get(type(command))
        foreseen = foresee(command, context) if foresee else None
        about = work, command_id or new_command_id(), type(command).__name__
        run = self.writer.run_behind if self.behind else partial(self.writer.run, foreseen=foreseen)
        write = partial(run, *about)
        return await (self.breakers.records.call(write) if self.breakers.records else write())

    async def ask(self, query: Query[R], actor: Actor = PUBLIC) -> R:
        """Answer it from what is committed. Raises a `ClinicError`."""
        if not actor.has(query.allowed):
            raise NotAllowed
        if isinstance(query, IdentifyByCode | IdentifyByDetails):
            return cast(R, await self._identify(query))
        if isinstance(query, staff.Unlock):
            return cast(R, await self._unlock(query.pin))
        read = partial(self.reader.answer, query, actor, self.clock.now())
        breaker = self.breakers.my_page if isinstance(query, GetMyPage) else self.breakers.records
        return await (breaker.call(read) if breaker else read())

    def context(self, actor: Actor) -> Context:
        """What handlers and policies know at this moment."""
        return Context(actor, self.clock.now(), self.clinic, self.signer, self.identity_key)

    async def _identify(self, query: IdentifyByCode | IdentifyByDetails) -> Actor:
        now = self.clock.now()
        attempts = self._code_attempts if isinstance(query, IdentifyByCode) else self._details_attempts
        attempts.check(now)
        if isinstance(query, IdentifyByCode):
            lookup: Query[Actor] = IdentifyByCode(parse_code(query.code))
        else:
            name, phone = parse_name(query.name), parse_phone(query.phone)
            birth_date = parse_birth_date(query.birth_date, self.clinic.today(now))
            lookup = IdentifyByDigest(identity_digest(name, birth_date, phone, self.identity_key))
        try:
            actor = await self.reader.answer(lookup, PUBLIC, now)
        except NotIdentified:
            attempts.failed(now)
            raise
        attempts.succeeded()
        return actor

    async def _unlock(self, pin: str) -> Actor:
        now = self.clock.now()
        self._pin_attempts.check(now)
        for member in await self.reader.answer(staff.ListStaff(), PUBLIC, now):
            # argon2 takes tens of milliseconds by design: not on the loop that draws the screen
            if await asyncio.to_thread(self.pins.matches, member.pin_hash, pin):
                self._pin_attempts.succeeded()
                return member.actor
        self._pin_attempts.failed(now)
        raise WrongPin
