"""The fake of Massive is strict: what its pages forbid is refused."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tests.feeds.massive.made import KEY, chain, trade
from tests.venues.massive import MOST_QUOTES, FakeMassive


async def _said(socket: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads((await socket.receive()).data)
    return events


async def _login(http: aiohttp.ClientSession, venue: FakeMassive) -> Any:
    socket = await http.ws_connect(venue.url("/options"))
    assert (await _said(socket))[0]["status"] == "connected"
    await socket.send_json({"action": "auth", "params": KEY})
    assert (await _said(socket))[0]["status"] == "auth_success"
    return socket


async def test_nothing_before_a_login() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(venue.url("/options"))
        await _said(socket)
        await socket.send_json({"action": "subscribe", "params": "T.*"})
        assert await _said(socket) == [
            {"ev": "status", "status": "error", "message": "not authenticated"}
        ]
        await socket.send_json({"action": "auth", "params": "wrong"})
        assert (await _said(socket))[0]["status"] == "auth_failed"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_the_contract_beyond_the_limit_is_refused_until_another_is_given_back() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        socket = await _login(http, venue)
        names = [f"Q.O:{n}" for n in range(MOST_QUOTES + 1)]
        await socket.send_json({"action": "subscribe", "params": ",".join(names)})
        answers: list[dict[str, Any]] = []
        while len(answers) < len(names):
            answers += await _said(socket)
        assert [a["status"] for a in answers] == ["success"] * MOST_QUOTES + ["error"]
        await socket.send_json({"action": "unsubscribe", "params": names[0]})
        await socket.send_json({"action": "subscribe", "params": names[-1]})
        assert [(await _said(socket))[0]["status"] for _ in range(2)] == ["success"] * 2
        assert venue.most_quoted == MOST_QUOTES


async def test_unknown_channels_and_all_quotes_at_once_are_refused() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        socket = await _login(http, venue)
        await socket.send_json({"action": "subscribe", "params": "X.O:A,Q.*,nonsense,T.*"})
        assert [a["status"] for a in await _said(socket)] == ["error"] * 3 + ["success"]
        venue.publish(trade("O:ANY"))
        assert (await _said(socket))[0]["sym"] == "O:ANY"


async def test_a_second_connection_ends_the_older_one() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        older = await _login(http, venue)
        newer = await _login(http, venue)
        assert (await _said(older))[0]["status"] == "max_connections"
        closed = await older.receive()
        assert closed.type is aiohttp.WSMsgType.CLOSE and closed.data == 1008
        assert not newer.closed


async def test_who_does_not_read_is_told_and_closed() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        venue.buffer = 1000
        socket = await _login(http, venue)
        await socket.send_json({"action": "subscribe", "params": "T.*"})
        await _said(socket)
        venue.publish(*(trade(f"O:{n}") for n in range(100)))
        assert (await _said(socket))[0]["status"] == "slow_consumer"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert venue.slow == 1


async def test_rest_wants_the_key_in_a_header_and_pages() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        venue.chain = chain()
        url = venue.url("/v3/snapshot/options/I:SPX", "http")
        async with http.get(f"{url}?apiKey={KEY}") as answer:
            assert answer.status == 401 and venue.keys_in_addresses == 1
        headers = {"Authorization": f"Bearer {KEY}"}
        async with http.get(f"{url}?limit=9999", headers=headers) as answer:
            page = await answer.json()
        assert len(page["results"]) == min(len(venue.chain), 250)
        async with http.get(f"{url}?limit=200", headers=headers) as answer:
            page = await answer.json()
        async with http.get(page["next_url"], headers=headers) as answer:
            rest = await answer.json()
        assert page["results"] + rest["results"] == venue.chain and "next_url" not in rest
        contracts = venue.url("/v3/reference/options/contracts?underlying_ticker=I:SPX", "http")
        async with http.get(contracts, headers=headers) as answer:
            assert (await answer.json())["results"] == []
