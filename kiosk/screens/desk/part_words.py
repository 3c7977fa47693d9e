"""The parts and their tasks as the desks show them: states, lags and problems in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.clinic import Clinic
from domain.codes import spoken
from domain.errors import ClinicError, PaperFailed, PrinterResting
from domain.parts import LoopState, Part, PartState, Task
from domain.resilience import BreakerState
from kiosk.i18n import Texts
from kiosk.screens.desk.words import moment
from kiosk.services import Loop
from kiosk.widgets.desk_table import Column, Row, Toned
from kiosk.widgets.facts import Fact

PARTS = (
    Column("parts.name"),
    Column("parts.state", 11),
    Column("parts.behind", 8, right=True),
    Column("parts.oldest", 9, right=True),
    Column("parts.waiting", 9, right=True),
    Column("parts.aside", 6, right=True),
)
PARTS_NARROW = (
    Column("parts.name"),
    Column("parts.state", 10),
    Column("parts.left", 4, right=True),
    Column("parts.aside", 5, right=True),
)
TASKS = (
    Column("parts.since", 11),
    Column("parts.kind", 12),
    Column("parts.subject", 11),
    Column("parts.problem"),
    Column("parts.attempts", 4, right=True),
    Column("parts.ordered_by", 10),
)
TASKS_NARROW = (Column("parts.kind", 10), Column("parts.problem"))
NARROW = 72
"""Terminals of fewer columns show the narrow tables; the rest stands below them."""

_TONES = {LoopState.PAUSED: "alarm", LoopState.FAILING: "alarm", "left_aside": "alarm", "caught_up": "good"}


def state_word(state: PartState, loop: Loop | None) -> str:
    """How a part is getting on, as far as the records and this process know: the key of a word."""
    if state.paused:
        return LoopState.PAUSED
    if state.away or (loop is not None and loop.state is LoopState.FAILING):
        return LoopState.FAILING
    if state.behind or state.waiting:
        return "catching_up"
    return "left_aside" if state.aside else "caught_up"


def part_row(state: PartState, loop: Loop | None, texts: Texts, narrow: bool) -> Row:
    """One part."""
    key = state_word(state, loop)
    word = texts(f"parts.is.{key}")
    name, said = texts(f"parts.of.{state.name}"), Toned(word, _TONES[key]) if key in _TONES else word
    aside = Toned(str(state.aside), "alarm") if state.aside else "0"
    if narrow:
        left = "?" if state.away else str(state.behind + state.waiting)
        return Row(state.name, (name, said, left, aside))
    behind = "?" if state.away else str(state.behind)
    oldest = duration(state.behind_seconds, texts) if state.behind else Toned("-", "faint")
    return Row(state.name, (name, said, behind, oldest, str(state.waiting), aside))


def part_facts(state: PartState, loop: Loop | None) -> list[Fact]:
    """What the part does, how it fares in this process, and what stands in its way."""
    here = f"parts.here.{loop.state if loop else 'elsewhere'}"
    problem = loop.problem if loop else ""
    return [
        Fact("parts.does", f"parts.about.{state.name}"),
        Fact("parts.lag", lambda t: _lag(state, t)),
        Fact("parts.in_this_kiosk", here, "alarm" if loop and loop.state is LoopState.FAILING else ""),
        Fact("parts.problem", lambda t: f"! {problem_words(problem, t)}" if problem else "", "alarm"),
    ]


def kiosk_facts(
    breakers: Mapping[str, BreakerState], queued: int, rotation_due: datetime | None
) -> list[Fact]:
    """What this process lets rest because it failed, what waits for its writer, and a key that is old."""
    rests = any(state is not BreakerState.CLOSED for state in breakers.values())

    def said(texts: Texts) -> str:
        return ", ".join(
            f"{texts(f'parts.breaker.{name}')} {texts(f'parts.breaker_is.{state}')}"
            for name, state in breakers.items()
        )

    return [
        Fact("parts.breakers", said, "alarm" if rests else ""),
        Fact("parts.queued", lambda t: t("parts.queued_commands", count=queued)),
        Fact("parts.signing_key", lambda t: _rotation(rotation_due, t), "alarm"),
    ]


def task_row(task: Task, clinic: Clinic, texts: Texts, narrow: bool) -> Row:
    """Something that was put aside."""
    kind, problem = texts(f"parts.task.{task.kind}"), problem_words(task.problem, texts)
    if narrow:
        return Row(task.code, (kind, problem))
    at, who = moment(clinic.local(task.at)), ordered_by(task, texts)
    tries = str(task.attempts) if task.attempts else Toned("-", "faint")
    return Row(task.code, (at, kind, spoken(task.subject), problem, tries, who))


def task_facts(task: Task, clinic: Clinic) -> list[Fact]:
    """All that is known of it, in full."""
    at = clinic.local(task.at)
    return [
        Fact("parts.kind", f"parts.task.{task.kind}", "strong"),
        Fact("parts.subject", lambda t: _subject(task.subject, t)),
        Fact("parts.problem", lambda t: f"! {problem_words(task.problem, t)}", "alarm"),
        Fact("parts.attempts", lambda t: t("parts.times", count=task.attempts) if task.attempts else ""),
        Fact("parts.since", lambda t: t.fact(at)),
        Fact("parts.ordered_by", lambda t: ordered_by(task, t)),
        Fact("parts.code", f"{spoken(task.code)}  ({task.problem})"),
    ]


def ordered_by(task: Task, texts: Texts) -> str:
    """The member of staff, or what else acted."""
    return task.actor_name or texts.word(task.actor)


def problem_words(problem: str, texts: Texts) -> str:
    """What stands in the way, in words. Only its name was kept, so no text may need more than that."""
    for key in (f"parts.because.{problem.replace(' ', '-')}", f"error.{problem}"):
        if texts.has(key):
            try:
                return texts(key)
            except KeyError:
                continue
    return texts("parts.because.other", problem=problem)


def paper_words(error: ClinicError, texts: Texts) -> str:
    """Why no paper came out, for staff: what people at the terminal are told ends with calling them."""
    if type(error) is not PaperFailed and isinstance(error, PaperFailed | PrinterResting):
        return problem_words(error.code, texts)
    return texts.error(error)


def duration(seconds: float, texts: Texts) -> str:
    """How long, as coarsely as it matters."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return texts(f"parts.{unit}", count=int(seconds // size))
    return texts("parts.seconds", count=int(seconds))


def loop_of(loops: Iterable[Loop], part: Part) -> Loop | None:
    """How the part is getting on in this process; None when it does not run here."""
    return next((loop for loop in loops if loop.part is part), None)


def _subject(code: str, texts: Texts) -> str:
    return f"{texts(f'parts.subject_is.{code[0]}')} {spoken(code)}" if code else ""


def _rotation(due: datetime | None, texts: Texts) -> str:
    return texts("parts.rotation_due", date=texts.day(due)) if due else ""


def _lag(state: PartState, texts: Texts) -> str:
    if state.away:
        return texts("parts.away")
    if not state.behind and not state.waiting:
        return texts("parts.nothing_waits")
    oldest = duration(state.behind_seconds, texts)
    return texts("parts.waits", events=state.behind, oldest=oldest, tasks=state.waiting)
