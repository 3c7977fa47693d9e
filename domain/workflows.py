"""Commands of several steps: paper, signatures and slow hashes are made beside the transaction.

Each ends in one transaction that checks everything once more, so a step that was overtaken by a
cancellation or a correction is refused there, and nothing is handed out.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from domain.actors import SYSTEM, Actor
from domain.booking import GetBooking, PrintTicket, ticket_facts
from domain.certificate import (
    CertificateStatus,
    DraftCertificate,
    GetCertificate,
    IssueCertificate,
    Issued,
    PrintCertificate,
    RecordFailedPrint,
    RecordIssue,
    RecordPrint,
    series_up_to,
    state_facts,
)
from domain.codes import parse_code
from domain.errors import CertificateClosed, ClinicError, PaperFailed
from domain.staff import PIN_DIGITS, EnrolStaff, ListStaff, NewPin, RecordStaff, ResetPin, member_named

if TYPE_CHECKING:
    from domain.gateway import Gateway
    from domain.ports import Place


async def issue_certificate(
    gateway: Gateway, command: IssueCertificate, actor: Actor, command_id: str
) -> Issued:
    """Sign, print and prove, then commit; the paper is kept only after the commit."""
    draft = await gateway.ask(DraftCertificate(command.certificate), actor)
    certificate = draft.certificate
    if certificate.status is CertificateStatus.ISSUED:
        # Asked again after an answer that was lost: the certificate is there, its paper is made anew.
        return await print_certificate(gateway, PrintCertificate(certificate.code), actor, command_id)
    if certificate.status is not CertificateStatus.READY:
        raise CertificateClosed(status=certificate.status)
    series = series_up_to(draft.injection, draft.completed)
    facts = state_facts(certificate.code, draft.recipient, series, gateway.context(actor))
    credential = await asyncio.to_thread(gateway.signer.sign, facts)
    paper = await gateway.press.certificate(facts, credential)
    record = RecordIssue(certificate.code, facts, credential, draft.injection.version)
    await gateway.send(record, actor, f"{command_id}:record")
    return await _keep(gateway, certificate.code, paper)


async def print_certificate(
    gateway: Gateway, command: PrintCertificate, actor: Actor, command_id: str
) -> Issued:
    """The live version once more, from the facts that were frozen when it was issued."""
    certificate = await gateway.ask(GetCertificate(parse_code(command.certificate)), actor)
    if (
        certificate.status is not CertificateStatus.ISSUED
        or certificate.facts is None
        or certificate.credential is None
    ):
        raise CertificateClosed(status=certificate.status)
    paper = await gateway.press.certificate(certificate.facts, certificate.credential)
    # Last, so that a certificate revoked while its paper was made does not leave the press.
    # Under an id of its own: when a print that failed is asked for again, it is a print again.
    await gateway.send(RecordPrint(certificate.code), actor)
    return await _keep(gateway, certificate.code, paper)


async def print_ticket(gateway: Gateway, command: PrintTicket, actor: Actor, command_id: str) -> Place:
    """The booking's ticket; answers where it was put."""
    detail = await gateway.ask(GetBooking(command.booking), actor)
    paper = await gateway.press.ticket(ticket_facts(detail, gateway.context(actor)))
    return await gateway.archive.keep(f"ticket-{detail.booking.code}.pdf", paper)


async def enrol_staff(gateway: Gateway, command: EnrolStaff, actor: Actor, command_id: str) -> NewPin:
    """Make a PIN that nobody else has, and keep only its hash."""
    pin = await _unused_pin(gateway)
    pin_hash = await asyncio.to_thread(gateway.pins.hash, pin)
    await gateway.send(RecordStaff(command.name, command.roles, pin_hash), actor, command_id)
    return NewPin(command.name, pin)


async def reset_pin(gateway: Gateway, command: ResetPin, actor: Actor, command_id: str) -> NewPin:
    """The old PIN ends with the commit of the new one."""
    member = member_named(await gateway.ask(ListStaff(), actor), command.name)
    return await enrol_staff(gateway, EnrolStaff(member.name, member.roles), actor, command_id)


async def _keep(gateway: Gateway, certificate: str, paper: bytes) -> Issued:
    """Hand out a copy that was counted; when nothing came out, take it back."""
    try:
        return Issued(certificate, await gateway.archive.keep(f"certificate-{certificate}.pdf", paper))
    except PaperFailed as failure:
        if not failure.may_have_come_out:
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
