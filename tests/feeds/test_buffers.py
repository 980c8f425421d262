"""What waits between a socket and whoever takes the events."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.feeds.buffers import EventBuffer, FrameQueue, Lost
from gexterm.feeds.protocol import Answer
from gexterm.market.events import ClockTick
from tests.feeds.listening import until


@given(st.lists(st.one_of(st.integers(0, 40), st.none()), max_size=60))
def test_every_frame_is_handed_on_in_order_or_counted_where_it_is_missing(steps):
    """Steps: a frame of so many bytes comes, or the oldest item is taken."""
    queue = FrameQueue(5, 100)
    came: list[int] = []
    out: list[int] = []

    def take() -> None:
        item, at = queue.pop()
        if isinstance(item, Lost):
            # A mark stands where its frames would have stood.
            out.extend(came[len(out) : len(out) + item.frames])
        else:
            assert at == came[len(out)]
            out.append(at)

    for number, step in enumerate(steps):
        if step is None:
            if len(queue):
                take()
            continue
        came.append(number)
        queue.add(bytes(step), number)
        assert len(queue) <= 7
    queue.close()
    while len(queue):
        take()
    assert out == came


def test_a_frame_of_any_size_finds_room_in_an_empty_queue():
    queue = FrameQueue(5, 10)
    assert queue.add(bytes(1000), 1)
    assert not queue.add(b"x", 2)
    assert queue.pop()[0] == bytes(1000)
    assert queue.add(b"y", 3)
    assert queue.pop() == (Lost(1), 3)
    assert queue.pop() == (b"y", 3)
    with pytest.raises(IndexError):
        queue.pop()


def test_answers_find_room_among_the_frames():
    queue = FrameQueue(1, 10)
    assert queue.add(b"a", 1)
    answer = Answer("x", recv_ns=2)
    queue.answer(answer)
    assert [queue.pop(), queue.pop()] == [(b"a", 1), (answer, 2)]


def test_a_hole_at_the_end_is_told_without_a_further_frame():
    queue = FrameQueue(1, 10)
    assert queue.add(b"a", 1)
    assert not queue.add(b"b", 2)
    queue.mark(9)
    queue.mark(10)
    assert [queue.pop(), queue.pop()] == [(b"a", 1), (Lost(1), 9)]
    assert len(queue) == 0


async def test_who_puts_waits_for_room_and_who_waits_is_woken():
    queue = FrameQueue(1, 10)
    await queue.put(b"a", 1)
    second = asyncio.create_task(queue.put(b"b", 2))
    await asyncio.sleep(0)
    assert len(queue) == 1
    assert queue.pop() == (b"a", 1)
    await queue.wait()
    await second
    assert queue.pop() == (b"b", 2)
    waiting = asyncio.create_task(queue.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.close()
    await waiting
    assert queue.closed


async def test_events_are_taken_all_at_once_and_it_is_told():
    buffer, told = EventBuffer(3), []
    buffer.taken = lambda: told.append(buffer.rows)
    assert buffer.add([ClockTick(1), ClockTick(2)]) == 2
    await buffer.room()
    buffer.add([ClockTick(3)])
    waiting = asyncio.create_task(buffer.room())
    less = asyncio.create_task(buffer.room(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    taken = await buffer.take()
    assert [e.ts for e in taken or [] if isinstance(e, ClockTick)] == [1, 2, 3]
    assert told == [0]
    await until(lambda: waiting.done() and less.done())
    buffer.close()
    assert await buffer.take() is None
