"""Staff: enrol somebody new, or give somebody who lost theirs a new PIN. The PIN is shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from domain.actors import STAFF, Actor, Role
from domain.errors import ClinicError
from domain.recipient import parse_name
from domain.staff import EnrolStaff, ListStaff, NewPin, ResetPin, StaffMember
from kiosk.i18n import Texts, Words
from kiosk.screens.base import StaffScreen
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.desk_table import Column, DeskTable, Row
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.field import Field
from kiosk.widgets.say import Say

COLUMNS = (Column("shell.members.name", 12), Column("shell.members.roles"))


class RoleList(ChoiceList):
    """Roles to tick; Space does it as in every other list of ticks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "choose", show=False)]


class StaffMembersScreen(StaffScreen):
    """Who works here on the left, somebody new on the right."""

    HELP = "shell.members.help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "enrol", "shell.members.enrol"),
        Binding("f3", "reset", "shell.members.reset"),
    ]

    @dataclass
    class Listed(Message):
        """Everybody who works here."""

        members: list[StaffMember]

    @dataclass
    class PinMade(Message):
        """A new PIN, to hand over."""

        new: NewPin

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._members: list[StaffMember] = []
        self._roles: set[object] = set()

    def compose(self) -> ComposeResult:
        """Table and form."""
        yield TopBar("shell.members.bar", lambda t: self.actor.name)
        with Horizontal(id="desk"):
            with Vertical(classes="side"):
                yield Say("shell.members.known", classes="section")
                yield DeskTable()
                yield Facts(id="member")
            with Vertical(classes="side"):
                yield Say("shell.members.new", classes="section")
                yield Field("name", "shell.members.name")
                yield Say("shell.members.roles", classes="label")
                yield RoleList(self._role_choices())
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask who works here."""
        self.retranslate()
        self.query_one(Input).focus()
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """Somebody may have come or changed."""
        self.run_query(ListStaff(), self.Listed)

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        self._fill()

    def _role_choices(self) -> list[Choice]:
        """The roles, each with a tick or none."""

        def words(role: Role) -> Words:
            return lambda t: f"[{'v' if role in self._roles else ' '}] {t.word(role)}"

        return [Choice(role, words(role)) for role in STAFF]

    @on(ChoiceList.Chosen)
    def _role_chosen(self, event: ChoiceList.Chosen) -> None:
        self._roles ^= {event.value}
        self.query_one(ChoiceList).offer(self._role_choices())

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._members = event.members
        self._fill()

    def _fill(self) -> None:
        rows = [Row(m.code, (m.name, self.texts.fact(_roles_of(m)))) for m in self._members]
        self.query_one(DeskTable).show(COLUMNS, rows)
        self._tell()

    @on(DeskTable.RowHighlighted)
    def _tell(self) -> None:
        """The one under the cursor in full: a table has no room for every role."""
        member = self._chosen
        facts = [
            Fact("shell.members.name", member.name, "strong"),
            Fact("shell.members.roles", lambda t: t.fact(_roles_of(member))),
        ] if member else []  # fmt: skip
        self.query_one("#member", Facts).show(facts)

    @property
    def _chosen(self) -> StaffMember | None:
        code = self.query_one(DeskTable).current
        return next((member for member in self._members if member.code == code), None)

    def action_enrol(self) -> None:
        """Enrol whoever is in the form."""
        self.clear_errors()
        try:
            name = parse_name(self.query_one(Field).value)
        except ClinicError as refusal:
            self.show_error(refusal)
            return
        chosen = frozenset(role for role in STAFF if role in self._roles)
        if not chosen:
            self.set_focus(self.query_one(ChoiceList))
            self.show_message("shell.members.no_role", alarm=True)
            return
        known = any(member.name == name for member in self._members)
        self.confirm(
            "shell.members.enrol",
            lambda t: t(f"shell.members.{'changes' if known else 'sure'}", name=name, roles=tuple(chosen)),
            yes="shell.members.yes",
            # Without an id: whatever became of it, asked again it is a new PIN, and the one that is told.
            then=lambda: self.run_command(EnrolStaff(name, chosen), self.PinMade),
        )

    def action_reset(self) -> None:
        """A new PIN for the one under the cursor."""
        member = self._chosen
        if member is None:
            return
        name = member.name
        self.confirm(
            "shell.members.reset", lambda t: t("shell.members.reset_body", name=name),
            yes="shell.members.reset_yes",
            then=lambda: self.run_command(ResetPin(name), self.PinMade),
        )  # fmt: skip

    @on(PinMade)
    def _pin_made(self, event: PinMade) -> None:
        self.query_one(Field).value = ""
        self._roles = set()
        self.query_one(ChoiceList).offer(self._role_choices())
        self.set_focus(self.query_one(Input))

        def body(texts: Texts) -> str:
            return texts("shell.members.pin_body", name=event.new.name, pin=" ".join(event.new.pin))

        self.show_once("shell.members.pin_title", body)
        self.clinic_changed()


def _roles_of(member: StaffMember) -> list[Role]:
    """What somebody may do, what opens most first."""
    return [role for role in reversed(STAFF) if role in member.roles]
