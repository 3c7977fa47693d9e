"""My page: one's own bookings, injections, applications and certificates, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.mypage import GetMyPage, ItemKind, MyPage, MyPageItem
from kiosk.i18n import Texts, Words
from kiosk.screens.base import PublicScreen
from kiosk.screens.identify import IdentifyScreen
from kiosk.screens.products import product_name
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class MyPageScreen(IdentifyScreen):
    """The way in."""

    def next_screen(self, actor: Actor) -> None:
        """One's own page."""
        self.app.switch_screen(MyPageListScreen(self.services, actor))


class MyPageListScreen(PublicScreen):
    """Everything on one page, newest first; a line leads to what can be done about it."""

    HELP = "my_page.help"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.home")]

    @dataclass
    class Shown(Message):
        """The page as it is now."""

        page: MyPage

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services)
        self.actor = actor
        self.page: MyPage | None = None

    def compose(self) -> ComposeResult:
        """Heading and lines."""
        yield TopBar("my_page.bar", lambda t: self.actor.name)
        with Stage(), Page(id="page"):
            yield Say("my_page.wait", id="heading")
            yield Say("", id="hint")
            yield ChoiceList()
        yield KeyBar()

    def on_mount(self) -> None:
        """Fetch it."""
        self.query_one(ChoiceList).focus()
        self.clinic_changed()

    def on_screen_resume(self) -> None:
        """Something may have been done about a line."""
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """Own and other people's commits change it."""
        self.run_query(GetMyPage(), self.Shown)

    @on(Shown)
    def _shown(self, event: Shown) -> None:
        self.page = event.page
        empty = not event.page.items
        self.query_one("#heading", Say).say("my_page.empty" if empty else "my_page.question")
        self.query_one("#hint", Say).say("my_page.empty_next" if empty else "my_page.hint")
        items = [
            Choice(item.code, item_words(self.services, item), state_words(self.services, item))
            for item in event.page.items
        ]
        self.query_one(ChoiceList).offer([*items, Choice("", "my_page.finish")])

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        from kiosk.screens.my_item import MyItemScreen

        if not event.value:
            self.kiosk.end_visit()
            return
        assert self.page is not None
        item = next(item for item in self.page.items if item.code == event.value)
        self.app.push_screen(MyItemScreen(self.services, self.actor, item, self.page))

    def action_back(self) -> None:
        """Behind one's page is home, and the page does not stay open."""
        self.kiosk.end_visit()


def item_words(services: Services, item: MyPageItem) -> Words:
    """What a line is about."""

    def said(t: Texts) -> str:
        product = product_name(services, item.product, t)
        if item.kind is ItemKind.INJECTION and item.dose_number:
            return t("my_page.item.dose", product=product, dose=item.dose_number, of=item.dose_total)
        return t(f"my_page.item.{item.kind.value}", product=product)

    return said


def state_words(services: Services, item: MyPageItem) -> Words:
    """The state of a line in words, with its day."""
    slot = services.clinic.local(item.slot) if item.slot else None

    def said(t: Texts) -> str:
        state = t(f"my_page.state.{item.kind.value}.{item.status}")
        if item.given_on:
            return f"{state}, {t.short_day(item.given_on)}"
        if slot and item.status in {"reserved", "waiting"}:
            return f"{state}, {t.short_day(slot.date())} {t.clock(slot)}"
        return state

    return said
