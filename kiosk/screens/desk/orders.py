"""What an officer has ordered: which certificates still wait, and what became of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.certificate import CertificateDetail, GetCertificate, ListCertificates
from domain.codes import spoken
from domain.parts import ListTasks, LoopState, Part, Task, TaskKind, TaskStatus
from domain.statement import Certificate, CertificateStatus
from kiosk.i18n import Texts
from kiosk.screens.desk.part_words import loop_of, problem_words
from kiosk.services import Loop
from kiosk.widgets.facts import Fact

MOST = 1000
"""More wait only where something has stood still for days."""
MOST_ASIDE = 50
"""When the keys are lost every one fails for the same reason."""

Ask = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class Look:
    """Everything at one glance: the applications that wait, and the tasks by their certificate."""

    ready: list[CertificateDetail] = field(default_factory=list)
    issuing: dict[str, Task] = field(default_factory=dict)
    printing: dict[str, Task] = field(default_factory=dict)
    found: dict[str, Certificate] = field(default_factory=dict)
    """Those that were asked for one by one, because nothing waits for them any more."""
    unprinted: int = 0
    """Of the latest that were issued, how many have no paper, nor an order to print it."""

    @property
    def live(self) -> dict[str, Task]:
        """The task that each certificate waits for."""
        return self.printing | self.issuing

    @property
    def aside(self) -> list[Task]:
        """What could not be done."""
        return [task for task in self.live.values() if task.status is TaskStatus.ASIDE]


async def look_around(ask: Ask, followed: Collection[str]) -> Look:
    """Look at what waits, and at those of ``followed`` that wait no more."""
    ready = await ask(ListCertificates(CertificateStatus.READY, limit=MOST))
    # First what is to be issued: its task ends after the one to print it was made, so none is missed.
    issuing = await _tasks(ask, Part.ISSUING, TaskKind.ISSUE)
    printing = await _tasks(ask, Part.PRINTING, TaskKind.PRINT)
    live = issuing | printing
    named = {detail.certificate.code for detail in ready}
    aside = [t.subject for t in printing.values() if t.status is TaskStatus.ASIDE and t.subject not in named]
    over = [code for code in followed if code not in live]
    found = {code: await ask(GetCertificate(code)) for code in [*over, *aside[:MOST_ASIDE]]}
    issued = await ask(ListCertificates(CertificateStatus.ISSUED))
    no_paper = [d for d in issued if not d.certificate.prints and d.certificate.code not in live]
    return Look(ready, issuing, printing, found, len(no_paper))


async def _tasks(ask: Ask, part: Part, kind: TaskKind) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for status in (TaskStatus.WAITING, TaskStatus.IN_PROGRESS, TaskStatus.ASIDE):
        tasks |= {t.subject: t for t in await ask(ListTasks(status, part, MOST)) if t.kind is kind}
    return tasks


class Orders:
    """Follows what is ordered from the moment the desk is opened, whoever ordered it."""

    def __init__(self) -> None:
        self.look = Look()
        self._followed: set[str] = set()
        self._over: dict[str, Certificate] = {}

    def follow(self, codes: Iterable[str]) -> None:
        """These were ordered a moment ago."""
        self._followed |= set(codes)

    @property
    def open(self) -> list[str]:
        """Those of which nobody knows yet that they are over."""
        return [code for code in self._followed if code not in self._over]

    def see(self, look: Look) -> None:
        """Things are like this now."""
        self.look = look
        self.follow(look.live)
        over = {code: c for code, c in look.found.items() if code in self._followed}
        self._over = {code: c for code, c in (self._over | over).items() if code not in look.live}

    # -- what became of them ----------------------------------------------------------------------

    @property
    def ordered(self) -> int:
        """How many there are."""
        return len(self._followed)

    @property
    def issued(self) -> int:
        """Those that are valid now, printed or not."""
        return len(self.look.printing) + sum(
            c.status is CertificateStatus.ISSUED for c in self._over.values()
        )

    @property
    def printed(self) -> int:
        """Those whose paper came out."""
        return sum(c.status is CertificateStatus.ISSUED and c.prints > 0 for c in self._over.values())

    @property
    def dropped(self) -> int:
        """Those that were cancelled, revoked or discarded before their paper came out."""
        return len(self._over) - self.printed

    @property
    def aside(self) -> int:
        """Those that wait for the administrator."""
        return len(self.look.aside)

    @property
    def under_way(self) -> bool:
        """Whether anything is still to be done without anybody's help."""
        return self.printed + self.dropped + self.aside < self.ordered

    def is_under_way(self, code: str) -> bool:
        """Whether this one was ordered, and its turn comes."""
        task = self.look.live.get(code)
        return task is not None and task.status is not TaskStatus.ASIDE


def in_the_way(orders: Orders, loops: Sequence[Loop]) -> list[Fact]:
    """Why nothing goes on, and what was put aside, in words."""
    facts = []
    if orders.under_way:
        facts = [_standstill(loop) for part in _PARTS if (loop := loop_of(loops, part)) and _stands(loop)]
    names = {detail.certificate.code: detail.name for detail in orders.look.ready}
    names |= {code: c.facts.name for code, c in orders.look.found.items() if c.facts}
    facts += [_why(task, names.get(task.subject, "")) for task in orders.look.aside[:MOST_ASIDE]]
    if more := orders.aside - MOST_ASIDE:
        facts += [Fact("", lambda t: t("certificate_issue.more_aside", more=more))] if more > 0 else []
    return facts


_PARTS = (Part.ISSUING, Part.PRINTING)


def _stands(loop: Loop) -> bool:
    return loop.state in {LoopState.PAUSED, LoopState.FAILING}


def _standstill(loop: Loop) -> Fact:
    problem = loop.problem

    def said(texts: Texts) -> str:
        if loop.state is LoopState.PAUSED:
            return f"! {texts('certificate_issue.stands')}"
        return f"! {texts('certificate_issue.tries', why=problem_words(problem, texts))}"

    return Fact(f"parts.of.{loop.part}", said, "alarm")


def _why(task: Task, name: str) -> Fact:
    return Fact(f"{name} {spoken(task.subject)}", lambda t: f"! {problem_words(task.problem, t)}", "alarm")
