"""Who may look: names, origins, tokens."""

from __future__ import annotations

import pytest

from gexterm.errors import UsageError
from gexterm.serving.access import Access, Verdict, checked_token, is_loopback, new_token
from gexterm.serving.keys import NEVER_NEEDED, SWALLOWED
from gexterm.serving.running import Place
from gexterm.ui.actions import ACTIONS

TOKEN = "a-token-long-enough"


def ask(access: Access, host: str = "127.0.0.1:8000", **more: object) -> Verdict:
    given = {"origin": None, "cookies": {}, "token": None} | more
    return access.judge(host=host, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "localhost:9999", "[::1]:8000", "LOCALHOST"]
)
def test_this_machine_is_let_in_by_its_own_names(host: str) -> None:
    assert ask(Access(8000, True), host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "", "10.0.0.7:8000", "localhost.evil.example", "[::1", "a b"]
)
def test_a_name_that_others_can_point_here_is_not_believed(host: str) -> None:
    assert ask(Access(8000, True), host).status == 403


def test_a_name_can_be_allowed_and_addresses_are_ours_where_others_may_connect() -> None:
    access = Access(8000, False, TOKEN, ("wall.example",), ticket="t" * 20)
    known = {access.cookie: "t" * 20}
    assert ask(access, "wall.example", cookies=known).status == 200
    assert ask(access, "10.0.0.7:8000", cookies=known).status == 200
    assert ask(access, "other.example", cookies=known).status == 403


def test_a_websocket_comes_from_our_own_page() -> None:
    access = Access(8000, True)
    own = "http://127.0.0.1:8000"
    assert ask(access, origin=own, websocket=True).status == 200
    for origin in (None, "null", "http://127.0.0.1:9000", "http://evil.example", "file://"):
        assert ask(access, origin=origin, websocket=True).status == 403
    # A tunnel ends at another port, and the page comes from there as well.
    assert ask(access, "localhost:9", origin="http://localhost:9", websocket=True).status == 200
    assert ask(access, origin="http://evil.example").status == 403


def test_the_token_is_changed_for_a_cookie_once() -> None:
    access = Access(8000, True, TOKEN)
    assert ask(access).status == 403
    assert ask(access, token="wrong" * 5).status == 403
    assert ask(access, token="").status == 403
    assert ask(access, token=TOKEN).status == 303
    known = {access.cookie: access.ticket}
    assert ask(access, cookies=known).status == 200
    assert ask(access, cookies={access.cookie: TOKEN}).status == 403
    assert ask(access, cookies={"gexterm-8001": access.ticket}).status == 403
    own = "http://127.0.0.1:8000"
    assert ask(access, origin=own, websocket=True, token=TOKEN).status == 403
    assert ask(access, origin=own, websocket=True, cookies=known).status == 200


def test_neither_token_nor_ticket_is_in_what_is_printed_of_the_rules() -> None:
    access = Access(8000, True, TOKEN)
    place = place_at("127.0.0.1", TOKEN)
    assert TOKEN not in repr(access)
    assert access.ticket not in repr(access)
    assert TOKEN not in repr(place)


def place_at(host: str, token: str = "", names: tuple[str, ...] = ()) -> Place:
    return Place.of(host=host, port=8000, token=token, names=names, viewers=None, font_size=None)


def test_others_than_this_machine_need_a_token_whether_one_was_given_or_not() -> None:
    assert place_at("127.0.0.1").token == ""
    assert place_at("::1").url(8000) == "http://[::1]:8000/"
    first, second = place_at("0.0.0.0"), place_at("192.0.2.1")
    assert len(first.token) >= 24
    assert first.token != second.token
    assert second.url(8000) == f"http://192.0.2.1:8000/?token={second.token}"
    assert place_at("127.0.0.1", "new").token
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("wall.example")


@pytest.mark.parametrize(
    "token", ["short", "with a blank in it, long", "x" * 600, "ünïcödeünïcödeün"]
)
def test_a_token_that_is_guessed_or_does_not_fit_an_address_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="characters"):
        checked_token(token)
    assert checked_token(new_token())


def test_whatever_the_monitor_can_do_has_a_key_that_no_browser_takes() -> None:
    for action in ACTIONS:
        if action.keys and action.id not in NEVER_NEEDED:
            assert set(action.keys) - SWALLOWED, action.id
