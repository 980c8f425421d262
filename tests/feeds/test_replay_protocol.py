"""Commands and events on the replay wire, without a socket."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.protocol import Command, Pause, Resume, Seek, SetSpeed, Step
from gexterm.feeds.replay_protocol import (
    FASTEST,
    SLOWEST,
    ReplayProtocol,
    decode_command,
    encode_command,
    is_speed,
)
from gexterm.recording import codec
from tests.recording.made import OPEN, day, quotes, same_all

COMMANDS = st.one_of(
    st.just(Pause()),
    st.just(Resume()),
    st.floats(SLOWEST, FASTEST).map(SetSpeed),
    st.integers(0, 2**63 - 1).map(Seek),
    st.one_of(st.none(), st.floats(0, 1e6, exclude_min=True, exclude_max=True)).map(Step),
)


@given(COMMANDS)
def test_every_command_arrives_as_it_was_given(command: Command):
    [frame] = ReplayProtocol("ws://127.0.0.1:1/").send(command)
    assert isinstance(frame, str)
    assert decode_command(frame) == command
    assert decode_command(frame.encode()) == command


def test_commands_read_as_documented():
    assert encode_command(Pause()) == '{"command":"pause"}'
    assert encode_command(SetSpeed(20.0)) == '{"command":"speed","speed":20.0}'
    assert encode_command(Seek(5)) == '{"command":"seek","ns":5}'
    assert encode_command(Step()) == '{"command":"step"}'
    assert encode_command(Step(60.0)) == '{"command":"step","seconds":60.0}'
    assert decode_command('{"command": "speed", "speed": 20}') == SetSpeed(20.0)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "no command"),
        ("hello", "no command"),
        ("[]", "no command"),
        ("{}", "no command"),
        (b"\xff\xfe", "no command"),
        ('{"command": 5}', "no command"),
        ('{"command": "dance\\u001b[2J"}', "no such command: 'dance"),
        ('{"command": "speed"}', "speed None"),
        ('{"command": "speed", "speed": 0}', "cannot be had"),
        ('{"command": "speed", "speed": 1e9}', "cannot be had"),
        ('{"command": "seek"}', "no time"),
        ('{"command": "seek", "ns": -1}', "no time"),
        ('{"command": "seek", "ns": 9223372036854775808}', "no "),
        ('{"command": "seek", "ns": "noon"}', "no command"),
        ('{"command": "step", "seconds": -60}', "no step"),
    ],
)
def test_anything_else_is_told_in_one_line(message: str | bytes, said: str):
    with pytest.raises(InputError, match=said) as caught:
        decode_command(message)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=50), st.binary(max_size=50)))
def test_text_from_anywhere_is_a_command_or_an_error(message: str | bytes):
    with contextlib.suppress(InputError):
        decode_command(message)


def test_a_message_is_frames_in_a_row():
    stream = day(minutes=0.5)
    message = b"".join(codec.encode(event, 0) for event in stream)
    assert same_all(ReplayProtocol("ws://x").receive(message, 5), stream)


def test_a_server_of_another_version_is_left_for_good():
    frame = bytearray(codec.encode(quotes(np.random.default_rng(1), 5, 3, OPEN), 0))
    frame[1] = 9
    with pytest.raises(ConnectionFailedError, match="codec version 9"):
        ReplayProtocol("ws://x").receive(bytes(frame), 5)
    with pytest.raises(InputError):
        ReplayProtocol("ws://x").receive(b"nonsense", 5)


@pytest.mark.parametrize(("speed", "can"), [(1.0, True), (0.0, False), (float("nan"), False)])
def test_which_speeds_there_are(speed: float, can: bool):
    assert is_speed(speed) is can
