"""`kiosk health --live | --ready`: whether what runs on this machine is alive, and whether it can serve.

One JSON object on stdout; exit 0 when all is well, 1 when not. Nothing that runs is not well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from domain.errors import NoRecords
from domain.resilience import BreakerState
from kiosk.settings import Settings
from kiosk.status import Answer, ask_all


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which of the two."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--live", action="store_true", help="every process answers; otherwise restart it")
    which.add_argument(
        "--ready", action="store_true", help="and reaches its records, and no part of it fails"
    )
    parser.add_argument("--json", action="store_true", help="for scripts; it is JSON anyway")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Ask every process of the run folder."""
    try:
        answers = asyncio.run(ask_all(settings.running_folder))
        if not answers:
            _require_records(settings)
    except OSError as problem:  # nobody can be asked
        return _tell({}, f"{settings.running_folder}: {problem.strerror}")
    except NoRecords as problem:
        return _tell({}, str(problem))
    judge = live_problem if asked.live else ready_problem
    processes: dict[str, Any] = {}
    for answer in answers:
        processes[answer.process] = {"problem": judge(answer), **(answer.report or {})}
    return _tell(processes)


def _require_records(settings: Settings) -> None:
    """Where nobody answers, the folder may be mistyped. Raises NoRecords."""
    from kiosk.upkeep import require_records  # half a second of imports, which a probe seldom needs

    require_records(settings)


def _tell(processes: dict[str, Any], problem: str = "") -> int:
    well = bool(processes) and not any(process["problem"] for process in processes.values())
    in_the_way = {"problem": problem} if problem else {}
    print(json.dumps({"well": well, **in_the_way, "processes": processes}, ensure_ascii=False))
    return 0 if well else 1


def live_problem(answer: Answer) -> str:
    """Why it should be killed and started again; empty when it should not."""
    return "" if answer.report else "does not answer"


def ready_problem(answer: Answer) -> str:
    """Why it cannot serve just now; empty when it can."""
    report = answer.report
    if report is None:
        return "does not answer"
    if report["records"]:
        return str(report["records"])
    if report["breakers"].get("records", BreakerState.CLOSED) != BreakerState.CLOSED:
        return "the records are resting"
    parts = report["parts"].items()
    return "; ".join(f"{part}: {how['problem']}" for part, how in parts if how["state"] == "failing")
