"""A secret shows itself to nobody, and is struck from whatever repeats it."""

from __future__ import annotations

import base64
import json
import pickle
from urllib.parse import quote

import pytest

from gexterm.feeds.secrets import Redactor, Secret, redactor

KEY = "s3cr3t/k+y=with odd&chars"


@pytest.mark.parametrize("shown", [str, repr, "{}".format, "{0!r}".format, "%s".__mod__])
def test_however_it_is_shown_it_is_stars(shown: object) -> None:
    assert callable(shown)
    assert shown(Secret(KEY)) == "***"
    assert KEY not in shown([Secret(KEY)]) if shown is not str else True


def test_padding_does_not_tell_its_length() -> None:
    assert f"{Secret(KEY):>5}" == "  ***"


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


def test_it_gives_itself_out_when_asked_by_name() -> None:
    assert Secret(KEY).reveal() == KEY


@pytest.mark.parametrize(
    "spelling",
    [
        KEY,
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        base64.b64encode(KEY.encode()).decode(),
    ],
)
def test_every_spelling_of_it_is_struck(spelling: str) -> None:
    Secret(KEY)
    text = f"before {spelling} after"
    assert spelling.rstrip("=") not in redactor.text(text)
    assert redactor.text(text).startswith("before ***")
    assert spelling.rstrip("=").encode() not in redactor.bytes(text.encode())


def test_a_very_short_one_is_not_struck_from_innocent_text() -> None:
    mine = Redactor()
    mine.learn("abc")
    assert mine.text("the abc of it") == "the abc of it"


def test_what_is_not_secret_stays() -> None:
    mine = Redactor()
    mine.learn(KEY)
    assert mine.text("GEX 3.2bn") == "GEX 3.2bn"
    assert mine.bytes(b"\x00\xff") == b"\x00\xff"
