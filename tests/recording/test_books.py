"""Yesterday's book, kept and found again."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import OutputError, RecordingError, RecordingVersionError
from gexterm.market.contracts import Contract, Right
from gexterm.recording.books import (
    Book,
    as_kept,
    checksum,
    encode,
    latest,
    load,
    path_of,
    save,
    write,
)

DAY = dt.date(2026, 11, 18)
EXPIRIES = (DAY, dt.date(2026, 11, 19), dt.date(2026, 12, 18))


def contracts() -> tuple[Contract, ...]:
    return tuple(
        Contract("SPXW", expiry, right, 6600.0 + 2.5 * k)
        for expiry in EXPIRIES
        for k in range(3)
        for right in Right
    )


def book(seed: int = 0, k: int = 2, date: dt.date = DAY) -> Book:
    rng = np.random.default_rng(seed)
    m = len(contracts())
    volume = np.round(rng.random(m) * 1000)
    volume[3] = np.nan
    return Book(
        underlying="SPX",
        date=date,
        epoch=1_000,
        as_of=2_000,
        contracts=contracts(),
        mean=rng.normal(0, 500, m).round(3),
        variance=(rng.random(m) * 1e4 + 0.01).round(3),
        shared=rng.normal(0, 50, (k, m)).round(3),
        opened=np.round(rng.random(m) * 1000),
        traded=np.round(rng.random(m) * 1000),
        volume=volume,
        open_interest=np.where(np.arange(m) % 4, 1000.0, np.nan),
        reconciled="carried book within open interest in all 12 contracts",
    )


def same(a: Book, b: Book) -> None:
    order_a, order_b = (np.argsort([repr(c) for c in x.contracts]) for x in (a, b))
    assert [a.contracts[i] for i in order_a] == [b.contracts[i] for i in order_b]
    for name in ("mean", "variance", "shared", "opened", "traded", "volume", "open_interest"):
        left, right = getattr(a, name)[..., order_a], getattr(b, name)[..., order_b]
        assert left == pytest.approx(right, abs=1e-3, nan_ok=True), name
    for name in ("underlying", "date", "epoch", "as_of", "reconciled"):
        assert getattr(a, name) == getattr(b, name)


@pytest.mark.parametrize("k", [0, 1, 5])
def test_a_kept_book_comes_back_as_it_was(tmp_path, k) -> None:
    path = save(tmp_path, book(k=k))
    assert path == path_of(tmp_path, "SPX", DAY)
    same(load(path), book(k=k))


def test_the_same_book_gives_the_same_bytes(tmp_path) -> None:
    first = save(tmp_path / "a", book()).read_bytes()
    assert first == save(tmp_path / "b", book()).read_bytes()


def test_a_later_book_of_the_same_session_takes_its_place_and_leaves_nothing_behind(
    tmp_path,
) -> None:
    save(tmp_path, book(0))
    path = save(tmp_path, book(1))
    same(load(path), book(1))
    assert [p.name for p in path.parent.iterdir()] == ["2026-11-18.book"]


def test_what_expired_before_today_is_dropped_and_what_expires_today_is_kept(tmp_path) -> None:
    path = save(tmp_path, book())
    kept = load(path, today=EXPIRIES[1])
    assert {c.expiry for c in kept.contracts} == set(EXPIRIES[1:])
    assert kept.shared.shape == (2, 12)
    full = load(path)
    at = full.contracts.index(kept.contracts[4])
    assert kept.mean[4] == full.mean[at]
    assert len(load(path, today=dt.date(2027, 1, 1)).contracts) == 0


def test_contracts_in_which_nothing_is_held_or_known_take_no_room(tmp_path) -> None:
    made = book()
    for name in ("mean", "variance", "opened", "traded"):
        getattr(made, name)[:5] = 0.0
    made.shared[:, :5] = 0.0
    assert len(load(save(tmp_path, made)).contracts) == len(made.contracts) - 5


def test_a_contract_defined_twice_counts_as_its_last_definition(tmp_path) -> None:
    made = book()
    twice = dataclasses.replace(made, contracts=(*made.contracts[:-1], made.contracts[0]))
    back = load(save(tmp_path, twice))
    assert len(back.contracts) == len(made.contracts) - 1
    assert back.mean[back.contracts.index(made.contracts[0])] == made.mean[-1]


def test_the_newest_book_before_a_date_is_found(tmp_path) -> None:
    for day in (16, 17, 18):
        save(tmp_path, book(date=dt.date(2026, 11, day)))
    (path_of(tmp_path, "SPX", DAY).parent / "notes.book").write_text("mine")
    found = latest(tmp_path, "SPX", before=DAY)
    assert found is not None
    assert found.name == "2026-11-17.book"
    assert latest(tmp_path, "SPX", before=dt.date(2026, 11, 16)) is None
    assert latest(tmp_path, "NDX", before=DAY) is None


def test_an_underlying_from_outside_cannot_leave_the_folder(tmp_path) -> None:
    assert path_of(tmp_path, "../../etc", DAY).parent == tmp_path / "etc"
    assert path_of(tmp_path, "..", DAY).parent == tmp_path / "unknown"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_is_noticed(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("book")
    path = save(folder, book())
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        load(path)
    assert "2026-11-18.book" in caught.value.message
    assert "\n" not in str(caught.value)


def test_a_book_of_another_version_says_so(tmp_path) -> None:
    path = save(tmp_path, book())
    content = bytearray(path.read_bytes())
    content[7] = 9
    path.write_bytes(content)
    with pytest.raises(RecordingVersionError, match="version 9"):
        load(path)


def test_a_missing_book_or_a_folder_is_an_error_with_one_line(tmp_path) -> None:
    for path in (tmp_path / "none.book", tmp_path):
        with pytest.raises(RecordingError, match="cannot be read"):
            load(path)


def test_where_no_book_can_be_written_there_is_a_hint_and_no_half_file(tmp_path) -> None:
    (tmp_path / "SPX").write_text("a file where a folder should be")
    with pytest.raises(OutputError) as caught:
        save(tmp_path, book())
    assert caught.value.hint
    assert [p.name for p in tmp_path.iterdir()] == ["SPX"]


def test_a_book_that_is_not_a_number_is_never_kept(tmp_path) -> None:
    made = book()
    made.mean[2] = np.nan
    with pytest.raises(ValueError, match="mean"):
        save(tmp_path, made)
    assert list(tmp_path.iterdir()) == []


def exactly(a: Book, b: Book) -> None:
    assert a.contracts == b.contracts
    for name in ("mean", "variance", "shared", "opened", "traded", "volume", "open_interest"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name


@given(st.integers(0, 1000), st.integers(0, 3), st.sampled_from([1e-5, 0.3, 7.0]))
@settings(max_examples=30, deadline=None)
def test_a_book_as_kept_is_to_the_bit_the_one_that_is_read_however_often(
    tmp_path_factory, seed, k, scale
) -> None:
    whole = book(seed, k)
    faint = dataclasses.replace(
        whole, mean=whole.mean * scale / 7, variance=whole.variance * scale / 7e4
    )
    folder = tmp_path_factory.mktemp("books")
    once = load(save(folder, faint))
    exactly(as_kept(faint), once)
    exactly(as_kept(once), once)
    exactly(load(save(folder, once)), once)


def test_a_book_other_than_the_one_stated_is_refused(tmp_path) -> None:
    path = tmp_path / "of.book"
    content = encode(book())
    write(path, content)
    same(load(path, stated=checksum(content)), book())
    with pytest.raises(RecordingError, match="another book"):
        load(path, stated=checksum(encode(book(1))))
