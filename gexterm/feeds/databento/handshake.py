"""The lines of text before the stream: greeting, challenge, answer, and what is asked for.

    < lsg_version=0.4.2
    < cram=<challenge>
    > auth=<sha256 of challenge|key>-<last five of key>|dataset=…|encoding=dbn|…
    < success=1|session_id=…                           or  success=0|error=…
    > schema=tcbbo|stype_in=parent|symbols=SPXW.OPT|start=…|snapshot=0|id=0|is_last=1
    > start_session=0

After that the venue sends nothing but DBN. The key itself is never sent.

Source: Databento's reference of the live API, raw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import gexterm
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.secrets import Secret, redactor
from gexterm.market.roots import printable

HEARTBEAT_S = 30
_LONGEST_LINE = 4096
_SYMBOLS_AT_ONCE = 500
"""The reference allows 2,000 a request, the vendor's own client sends 500."""
START = "start_session=0\n"


class Handshake:
    """One login. Give it bytes until `done`; what is left of them belongs to the stream."""

    def __init__(self, key: Secret, dataset: str) -> None:
        self.session = ""
        """The venue's name of the session."""
        self._key = key
        self._dataset = dataset
        self._waiting = b""
        self._answered = False
        self._done = False

    @property
    def done(self) -> bool:
        """Whether the venue let us in."""
        return self._done

    def take(self, data: bytes) -> tuple[list[str], bytes | None]:
        """Lines to send, and what came after the login; None while that is not over.

        Raises ConnectionFailedError where the venue refuses, or speaks something else.
        """
        self._waiting += data
        lines: list[str] = []
        while not self._done:
            line, newline, rest = self._waiting.partition(b"\n")
            if len(line) > _LONGEST_LINE or not line.decode("latin-1").rstrip("\r").isprintable():
                raise _foreign(line)
            if not newline:
                return lines, None
            self._waiting = rest
            lines += self._line(line)
        rest, self._waiting = self._waiting, b""
        return lines, rest

    def _line(self, line: bytes) -> list[str]:
        fields = dict(_fields(line.decode("ascii").strip()))
        if "lsg_version" in fields:
            return []
        if (challenge := fields.get("cram")) and not self._answered:
            self._answered = True
            return [auth_line(challenge, self._key, self._dataset)]
        if "success" in fields and self._answered:
            if fields["success"] != "1":
                said = redactor.text(fields.get("error", "it does not say why"))
                raise ConnectionFailedError(
                    f"Databento refuses the login: {printable(said, 200)}",
                    "check the key, and that its plan has a live licence for OPRA.PILLAR",
                )
            self._done = True
            self.session = printable(fields.get("session_id", ""))
            return []
        raise _foreign(line)


def _fields(line: str) -> Iterator[tuple[str, str]]:
    for part in line.split("|"):
        name, _, value = part.partition("=")
        yield name, value


def _foreign(line: bytes) -> ConnectionFailedError:
    said = printable(redactor.text(line[:80].decode("latin-1")), 60)
    return ConnectionFailedError(
        f"that is no gateway of Databento's: it says {said}", "check the address"
    )


def auth_line(challenge: str, key: Secret, dataset: str) -> str:
    """The answer to a challenge: a hash, which shows that we have the key."""
    text = key.reveal()
    proof = hashlib.sha256(f"{challenge}|{text}".encode()).hexdigest()
    fields = (
        f"auth={proof}-{text[-5:]}",
        f"dataset={dataset}",
        "encoding=dbn",
        "ts_out=0",
        "compression=none",
        f"heartbeat_interval_s={HEARTBEAT_S}",
        # Quotes may be skipped when we are slow, and are told as such; prints never are.
        "slow_reader_behavior=skip",
        f"client=gexterm/{gexterm.__version__}",
    )
    return "|".join(fields) + "\n"


def subscribe_lines(
    schema: str, stype: str, symbols: Sequence[str], number: int, start: int | None = None
) -> list[str]:
    """What asks for one schema. `start`: replay from that time, ns; 0: all there is; None: none."""
    lines = []
    for at in range(0, len(symbols), _SYMBOLS_AT_ONCE):
        part = ",".join(symbols[at : at + _SYMBOLS_AT_ONCE])
        replay = "" if start is None else f"|start={start}"
        last = int(at + _SYMBOLS_AT_ONCE >= len(symbols))
        lines.append(
            f"schema={schema}|stype_in={stype}|symbols={part}{replay}"
            f"|snapshot=0|id={number}|is_last={last}\n"
        )
    return lines
