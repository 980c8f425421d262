"""What the account says of itself, in words for a person."""

from __future__ import annotations

from collections import Counter

from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.massive.chain import ChainLoader
from gexterm.feeds.massive.gather import Gather
from gexterm.feeds.protocol import Account
from gexterm.market.roots import index_roots

_DAILY = {"SPX": "SPXW", "NDX": "NDXP", "RUT": "RUTW", "VIX": "VIXW"}


def put(account: Account, key: str, text: str) -> None:
    """Set a note, or take it away where the text is empty."""
    if text:
        account.notes[key] = text
    else:
        account.notes.pop(key, None)


def chain(account: Account, loader: ChainLoader, underlying: str) -> None:
    """What is in the way of the chain."""
    said = loader.trouble or loader.cut_short
    put(account, "chain", f"the chain of {underlying} is not complete: {said}" if said else "")
    if loader.refusal:
        account.notes["interest"] = (
            "open interest is not known: the plan has no snapshots of option chains "
            f"({loader.refusal})"
        )


def listed(
    account: Account,
    catalogue: Catalogue,
    loader: ChainLoader,
    left_out: list[int],
    timeframe: str,
) -> None:
    """How much of the chain there is, and what was left out of it."""
    roots = Counter(contract.root for contract in catalogue.contracts)
    parts = ", ".join(f"{root} {count:,}" for root, count in sorted(roots.items()))
    more = "" if not loader.bands_left else ", more to come"
    account.steps["chain"] = f"{len(catalogue):,} contracts ({parts or 'none'}){more}"
    put(account, "left out", _left_out(*left_out))
    if timeframe == "DELAYED":
        account.notes["delayed"] = "the chain's own quotes are 15 minutes late on this plan"
    if loader.bands_left:
        return
    missing = [
        weekly
        for weekly in (_DAILY.get(root) for root in list(roots) or ["-"])
        if weekly and weekly not in roots and weekly in index_roots(_underlying(weekly))
    ]
    put(
        account,
        "roots",
        f"the venue lists no {', '.join(missing)} contracts: most of today's flow is not here"
        if missing
        else ("" if roots else "the venue lists no options of this underlying"),
    )


def _underlying(weekly: str) -> str:
    return next(root for root, its in _DAILY.items() if its == weekly)


def _left_out(adjusted: int, foreign: int, refused: int) -> str:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (adjusted, "adjusted contracts (they deliver something else)"),
            (foreign, "contracts of other roots"),
            (refused, "rows that make no sense"),
        )
        if count
    ]
    return f"left out of the chain: {', '.join(parts)}" if parts else ""


def odd(account: Account, gather: Gather, counts: dict[str, int], kinds: dict[str, int]) -> None:
    """What came over the websocket and could not be used."""
    if gather.unlisted:
        account.notes["unlisted"] = (
            f"{gather.unlisted:,} quotes and prints of contracts that are not listed"
        )
    if gather.undated:
        account.notes["undated"] = (
            f"{gather.undated:,} quotes and prints without a usable time: dated by receipt"
        )
    if counts["refused"]:
        account.notes["refused"] = f"{counts['refused']:,} events that make no sense, left out"
    if counts["slow"]:
        account.notes["slow"] = (
            f"the venue hung up {counts['slow']:,} times because we read too slowly"
        )
    if kinds:
        each = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
        account.notes["kinds"] = f"events of kinds nobody asked for: {each}"
