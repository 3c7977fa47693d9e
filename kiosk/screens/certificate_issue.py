"""Certificate issue: the applications that wait, issued one by one or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message

from domain.actors import Actor
from domain.certificate import CertificateDetail, ListCertificates
from domain.statement import CertificateStatus
from kiosk.i18n import Texts
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.screens.desk.certificates import (
    WAITING,
    failed_facts,
    waiting_row,
)
from kiosk.screens.desk.issue_run import Ended, Failed, IssueRun, Succeeded
from kiosk.screens.desk.issued import IssuedScreen
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.desk_table import MOST_ROWS, DeskTable
from kiosk.widgets.facts import Facts
from kiosk.widgets.progress import Progress
from kiosk.widgets.say import Say

MOST_WAITING = 1000


class WaitingTable(DeskTable):
    """Enter issues the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "certificate_issue.issue_one")]


class CertificateIssueScreen(StaffScreen):
    """What waits above, what became of the last run below; those issued before are a key away."""

    HELP = "certificate_issue.help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "certificate_issue.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "issue_all", "certificate_issue.issue_all"),
        Binding("f3", "stop", "certificate_issue.stop"),
        Binding("f4", "issued", "certificate_issue.issued"),
    ]

    @dataclass
    class Waiting(Message):
        """The applications that wait, oldest first."""

        details: list[CertificateDetail]

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._waiting: list[CertificateDetail] = []
        self._run_of: IssueRun | None = None
        self._issuing = False

    def compose(self) -> ComposeResult:
        """The lists, and what became of the last run."""
        yield TopBar("certificate_issue.bar", lambda t: self.actor.name)
        yield Say(id="notice")
        with Vertical(id="desk"):
            yield Say(self._heading, id="heading")
            with Vertical(id="waiting"):
                yield Say(id="empty")
                yield WaitingTable(id="to-issue")
                with Vertical(id="run"):
                    yield Progress()
                    yield Say(self._result, id="result")
                    with VerticalScroll(id="failures"):
                        yield Facts()
        yield KeyBar()

    def on_mount(self) -> None:
        """What waits comes first."""
        self.query_one(WaitingTable).focus()
        self._fill()
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """Somebody applied, cancelled, or was issued a certificate elsewhere."""
        self.run_query(ListCertificates(CertificateStatus.READY, limit=MOST_WAITING), self.Waiting)

    def retranslate(self) -> None:
        """The tables in the language of the moment."""
        self._fill()

    @on(Waiting)
    def _waits(self, event: Waiting) -> None:
        self._waiting = event.details
        self._fill()

    # -- what is shown ----------------------------------------------------------------------------

    def _fill(self) -> None:
        clinic, formulary, t = self.services.clinic, self.services.formulary, self.texts
        rows = [waiting_row(detail, clinic, formulary, t) for detail in self._waiting[:MOST_ROWS]]
        self.query_one(WaitingTable).show(WAITING, rows)
        self.query_one(WaitingTable).display = bool(rows)
        self.query_one("#empty", Say).say("" if rows else "certificate_issue.empty")
        if rows and self.focused is None:  # a table without rows is hidden, and loses the focus
            self.query_one(WaitingTable).focus()
        self._fill_run()
        self.query_one("#heading", Say).retranslate()

    def _fill_run(self) -> None:
        run = self._run_of
        self.query_one("#run").display = run is not None
        if run is None:
            return
        progress = self.query_one(Progress)
        progress.total, progress.done = len(run.waiting), run.done + len(run.failures)
        self.query_one("#result", Say).retranslate()
        self.query_one(Facts).show(failed_facts(run.failures))
        self.query_one("#failures").display = bool(run.failures)

    @property
    def _chosen(self) -> CertificateDetail | None:
        code = self.query_one(WaitingTable).current
        return next((detail for detail in self._waiting if detail.certificate.code == code), None)

    def _heading(self, texts: Texts) -> str:
        return texts("certificate_issue.waiting_heading", count=len(self._waiting))

    def _result(self, texts: Texts) -> str:
        run = self._run_of
        if run is None:
            return ""
        state = "running"
        if run.stopped:
            state = "stopping" if self._issuing else "stopped"
        elif not self._issuing:
            state = "ended"
        facts = {"done": run.done, "failed": len(run.failures), "place": run.last_place}
        words = texts(f"certificate_issue.run.{state}", **facts)
        return f"{words}\n{texts('certificate_issue.place', **facts)}" if run.last_place else words

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While it runs it can be stopped; while it does not it can be begun."""
        if action == "issue_all":
            return not self._issuing
        return self._issuing if action == "stop" else True

    def action_issued(self) -> None:
        """Those issued before; what runs goes on meanwhile."""
        self.app.push_screen(IssuedScreen(self.services, self.actor))

    def action_back(self) -> None:
        """First stop what runs, then out."""
        if self._issuing and self._run_of and not self._run_of.stopped:
            self.action_stop()
        else:
            self.dismiss(None)

    # -- issuing ----------------------------------------------------------------------------------

    @on(DeskTable.RowSelected, "#to-issue")
    def _issue_one(self) -> None:
        detail = self._chosen
        if detail and not self._issuing:
            self._begin(IssueRun([detail]))

    def action_issue_all(self) -> None:
        """Everything that waits, one after the other."""
        if not self._waiting or self._issuing:
            return
        run = IssueRun(list(self._waiting))
        self.confirm(
            "certificate_issue.issue_all",
            lambda t: t("certificate_issue.all_sure", count=len(run.waiting)),
            yes="certificate_issue.all_yes", then=lambda: self._begin(run),
        )  # fmt: skip

    def _begin(self, run: IssueRun) -> None:
        if self._issuing:
            return
        self._run_of, self._issuing = run, True
        self.query_one("#notice", Say).say("")
        self._fill()
        self.refresh_bindings()
        report = self.post_message
        self.run_worker(run.go(self.services.gateway, self.actor, self.kiosk.shielded, report))

    def action_stop(self) -> None:
        """The one that is on its way is finished; no further one is begun."""
        if self._run_of:
            self._run_of.stopped = True
            self._fill_run()

    @on(Succeeded)
    def _succeeded(self, event: Succeeded) -> None:
        if self._run_of:
            self._run_of.done += 1
            self._run_of.last_place = str(event.issued.place)
        self._one_more()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        if self._run_of:
            self._run_of.failures.append(event)
        self._one_more()

    def _one_more(self) -> None:
        self.kiosk.idle.touch()  # somebody waits for the rest of them
        self._fill_run()

    @on(Ended)
    def _ended(self) -> None:
        self._issuing = False
        self._fill_run()
        self.refresh_bindings()
        self.clinic_changed()
