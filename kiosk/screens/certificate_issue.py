"""Certificate issue: the applications that wait, issued one by one, or all ordered at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message

from domain.actors import Actor
from domain.certificate import CertificateDetail, GetCertificate, IssueCertificate, Issued, ListCertificates
from domain.codes import spoken
from domain.errors import PaperFailed, PrinterResting
from domain.messages import new_command_id
from domain.orders import OrderIssue
from domain.statement import Certificate, CertificateStatus
from kiosk.i18n import Texts
from kiosk.locations import STYLES
from kiosk.screens.base import Refused
from kiosk.screens.desk.certificates import WAITING, waiting_row, whose
from kiosk.screens.desk.issued import IssuedScreen
from kiosk.screens.desk.list_desk import ListDesk
from kiosk.screens.desk.orders import Look, Orders, in_the_way, look_around
from kiosk.screens.desk.part_words import paper_words
from kiosk.services import Services
from kiosk.widgets.desk_table import MOST_ROWS, DeskTable
from kiosk.widgets.facts import Facts
from kiosk.widgets.progress import Progress
from kiosk.widgets.say import Say

AT_ONCE = 100
"""So many are ordered in one transaction."""
TICK_SECONDS = 2.0
"""A part that fails changes nothing in the records, so while something is ordered it is looked at."""


class WaitingTable(DeskTable):
    """Enter issues the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "certificate_issue.issue_one")]


