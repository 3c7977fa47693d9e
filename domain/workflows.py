"""Commands of several steps: paper, signatures and slow hashes are made beside the transaction.

Each ends in one transaction that checks everything once more, so a step that was overtaken by a
cancellation or a correction is refused there, and nothing is handed out. Sent again, what is recorded
is not recorded again, and nothing is handed out but what is recorded: paper comes once more, a PIN does not.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from domain.actors import CERTIFICATE_OFFICER, SYSTEM, Actor
from domain.booking import GetBooking, PrintTicket, ticket_facts
from domain.certificate import (
    DraftCertificate,
    GetCertificate,
    IssueCertificate,
    Issued,
    PrintCertificate,
    RecordFailedPrint,
    RecordIssue,
    RecordPrint,
)
from domain.codes import parse_code
from domain.errors import (
    BookingClosed,
    CertificateClosed,
    ClinicError,
    PaperFailed,
    PinSaidBefore,
    PrinterResting,
)
from domain.messages import new_command_id
from domain.orders import OrderPrint
from domain.parts import Task, TaskKind
from domain.staff import PIN_DIGITS, EnrolStaff, ListStaff, NewPin, RecordStaff, ResetPin, member_named
from domain.statement import CertificateStatus, Credential, series_up_to, state_facts

if TYPE_CHECKING:
    from domain.gateway import Gateway
    from domain.ports import Place

R = TypeVar("R")


async def issue_certificate(
    gateway: Gateway, command: IssueCertificate, actor: Actor, command_id: str
) -> Issued:
    """Sign, print and prove, then commit; the paper is kept only after the commit."""
    paper = await _issued(gateway, command, actor, command_id, copies=1)
    if paper is None:
        # Asked again, after an answer that was lost say: the certificate is there, its paper is made anew.
        return await print_certificate(gateway, PrintCertificate(command.certificate), actor, command_id)
    return await _keep(gateway, command.certificate, paper)


async def _issued(
    gateway: Gateway, command: IssueCertificate, actor: Actor, command_id: str, copies: int
) -> bytes | None:
    """The paper of a certificate that is issued now; None when it was already, or is by the same request."""
    draft = await gateway.ask(DraftCertificate(command.certificate), actor)
    certificate = draft.certificate
    if certificate.status is CertificateStatus.ISSUED:
        return None
    if certificate.status is not CertificateStatus.READY:
        raise CertificateClosed(status=certificate.status)
    series = series_up_to(draft.injection, draft.completed)
    facts = state_facts(certificate.code, draft.recipient, series, gateway.context(actor))

    async def made() -> tuple[Credential, bytes]:
        credential = await asyncio.to_thread(gateway.signer.sign, facts)
        return credential, await gateway.press.certificate(facts, credential)

    credential, paper = await _made(gateway, made)
    attempt = new_command_id()
    record = RecordIssue(certificate.code, facts, credential, draft.injection.version, copies, attempt)
    recorded = await gateway.send(record, actor, f"{command_id}:record")
    return paper if recorded == attempt else None


async def carry_out(gateway: Gateway, task: Task) -> None:
    """Do what somebody ordered, in their name; asked again it is not done again."""
    gateway = replace(gateway, behind=True)
    officer = Actor(task.actor, CERTIFICATE_OFFICER, task.actor_name)
    if task.kind is TaskKind.ISSUE:
        await _issued(gateway, IssueCertificate(task.subject), officer, task.code, copies=0)
        await gateway.send(OrderPrint(task.subject), officer, f"{task.code}:print")
    elif task.kind is TaskKind.PRINT:
        await print_certificate(gateway, PrintCertificate(task.subject), officer, task.code)


async def print_certificate(
    gateway: Gateway, command: PrintCertificate, actor: Actor, command_id: str
) -> Issued:
    """The live version once more, from the facts that were frozen when it was issued."""
    gateway.breakers.printing.check()
    certificate = await gateway.ask(GetCertificate(parse_code(command.certificate)), actor)
    if (
        certificate.status is not CertificateStatus.ISSUED
        or certificate.facts is None
        or certificate.credential is None
    ):
        raise CertificateClosed(status=certificate.status)
    press = partial(gateway.press.certificate, certificate.facts, certificate.credential)
    paper = await _made(gateway, press)
    # Last, so that a certificate revoked while its paper was made does not leave the press.
    # Under an id of its own: when a print that failed is asked for again, it is a print again.
    await gateway.send(RecordPrint(certificate.code), actor)
    return await _keep(gateway, certificate.code, paper)


async def print_ticket(gateway: Gateway, command: PrintTicket, actor: Actor, command_id: str) -> Place:
    """The booking's ticket, for whoever still hopes to come; answers where it was put."""
    gateway.breakers.printing.check()
    detail = await gateway.ask(GetBooking(command.booking), actor)
    if not detail.booking.is_live:
        raise BookingClosed(status=detail.booking.status)
    paper = await _made(gateway, partial(gateway.press.ticket, ticket_facts(detail, gateway.context(actor))))
    return await gateway.breakers.printing.call(
        lambda: gateway.archive.keep(f"ticket-{detail.booking.code}.pdf", paper)
    )


async def enrol_staff(gateway: Gateway, command: EnrolStaff, actor: Actor, command_id: str) -> NewPin:
    """Make a PIN that nobody else has, and keep only its hash. Raises PinSaidBefore when sent again."""
    pin, attempt = await _unused_pin(gateway), new_command_id()
    pin_hash = await asyncio.to_thread(gateway.pins.hash, pin)
    record = RecordStaff(command.name, command.roles, pin_hash, attempt)
    if await gateway.send(record, actor, command_id) != attempt:
        raise PinSaidBefore(name=command.name)
    return NewPin(command.name, pin)


async def reset_pin(gateway: Gateway, command: ResetPin, actor: Actor, command_id: str) -> NewPin:
    """The old PIN ends with the commit of the new one. Raises PinSaidBefore when sent again."""
    member = member_named(await gateway.ask(ListStaff(), actor), command.name)
    return await enrol_staff(gateway, EnrolStaff(member.name, member.roles), actor, command_id)


async def _made(gateway: Gateway, work: Callable[[], Awaitable[R]]) -> R:
    """Paper from the press. Raises PaperFailed, and IssuingResting when it has failed too often."""
    try:
        return await gateway.breakers.issuing.call(work)
    except OSError as problem:
        raise PaperFailed(reason=problem.strerror or type(problem).__name__) from problem


async def _keep(gateway: Gateway, certificate: str, paper: bytes) -> Issued:
    """Hand out a copy that was counted; when nothing came out, take it back."""
    try:
        keep = partial(gateway.archive.keep, f"certificate-{certificate}.pdf", paper)
        return Issued(certificate, await gateway.breakers.printing.call(keep))
    except (PaperFailed, PrinterResting) as failure:
        if not getattr(failure, "may_have_come_out", False):
            with suppress(ClinicError):  # then one copy too many is counted, which does no harm
                await gateway.send(RecordFailedPrint(certificate), SYSTEM)
        raise


async def _unused_pin(gateway: Gateway) -> str:
    """PINs let people in on their own, so two of the staff must not share one."""
    hashes = [member.pin_hash for member in await gateway.ask(ListStaff(), SYSTEM)]
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
        if not any([await asyncio.to_thread(gateway.pins.matches, known, pin) for known in hashes]):
            return pin
