"""What lives long is kept from the garbage collector's eyes, and given back at the end."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gexterm.ui.settling import FIRST, GROWTH, Settling


@pytest.fixture
def settling() -> Iterator[Settling]:
    frozen = gc.get_freeze_count()
    made = Settling()
    made.start()
    yield made
    made.stop()
    if frozen:
        gc.freeze()


def test_a_chain_that_was_loaded_later_is_not_looked_at_again(settling: Settling) -> None:
    chain = [[number] for number in range(2 * FIRST)]
    before = gc.get_freeze_count()
    gc.collect()
    assert settling.times == 1
    assert gc.get_freeze_count() >= before + len(chain)
    assert len(gc.get_objects()) < len(chain)


def test_each_time_takes_more_so_that_cycles_lost_to_it_stay_few(settling: Settling) -> None:
    kept = []
    for times in range(1, 4):
        kept.append([[number] for number in range(settling.limit)])
        gc.collect()
        assert settling.times == times
    assert settling.limit == pytest.approx(FIRST * GROWTH**3, abs=3)


def test_little_is_left_to_the_collector(settling: Settling) -> None:
    few = [[number] for number in range(FIRST // 4)]
    gc.collect()
    assert settling.times == 0 and len(few) == FIRST // 4


def test_once_stopped_everything_is_seen_again() -> None:
    settling = Settling()
    settling.start()
    settling.start()
    assert sum(each == settling._collected for each in gc.callbacks) == 1
    settling.stop()
    settling.stop()
    assert gc.get_freeze_count() == 0
    assert settling._collected not in gc.callbacks
