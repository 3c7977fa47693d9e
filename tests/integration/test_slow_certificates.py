"""Certificates whose making takes longer than the limit: one by itself, or all because the whole is slow."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from domain.certificate import ListCertificates
from domain.orders import OrderIssue
from domain.parts import ListTasks, Part, RetryTask, Task, TaskStatus
from domain.ports import Press
from domain.statement import CertificateFacts, CertificateStatus, Credential
from kiosk.i18n import LANGUAGES, Texts
from kiosk.screens.desk.part_words import problem_words
from storage import relay, tasks
from storage.tasks import ATTEMPTS, MOST_SLOW, TOO_SLOW
from tests.clinics import STAFF, OpenClinic, clinic_in
from tests.integration.test_parts import applied, aside, until


class SlowPress:
    """A press that is over the limit at once with what it is told, so that no test waits ten seconds."""

    def __init__(self, press: Press) -> None:
        self._press = press
        self.slow: frozenset[str] = frozenset()
        self.tries: Counter[str] = Counter()

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        self.tries[facts.number] += 1
        if facts.number in self.slow:
            raise TimeoutError  # as the limit around it does
        return await self._press.certificate(facts, credential)


@pytest.fixture
def press(clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch) -> SlowPress:
    breaker = clinic.gateway.breakers.issuing
    breaker.rest = breaker.longest_rest = 0.0
    monkeypatch.setattr(relay, "_rest_of", lambda problem: 0.0)
    monkeypatch.setattr(relay, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(relay, "LONGEST_PAUSE", 0.01)
    press = SlowPress(clinic.gateway.press)
    object.__setattr__(clinic.gateway, "press", press)
    return press


def test_what_was_too_slow_is_said_in_words() -> None:
    assert {problem_words(TOO_SLOW, Texts(language))[-1] for language in LANGUAGES} == {"."}


async def issued(clinic: OpenClinic) -> set[str]:
    details = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    return {detail.certificate.code for detail in details}


async def waiting(clinic: OpenClinic) -> list[Task]:
    return await clinic.gateway.ask(ListTasks(TaskStatus.WAITING, Part.ISSUING), STAFF)  # type: ignore[no-any-return]


async def test_one_that_always_takes_too_long_is_put_aside_and_keeps_no_other_waiting(
    clinic: OpenClinic, press: SlowPress
) -> None:
    codes = await applied(clinic, 4)
    press.slow = frozenset(codes[:1])
    await clinic.gateway.send(OrderIssue(codes), STAFF)
    async with asyncio.timeout(20):
        await clinic.services.settle()
    assert await issued(clinic) == set(codes[1:])
    [task] = await aside(clinic)
    assert (task.subject, task.problem, task.attempts) == (codes[0], TOO_SLOW, ATTEMPTS)
    assert press.tries[codes[0]] == ATTEMPTS

    press.slow = frozenset()
    await clinic.gateway.send(RetryTask(task.code), STAFF)
    await clinic.services.settle()
    assert await issued(clinic) == set(codes)
    assert await clinic.violations() == []


async def test_each_of_many_that_take_too_long_is_put_aside_as_long_as_others_are_made(
    clinic: OpenClinic, press: SlowPress
) -> None:
    *slow, quick = await applied(clinic, MOST_SLOW + 2)
    press.slow = frozenset(slow)
    await clinic.gateway.send(OrderIssue(tuple(slow)), STAFF)

    async def nobody_knows_where_it_lies() -> bool:
        return len(await aside(clinic)) == MOST_SLOW

    await until(nobody_knows_where_it_lies)
    await clinic.gateway.send(OrderIssue((quick,)), STAFF)
    async with asyncio.timeout(20):
        await clinic.services.settle()
    assert await issued(clinic) == {quick}
    assert {task.subject for task in await aside(clinic)} == press.slow


async def test_while_the_whole_is_slow_a_few_are_put_aside_and_the_others_wait(
    clinic: OpenClinic, press: SlowPress
) -> None:
    codes = await applied(clinic, 2 * MOST_SLOW)
    press.slow = frozenset(codes)
    await clinic.gateway.send(OrderIssue(codes), STAFF)

    async def tried_far_too_often() -> bool:
        return min(press.tries[task.subject] for task in await waiting(clinic)) > 2 * ATTEMPTS

    await until(tried_far_too_often)
    left = await aside(clinic)
    assert len(left) == MOST_SLOW
    press.slow = frozenset()
    async with asyncio.timeout(20):
        await clinic.services.settle()
    assert await issued(clinic) == set(codes) - {task.subject for task in left}
    for task in left:
        await clinic.gateway.send(RetryTask(task.code), STAFF)
    await clinic.services.settle()
    assert await issued(clinic) == set(codes)
    assert await clinic.violations() == []


async def test_no_more_are_put_aside_by_another_process_or_after_a_restart(
    clinic: OpenClinic, clinic_folder: Path, press: SlowPress
) -> None:
    codes = await applied(clinic, 2 * MOST_SLOW)
    press.slow = frozenset(codes)
    await clinic.gateway.send(OrderIssue(codes), STAFF)

    async def given_up() -> bool:
        return len(await aside(clinic)) == MOST_SLOW

    await until(given_up)
    async with clinic_in(clinic_folder) as another:
        breaker = another.gateway.breakers.issuing
        breaker.rest = breaker.longest_rest = 0.0
        anew = SlowPress(another.gateway.press)
        anew.slow = press.slow
        object.__setattr__(another.gateway, "press", anew)
        await until(lambda: asyncio.sleep(0, anew.tries.total() > 3 * ATTEMPTS))
    assert len(await aside(clinic)) == MOST_SLOW


async def test_a_new_order_is_not_kept_behind_many_that_take_too_long(
    clinic: OpenClinic, press: SlowPress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "AT_A_TIME", 2)
    *slow, quick = await applied(clinic, MOST_SLOW + 3)
    press.slow = frozenset(slow)
    await clinic.gateway.send(OrderIssue(tuple(slow)), STAFF)

    async def all_tried() -> bool:
        return len(await aside(clinic)) == MOST_SLOW and min(press.tries[code] for code in slow) > 0

    await until(all_tried)
    await clinic.gateway.send(OrderIssue((quick,)), STAFF)

    async def made() -> bool:
        return await issued(clinic) == {quick}

    await until(made)
