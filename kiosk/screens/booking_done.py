"""After booking: what was done, in plain words; what happens next; the code, the ticket, the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import PUBLIC, Actor
from domain.booking import BookingReceipt, BookingStatus, CancelBooking, PrintTicket
from domain.codes import spoken
from domain.messages import new_command_id
from domain.mypage import IdentifyByCode
from domain.ports import Place
from kiosk.i18n import Texts, Words
from kiosk.screens.code_page import CodePage, fits
from kiosk.screens.products import product_name
from kiosk.screens.record import RecordScreen
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice


class BookingDoneScreen(RecordScreen):
    """The confirmation page. For the ticket and the cancellation a visitor becomes the booking's owner."""

    HELP = "booking.done.help"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.home")]

    @dataclass
    class Identified(Message):
        """Whose booking this is."""

        actor: Actor

    @dataclass
    class Printed(Message):
        """Where the ticket was put."""

        place: Place

    @dataclass
    class Cancelled(Message):
        """The booking is no more."""

        nothing: None

    def __init__(self, services: Services, receipt: BookingReceipt) -> None:
        super().__init__(services)
        self._receipt = receipt
        self._waiting = receipt.status is BookingStatus.WAITING
        self._cancelled = False
        self._once_identified: Callable[[], None] | None = None
        self._slot: datetime = services.clinic.local(receipt.slot)

    def bar(self, texts: Texts) -> str:
        """Where one is."""
        return texts("booking.bar")

    def heading(self, texts: Texts) -> str:
        """Reserved, on the wait list, or cancelled: said plainly."""
        if self._cancelled:
            return texts("booking.done.cancelled")
        return texts("booking.done.waiting" if self._waiting else "booking.done.reserved")

    def code(self, texts: Texts) -> str:
        """The booking's code in threes."""
        return "" if self._cancelled else texts("booking.done.code", code=spoken(self._receipt.booking))

    def lines(self, texts: Texts) -> list[str]:
        """What and when, and what happens next."""
        if self._cancelled:
            return [self._product(texts), texts("booking.done.cancelled_next")]
        when = f"{texts.short_day(self._slot.date())} {texts.clock(self._slot)}"
        return [
            self._product(texts),
            texts("booking.done.wished", when=when) if self._waiting else when,
            texts("booking.done.waiting_next" if self._waiting else "booking.done.reserved_next"),
        ]

    @property
    def _kind(self) -> str:
        """What the keys of the texts about a place on the wait list end with."""
        return "_waiting" if self._waiting else ""

    def _product(self, texts: Texts) -> str:
        return product_name(self.services.formulary, self._receipt.product, texts)

    def actions(self) -> list[Choice]:
        """The ticket comes first; nothing here is lost by a hasty Enter."""
        choices = []
        if not self._cancelled:
            choices.append(Choice("ticket", f"booking.done.ticket{self._kind}"))
            if fits(self._receipt.booking, self.app.size):
                choices.append(Choice("qr", "booking.done.qr"))
            choices.append(Choice("cancel", "booking.done.cancel"))
        return [*choices, Choice("done", "booking.done.finish")]

    def act(self, action: str) -> None:
        """What was chosen."""
        match action:
            case "done":
                self.kiosk.end_visit()
            case "ticket":
                self._as_owner(self._print_ticket)
            case "qr":
                self.lead_to(CodePage(self._receipt.booking))
            case "cancel":
                self._as_owner(self._ask_to_cancel)

    def _as_owner(self, then: Callable[[], None]) -> None:
        """Ask who that is only now: what cannot be answered at once can be asked for again."""
        if self.actor != PUBLIC:
            then()
            return
        self._once_identified = then
        self.run_query(IdentifyByCode(self._receipt.booking), self.Identified)

    @on(Identified)
    def _identified(self, event: Identified) -> None:
        self.actor = event.actor
        then, self._once_identified = self._once_identified, None
        if then:
            then()

    def _print_ticket(self) -> None:
        self.run_command(PrintTicket(self._receipt.booking), self.Printed, paper=True)

    def _ask_to_cancel(self) -> None:
        wish = new_command_id()
        words: Words = lambda t: t(f"booking.cancel.body{self._kind}", product=self._product(t))  # noqa: E731
        self.confirm(
            "booking.cancel.title", words, yes="booking.cancel.yes",
            then=lambda: self.run_command(CancelBooking(self._receipt.booking), self.Cancelled, wish),
        )  # fmt: skip

    @on(Printed)
    def _printed(self, event: Printed) -> None:
        self.show_place(event.place)

    @on(Cancelled)
    def _was_cancelled(self) -> None:
        self._cancelled = True
        self.show()

    def action_back(self) -> None:
        """The booking is made: back leads to the start, not into the questions."""
        self.kiosk.end_visit()
