"""The press: makes pages off the screen's path, one at a time, and proves each before handing it over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.booking import TicketFacts
from domain.errors import PaperFailed
from domain.statement import CertificateFacts, Credential
from kiosk.credential.qr import TooMuchForQr
from kiosk.paper.certificate import CODES_BELOW, certificate_page
from kiosk.paper.fonts import Fonts, forget_fonts, load_fonts, one_document
from kiosk.paper.proof import prove
from kiosk.paper.ticket import TicketPaper, ticket_page


class ReportlabPress:
    """Makes PDF pages with reportlab; fonts are loaded at the first page."""

    def __init__(self, ticket_paper: TicketPaper = TicketPaper.A6) -> None:
        self._ticket_paper = ticket_paper

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        """The certificate's page, its QR proven readable. Raises PaperFailed."""
        return await asyncio.to_thread(self.print_certificate, facts, credential)

    async def ticket(self, ticket: TicketFacts) -> bytes:
        """The booking's ticket, its QR proven readable. Raises PaperFailed."""
        return await asyncio.to_thread(self.print_ticket, ticket)

    def print_certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        """The same as `certificate`, in the caller's thread."""
        pdf = self._page(lambda fonts: certificate_page(facts, credential, fonts))
        prove(pdf, credential.text, CODES_BELOW)
        if credential.second:
            prove(pdf, credential.second.text, page=-1)
        return pdf

    def print_ticket(self, ticket: TicketFacts) -> bytes:
        """The same as `ticket`, in the caller's thread."""
        pdf = self._page(lambda fonts: ticket_page(ticket, fonts, self._ticket_paper))
        prove(pdf, ticket.code)
        return pdf

    def _page(self, draw: Callable[[Fonts], bytes]) -> bytes:
        with one_document:
            try:
                return draw(load_fonts())
            except TooMuchForQr as error:
                raise PaperFailed(reason="the credential is too long for a QR code") from error
            except Exception as error:
                forget_fonts()
                if isinstance(error, OSError):
                    raise PaperFailed(reason="a font could not be read") from error
                if isinstance(error, MemoryError):
                    raise PaperFailed(reason="there is not enough memory") from error
                raise
