"""`kiosk parts`: how the parts behind the counter are getting on, and the administrator's hand on them."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from typing import Any

from domain.actors import SYSTEM
from domain.codes import Kind, parse_code
from domain.messages import Command
from domain.parts import (
    DiscardTask,
    ListParts,
    ListTasks,
    Part,
    PartState,
    PausePart,
    ResumePart,
    RetryTask,
    Task,
    TaskStatus,
)
from kiosk.bootstrap import parts_of
from kiosk.commands.named import part_named
from kiosk.commands.opened import with_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.status import ask_all
from kiosk.upkeep import ask_records

PART_COLUMNS = ("part", "state", "behind", "oldest", "waiting", "aside", "processes")
SILENT = "does not answer"
"""What is said of a process that is there and hangs."""
TASK_COLUMNS = ("task", "part", "kind", "about", "problem", "attempts", "since")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Six actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("list", help="state and lag of each part, and which processes are at it")
    show.add_argument("--json", action="store_true")
    for action, text in (("pause", "it finishes what it is at and takes nothing more"), ("resume", "go on")):
        actions.add_parser(action, help=text).add_argument("part", type=part_named, metavar="PART")
    aside = actions.add_parser("aside", help="what could not be done, however often it was tried")
    aside.add_argument("--json", action="store_true")
    for action, text in (
        ("retry", "try a task that was put aside once more, with what waits behind it"),
        ("discard", "never do a task that was put aside"),
    ):
        actions.add_parser(action, help=text).add_argument("task", metavar="TASK")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """A table, or one word on what was done. Raises a `ClinicError`."""

    async def show() -> None:
        [states] = await ask_records(settings, ListParts())
        at_work = await _at_work(settings)
        if asked.json:
            told = [{**asdict(state), "processes": at_work.get(state.name, [])} for state in states]
            print(json.dumps(told))
            return
        _table(PART_COLUMNS, [_row(state, at_work.get(state.name, [])) for state in states])

    async def aside() -> None:
        [tasks] = await ask_records(settings, ListTasks(TaskStatus.ASIDE))
        if asked.json:
            print(json.dumps([asdict(task) for task in tasks], default=str))
            return
        _table(TASK_COLUMNS, [_task(task) for task in tasks])

    async def act(services: Services) -> None:
        if asked.action in {"retry", "discard"}:
            code = parse_code(asked.task, Kind.TASK)
            command: Command[Any] = RetryTask(code) if asked.action == "retry" else DiscardTask(code)
        else:
            command = PausePart(asked.part) if asked.action == "pause" else ResumePart(asked.part)
        done = await services.gateway.send(command, SYSTEM)
        if done is not None:
            print(done)

    if asked.action in {"list", "aside"}:  # what is asked for all the more when nothing can be written
        asyncio.run(show() if asked.action == "list" else aside())
        return 0
    return with_clinic(settings, act)


async def _at_work(settings: Settings) -> dict[str, list[str]]:
    """Which processes of this machine run which part, and how it fares there."""
    found: dict[str, list[str]] = {}
    for answer in await ask_all(settings.running_folder):
        if answer.report is None:  # it is there, and only its name still says what it is for
            of_the_kiosk = parts_of(settings) if answer.process.startswith("kiosk-") else ()
            for part in (part for part in Part if part in of_the_kiosk or part in answer.process):
                found.setdefault(part, []).append(f"{answer.process} {SILENT}")
            continue
        for part, how in answer.report.get("parts", {}).items():
            problem = f" ({how['problem']})" if how["problem"] else ""
            found.setdefault(part, []).append(f"{answer.process} {how['state']}{problem}")
    return found


def _row(state: PartState, processes: list[str]) -> tuple[str, ...]:
    silent = all(process.endswith(SILENT) for process in processes)
    at_work = "nobody here" if not processes else SILENT if silent else "at work"
    words = "paused" if state.paused else "away" if state.away else at_work
    behind = "?" if state.away else str(state.behind)
    oldest = f"{state.behind_seconds:.1f} s" if state.behind else "-"
    return (
        state.name, words, behind, oldest, str(state.waiting), str(state.aside),
        ", ".join(processes) or "-",
    )  # fmt: skip


def _task(task: Task) -> tuple[str, ...]:
    since = task.at.astimezone().strftime("%Y-%m-%d %H:%M")
    return task.code, task.part, task.kind, task.subject, task.problem, str(task.attempts), since


def _table(head: tuple[str, ...], body: list[tuple[str, ...]]) -> None:
    """Columns as wide as what stands in them; nothing at all when there are no rows."""
    rows = [head, *body] if body else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
