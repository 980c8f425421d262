"""One column of numbers to few bytes and back, without loss.

A column is tried in this order, and takes the first form that gives every value back:

    ONE     all values are the same: one value
    SCALED  floats that are whole hundredths or ten-thousandths (prices, sizes): int32, NaN kept
    OFFSET  int64 within int32 reach of the smallest, in whole ms, µs or ns (times): int32
    PLAIN   the values as they are

SCALED, OFFSET and PLAIN columns are stored byte plane by byte plane (all first bytes,
then all second bytes, …): neighbours differ in their low bytes only, so that the
general compressor after this finds long runs.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gexterm.errors import RecordingError

Array = NDArray[Any]

PLAIN, ONE, SCALED, OFFSET = 0, 1, 2, 3
_NAN = np.iinfo(np.int32).min
"""Stands for NaN in SCALED columns."""
_REACH = np.iinfo(np.int32).max
_SCALES = (100, 10_000)
_STEPS = (1_000_000, 1_000, 1)
_TOO_SHORT = 16
"""Below this many values the trials cost more than they save."""
_known: dict[Any, np.dtype[Any]] = {
    each: np.dtype(each) for each in ("f8", "i8", "i4", "i2", "i1", np.float64, np.int64)
}
_LITTLE = sys.byteorder == "little"
_F64, _I64, _I32 = np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.int32)
_OFFSET = struct.Struct("<qI")
_SCALE = struct.Struct("<I")
_SCALED_HEAD = bytes([SCALED]) + _SCALE.pack(_SCALES[0])


def pack(column: Array) -> bytes:
    """Encode a one-dimensional column of float64, int64, int32, int16 or int8.

    The only values not given back bit for bit are −0.0, which may return as 0.0, and
    NaN, which returns as the ordinary NaN.
    """
    column = np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
    if len(column) >= _TOO_SHORT:
        bits = column.view(f"<i{column.itemsize}")
        # The two ends differ in almost every column that is not of one value.
        if bits[0] == bits[-1] and (bits == bits[0]).all():
            return bytes([ONE]) + column[:1].tobytes()
        if column.dtype == np.float64 and (packed := _scaled(column)) is not None:
            return packed
        if column.dtype == np.int64 and (packed := _offset(column)) is not None:
            return packed
    return bytes([PLAIN]) + _planes(column)


def pack_floats(table: Sequence[Array]) -> list[bytes]:
    """`pack` for several float64 columns of one length: the same bytes, fewer passes.

    A live batch has a few hundred rows, and then it is calls that cost, not numbers:
    columns that may be whole hundredths are tried together.
    """
    if not table or len(table[0]) < _TOO_SHORT:
        return [pack(column) for column in table]
    block = np.array(table, "<f8")
    bits = block.view("<i8")
    together = [
        number
        for number, (first, last) in enumerate(zip(bits[:, 0], bits[:, -1], strict=True))
        if first != last
    ]
    done: dict[int, bytes] = {}
    if len(together) > 1:
        scale = _SCALES[0]
        tried = block if len(together) == len(block) else block[together]
        with np.errstate(invalid="ignore", over="ignore"):
            narrow = np.rint(tried * scale).astype(np.int32)
        fits = (narrow / scale == tried).all(axis=1)
        planes = narrow.astype("<i4", copy=False).view(np.uint8)
        planes = planes.reshape(len(together), -1, 4).transpose(0, 2, 1)
        for row, number in enumerate(together):
            # What is NaN, or does not fit into int32, does not come back.
            if fits[row] and narrow[row].min() != _NAN:
                done[number] = _SCALED_HEAD + planes[row].tobytes()
    return [done.get(number) or pack(column) for number, column in enumerate(block)]


def unpack(data: memoryview, at: int, count: int, dtype: DTypeLike) -> tuple[Array, int]:
    """Decode `count` values of `dtype` that start at `at`; also the position after them.

    Raises RecordingError when the bytes do not hold them. Never allocates more than
    `count` values, which the caller bounds.
    """
    if at >= len(data):
        _take(data, at, 1)
    form = data[at]
    at += 1
    kind = _known.get(dtype) or np.dtype(dtype)
    if form == PLAIN:
        end = at + count * kind.itemsize
        return _unplane(_take(data, at, end - at), kind, count), end
    if form == ONE:
        value = np.frombuffer(_take(data, at, kind.itemsize), kind.newbyteorder("<"))
        return np.full(count, value[0], kind), at + kind.itemsize
    if form == SCALED and kind == _F64:
        (scale,) = _SCALE.unpack(_take(data, at, _SCALE.size))
        if scale not in _SCALES:
            raise RecordingError(f"a column is scaled by {scale}, which no writer does")
        at += _SCALE.size
        whole = _unplane(_take(data, at, count * 4), _I32, count)
        values = whole / scale
        values[whole == _NAN] = np.nan
        return values, at + count * 4
    if form == OFFSET and kind == _I64:
        base, step = _OFFSET.unpack(_take(data, at, _OFFSET.size))
        if step not in _STEPS:
            raise RecordingError(f"a column counts in steps of {step} ns, which no writer does")
        at += _OFFSET.size
        offsets = _unplane(_take(data, at, count * 4), _I32, count).astype(np.int64)
        # Wraps around on bytes made up to overflow: a wrong number, but no crash.
        return offsets * np.int64(step) + np.int64(base), at + count * 4
    raise RecordingError(f"a column of {kind} has the unknown form {form}")


def _take(data: memoryview, at: int, size: int) -> memoryview:
    if at + size > len(data):
        raise RecordingError(
            f"a column needs {size} bytes at {at}, but its frame ends at {len(data)}"
        )
    return data[at : at + size]


def _scaled(column: Array) -> bytes | None:
    for scale in _SCALES:
        # A look at one value saves most of the full trials.
        first = float(column[0]) * scale
        if first == first and abs(first - round(first) if abs(first) < _REACH else 1.0) > 1e-6:
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            whole = np.rint(column * scale)
            narrow = whole.astype(np.int32)
            # Nearly every column has no NaN, and then this is all there is to do. What
            # does not fit into int32 does not come back either.
            if (narrow / scale == column).all() and narrow.min() != _NAN:
                return bytes([SCALED]) + _SCALE.pack(scale) + _planes(narrow)
            absent = np.isnan(column)
            if not (np.abs(whole[~absent]) <= _REACH).all():
                continue
            whole[absent] = _NAN
            narrow = whole.astype(np.int32)
        back = narrow / scale
        if ((back == column) | absent).all():
            return bytes([SCALED]) + _SCALE.pack(scale) + _planes(narrow)
    return None


def _offset(column: Array) -> bytes | None:
    base = int(column.min())
    span = int(column.max()) - base
    if span > _REACH * _STEPS[0]:
        return None
    offsets = column - base
    for step in _STEPS:
        if span > _REACH * step:
            break
        whole = offsets // step
        if (whole * step == offsets).all():
            narrow = whole.astype(np.int32)
            return bytes([OFFSET]) + _OFFSET.pack(base, step) + _planes(narrow)
    return None


def _planes(column: Array) -> bytes:
    width = column.dtype.itemsize
    little = np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(-1, width).T.tobytes()


def _unplane(data: memoryview, kind: np.dtype[Any], count: int) -> Array:
    if count == 1 or kind.itemsize == 1:
        # The planes of one value are its bytes.
        values = np.frombuffer(data, kind.newbyteorder("<")).astype(kind)
    else:
        planes = np.frombuffer(data, np.uint8).reshape(kind.itemsize, -1)
        values = planes.T.copy().view(kind).reshape(-1)
        if not _LITTLE:
            values.byteswap(inplace=True)
    return values
