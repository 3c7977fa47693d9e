"""What an officer orders at once for many: the parts behind the counter make and print it, each in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.actors import BY_POLICY, CERTIFICATE_OFFICER, Role
from domain.messages import Command
from domain.parts import Part, TaskKind, order
from domain.ports import Context, UnitOfWork
from domain.statement import CertificateStatus


@dataclass(frozen=True)
class OrderIssue(Command[int]):
    """Issue all of these, and print them; answers how many were ready for it."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER
    certificates: tuple[str, ...]


@dataclass(frozen=True)
class OrderPrint(Command[None]):
    """Print this one as soon as the printer can."""

    allowed: ClassVar[frozenset[Role]] = CERTIFICATE_OFFICER | BY_POLICY
    certificate: str


def order_issue(uow: UnitOfWork, command: OrderIssue, context: Context) -> int:
    """Whatever is not ready any more was cancelled or issued meanwhile, and needs nothing."""
    ready = [
        code for code in command.certificates if uow.certificates.get(code).status is CertificateStatus.READY
    ]
    for code in ready:
        order(uow, Part.ISSUING, TaskKind.ISSUE, code, context)
    return len(ready)


def order_print(uow: UnitOfWork, command: OrderPrint, context: Context) -> None:
    """Its own task, so that a printer that is out of paper keeps nobody from making certificates."""
    order(uow, Part.PRINTING, TaskKind.PRINT, uow.certificates.get(command.certificate).code, context)