class CertificateIssueScreen(ListDesk):
    """What waits above, what becomes of the orders below; those issued before are a key away."""

    BAR = "certificate_issue.bar"
    HELP = "certificate_issue.help"
    CHANGE_PAUSE = 1.0
    """Orders are carried out by the dozen a second, and the list is long."""
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "certificate_issue.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "issue_all", "certificate_issue.issue_all"),
        Binding("f4", "issued", "certificate_issue.issued"),
    ]

    @dataclass
    class Looked(Message):
        """What waits, and what was ordered; the looks are numbered, for one may overtake another."""

        number: int
        look: Look

    @dataclass
    class Ordered(Message):
        """These are done one after the other from now on."""

        codes: tuple[str, ...]
        count: int

    @dataclass
    class IssuedOne(Message):
        """The one that was waited for."""

        detail: CertificateDetail
        issued: Issued

    @dataclass
    class NoPaper(Message):
        """No paper came out; the certificate as it is now tells whether it is issued nevertheless."""

        certificate: Certificate
        refused: Refused

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self.orders = Orders()
        self._looks = self._seen = 0

    def above(self) -> ComposeResult:
        """How many wait, and how many that were issued nobody holds on paper."""
        yield Say(self._heading, id="heading")
        yield Say(self._unprinted, id="unprinted", classes="alarm")

    def make_table(self) -> DeskTable:
        """The applications."""
        return WaitingTable()

    def below(self) -> ComposeResult:
        """The orders."""
        with Vertical(id="orders"):
            yield Progress()
            yield Say(self._result, id="result")
            with VerticalScroll(id="in-the-way", can_focus=False):
                yield Facts()

    def on_mount(self) -> None:
        """What stands in the way of an order is seen without a commit."""
        self.set_interval(TICK_SECONDS, self._tick)
        self._fill()

    def _tick(self) -> None:
        if self.orders.under_way and self.is_current:
            self.catch_up()

    # -- looking ----------------------------------------------------------------------------------

    def clinic_changed(self) -> None:
        """Somebody applied, cancelled, or was issued a certificate."""
        self._looks += 1
        ready = ListCertificates(CertificateStatus.READY)
        self.run_queries(ready, partial(self._look_around, self._looks))

    async def _look_around(self, number: int) -> Message:
        async def ask(query: Any) -> Any:
            return await self.services.gateway.ask(query, self.actor)

        return self.Looked(number, await look_around(ask, self.orders.open))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        if event.number > self._seen:
            self._seen = event.number
            self.orders.see(event.look)
            self._fill()

    # -- what is shown ----------------------------------------------------------------------------

    def retranslate(self) -> None:
        """The tables in the language of the moment."""
        self._fill()

    def _fill(self) -> None:
        clinic, formulary, look = self.services.clinic, self.services.formulary, self.orders.look
        rows = [
            waiting_row(detail, look.issuing.get(detail.certificate.code), clinic, formulary, self.texts)
            for detail in look.ready[:MOST_ROWS]
        ]
        self.show_rows(WAITING, rows, "certificate_issue.empty")
        self.query_one("#heading", Say).retranslate()
        self.query_one("#unprinted", Say).retranslate()
        self._fill_orders()
        self.refresh_bindings()

    def _fill_orders(self) -> None:
        orders = self.orders
        self.query_one("#orders").display = orders.ordered > 0
        progress = self.query_one(Progress)
        progress.total, progress.done = orders.ordered, orders.printed + orders.dropped
        self.query_one("#result", Say).retranslate()
        facts = in_the_way(orders, self.services.parts.loops)
        self.query_one(Facts).show(facts)
        self.query_one("#in-the-way").display = bool(facts)

    def _heading(self, texts: Texts) -> str:
        return texts("certificate_issue.waiting_heading", count=len(self.orders.look.ready))

    def _unprinted(self, texts: Texts) -> str:
        count = self.orders.look.unprinted
        return texts("certificate_issue.unprinted", count=count) if count else ""

    def _result(self, texts: Texts) -> str:
        orders = self.orders
        if not orders.ordered:
            return ""
        counts = {"ordered": orders.ordered, "issued": orders.issued, "printed": orders.printed}
        said = [texts(f"certificate_issue.orders.{'running' if orders.under_way else 'ended'}", **counts)]
        if orders.dropped:
            said.append(texts("certificate_issue.orders.dropped", count=orders.dropped))
        if orders.aside:
            said.append(texts("certificate_issue.orders.aside", count=orders.aside))
        if orders.under_way:
            said.append(texts("certificate_issue.orders.leave"))
        return " ".join(said)

    # -- keys -------------------------------------------------------------------------------------

    @property
    def _chosen(self) -> CertificateDetail | None:
        code = self.table.current
        return next((d for d in self.orders.look.ready if d.certificate.code == code), None)

    @property
    def _to_order(self) -> tuple[str, ...]:
        codes = [detail.certificate.code for detail in self.orders.look.ready]
        return tuple(code for code in codes if code not in self.orders.look.issuing)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What was ordered is not ordered again."""
        return bool(self._to_order) if action == "issue_all" else super().check_action(action, parameters)

    def action_issued(self) -> None:
        """Those issued before; what was ordered goes on meanwhile."""
        self.lead_to(IssuedScreen(self.services, self.actor))

    @on(DeskTable.RowSelected)
    def _issue_one(self) -> None:
        detail = self._chosen
        if detail is None:
            return
        code = detail.certificate.code
        if self.orders.is_under_way(code):
            self.show_message("certificate_issue.is_ordered", "certificate_issue.turn_comes")
            return
        # Not read back: everybody in the list applied for theirs, so that a namesake's is issued a little
        # sooner at worst; whose paper came out is said, and stands on it.
        issue = IssueCertificate(code)
        self.run_command(issue, lambda issued: self.IssuedOne(detail, issued), new_command_id(), paper=True)

    @on(IssuedOne)
    def _issued_one(self, event: IssuedOne) -> None:
        detail, place = event.detail, str(event.issued.place)
        self.done(lambda t: t("certificate_issue.issued_one", **whose(detail, t), place=place))

    def refused(self, event: Refused) -> None:
        """Issuing and printing are two things: what failed may have been the second of them."""
        request = event.request
        if isinstance(request, IssueCertificate) and isinstance(event.error, PaperFailed | PrinterResting):
            self.run_query(GetCertificate(request.certificate), lambda found: self.NoPaper(found, event))
        else:
            super().refused(event)

    @on(NoPaper)
    def _no_paper(self, event: NoPaper) -> None:
        certificate, error = event.certificate, event.refused.error
        if certificate.status is not CertificateStatus.ISSUED:
            super().refused(event.refused)
            return
        code = spoken(certificate.code)
        self.show_message(
            "certificate_issue.no_paper_title",
            lambda t: t("certificate_issue.no_paper", code=code, why=paper_words(error, t)),
            alarm=True,
        )
        self.catch_up()

    def action_issue_all(self) -> None:
        """Everything that waits is made and printed behind the counter, one after the other."""
        codes, wish = self._to_order, new_command_id()
        if not codes:
            return
        slices = [OrderIssue(codes[at : at + AT_ONCE]) for at in range(0, len(codes), AT_ONCE)]
        self.confirm(
            "certificate_issue.issue_all",
            lambda t: t("certificate_issue.all_sure", count=len(codes)),
            yes="certificate_issue.all_yes",
            then=lambda: self.run_commands(slices, lambda counts: self.Ordered(codes, sum(counts)), wish),
        )

    @on(Ordered)
    def _ordered(self, event: Ordered) -> None:
        self.orders.follow(event.codes)
        count = event.count
        self.done(lambda t: t("certificate_issue.ordered", count=count))
