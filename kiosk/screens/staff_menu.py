"""The staff menu: the desks that one's roles open, locking the terminal, leaving the program."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from domain.actors import ADMINISTRATOR, CERTIFICATE_OFFICER, STAFF_ROLES, VACCINATOR, VACCINE_MANAGER, Role
from kiosk.places import load_screen
from kiosk.screens.base import StaffScreen
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage

DESKS: dict[str, tuple[frozenset[Role], str]] = {
    "vaccine_admin": (VACCINE_MANAGER, "kiosk.screens.vaccine_admin:VaccineAdminScreen"),
    "injection_desk": (VACCINATOR, "kiosk.screens.injection_desk:InjectionDeskScreen"),
    "certificate_issue": (CERTIFICATE_OFFICER, "kiosk.screens.certificate_issue:CertificateIssueScreen"),
    "staff_members": (ADMINISTRATOR, "kiosk.screens.staff_members:StaffMembersScreen"),
    "parts": (ADMINISTRATOR, "kiosk.screens.parts:PartsScreen"),
    "verify": (STAFF_ROLES, "kiosk.screens.verify:VerifyScreen"),
}
"""Each desk: who works at it, and where its screen is; imported when somebody goes there."""


class StaffMenuScreen(StaffScreen):
    """Where a member of staff starts; Esc locks the terminal."""

    HELP = "shell.staff.help"

    def compose(self) -> ComposeResult:
        """Greeting and list."""
        yield TopBar("shell.staff.bar", lambda t: self.actor.name)
        with Stage(), Page(id="page"):
            yield Say("shell.staff.question", id="heading")
            yield ChoiceList(
                [
                    *(
                        Choice(desk, f"shell.staff.{desk}")
                        for desk, (roles, _) in DESKS.items()
                        if self.actor.has(roles)
                    ),
                    Choice("lock", "shell.staff.lock"),
                    Choice("leave", "shell.staff.leave"),
                ]
            )
        yield KeyBar()

    def on_mount(self) -> None:
        """Numbers work at once."""
        self.query_one(ChoiceList).focus()

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        if event.value == "lock":
            self.kiosk.end_visit()
        elif event.value == "leave":
            self.confirm(
                "shell.staff.leave_title", "shell.staff.leave_body", yes="shell.staff.leave_yes",
                then=lambda: self.kiosk.leave(0),
            )  # fmt: skip
        else:
            desk = load_screen(DESKS[str(event.value)][1])
            self.lead_to(desk(self.services, self.actor))

    def action_back(self) -> None:
        """Back from here is out: the desks stay behind the PIN."""
        self.kiosk.end_visit()
