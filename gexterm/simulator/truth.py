"""What truly happened, on a channel of its own: `NAME.truth.parquet` beside `NAME.gexrec`.

Whoever reads a recording must not be able to see the dealer's book in it; whoever
measures how well it is inferred must. One row each:

    about   the script, its seed and the recording it belongs to, as JSON in `text`
    open    a contract, and the dealer's contracts in it at the start (`dealer`)
    print   a print as it was: whose order it was, what the dealer gained, and whether
            it was taken back later

The recording is named by the SHA-256 of its file and of its events' values, so that the
truth of another recording is not taken for this one's, and a recording that was merely
written anew still has its truth.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError, OutputError
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Event, SourceInfo
from gexterm.recording import codec
from gexterm.recording.reader import Recording
from gexterm.recording.writer import publish
from gexterm.simulator.step import Listing

if TYPE_CHECKING:
    import polars as pl

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

FORMAT = 1
"""Version of the truth's format."""
PRINT_COLUMNS: dict[str, Any] = {
    "sequence": np.int64,
    "contract": np.int32,
    "ts": np.int64,
    "size": np.float64,
    "price": np.float64,
    "customer": np.int8,
    "dealer": np.float64,
    "order": np.int8,
    "package": np.int64,
    "condition": np.int16,
    "traded_at": np.int64,
    "busted_at": np.int64,
    "corrects": np.int64,
}
"""Columns of prints and their kinds. `ts` is the time on the tape, `traded_at` that of the
trade: a late print has a later `ts`. `busted_at` is 0 where a print stands. A correction
busts a print and is a row of its own; `corrects` names that print's sequence, −1 else.
`sequence` is −1 where a print was never reported."""


class About(msgspec.Struct, frozen=True):
    """What a truth says of itself."""

    format: int
    """Version of the format."""
    script: str
    """Name of the script."""
    seed: int
    """Everything random follows from it."""
    gexterm: str
    """Version of the program that made it."""
    sha256: str = ""
    """Of the recording's file."""
    events_sha256: str = ""
    """Of the recording's events, the source left out."""
    observed: dict[str, int | float | str] = {}
    """The levels that the script's wishes are counted against: `at` (ns), `label`, `spot`,
    `lower`, `upper`, `target`, points; empty where it wished nothing. Absent levels are
    left out."""
    outcome: dict[str, bool | str] = {}
    """What came of them: `hit`, and `breach` in the words of a script."""


class Digest:
    """SHA-256 over the values of events, whatever form they are recorded in."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, event: Event) -> None:
        """Take one event in. The source is left out: each reading gives it other times."""
        if isinstance(event, SourceInfo):
            return
        for part in codec.split(event):  # as a recording gives it back
            self._sum.update(type(part).__name__.encode())
            for column in dataclasses.fields(part):
                value = getattr(part, column.name)
                is_array = isinstance(value, np.ndarray)
                self._sum.update(value.tobytes() if is_array else repr(value).encode())

    def hexdigest(self) -> str:
        """The sum, in hexadecimal."""
        return self._sum.hexdigest()


def digest(events: Iterable[Event]) -> str:
    """SHA-256 over the values of events."""
    total = Digest()
    for event in events:
        total.add(event)
    return total.hexdigest()


def truth_path(recording: Path) -> Path:
    """Where the truth of a recording lies."""
    return recording.with_suffix(".truth.parquet")


@dataclass
class Truth:
    """Collects what truly happened while a day is simulated."""

    listing: Listing | None = None
    """The contracts."""
    opening: F64 | None = None
    """Dealer's contracts at the start. Shape (n,)."""
    closing: F64 | None = None
    """The same at the end. It is not written: opening and prints add up to it."""
    prints: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Columns of `PRINT_COLUMNS`, by the order in which things happened. Shape (k,)."""
    observed: dict[str, int | float | str] = field(default_factory=dict)
    """As in `About`."""
    outcome: dict[str, bool | str] = field(default_factory=dict)
    """As in `About`."""

    def start(self, listing: Listing, inventory: F64) -> None:
        """Remember what there is and what the dealer begins with."""
        self.listing, self.opening = listing, inventory.copy()

    def write(self, path: Path, about: About, *, force: bool = False) -> None:
        """Write the file. Raises OutputError when it cannot, or when there is one already."""
        import polars as pl

        if self.listing is None or self.opening is None:
            raise InputError("there is no truth to write", "simulate a day first")
        about = msgspec.structs.replace(about, observed=self.observed, outcome=self.outcome)
        contracts = self.listing.contracts
        n = len(contracts)
        frames = [
            pl.DataFrame({"kind": ["about"], "text": [msgspec.json.encode(about).decode()]}),
            pl.DataFrame(
                {
                    "kind": ["open"] * n,
                    "contract": np.arange(n, dtype=np.int32),
                    "dealer": self.opening,
                    "root": [c.root for c in contracts],
                    "expiry": [c.expiry for c in contracts],
                    "right": [str(c.right) for c in contracts],
                    "strike": [c.strike for c in contracts],
                }
            ),
            pl.DataFrame(
                {
                    "kind": ["print"] * len(self.prints.get("ts", ())),
                    **{
                        name: np.asarray(self.prints.get(name, ()), dtype)
                        for name, dtype in PRINT_COLUMNS.items()
                    },
                }
            ),
        ]
        part = path.with_name(f".{path.name}.part")
        try:
            pl.concat(frames, how="diagonal").write_parquet(part, compression="zstd")
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(
                f"cannot write the truth {path}: {error.strerror or error}",
                "choose a folder that exists and can be written to",
            ) from error
        try:
            publish(part, path, force)
        except OutputError:
            part.unlink(missing_ok=True)
            raise


@dataclass(frozen=True, eq=False, slots=True)
class TrueBook:
    """The dealer's book of a simulated day, as it was. n contracts, k prints."""

    about: About
    """What it belongs to."""
    contracts: tuple[Contract, ...]
    """By index, the same as in the recording."""
    opening: F64
    """Dealer's contracts at the start, + = long. Shape (n,)."""
    trades: Mapping[str, NDArray[Any]]
    """Columns of `PRINT_COLUMNS`, each of shape (k,), in the order in which it happened."""

    def inventory_at(self, ns: int) -> F64:
        """Dealer's contracts once all trades up to and at `ns` are done. Shape (n,).

        A trade that is taken back counts until it is, a correction from when it is made.
        """
        corrects = self.trades["corrects"] >= 0
        done = np.where(corrects, self.trades["ts"], self.trades["traded_at"]) <= ns
        gone = (self.trades["busted_at"] > 0) & (self.trades["busted_at"] <= ns)
        stands = done & ~gone
        return self.opening + np.bincount(
            self.trades["contract"][stands],
            self.trades["dealer"][stands],
            minlength=len(self.opening),
        )


