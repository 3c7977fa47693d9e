"""Bounded admission: whoever would wait too long is told so before they wait."""

from __future__ import annotations

import pytest

from domain.errors import ClinicBusy
from storage.admission import Admission

BATCH, PATIENCE = 128, 0.25


class Door:
    """An admission whose time the test owns."""

    def __init__(self) -> None:
        self._time = 0.0
        self.admission = Admission(BATCH, PATIENCE, lambda: self._time)

    def wait(self, seconds: float) -> None:
        self._time += seconds

    def transaction(self, commands: int, seconds: float) -> None:
        self.admission.began(commands)
        self.wait(seconds)
        self.admission.ended()

    def teach(self, transaction: float, each: float, sizes: tuple[int, ...] = (1, 100) * 50) -> None:
        """Transactions of these sizes that cost what such a writer's do."""
        for size in sizes:
            self.transaction(size, transaction + size * each)

    def lets_in(self, queued: int) -> bool:
        try:
            self.admission.admit(queued)
        except ClinicBusy:
            return False
        return True

    @property
    def longest_queue(self) -> int:
        """How many may wait before the next is turned away."""
        return next(queued for queued in range(1, 1_000_000) if not self.lets_in(queued)) - 1


@pytest.fixture
def door() -> Door:
    return Door()


def test_what_a_transaction_costs_and_what_a_command_costs_are_learned_apart(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1)
    assert door.admission.wait(0) == pytest.approx(0.002 + 0.000_1, rel=0.01)
    assert door.admission.wait(BATCH) == pytest.approx(2 * 0.002 + 129 * 0.000_1, rel=0.01)


def test_the_queue_grows_as_long_as_all_in_it_are_served_within_the_patience(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1)
    queued = door.longest_queue
    assert door.admission.wait(queued) <= PATIENCE < door.admission.wait(queued + 1)
    # 0.25 s are 17 transactions of 128 commands each, at 14.8 ms.
    assert queued == pytest.approx(17 * 128, rel=0.03)


def test_whoever_is_turned_away_hears_when_the_queue_will_be_short(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1)
    with pytest.raises(ClinicBusy) as refusal:
        door.admission.admit(door.longest_queue + 1)
    assert refusal.value.facts == {"seconds": 1}
    with pytest.raises(ClinicBusy) as refusal:
        door.admission.admit(30_000)
    assert refusal.value.facts == {"seconds": 4}


def test_nobody_is_turned_away_where_nobody_waits_however_slow_it_was(door: Door) -> None:
    door.teach(transaction=30.0, each=0.0)
    assert door.lets_in(0)
    assert not door.lets_in(1)
    door.admission.began(1)
    door.wait(60.0)
    assert door.lets_in(0)


def test_a_writer_that_was_never_measured_takes_a_full_batch(door: Door) -> None:
    assert door.lets_in(BATCH)


def test_on_a_slower_disk_fewer_may_wait(door: Door) -> None:
    door.teach(transaction=0.000_3, each=0.000_1)
    on_a_fast_disk = door.longest_queue
    door.teach(transaction=0.05, each=0.000_1)
    assert 0 < door.longest_queue < on_a_fast_disk / 3


def test_the_transaction_of_this_moment_is_waited_for_too(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1)
    before = door.admission.wait(10)
    door.admission.began(100)
    assert door.admission.wait(10) == pytest.approx(before + 0.012, rel=0.01)
    door.wait(0.012)
    assert door.admission.wait(10) == pytest.approx(before, rel=0.01)


def test_while_the_disk_stands_still_whoever_would_queue_is_turned_away(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1)
    door.admission.began(100)
    door.wait(0.1)
    assert door.lets_in(1)
    door.wait(0.2)
    assert not door.lets_in(1)


@pytest.mark.parametrize("size", [1, 100, 128])
def test_after_a_stall_people_are_let_in_again_soon(door: Door, size: int) -> None:
    sizes = (1, size) * 50
    door.teach(transaction=0.002, each=0.000_1, sizes=sizes)
    usual = door.longest_queue
    door.transaction(size, 5.0)
    assert not door.lets_in(BATCH)
    door.teach(transaction=0.002, each=0.000_1, sizes=sizes)
    assert door.longest_queue == pytest.approx(usual, rel=0.1)


def test_transactions_of_one_size_say_little_of_larger_ones_and_a_burst_teaches_the_rest(door: Door) -> None:
    door.teach(transaction=0.002, each=0.000_1, sizes=(1,) * 100)
    assert not door.lets_in(3_000)  # which would take 0.35 s
    door.teach(transaction=0.002, each=0.000_1, sizes=(128,) * 20)
    assert door.longest_queue == pytest.approx(17 * 128, rel=0.05)
