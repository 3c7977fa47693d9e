"""What people were told, to be held against what the records say in the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.errors import ClinicError
from storage import codec


class Accounts:
    """By the id of each command."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[str, Any]] = {}
        self._refusals: dict[str, str] = {}
        self._unknown: set[str] = set()
        self.wrong: list[str] = []

    def answered(self, command_id: str, name: str, answer: Any) -> None:
        """Whoever asks again gets the same answer."""
        known = self._answers.setdefault(command_id, (name, answer))
        if known[1] != answer and name not in WORKFLOWS:
            self.wrong.append(f"{command_id} was answered {known[1]}, and then {answer}")

    def refused(self, command_id: str, refusal: ClinicError) -> None:
        """Nothing was changed."""
        self._refusals[command_id] = refusal.code

    def nobody_knows(self, command_id: str) -> None:
        """Whoever asked left, or was told that it is not known, or the door closed for ever."""
        self._unknown.add(command_id)

    def differences(self, commands: dict[str, tuple[str, str]]) -> Iterator[str]:
        """Between what was said and the commands that the records know, with name and answer."""
        yield from self.wrong
        for command_id, (name, answer) in self._answers.items():
            if name in WORKFLOWS:
                continue
            if command_id not in commands:
                yield f"{name} {command_id} was acknowledged and is not there"
            elif commands[command_id][0] != name or codec.load_answer(commands[command_id][1]) != answer:
                yield f"{name} {command_id} was answered {answer} and is there as {commands[command_id]}"
        for command_id, code in self._refusals.items():
            told = command_id in self._answers or command_id in self._unknown
            if command_id in commands and not told:
                yield f"{commands[command_id][0]} {command_id} was refused ({code}) and is there"


WORKFLOWS = {"IssueCertificate"}
"""Commands of several steps, which are recorded under ids of their own."""
