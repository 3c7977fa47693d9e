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
    DraftCertificate,
    Issued,
    ListCertificates,
    PrintCertificate,
    ReissueCertificate,
    RevokeCertificate,
)
from domain.codes import spoken
from domain.recipient import Recipient
from domain.statement import CertificateStatus
from kiosk.i18n import Words, put_in_words
from kiosk.screens.base import Refused
from kiosk.screens.desk.certificates import vaccine_of, whose
from kiosk.screens.desk.details import DetailsScreen
from kiosk.screens.desk.form import FormPage
from kiosk.screens.desk.part_words import paper_words
from kiosk.screens.desk.reason import read_reason, reason_entries
from kiosk.screens.desk.words import day_of_birth, figures
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
                Fact("certificate_issue.born", lambda t: day_of_birth(detail.birth_date, t), "strong"),
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
        code = self.detail.certificate.code
        self.confirm(
            self.HEADING,
            lambda t: t("certificate_issue.revoke_sure", **whose(self.detail, t), reason=reason),
            yes="certificate_issue.revoke_yes",
            then=lambda: self.run_command(RevokeCertificate(code, reason), self.Revoked, self.wish),
        )  # fmt: skip

    @on(Revoked)
    def _revoked(self) -> None:
        name = self.detail.name
        self.finish(lambda t: t("certificate_issue.revoked", name=name))


class ReissueScreen(CertificateForm):
    """Replace a certificate, and make the paper of the new one. Wrong details are put right before."""

    HELP = "certificate_issue.reissue_help"
    HEADING = "certificate_issue.reissue_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "certificate_issue.reissue")]
    KINDS = ("details", "damaged", "request")

    @dataclass
    class Reissued(Message):
        """The new one is valid from now on."""

        code: str

    @dataclass
    class Known(Message):
        """Whose it is, as they are known now."""

        recipient: Recipient

    @dataclass
    class Replaced(Message):
        """The issued certificates, the one that replaces this one among them."""

        details: list[CertificateDetail]

    @dataclass
    class Printed(Message):
        """Its paper is there."""

        issued: Issued

    def __init__(
        self, services: Services, actor: Actor, done: Callable[[Words], None], detail: CertificateDetail
    ) -> None:
        super().__init__(services, actor, done, detail)
        self._corrected: Words | None = None

    def send(self) -> None:
        """Replace it; wrong details would be printed once more, so they are asked for first."""
        reason = self.read_all(lambda entries: read_reason(entries, self.texts))
        if reason is None:
            return
        if self.pick("kind").value == "details":
            query = DraftCertificate(self.detail.certificate.code)
            self.run_query(query, lambda draft: self.Known(draft.recipient))
        else:
            self._reissue(reason)

    def _reissue(self, reason: str) -> None:
        self.run_command(ReissueCertificate(self.detail.certificate.code, reason), self.Reissued, self.wish)

    @on(Known)
    def _put_right(self, event: Known) -> None:
        person, facts = event.recipient.person, self.detail.certificate.facts
        outdated = facts is not None and not facts.is_of(person)  # they were put right with a booking, say
        self.lead_to(
            DetailsScreen(
                self.services, self.actor, self._details_done, event.recipient.code, person,
                kind="details", told=self.entry("reason").value,
                if_right=self._reissue if outdated else None,
            )
        )  # fmt: skip

    def _details_done(self, words: Words) -> None:
        """It was replaced with all others of the same person: find the new one, and make its paper."""
        self._corrected = words
        self.run_query(ListCertificates(CertificateStatus.ISSUED), self.Replaced)

    @on(Replaced)
    def _replaced(self, event: Replaced) -> None:
        certificates = (detail.certificate for detail in event.details)
        new = (c for c in certificates if c.facts and c.facts.supersedes == self.detail.certificate.code)
        if certificate := next(new, None):
            self.run_command(PrintCertificate(certificate.code), self.Printed, paper=True)
        else:
            self.finish(self._corrected or "")

    @on(Reissued)
    def _reissued(self, event: Reissued) -> None:
        self.run_command(PrintCertificate(event.code), self.Printed, paper=True)

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        name, place = self.detail.name, str(event.issued.place)
        if corrected := self._corrected:
            self.finish(
                lambda t: f"{put_in_words(corrected, t)} {t('certificate_issue.printed', place=place)}"
            )
        else:
            self.finish(lambda t: t("certificate_issue.reissued", name=name, place=place))

    def refused(self, event: Refused) -> None:
        """Without its paper the new certificate is valid all the same: the list has it."""
        name, error, corrected = self.detail.name, event.error, self._corrected
        if isinstance(event.request, PrintCertificate) and corrected:
            self.finish(lambda t: f"! {put_in_words(corrected, t)} {paper_words(error, t)}")
        elif isinstance(event.request, PrintCertificate):
            self.finish(
                lambda t: t("certificate_issue.reissued_no_paper", name=name, why=paper_words(error, t))
            )
        elif isinstance(event.request, ListCertificates) and not event.again:
            self.finish(corrected or "")
        else:
            super().refused(event)
