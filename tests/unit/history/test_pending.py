"""A transaction that waits is seen to wait from one run of cron to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.chain import ChainRound, SignerAccount
from lptui.fleet.snapshot import Snapshot
from lptui.history.pending import carry_on, continued, load, save
from tests.snapshots import NETWORK, NOW, REDEEMER, FleetBuilder


def waiting(nonce: int = 7, pending: int = 8, since: float | None = NOW) -> Snapshot:
    """What a run of its own reads: it sees the transaction for the first time."""
    builder = FleetBuilder()
    account = builder.snapshot().value(SignerAccount, REDEEMER)
    assert account is not None
    account = replace(account, nonce=nonce, pending_nonce=pending, pending_since=since)
    return builder.put(account, REDEEMER).snapshot()


def since(snapshot: Snapshot) -> float | None:
    account = snapshot.value(SignerAccount, REDEEMER)
    assert account is not None
    return account.pending_since


def test_the_same_nonce_goes_on_waiting(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pending.json"
    assert since(carry_on(waiting(since=NOW - 600), path)) == NOW - 600
    assert since(carry_on(waiting(since=NOW), path)) == NOW - 600


def test_the_next_nonce_waits_anew(tmp_path: Path) -> None:
    path = tmp_path / "pending.json"
    carry_on(waiting(since=NOW - 600), path)
    assert since(carry_on(waiting(nonce=8, pending=9), path)) == NOW


def test_what_was_mined_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "pending.json"
    carry_on(waiting(since=NOW - 600), path)
    assert since(carry_on(waiting(nonce=8, pending=8, since=None), path)) is None
    assert load(path) == {}


def test_what_waits_no_more_and_was_not_mined_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "pending.json"
    carry_on(waiting(since=NOW - 600), path)
    gone = waiting(pending=7, since=None)
    assert since(carry_on(gone, path)) == NOW - 600
    assert since(carry_on(gone, path)) == NOW - 600
    assert since(carry_on(waiting(nonce=8, pending=8, since=None), path)) is None


def test_what_another_endpoint_does_not_know_of_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "pending.json"
    carry_on(waiting(since=NOW - 600), path)
    gone = FleetBuilder().change(ChainRound, NETWORK, rpc="reference")
    account = waiting(pending=7, since=None).value(SignerAccount, REDEEMER)
    assert since(carry_on(gone.put(account, REDEEMER).snapshot(), path)) is None


def test_an_account_that_could_not_be_read_or_is_another_fleet_s_keeps_its_wait() -> None:
    snapshot = FleetBuilder().fail(SignerAccount, REDEEMER).snapshot()
    seen = {REDEEMER: (7, 5.0, "nitro"), "0x" + "dd" * 20: (1, 6.0, "nitro")}
    assert continued(snapshot, seen)[1] == seen


def test_a_folder_that_lets_nobody_write_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert since(carry_on(waiting(), tmp_path / "file" / "pending.json")) == NOW


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "null", '{"a": [1]}', '{"a": ["1", 2]}', '{"a": [1, NaN]}', "[" * 99999]
)
def test_a_broken_file_counts_as_nothing_seen(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pending.json"
    path.write_text(text)
    assert load(path) == {}
    assert since(carry_on(waiting(), path)) == NOW


@given(st.dictionaries(st.text(), st.tuples(st.integers(0, 2**64), st.floats(0, 1e12), st.text())))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, seen: object) -> None:
    path = tmp_path_factory.mktemp("pending") / "pending.json"
    assert isinstance(seen, dict)
    save(path, seen)
    assert load(path) == seen
