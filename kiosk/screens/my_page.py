"""My page: one's own bookings, injections, applications and certificates, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message

from domain.actors import Actor
from domain.booking import BookingStatus
from domain.mypage import GetMyPage, ItemKind, MyPage, MyPageItem
from kiosk.i18n import Texts, Words
from kiosk.screens.identify import IdentifyScreen
from kiosk.screens.own_list import OwnListScreen
from kiosk.screens.products import product_name
from kiosk.services import Services
from kiosk.widgets.choice_list import Choice

LOST_ITS_DOSE = "injection_desk.end.withdrawn-waiting"
"""The person and the desk are told the same."""


class MyPageScreen(IdentifyScreen):
    """The way in."""

    def next_screen(self, actor: Actor) -> None:
        """One's own page."""
        self.give_way_to(MyPageListScreen(self.services, actor))


class MyPageListScreen(OwnListScreen):
    """Everything on one page, what still counts first; a line leads to what can be done about it."""

    TEXTS = "my_page"
    HELP = "my_page.help"

    @dataclass
    class Shown(Message):
        """The page as it is now."""

        page: MyPage

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._page = MyPage("", [], 0)

    def clinic_changed(self) -> None:
        """Own and other people's commits change it."""
        self.run_query(GetMyPage(), self.Shown)

    @on(Shown)
    def _shown(self, event: Shown) -> None:
        self._page = event.page
        self.show_lines(
            [
                Choice(
                    item.code, item_words(self.services, item), state_words(self.services, item, event.page)
                )
                for item in event.page.in_order
            ]
        )

    def open_line(self, code: str) -> None:
        """A booking, an injection, an application or a certificate."""
        from kiosk.screens.my_item import MyItemScreen

        item = next(item for item in self._page.items if item.code == code)
        self.lead_to(MyItemScreen(self.services, self.actor, item, self._page))


def item_words(services: Services, item: MyPageItem) -> Words:
    """What a line is about."""

    def said(t: Texts) -> str:
        product = product_name(services.formulary, item.product, t)
        if item.kind is ItemKind.INJECTION and item.dose_number:
            return t("my_page.item.dose", product=product, dose=item.dose_number, of=item.dose_total)
        kind = "waiting" if is_waiting(item) else item.kind.value
        return t(f"my_page.item.{kind}", product=product)

    return said


def is_waiting(item: MyPageItem) -> bool:
    """Whether it is a place on the wait list: nothing is booked yet, and its time is a wish."""
    return item.kind is ItemKind.BOOKING and item.status == BookingStatus.WAITING


def state_words(services: Services, item: MyPageItem, page: MyPage) -> Words:
    """The state of a line in words, with its day."""
    slot = services.clinic.local(item.slot) if item.slot else None

    def said(t: Texts) -> str:
        state = state_of(item, page, t)
        if item.given_on:
            return f"{state}, {t.short_day(item.given_on)}"
        when = f"{t.short_day(slot.date())} {t.clock(slot)}" if slot else ""
        if item.lost_its_dose:
            return f"{t(LOST_ITS_DOSE)} {t('my_page.item.wished', when=when)}"
        if slot and is_waiting(item):
            return f"{state}, {t('my_page.item.wished', when=when)}"
        return f"{state}, {when}" if slot and item.status == BookingStatus.RESERVED else state

    return said


def state_of(item: MyPageItem, page: MyPage, texts: Texts) -> str:
    """How it stands; of a certificate that is not valid any more, whether another took its place."""
    status = "replaced" if page.is_replaced(item) else item.status
    return texts(f"my_page.state.{item.kind.value}.{status}")
