"""Every trade condition has one class, and what is in no table is unknown."""

from __future__ import annotations

import string

import numpy as np
import pytest

from gexterm.dealers.conditions import (
    CANCELS,
    COUNTS_VOLUME,
    IS_CANCEL,
    IS_PACKAGE,
    MAY_SIGN,
    MAY_SIGN_ALONE,
    NUMBERINGS,
    OPRA,
    ConditionClass,
    classes,
)

C = ConditionClass


def of(codes, numbering: str) -> list[ConditionClass]:
    return [C(kind) for kind in classes(np.asarray(codes, np.int16), numbering)]


def test_opra_has_33_letters_and_a_blank():
    letters = [condition.letter for condition in OPRA]
    assert len(letters) == len(set(letters)) == 34
    assert set(letters) == {" "} | set("ABCDEFGHIJS") | set("abcdefghijklmnopqrstuv")
    mnemonics = [condition.mnemonic for condition in OPRA[1:]]
    assert len(set(mnemonics)) == 33 and all(len(m) == 4 for m in mnemonics)


@pytest.mark.parametrize(
    ("letters", "kind"),
    [
        (" I", C.REGULAR),
        ("S", C.SWEEP),
        ("ab", C.AUCTION),
        ("cd", C.CROSS),
        ("e", C.FLOOR),
        ("f", C.MULTI_ELECTRONIC),
        ("g", C.MULTI_AUCTION),
        ("h", C.MULTI_CROSS),
        ("it", C.MULTI_FLOOR),
        ("jlm", C.MULTI_VS_SINGLE),
        ("knopqrs", C.STOCK_TIED),
        ("BDFH", C.LATE),
        ("J", C.REOPEN),
        ("A", C.CANCEL_ANY),
        ("C", C.CANCEL_LAST),
        ("E", C.CANCEL_OPENING),
        ("G", C.CANCEL_ONLY),
        ("u", C.COMPRESSION),
        ("v", C.EXTENDED),
    ],
)
def test_a_letter_means_the_same_wherever_letters_are_used(letters, kind):
    for letter in letters:
        assert of([ord(letter)], "opra") == of([ord(letter)], "dxfeed") == [kind]
        assert [c.kind for c in OPRA if c.letter == letter] == [kind]


@pytest.mark.parametrize(
    ("code", "letter"),
    # Singly quoted in Massive's documentation; the others follow the rule between them.
    [(201, "A"), (203, "C"), (205, "E"), (207, "G"), (209, "I"), (219, "S"), (227, "a"),
     (232, "f"), (236, "j"), (238, "l"), (239, "m"), (246, "t"), (247, "u"), (248, "v")],
)  # fmt: skip
def test_massive_numbers_the_letters(code, letter):
    assert of([code], "massive") == of([ord(letter)], "opra")


@pytest.mark.parametrize(
    ("numbering", "first"), [("massive", 227), ("thetadata", 125), ("cboe-datashop", 114)]
)
def test_vendors_number_the_small_letters_in_their_order(numbering, first):
    letters = string.ascii_lowercase[:20]
    assert of(first + np.arange(20), numbering) == of([ord(x) for x in letters], "opra")


@pytest.mark.parametrize("numbering", [n for n in NUMBERINGS if n not in ("", "deribit")])
def test_every_class_of_opra_can_be_said_in_every_numbering(numbering):
    said = set(NUMBERINGS[numbering].kinds.values())
    assert said == {condition.kind for condition in OPRA}
    assert said == set(C) - {C.UNKNOWN, C.ABSENT}


@pytest.mark.parametrize("numbering", NUMBERINGS)
def test_a_code_has_the_class_of_its_table_or_is_unknown(numbering):
    codes = np.arange(-(2**15), 2**15).astype(np.int16)
    found = classes(codes, numbering)
    kinds = NUMBERINGS[numbering].kinds
    expected = [C.ABSENT if c == -1 else kinds.get(c, C.UNKNOWN) for c in codes.tolist()]
    np.testing.assert_array_equal(found, expected)
    assert NUMBERINGS[numbering].source


def test_the_conditions_of_the_older_letters():
    found = of([0, 2, 13, 18, 35, 36, 37, 38, 40, 41, 42, 43, 95, 106], "cboe-datashop")
    assert found == [
        C.REGULAR, C.LATE, C.LATE, C.REGULAR, C.MULTI_ELECTRONIC, C.MULTI_ELECTRONIC, C.STOCK_TIED,
        C.MULTI_ELECTRONIC, C.CANCEL_ANY, C.CANCEL_LAST, C.CANCEL_OPENING, C.CANCEL_ONLY, C.SWEEP,
        C.AUCTION,
    ]  # fmt: skip
    assert found == of([0, 2, 13, 18, 35, 36, 37, 38, 40, 41, 42, 43, 95, 106], "thetadata")


def test_the_same_number_is_another_condition_with_another_vendor():
    assert of([127], "thetadata") == [C.CROSS]
    assert of([127], "cboe-datashop") == [C.STOCK_TIED]


def test_a_block_of_deribit_is_not_signed_unless_dealers_competed_for_it():
    combo, block, by_request, liquidation = 1, 2, 4, 8
    assert of([0, combo, liquidation], "deribit") == [C.REGULAR, C.MULTI_ELECTRONIC, C.REGULAR]
    assert of([block, block | combo], "deribit") == [C.FLOOR, C.FLOOR]
    blocks = [block | by_request, block | by_request | combo]
    assert of(blocks, "deribit") == [C.AUCTION, C.MULTI_AUCTION]
    assert of([-1, 16], "deribit") == [C.ABSENT, C.UNKNOWN]


@pytest.mark.parametrize("numbering", ["", "nobody's"])
def test_without_a_table_every_code_is_unknown_and_no_code_is_absent(numbering):
    assert of([-1, 0, 32, 65, 209], numbering) == [C.ABSENT] + [C.UNKNOWN] * 4


def test_cancels_alone_add_no_volume():
    assert set(np.flatnonzero(~COUNTS_VOLUME)) == set(CANCELS) == set(np.flatnonzero(IS_CANCEL))


def test_only_prints_that_show_an_initiator_may_be_signed():
    never = {
        C.CROSS, C.FLOOR, C.MULTI_CROSS, C.STOCK_TIED, C.LATE, C.REOPEN, C.COMPRESSION, C.UNKNOWN,
        *CANCELS,
    }  # fmt: skip
    assert {C(kind) for kind in np.flatnonzero(~MAY_SIGN)} == never
    assert not (MAY_SIGN_ALONE & ~MAY_SIGN).any()
    legs = {C.MULTI_ELECTRONIC, C.MULTI_AUCTION, C.MULTI_FLOOR, C.MULTI_CROSS, C.MULTI_VS_SINGLE}
    assert {C(kind) for kind in np.flatnonzero(IS_PACKAGE)} == legs


def test_classes_keep_the_shape():
    assert classes(np.zeros((2, 3), np.int16), "opra").shape == (2, 3)
    assert classes(np.zeros(0, np.int16), "opra").shape == (0,)
