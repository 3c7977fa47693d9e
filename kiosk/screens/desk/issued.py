"""Issued certificates: print again, replace, withdraw; the number is scanned or the name typed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from domain.actors import Actor
from domain.certificate import CertificateDetail, GetCertificate, Issued, ListCertificates, PrintCertificate
from domain.codes import Kind, parse_code
from domain.errors import InputError, NotFound, PaperFailed
from domain.statement import Certificate, CertificateStatus
from kiosk.i18n import Words
from kiosk.screens.base import Refused
from kiosk.screens.desk.certificate_forms import ReissueScreen, RevokeScreen
from kiosk.screens.desk.certificates import ISSUED, detail_of, issued_row, matching, whose
from kiosk.screens.desk.list_desk import FieldDesk
from kiosk.screens.desk.part_words import paper_words
from kiosk.services import Services
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import ScanField, ScanInput


class IssuedInput(ScanInput):
    """Enter prints the one under the cursor, or finds the one whose number was scanned."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "certificate_issue.reprint")]


class IssuedField(ScanField):
    """Where a certificate's number is scanned or a name typed."""

    INPUT = IssuedInput


class IssuedScreen(FieldDesk):
    """One field, one list, newest first."""

    BAR = "certificate_issue.issued_bar"
    HELP = "certificate_issue.issued_help"
    OF_A_ROW = frozenset({"reissue", "revoke"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "reissue", "certificate_issue.reissue"),
        Binding("f6", "revoke", "certificate_issue.revoke"),
    ]

    @dataclass
    class Listed(Message):
        """The issued certificates."""

        details: list[CertificateDetail]

    @dataclass
    class Got(Message):
        """The certificate whose number was scanned."""

        certificate: Certificate

    @dataclass
    class Printed(Message):
        """One more copy."""

        issued: Issued

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._issued: list[CertificateDetail] = []
        self._fetched: CertificateDetail | None = None
        """An older one that was asked for by its number."""

    def above(self) -> ComposeResult:
        """The field stands above the list."""
        yield IssuedField("text", "certificate_issue.find")
        yield Say(id="counters")

    def clinic_changed(self) -> None:
        """Another was issued, or one was corrected or withdrawn."""
        self.run_query(ListCertificates(CertificateStatus.ISSUED), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._issued = event.details
        self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = [issued_row(detail, self.services.formulary, self.texts) for detail in self._shown]
        heading = "found_heading" if self.query_one(IssuedField).value.strip() else "issued_heading"
        counters = self.query_one("#counters", Say)
        counters.say(lambda t: t(f"certificate_issue.{heading}", count=len(rows)))
        self.show_rows(ISSUED, rows, f"certificate_issue.{'none' if self._issued else 'none_yet'}")

    @property
    def _shown(self) -> list[CertificateDetail]:
        details = [self._fetched, *self._issued] if self._fetched else self._issued
        return matching(details, self.query_one(IssuedField).value)

    @property
    def _chosen(self) -> CertificateDetail | None:
        code = self.table.current
        return next((detail for detail in self._shown if detail.certificate.code == code), None)

    def action_back(self) -> None:
        """First clear what was typed, then out."""
        field = self.query_one(IssuedField)
        if field.value or self._fetched:
            field.value, self._fetched = "", None
            field.clear_error()
            self.retranslate()
        else:
            self.dismiss(None)

    @on(Input.Changed)
    def _typing(self) -> None:
        self.query_one(IssuedField).clear_error()
        self.retranslate()

    @on(Input.Submitted)
    def _entered(self) -> None:
        field = self.query_one(IssuedField)
        if not field.value.strip() or self._shown:
            self._reprint()
            return
        try:
            code = parse_code(field.value, Kind.CERTIFICATE, "text")
        except InputError:
            field.show_error("certificate_issue.no_number")
        else:
            self.run_query(GetCertificate(code), self.Got)

    @on(Got)
    def _got(self, event: Got) -> None:
        certificate, field = event.certificate, self.query_one(IssuedField)
        detail = detail_of(certificate)
        if detail is None or certificate.status is not CertificateStatus.ISSUED:
            field.show_error(lambda t: t("certificate_issue.is_now", status=certificate.status))
            return
        self._fetched = detail
        self.retranslate()

    def refused(self, event: Refused) -> None:
        """A number that leads nowhere is said beside the field."""
        if isinstance(event.request, GetCertificate) and isinstance(event.error, NotFound):
            self.query_one(IssuedField).show_error("certificate_issue.not_found")
        elif isinstance(event.error, PaperFailed):
            self.show_message("shell.refused", lambda t: paper_words(event.error, t), alarm=True)
        else:
            super().refused(event)

    def _reprint(self) -> None:
        detail = self._chosen
        if detail is None:
            return
        certificate = detail.certificate
        self.confirm(
            "certificate_issue.reprint",
            lambda t: t("certificate_issue.reprint_sure", **whose(detail, t), prints=certificate.prints),
            yes="certificate_issue.reprint_yes",
            then=partial(self.run_command, PrintCertificate(certificate.code), self.Printed, paper=True),
        )  # fmt: skip

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        place = str(event.issued.place)
        self.done(lambda t: t("certificate_issue.printed", place=place))

    def action_reissue(self) -> None:
        """A new one in place of the one under the cursor."""
        if detail := self._chosen:
            self.lead_to(ReissueScreen(self.services, self.actor, self.done, detail))

    def action_revoke(self) -> None:
        """The one under the cursor is not valid any more."""
        if detail := self._chosen:
            self.lead_to(RevokeScreen(self.services, self.actor, self.done, detail))

    def done(self, words: Words) -> None:
        """Back to the whole list, which says so."""
        self._fetched = None
        self.query_one(IssuedField).value = ""
        super().done(words)
