"""Transactions that are followed from one run to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.rpc import SentTransaction, SentTransactions
from lptui.fleet.units import Address
from lptui.history.sent import load, remembered, save

TX, OTHER = "0x" + "ab" * 32, "0x" + "cd" * 32
WHO = Address("0x" + "12" * 20)
WHOLE = SentTransaction(TX, 5.0, "the pool of nitro", WHO, 7, 6.0)
HASH_ALONE = SentTransaction(OTHER, 9.0, "the reply to reward", WHO, looked_nonce=3)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "sent.json"
    followed = SentTransactions((WHOLE, HASH_ALONE), ("0x" + "ef" * 32,))
    save(path, followed)
    assert load(path) == followed
    reading = remembered(path)
    assert reading is not None
    assert reading.value is None
    assert reading.last_good is not None
    assert reading.last_good.value == followed


def test_what_lptui_was_told_is_followed_unless_it_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    reading = remembered(path, [HASH_ALONE])
    assert reading is not None
    assert reading.last_good is not None
    assert reading.last_good.value == SentTransactions((HASH_ALONE,))
    save(path, SentTransactions((), (OTHER,)))
    reading = remembered(path, [HASH_ALONE])
    assert reading is not None
    assert reading.last_good is not None
    assert reading.last_good.value == SentTransactions((), (OTHER,))


def test_nothing_known_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    assert remembered(path) is None
    save(path, SentTransactions())
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        *("", "[", "[]", '{"sent": 1}', '{"sent": [{"hash": "x"}], "settled": [3]}', "[" * 99999),
        '{"sent": [{"hash": "0x' + "ab" * 32 + '", "seen_at": NaN, "known_to": "x"}]}',
    ],
)
def test_a_broken_file_counts_as_nothing_seen(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sent.json"
    path.write_text(text)
    assert load(path) == SentTransactions()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["hash", "nonce"]), inner),
    )
)
def test_no_file_does_any_harm(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("sent") / "sent.json"
    item = {"hash": TX, "seen_at": 1, "known_to": "x", "sender": value, "nonce": value}
    path.write_text(json.dumps({"sent": [item | {"pooled_at": value}, value], "settled": value}))
    assert len(load(path).sent) == 1
