"""One line of my page: what is known of it, and what its owner can do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.application import LIVE_APPLICATION, Application, ApplyForCertificate, CancelApplication
from domain.booking import LIVE_BOOKING, CancelBooking, PrintTicket
from domain.certificate import Issued, PrintCertificate
from domain.codes import spoken
from domain.injection import InjectionStatus
from domain.messages import new_command_id
from domain.mypage import GetMyPage, ItemKind, MyPage, MyPageItem
from domain.ports import Place
from domain.statement import CertificateStatus
from kiosk.i18n import Texts
from kiosk.screens.code_page import CodePage, fits
from kiosk.screens.my_page import LOST_ITS_DOSE, is_waiting, item_words, state_of
from kiosk.screens.products import product_name
from kiosk.screens.record import RecordScreen
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice


class MyItemScreen(RecordScreen):
    """A booking, an injection, an application or a certificate of one's own."""

    HELP = "my_page.item.help"

    @dataclass
    class Shown(Message):
        """The page as it is now."""

        page: MyPage

    @dataclass
    class Printed(Message):
        """Where the ticket was put."""

        place: Place

    @dataclass
    class CertificatePrinted(Message):
        """Where the certificate was put."""

        issued: Issued

    @dataclass
    class Cancelled(Message):
        """The booking or the application is no more."""

        nothing: None

    @dataclass
    class Applied(Message):
        """A certificate was applied for."""

        application: Application

    def __init__(self, services: Services, actor: Actor, item: MyPageItem, page: MyPage) -> None:
        super().__init__(services)
        self.actor = actor
        self._item, self._page = item, page

    # -- what it says ---------------------------------------------------------------------------------

    def bar(self, texts: Texts) -> str:
        """Where one is."""
        return texts("my_page.bar")

    def heading(self, texts: Texts) -> str:
        """What it is and how it stands."""
        words = item_words(self.services, self._item)
        assert callable(words)
        return words(texts)

    def code(self, texts: Texts) -> str:
        """Its code in threes; of a certificate that is not issued yet, that of its application."""
        if self._item.kind is ItemKind.CERTIFICATE and self._item.status == CertificateStatus.READY:
            return texts("application.code.applied", code=spoken(self._item.parent))
        return texts("my_page.item.code", code=spoken(self._item.code))

    def lines(self, texts: Texts) -> list[str]:
        """State, day, and what comes next."""
        item = self._item
        lines = [texts("my_page.item.state", state=state_of(item, self._page, texts))]
        if item.lost_its_dose:
            lines.append(texts(LOST_ITS_DOSE))
        if item.slot and item.kind is ItemKind.BOOKING:
            slot = self.services.clinic.local(item.slot)
            when = f"{texts.short_day(slot.date())} {texts.clock(slot)}"
            lines.append(texts(f"my_page.item.{'wished' if is_waiting(item) else 'slot'}", when=when))
        if item.given_on:
            lines.append(texts("my_page.item.given", date=item.given_on))
        if item.lot:
            lines.append(texts("my_page.item.lot", lot=item.lot))
        if item.next_due_on:
            lines.append(texts("my_page.item.next_due", date=item.next_due_on))
        following = f"my_page.next.{item.kind.value}.{item.status}"
        if texts.has(following):
            lines.append(texts(following))
        return lines

    def actions(self) -> list[Choice]:
        """What its owner can do about it as it stands."""
        possible = [Choice(name, f"my_page.act.{self._called(name)}") for name in self._possible()]
        return [*possible, Choice("back", "key.back")]

    def _called(self, action: str) -> str:
        """What an action is called; on the wait list no booking is cancelled or printed."""
        waits = is_waiting(self._item) and action in {"ticket", "cancel_booking"}
        return f"{action}_waiting" if waits else action

    def _possible(self) -> list[str]:
        item = self._item
        match item.kind:
            case ItemKind.BOOKING if item.status in LIVE_BOOKING:
                qr = ["qr"] if fits(item.code, self.app.size) else []
                return ["ticket", *qr, "cancel_booking"]
            case ItemKind.INJECTION if item.status == InjectionStatus.COMPLETED and not self._applied_for():
                return ["apply"]
            case ItemKind.APPLICATION if item.status == "applied":
                return ["cancel_application"]
            case ItemKind.APPLICATION | ItemKind.CERTIFICATE if self._certificate():
                return ["print"]
        return []

    def _certificate(self) -> str:
        """The code of the issued certificate that this is or led to; empty when there is none."""
        return next(
            (
                other.code
                for other in self._page.items
                if other.kind is ItemKind.CERTIFICATE
                and other.status == CertificateStatus.ISSUED
                and self._item.code in {other.code, other.parent}
            ),
            "",
        )

    def _applied_for(self) -> bool:
        """Whether a live application for this injection is on the page."""
        return any(
            other.kind is ItemKind.APPLICATION
            and other.parent == self._item.code
            and other.status in LIVE_APPLICATION
            for other in self._page.items
        )

    # -- what it does ---------------------------------------------------------------------------------

    def act(self, action: str) -> None:
        """What was chosen."""
        code = self._item.code
        match action:
            case "back":
                self.dismiss(None)
            case "ticket":
                self.run_command(PrintTicket(code), self.Printed, paper=True)
            case "print":
                print_it = PrintCertificate(self._certificate())
                self.run_command(print_it, self.CertificatePrinted, paper=True)
            case "qr":
                self.lead_to(CodePage(code))
            case "apply":
                wish = new_command_id()
                self._ask("apply", lambda: self.run_command(ApplyForCertificate(code), self.Applied, wish))
            case "cancel_booking":
                wish = new_command_id()
                self._ask(action, lambda: self.run_command(CancelBooking(code), self.Cancelled, wish))
            case "cancel_application":
                wish = new_command_id()
                self._ask(action, lambda: self.run_command(CancelApplication(code), self.Cancelled, wish))

    def _ask(self, action: str, then: Callable[[], None]) -> None:
        asked = f"my_page.ask.{self._called(action)}"
        self.confirm(
            f"{asked}.title",
            lambda t: t(
                f"{asked}.body", product=product_name(self.services.formulary, self._item.product, t)
            ),
            yes=f"{asked}.yes",
            then=then,
            harmless=action == "apply",
        )

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        self.show_place(event.place)

    @on(CertificatePrinted)
    def _certificate_printed(self, event: CertificatePrinted) -> None:
        self.show_place(event.issued.place)

    @on(Cancelled)
    def _cancelled(self) -> None:
        # The view follows a moment later; who cancelled sees it at once.
        self._item = replace(self._item, status="cancelled")
        self.show()

    @on(Applied)
    def _applied(self, event: Applied) -> None:
        self.show_message(
            "my_page.applied.title",
            lambda t: t("my_page.applied.body", code=spoken(event.application.code)),
        )
        self.catch_up()

    def clinic_changed(self) -> None:
        """Staff may have done something about it."""
        self.run_query(GetMyPage(), self.Shown)

    @on(Shown)
    def _shown(self, event: Shown) -> None:
        self._page = event.page
        self._item = next((item for item in event.page.items if item.code == self._item.code), self._item)
        self.show()
