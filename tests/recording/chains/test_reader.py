"""Any file ends in a chain or in one clear line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import GextermError, InputError, UsageError
from gexterm.recording.chains import parse_chain, read_chain
from tests.recording.chains.pages import datashop, delayed_page, quote_page, quote_row


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (quote_page(), "cboe-quotes"),
        (delayed_page(), "cboe-delayed"),
        (datashop(), "datashop-eod"),
    ],
)
def test_the_content_tells_the_format_and_the_name_does_not(
    tmp_path: Path, data: bytes, source: str
) -> None:
    for name in ("a.csv", "a.json", "a", "spxw_[red].txt"):
        path = tmp_path / name
        path.write_bytes(data)
        assert read_chain(path).source == source
        assert read_chain(str(path)).source == source


def test_a_format_may_be_named_and_then_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(quote_page())
    assert read_chain(path, kind="cboe-quotes").source == "cboe-quotes"
    with pytest.raises(InputError, match="JSON"):
        read_chain(path, kind="cboe-delayed")
    with pytest.raises(InputError, match="lacks columns"):
        read_chain(path, kind="datashop-eod")
    with pytest.raises(UsageError, match="one of cboe-quotes"):
        read_chain(path, kind="csv")  # type: ignore[arg-type]


def test_a_root_is_only_asked_of_files_that_do_not_name_theirs() -> None:
    with pytest.raises(UsageError, match="--root"):
        parse_chain(quote_page(), "a", root="SPX")


UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\r\n\t", "is empty"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty"),
    "binary": (b"\x7fELF\x00\x01\x02" * 50, "binary"),
    "zip": (b"PK\x03\x04" + bytes(60), "zip"),
    "gzip": (b"\x1f\x8b" + bytes(60), "gzip"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(60), "zstd"),
    "parquet": (b"PAR1" + bytes(60), "parquet"),
    "utf-16": ("Calls,Puts".encode("utf-16"), "UTF-16"),
    "latin-1": (quote_page().replace(b"Poors", b"Poor\xe9s"), "no UTF-8"),
    "prose": (b"Dear sir,\nplease find attached\n", "no chain file that gexterm knows"),
    "another table": (b"date,open,high,low,close\n2022-01-01,1,2,3,4\n", "no chain file"),
    "html": (b"<!DOCTYPE html><html>[red]</html>", "no chain file"),
    "escape codes": (b"\x1b]0;owned\x07\x1b[2J", "no chain file"),
    "cut json": (delayed_page()[:-40], "no complete JSON"),
}


@pytest.mark.parametrize(("data", "says"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_chain_ends_in_one_line_that_says_what_it_is(
    tmp_path: Path, data: bytes, says: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_chain(path)
    line = str(caught.value)
    assert says in line and "file.csv" in line
    assert caught.value.exit_code == 3
    assert line.replace("…", "").isprintable() and "[" not in line


def test_a_path_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_chain(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_chain(tmp_path)
    with pytest.raises(InputError):
        read_chain("a\0b")
    with pytest.raises(InputError):
        read_chain("x" * 5000)
    with pytest.raises(InputError, match=r"cannot be read|there is no file"):
        read_chain(tmp_path / "a.csv" / "b.csv")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(quote_page())
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="no permission"):
        read_chain(path)


def test_a_file_too_large_is_not_read_to_its_end() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("needs /dev/zero")
    import gexterm.recording.chains.reader as reader

    limit = reader._LARGEST
    reader._LARGEST = 4096
    try:
        with pytest.raises(InputError, match="larger"):
            read_chain("/dev/zero")
    finally:
        reader._LARGEST = limit


PAGES = [
    quote_page(*(quote_row(3800 + 10 * n) for n in range(5))),
    delayed_page(),
    datashop(),
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PAGES),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 30)), max_size=4),
)
def test_a_damaged_file_ends_in_a_chain_or_in_a_deliberate_error(
    page: bytes, damage: list[tuple[float, bytes, int]]
) -> None:
    for where, junk, lost in damage:
        at = int(where * len(page))
        page = page[:at] + junk + page[at + lost :]
    try:
        chain = parse_chain(page, "file")
    except GextermError as error:
        assert "\n" not in str(error) and str(error).replace("…", "").isprintable()
    else:
        assert chain.contracts
        assert all(warning.replace("…", "").isprintable() for warning in chain.warnings)
