"""States of an engine at some moments, so that a replay need not begin anew to go back.

A position is the sum of all prints since the open: going back five minutes would mean
reading the whole day again. A replay therefore keeps copies of its engine, dense near
where it stands and sparse farther away, and goes on from the last one before the moment
that is wanted. What is kept says nothing that reading again would not: same events, same
state.
"""

from __future__ import annotations

import dataclasses
import enum
import types
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.grid import TickGrid
from gexterm.reading.day import DayLog, DayRow, Slice

MOST_BYTES = 128 * 1024 * 1024
"""What all copies together may take."""
MOST_KEPT = 96
"""Copies kept at most."""
_SPACING = ((8 << 20, 60 * NS), (48 << 20, 300 * NS), (1 << 62, 900 * NS))
"""Up to how many bytes of a copy, how far apart they are: copying takes time as well."""
_SHARED = (
    str, bytes, int, float, complex, bool, type(None), type, types.FunctionType,
    types.BuiltinFunctionType, types.MappingProxyType, enum.Enum,
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    at: int
    """Everything until then was applied, and nothing after; ns of the replay."""
    state: dict[str, Any]
    """Of the engine."""
    grid: dict[str, Any]
    """Of the tick grid."""
    rows: list[DayRow]
    """The day until then."""
    slices: list[Slice]
    """The day's books until then."""
    size: int
    """Bytes, about."""


class Keepsakes:
    """Copies of one engine, its tick grid and the day so far."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: list[_Kept] = []
        self._spacing = _SPACING[0][1]

    @property
    def times(self) -> tuple[int, ...]:
        """The moments that can be gone on from, ns, ascending."""
        return tuple(kept.at for kept in self._kept)

    @property
    def bytes(self) -> int:
        """What they take, about."""
        return sum(kept.size for kept in self._kept)

    def wanted(self, at: int) -> bool:
        """Whether a copy of this moment is worth its while."""
        return at % self._spacing == 0 and all(kept.at != at for kept in self._kept)

    def keep(self, at: int, engine: Engine, grid: TickGrid, day: DayLog) -> None:
        """Copy them. Not to be called while the engine computes."""
        copying = _Copying()
        state = {name: copying.of(value) for name, value in vars(engine).items()}
        size = copying.bytes
        self._spacing = next(apart for most, apart in _SPACING if size <= most)
        if size > self._most_bytes:
            return
        rows, slices = list(day.rows), list(day.slices)
        self._kept.append(_Kept(at, state, dict(vars(grid)), rows, slices, size))
        self._kept.sort(key=lambda kept: kept.at)
        while len(self._kept) > 1 and (
            len(self._kept) > MOST_KEPT or self.bytes > self._most_bytes
        ):
            self._kept.remove(self._least(at))

    def _least(self, now: int) -> _Kept:
        """The one that is missed least: close to the one before it, and far from now."""
        gaps = [
            ((kept.at - (self._kept[i - 1].at if i else 0)) / (abs(now - kept.at) + NS), kept.at, i)
            for i, kept in enumerate(self._kept)
            if kept.at != now
        ]
        return self._kept[min(gaps)[2]]

    def restore(self, at: int, engine: Engine, grid: TickGrid, day: DayLog) -> bool:
        """Put them back as they were; False where that moment is not kept."""
        kept = next((kept for kept in self._kept if kept.at == at), None)
        if kept is None:
            return False
        copying = _Copying()
        vars(engine).update({name: copying.of(value) for name, value in kept.state.items()})
        step = grid.step
        vars(grid).update(kept.grid)
        grid.step = step
        # Only what a walk back has cut off; marks stay, also those ahead.
        if len(day.rows) < len(kept.rows) or (day.rows and day.rows[-1].at > at):
            day.rows, day.slices = list(kept.rows), list(kept.slices)
            day.version += 1
        return True

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


class _Copying:
    """One copy of everything that is written to; what never is, is shared.

    Never written to are the frozen parts of a tick, which are handed to another thread as they
    are. The signer's inner parts are copied even where they are frozen: their arrays may be
    stretches of longer ones that grow.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._done: dict[int, tuple[Any, Any]] = {}

    def of(self, it: Any) -> Any:
        """The copy, always the same of the same."""
        if isinstance(it, _SHARED):
            return it
        if (done := self._done.get(id(it))) is not None:
            return done[1]
        kind = type(it)
        if kind is np.ndarray:
            made = self._array(it)
        elif kind is list:
            made = []
            self._done[id(it)] = (it, made)
            made.extend(map(self.of, it))
        elif kind is dict:
            made = {}
            self._done[id(it)] = (it, made)
            made.update((key, self.of(value)) for key, value in it.items())
        elif kind is set:
            made = set(it)
        elif kind is deque:
            made = deque(map(self.of, it), it.maxlen)
        elif kind is tuple:
            parts = tuple(map(self.of, it))
            same = all(a is b for a, b in zip(it, parts, strict=True))
            made = it if same else parts
        elif kind is types.MethodType:
            made = types.MethodType(it.__func__, self.of(it.__self__))
        elif not kind.__module__.startswith("gexterm.") or _is_fixed(kind):
            made = it
        else:
            made = object.__new__(kind)
            self._done[id(it)] = (it, made)
            for name in _names(kind, it):
                if hasattr(it, name):
                    object.__setattr__(made, name, self.of(getattr(it, name)))
        self._done[id(it)] = (it, made)
        return made

    def _array(self, array: Any) -> Any:
        base = array
        while isinstance(base.base, np.ndarray):
            base = base.base
        if base is array or not base.flags.c_contiguous or base.dtype.hasobject:
            self.bytes += array.nbytes
            return array.copy()
        # A stretch of a longer one stays that: who writes to one writes to both.
        whole = self.of(base)
        start = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        made: Any = np.ndarray(
            array.shape, array.dtype, buffer=whole, offset=start, strides=array.strides
        )
        return made


def _is_fixed(kind: type) -> bool:
    """Whether what is of this kind is never written to."""
    params = getattr(kind, "__dataclass_params__", None)
    inner = kind.__module__.startswith("gexterm.dealers")
    return dataclasses.is_dataclass(kind) and bool(params and params.frozen) and not inner


def _names(kind: type, it: Any) -> list[str]:
    names = list(getattr(it, "__dict__", ()))
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]
