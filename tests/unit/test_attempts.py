"""A pause after too many wrong answers, so that PINs and codes cannot be guessed at a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from domain import staff
from domain.actors import Actor, Role
from domain.attempts import MOST_WRONG, Attempts
from domain.clinic import Clinic
from domain.codes import Kind, new_code
from domain.errors import NotACode, NotADate, NotIdentified, TooManyAttempts, WrongPin
from domain.gateway import Gateway
from domain.messages import Query
from domain.mypage import IdentifyByCode, IdentifyByDetails, IdentifyByDigest
from domain.ports import Foreseen, UnitOfWork
from domain.recipient import identity_digest

from .memory import FixedClock, PlainSigner
from .small_clinic import MONDAY, person

R = TypeVar("R")
KEY = b"a key of this clinic"


def wrong_answers(attempts: Attempts, now: datetime, count: int) -> None:
    for _ in range(count):
        attempts.check(now)
        attempts.failed(now)


def test_four_wrong_answers_are_forgiven_and_the_fifth_closes_the_door() -> None:
    attempts = Attempts()
    wrong_answers(attempts, MONDAY, MOST_WRONG - 1)
    attempts.check(MONDAY)
    attempts.failed(MONDAY)
    with pytest.raises(TooManyAttempts) as refusal:
        attempts.check(MONDAY)
    assert refusal.value.facts == {"seconds": 31}


def test_the_door_opens_again_after_half_a_minute() -> None:
    attempts = Attempts()
    wrong_answers(attempts, MONDAY, MOST_WRONG)
    with pytest.raises(TooManyAttempts):
        attempts.check(MONDAY + timedelta(seconds=29.999))
    attempts.check(MONDAY + timedelta(seconds=30))


def test_after_the_pause_five_more_wrong_answers_close_it_again() -> None:
    attempts = Attempts()
    wrong_answers(attempts, MONDAY, MOST_WRONG)
    later = MONDAY + timedelta(minutes=1)
    wrong_answers(attempts, later, MOST_WRONG)
    with pytest.raises(TooManyAttempts):
        attempts.check(later)


def test_a_right_answer_forgets_the_wrong_ones() -> None:
    attempts = Attempts()
    wrong_answers(attempts, MONDAY, MOST_WRONG - 1)
    attempts.succeeded()
    wrong_answers(attempts, MONDAY, MOST_WRONG - 1)
    attempts.check(MONDAY)


# -- at the gateway ---------------------------------------------------------------------------------


class PlainPins:
    """PINs in clear, with their number of comparisons."""

    def hash(self, pin: str) -> str:
        return f"hash of {pin}"

    def matches(self, pin_hash: str, pin: str) -> bool:
        return pin_hash == self.hash(pin)


class SmallReader:
    """Knows one member of staff and one recipient, by one code."""

    def __init__(self) -> None:
        self.code = new_code(Kind.BOOKING)
        self.recipient = Actor(new_code(Kind.RECIPIENT), frozenset({Role.RECIPIENT}))
        somebody = person()
        self.identity = identity_digest(somebody.name, somebody.birth_date, somebody.phone, KEY)
        self.member = staff.StaffMember("SMEMBER22", "이수진", frozenset({Role.VACCINATOR}), "hash of 123456")

    async def answer(self, query: Query[R], actor: Actor, now: datetime) -> R:
        answers: dict[Any, Any] = {
            staff.ListStaff(): [self.member],
            IdentifyByCode(self.code): self.recipient,
            IdentifyByDigest(self.identity): self.recipient,
        }
        if query not in answers:
            raise NotIdentified
        found: R = answers[query]
        return found


class NoPaper:
    """Nothing is written, printed or kept in these tests."""

    def admit(self) -> None:
        raise AssertionError

    async def run(
        self, work: Callable[[UnitOfWork], R], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> R:
        raise AssertionError(name)

    async def certificate(self, facts: object, credential: object) -> bytes:
        raise AssertionError

    async def ticket(self, ticket: object) -> bytes:
        raise AssertionError

    async def keep(self, name: str, content: bytes) -> str:
        raise AssertionError(name)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MONDAY)


@pytest.fixture
def reader() -> SmallReader:
    return SmallReader()


@pytest.fixture
def gateway(clock: FixedClock, reader: SmallReader) -> Gateway:
    none = NoPaper()
    return Gateway(Clinic(), clock, none, reader, PlainSigner(), none, none, PlainPins(), KEY)


async def guess(gateway: Gateway, count: int = MOST_WRONG) -> None:
    for _ in range(count):
        with pytest.raises(NotIdentified):
            await gateway.ask(IdentifyByCode(new_code(Kind.BOOKING)))


async def guess_pins(gateway: Gateway, count: int = MOST_WRONG) -> None:
    for _ in range(count):
        with pytest.raises(WrongPin):
            await gateway.ask(staff.Unlock("000000"))


async def test_a_known_code_says_whose_it_is(gateway: Gateway, reader: SmallReader) -> None:
    assert await gateway.ask(IdentifyByCode(reader.code.lower())) == reader.recipient


async def test_a_person_is_found_by_details_however_they_are_typed(
    gateway: Gateway, reader: SmallReader
) -> None:
    query = IdentifyByDetails(" 이 하나", "1980. 1. 1.", "010-0000-0001")
    assert await gateway.ask(query) == reader.recipient


async def test_after_five_unknown_codes_even_the_right_one_has_to_wait(
    gateway: Gateway, reader: SmallReader, clock: FixedClock
) -> None:
    await guess(gateway)
    with pytest.raises(TooManyAttempts):
        await gateway.ask(IdentifyByCode(reader.code))
    clock.move(seconds=30)
    assert await gateway.ask(IdentifyByCode(reader.code)) == reader.recipient


async def test_knowing_ones_own_code_earns_no_new_guesses_at_somebodys_details(
    gateway: Gateway, reader: SmallReader
) -> None:
    for number in range(MOST_WRONG):
        with pytest.raises(NotIdentified):
            await gateway.ask(IdentifyByDetails("이하나", "19800101", f"0109999000{number}"))
        await gateway.ask(IdentifyByCode(reader.code))
    with pytest.raises(TooManyAttempts):
        await gateway.ask(IdentifyByDetails("이하나", "19800101", "01000000001"))


async def test_who_mistypes_their_details_can_still_come_in_by_their_code(
    gateway: Gateway, reader: SmallReader
) -> None:
    for _ in range(MOST_WRONG):
        with pytest.raises(NotIdentified):
            await gateway.ask(IdentifyByDetails("박하나", "19800101", "01000000001"))
    assert await gateway.ask(IdentifyByCode(reader.code)) == reader.recipient


async def test_a_slip_of_the_finger_is_no_guess(gateway: Gateway, reader: SmallReader) -> None:
    for _ in range(2 * MOST_WRONG):
        with pytest.raises(NotACode):
            await gateway.ask(IdentifyByCode("BK7"))
        with pytest.raises(NotADate):
            await gateway.ask(IdentifyByDetails("이하나", "1980", "01000000001"))
    assert await gateway.ask(IdentifyByCode(reader.code)) == reader.recipient


async def test_five_wrong_pins_close_the_door_to_the_staff_for_half_a_minute(
    gateway: Gateway, reader: SmallReader, clock: FixedClock
) -> None:
    await guess_pins(gateway)
    with pytest.raises(TooManyAttempts):
        await gateway.ask(staff.Unlock("123456"))
    clock.move(seconds=30)
    assert await gateway.ask(staff.Unlock("123456")) == reader.member.actor


async def test_knowing_ones_own_code_earns_no_new_guesses_at_a_pin(
    gateway: Gateway, reader: SmallReader
) -> None:
    await guess_pins(gateway, MOST_WRONG - 1)
    await gateway.ask(IdentifyByCode(reader.code))
    await guess_pins(gateway, 1)
    with pytest.raises(TooManyAttempts):
        await gateway.ask(staff.Unlock("123456"))


async def test_guessing_at_the_public_terminal_does_not_lock_the_staff_out(
    gateway: Gateway, reader: SmallReader
) -> None:
    await guess(gateway)
    assert await gateway.ask(staff.Unlock("123456")) == reader.member.actor
