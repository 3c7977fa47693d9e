"""Issuing certificates one after the other, while the screen goes on; what fails does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from textual.message import Message

from domain.actors import Actor
from domain.certificate import CertificateDetail, IssueCertificate, Issued
from domain.errors import ClinicError
from domain.gateway import Gateway
from kiosk import crash
from kiosk.i18n import Words
from kiosk.screens.base import new_command_id


class Shield(Protocol):
    """Awaits a write that goes on to its end even when the screen that began it is gone."""

    def __call__(self, write: Coroutine[Any, Any, Issued]) -> Coroutine[Any, Any, Issued]: ...


@dataclass
class Succeeded(Message):
    """One more was issued."""

    detail: CertificateDetail
    issued: Issued


@dataclass
class Failed(Message):
    """One was not, and why."""

    detail: CertificateDetail
    why: Words


@dataclass
class Ended(Message):
    """All were tried, or it was stopped."""


@dataclass
class IssueRun:
    """Made when it is confirmed: each certificate has one command id, so none is issued twice."""

    waiting: list[CertificateDetail]
    stopped: bool = False
    failures: list[Failed] = field(default_factory=list)
    done: int = 0
    last_place: str = ""
    _wishes: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._wishes = {detail.certificate.code: new_command_id() for detail in self.waiting}

    async def go(
        self, gateway: Gateway, actor: Actor, shielded: Shield, report: Callable[[Message], object]
    ) -> None:
        """Issue them in their order, until all are tried or somebody stops it."""
        for detail in self.waiting:
            if self.stopped:
                break
            code = detail.certificate.code
            try:
                issued = await shielded(gateway.send(IssueCertificate(code), actor, self._wishes[code]))
            except ClinicError as refusal:
                report(Failed(detail, _said(refusal)))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others go on
                crash.record("a certificate was not issued", error)
                report(Failed(detail, "certificate_issue.broke"))
            else:
                report(Succeeded(detail, issued))
        report(Ended())


def _said(error: ClinicError) -> Words:
    return lambda texts: texts.error(error)
