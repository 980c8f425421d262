"""The chain of an underlying over REST, page after page, near expiries first.

A whole SPX chain is about 21,000 contracts in 85 pages. It is asked for in bands of dates,
so that the monitor has something to show after the first pages:

    today and tomorrow, the rest of a week, two months, all later ones

One page at a time, each the moment the one before has come. "Too many requests" is waited
out for as long as the venue asks. A plan without snapshots (403) gets the contracts from
the reference pages; their open interest is then not known.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.massive.rest import Listing, Rest, read_listing, words
from gexterm.feeds.protocol import Answer, Request

_BANDS = ((0, 1), (2, 7), (8, 62), (63, None))
_MOST_PAGES = 1000
"""In all bands together: four times the largest chain there is."""
_TRIES = 8
"""Failures in a row of one page before the rest is given up until the next load."""
_TOO_MANY_S = 15.0
"""How long to wait where the venue does not say how long."""
Source = Literal["snapshot", "reference"]


class ChainLoader:
    """Loads the chain, once or again. Says what to ask and reads what comes."""

    def __init__(self, rest: Rest, underlying: str, roots: tuple[str, ...]) -> None:
        self.source: Source = "snapshot"
        """Where contracts come from: with open interest and quotes, or without."""
        self.refusal = ""
        """What the venue said where it has no snapshots for us."""
        self.trouble = ""
        """What is in the way now, for a person; empty: nothing."""
        self.cut_short = ""
        """Why the pages of some dates ended before their end in this load; empty: none did."""
        self.pages = 0
        """Pages read since the load began."""
        self.bands_left = 0
        """Bands of dates not complete."""
        self.first_band = False
        """Whether the nearest expiries are complete, of any load so far."""
        self._rest, self._underlying, self._roots = rest, underlying, roots
        self._bands: list[tuple[dt.date, dt.date | None]] = []
        self._url = ""
        self._seen: set[str] = set()
        self._number = 0
        self._waiting = False
        self._not_before = 0
        self._failures = 0

    @property
    def loading(self) -> bool:
        """Whether a load is under way."""
        return bool(self._bands)

    def begin(self, today: dt.date) -> None:
        """Load the chain as of a date, from the beginning."""
        self._bands = [
            (today + dt.timedelta(days=first), None if last is None else today + dt.timedelta(last))
            for first, last in _BANDS
        ]
        self.bands_left = len(self._bands)
        self.pages, self._failures, self._url, self.cut_short = 0, 0, "", ""
        self._seen.clear()
        self._waiting = False

    def reconnected(self) -> None:
        """Whatever was asked on the connection before is asked again."""
        self._waiting = False
        self._not_before = 0

    def requests(self, now_ns: int) -> list[Request]:
        """The next page, if it is time to ask for it."""
        if not self._bands or self._waiting or now_ns < self._not_before:
            return []
        if not self._url:
            self._url = self._first_page()
        self._waiting = True
        self._number += 1
        return [self._rest.request(f"chain {self._number}", self._url)]

    def answer(self, answer: Answer) -> Listing | None:
        """What a page says; None where it says nothing (yet).

        Raises ConnectionFailedError where the venue will not tell what it lists.
        """
        if not self._bands or answer.key != f"chain {self._number}" or not self._waiting:
            return None
        self._waiting = False
        if answer.status == 200:
            return self._read(answer)
        if answer.status == 429:
            wait_s = answer.retry_after_s or _TOO_MANY_S
            self._not_before = answer.recv_ns + round(wait_s * NS)
            self.trouble = f"the venue allows no more requests for {wait_s:.0f} s"
            return None
        if answer.status in (401, 403, 404):
            self._refused(answer)
            return None
        self._failed(answer)
        return None

    def _read(self, answer: Answer) -> Listing:
        try:
            listing = read_listing(answer.body, self._roots)
        except InputError as error:
            self._failed(answer, error.message)
            return Listing()
        self.pages += 1
        self._failures, self.trouble = 0, ""
        url = ""
        if listing.next_url:
            try:
                url = self._rest.following(listing.next_url)
            except InputError as error:
                self.cut_short = error.message
        if url and (url in self._seen or self.pages >= _MOST_PAGES):
            self.cut_short, url = "its pages have no end", ""
        self._seen.add(url)
        self._url = url
        if not url:
            self._bands.pop(0)
            self.bands_left = len(self._bands)
            self.first_band = True
        return listing

    def _refused(self, answer: Answer) -> None:
        said = words(answer)
        if answer.status == 401:
            raise ConnectionFailedError(
                f"Massive does not accept the key: {said}", "check it: gexterm feeds login massive"
            )
        if answer.status == 404:
            raise ConnectionFailedError(
                f"Massive knows no options of {self._underlying}: {said}", "check the underlying"
            )
        if self.source == "reference":
            raise ConnectionFailedError(
                f"the plan does not say which contracts there are: {said}",
                "it takes a Massive options plan",
            )
        self.source, self.refusal, self._url = "reference", said, ""

    def _failed(self, answer: Answer, said: str = "") -> None:
        self._failures += 1
        said = said or (answer.failure.reason if answer.failure else words(answer))
        self.trouble = said
        self._not_before = answer.recv_ns + round(min(2.0**self._failures, 60.0) * NS)
        if self._failures >= _TRIES:
            self._bands = []

    def _first_page(self) -> str:
        make = self._rest.snapshot if self.source == "snapshot" else self._rest.contracts
        return make(self._underlying, *self._bands[0])
