"""One engine, asked: every question of `reading.inquiry.Inquiries`, answered at once.

What is asked of is the newest tick as it was kept (`Engine.last`), which nobody changes:
all but the tape may be asked on another thread while the engine goes on.
"""

from __future__ import annotations

from gexterm.engine.compose import Last
from gexterm.engine.engine import Engine
from gexterm.engine.inquiry.curves import curves
from gexterm.engine.inquiry.outlook import outlook
from gexterm.engine.inquiry.smile import smile
from gexterm.engine.inquiry.suppose import supposed
from gexterm.engine.inquiry.tape import TapeReader
from gexterm.errors import ChainError
from gexterm.reading.inquiry import Curves, Outlook, Smile, Suppose, Supposed, TapeTail
from gexterm.reading.model import Reading


class Inquirer:
    """Answers from the newest tick of an engine.

    Every question raises ChainError while there is none, and a `GextermError` where it
    cannot be answered. Answers may share arrays with others: they are not to be written to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = TapeReader()

    @property
    def last(self) -> Last:
        """The newest tick. Raises ChainError before the first."""
        last = self._engine.last
        if last is None:
            raise ChainError("nothing is known yet", "wait for the first Reading")
        return last

    @property
    def reading(self) -> Reading:
        """The newest Reading. Raises ChainError before the first."""
        return self.last.reading

    def supposed(self, suppose: Suppose) -> Supposed:
        """The whole Reading under a supposition."""
        return supposed(self.last, suppose)

    def curves(self, suppose: Suppose | None = None) -> Curves:
        """Exposures over spot, with volatility and time of a supposition."""
        return curves(self.last.parts, suppose or Suppose())

    def smile(self, expiry: str, root: str) -> Smile:
        """The smile of one expiry: ISO date and option root."""
        return smile(self.last.parts, expiry, root)

    def outlook(self, greek: str) -> Outlook:
        """The book by strike to the end of the day, if nothing changes but the clock."""
        return outlook(self.last.parts, greek)

    def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        """The newest `count` prints of at least `least_size` contracts.

        On the thread that hands the engine its events: the tape is alive.
        """
        last, engine = self.last, self._engine
        return self._reader.tail(
            None if engine.signer is None else engine.signer.tape,
            engine.chain.contracts,
            last.parts.surface,
            last.reading.as_of,
            count,
            least_size,
        )