def read_truth(recording: Path) -> TrueBook:
    """The truth beside a recording, given the recording's path.

    Raises InputError when there is none, when it is of another recording, or when it
    cannot be read.
    """
    path = truth_path(recording)
    if not path.is_file():
        raise InputError(f"there is no truth beside {recording}", "simulate with --truth")
    import polars as pl

    damaged = InputError(f"{path} is no truth that can be read", "simulate again with --truth")
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        raise damaged from None
    try:
        [text] = frame.filter(pl.col("kind") == "about")["text"].to_list()
        about = msgspec.json.decode(text, type=About)
        if about.format != FORMAT:
            raise InputError(
                f"{path} has format version {about.format}, this gexterm reads {FORMAT}",
                "simulate again with --truth",
            )
        book = _book(frame, about)
    except (pl.exceptions.PolarsError, msgspec.DecodeError, ValueError, TypeError):
        raise damaged from None
    _same_recording(recording, path, about)
    return book


def _book(frame: pl.DataFrame, about: About) -> TrueBook:
    import polars as pl

    opens = frame.filter(pl.col("kind") == "open")
    prints = frame.filter(pl.col("kind") == "print")
    columns: dict[str, NDArray[Any]] = {}
    for name, dtype in PRINT_COLUMNS.items():
        if prints[name].null_count():
            raise ValueError(f"{name} has holes")
        columns[name] = prints[name].to_numpy().astype(dtype)
    n = len(opens)
    at = opens["contract"].to_numpy()
    if not np.array_equal(at, np.arange(n)) or opens["dealer"].null_count():
        raise ValueError("contracts are not numbered")
    if len(columns["contract"]) and not (
        columns["contract"].min() >= 0 and columns["contract"].max() < n
    ):
        raise ValueError("prints of contracts that do not exist")
    identity = zip(*(opens[name].to_list() for name in _IDENTITY), strict=True)
    contracts = tuple(_contract(*parts) for parts in identity)
    return TrueBook(about, contracts, opens["dealer"].to_numpy().astype(np.float64), columns)


_IDENTITY = ("root", "expiry", "right", "strike")


def _contract(root: str, expiry: dt.date, right: str, strike: float) -> Contract:
    return Contract(root, expiry, Right(right), strike)


def _same_recording(recording: Path, path: Path, about: About) -> None:
    if file_sha256(recording) == about.sha256:
        return
    with Recording(recording) as opened:
        if digest(opened.events()) == about.events_sha256:
            return
    raise InputError(
        f"{path} is the truth of another recording than {recording}",
        "simulate again with --truth",
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
