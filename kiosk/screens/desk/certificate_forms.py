"""An issued certificate is withdrawn, or replaced by one that states the record as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.certificate import (
    CertificateDetail,
    Issued,
    PrintCertificate,
    ReissueCertificate,
    RevokeCertificate,
)
from kiosk.i18n import Words
from kiosk.screens.base import Refused
from kiosk.screens.desk.certificates import vaccine_of
from kiosk.screens.desk.form import FormPage
from kiosk.screens.desk.reason import read_reason, reason_entries
from kiosk.screens.desk.words import figures, spoken
from kiosk.services import Services
from kiosk.widgets.facts import Fact, Facts


class CertificateForm(FormPage):
    """A form about an issued certificate: why."""

    BAR = "certificate_issue.bar"
    KINDS: tuple[str, ...]

    def __init__(
        self, services: Services, actor: Actor, done: Callable[[Words], None], detail: CertificateDetail
    ) -> None:
        super().__init__(services, actor, done)
        self.detail = detail

    def about(self) -> ComposeResult:
        """Which certificate."""
        detail = self.detail
        yield Facts(
            [
                Fact("certificate_issue.name", detail.name, "strong"),
                Fact("certificate_issue.vaccine", lambda t: vaccine_of(detail, self.services.formulary, t)),
                Fact("certificate_issue.given_on", figures(detail.given_on)),
                Fact("certificate_issue.code", spoken(detail.certificate.code)),
            ]
        )

    def entries(self) -> ComposeResult:
        """The reason."""
        yield from reason_entries(self.KINDS)


class RevokeScreen(CertificateForm):
    """Withdraw a certificate for good."""

    HELP = "certificate_issue.revoke_help"
    HEADING = "certificate_issue.revoke_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "certificate_issue.revoke")]
    KINDS = ("details", "person", "request")

    @dataclass
    class Revoked(Message):
        """It is not valid any more."""

        answer: None = None

    def send(self) -> None:
        """Ask once more: it cannot be taken back."""
        reason = self.read_all(lambda entries: read_reason(entries, self.texts))
        if reason is None:
            return
        name, code = self.detail.name, self.detail.certificate.code
        self.confirm(
            self.HEADING, lambda t: t("certificate_issue.revoke_sure", name=name, reason=reason),
            yes="certificate_issue.revoke_yes",
            then=lambda: self.run_command(RevokeCertificate(code, reason), self.Revoked, self.wish),
        )  # fmt: skip

    @on(Revoked)
    def _revoked(self) -> None:
        name = self.detail.name
        self.finish(lambda t: t("certificate_issue.revoked", name=name))


class ReissueScreen(CertificateForm):
    """Replace a certificate, and make the paper of the new one."""

    HELP = "certificate_issue.reissue_help"
    HEADING = "certificate_issue.reissue_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "certificate_issue.reissue")]
    KINDS = ("details", "damaged", "request")

    @dataclass
    class Reissued(Message):
        """The new one is valid from now on."""

        code: str

    @dataclass
    class Printed(Message):
        """Its paper is there."""

        issued: Issued

    def send(self) -> None:
        """Replace it."""
        reason = self.read_all(lambda entries: read_reason(entries, self.texts))
        if reason is not None:
            self.run_command(
                ReissueCertificate(self.detail.certificate.code, reason), self.Reissued, self.wish
            )

    @on(Reissued)
    def _reissued(self, event: Reissued) -> None:
        self.run_command(PrintCertificate(event.code), self.Printed, paper=True)

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        name, place = self.detail.name, str(event.issued.place)
        self.finish(lambda t: t("certificate_issue.reissued", name=name, place=place))

    def refused(self, event: Refused) -> None:
        """Without its paper the new certificate is valid all the same: the list has it."""
        if isinstance(event.request, PrintCertificate):
            name, error = self.detail.name, event.error
            self.finish(lambda t: t("certificate_issue.reissued_no_paper", name=name, why=t.error(error)))
        else:
            super().refused(event)
