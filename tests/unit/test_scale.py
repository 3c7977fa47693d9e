"""How many issuing workers a backlog wants: more at once, fewer only after a while."""

from __future__ import annotations

import pytest

from kiosk.supervisor import Scale


@pytest.mark.parametrize(
    ("backlog", "workers"), [(0, 1), (1, 1), (25, 1), (26, 2), (100, 4), (250, 10), (10_000, 10)]
)
def test_one_worker_for_each_stretch_of_the_backlog_from_one_to_ten(backlog: int, workers: int) -> None:
    assert Scale(each=25).wanted(backlog, now=0.0) == workers


def test_it_grows_at_once_and_shrinks_when_the_backlog_has_been_small_for_a_while() -> None:
    scale = Scale(each=25, patience=30.0)
    assert scale.wanted(0, now=0.0) == 1
    assert scale.wanted(250, now=1.0) == 10
    assert scale.wanted(50, now=20.0) == 10
    assert scale.wanted(0, now=30.9) == 10
    assert scale.wanted(0, now=31.0) == 2
    assert scale.wanted(0, now=50.1) == 1
