"""RPC endpoints: the verdicts in their order."""

from __future__ import annotations

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.rpc import NOT_OFFERED, RpcHead, SyncProgress
from lptui.fleet.finding import Severity
from lptui.fleet.units import L1Block, L2Block
from tests.snapshots import CHAIN_ID, HEAD, NOW, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

ALL = (
    "rpc-reachable",
    "rpc-chain",
    "rpc-stalled",
    "rpc-lagging",
    "rpc-disagree",
    "rpc-syncing",
    "rpc-peers",
)


def nitro(**changes: object) -> FleetBuilder:
    return FleetBuilder().change(RpcHead, "nitro", **changes)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProblemKind.TIMEOUT, CRITICAL),
        (ProblemKind.REFUSED, CRITICAL),
        (ProblemKind.BAD_ANSWER, CRITICAL),
        (ProblemKind.RPC_ERROR, CRITICAL),
        (ProblemKind.FORBIDDEN, UNKNOWN),
        (ProblemKind.SECRET, UNKNOWN),
        (ProblemKind.NOT_READ, UNKNOWN),
    ],
)
def test_silence_is_critical_and_explains_the_rest(kind: ProblemKind, expected: Severity) -> None:
    found = by_id(FleetBuilder().fail(RpcHead, "nitro", kind))
    assert found["rpc-reachable@nitro"].severity is expected
    for check in ALL[1:]:
        assert found[f"{check}@nitro"].severity is UNKNOWN
        assert found[f"{check}@nitro"].cause == "rpc-reachable@nitro"


def test_a_silent_reference_is_a_warning() -> None:
    found = by_id(FleetBuilder().fail(RpcHead, "reference"))
    assert found["rpc-reachable@reference"].severity is WARNING
    assert found["rpc-lagging@nitro"].severity is UNKNOWN
    assert found["rpc-lagging@nitro"].cause == "rpc-reachable@reference"


def test_wrong_chain() -> None:
    found = by_id(nitro(chain_id=1))
    assert found["rpc-chain@nitro"].severity is CRITICAL
    assert "chain 1, expected 42161" in found["rpc-chain@nitro"].summary
    assert found["rpc-lagging@nitro"].severity is UNKNOWN
    assert found["rpc-lagging@nitro"].cause == "rpc-chain@nitro"
    # The other has nobody to be compared with.
    assert found["rpc-lagging@reference"].severity is UNKNOWN
    assert found["rpc-lagging@reference"].cause == "rpc-chain@nitro"


def test_wrong_chain_told_by_the_probe_itself() -> None:
    found = by_id(FleetBuilder().fail(RpcHead, "nitro", ProblemKind.WRONG_CHAIN, "chain 1"))
    assert found["rpc-chain@nitro"].severity is CRITICAL
    assert found["rpc-reachable@nitro"].cause == "rpc-chain@nitro"


def test_an_endpoint_with_no_expected_chain_is_not_judged_for_it() -> None:
    fleet = (
        FleetBuilder().configure_rpc("reference", chain_id=None).configure_chain(rpcs=("nitro",))
    )
    assert "rpc-chain@reference" not in by_id(fleet)


@pytest.mark.parametrize(
    ("age", "chain", "expected"),
    [
        (30.0, CHAIN_ID, OK),
        (30.5, CHAIN_ID, WARNING),
        (120.0, CHAIN_ID, WARNING),
        (120.5, CHAIN_ID, CRITICAL),
        (-5.0, CHAIN_ID, OK),
        (-60.0, CHAIN_ID, OK),
        (-61.0, CHAIN_ID, UNKNOWN),
        (60.0, 1, OK),
        (60.5, 1, WARNING),
        (180.0, 1, WARNING),
        (180.5, 1, CRITICAL),
        (9999.0, 31337, OK),
    ],
)
def test_age_of_the_head(age: float, chain: int, expected: Severity) -> None:
    # The age counts up to when it was read, a second before the snapshot.
    fleet = nitro(head_time=NOW - 1.0 - age, chain_id=chain)
    fleet.configure_rpc("nitro", chain_id=chain)
    found = finding(fleet, "rpc-stalled@nitro")
    assert found.severity is expected
    assert found.metrics[0].value == max(0.0, age)


@pytest.mark.parametrize(("since", "words"), [(3.0, "though it moves"), (3000.0, "stalled")])
def test_an_old_head_that_moves_is_not_called_stalled(since: float, words: str) -> None:
    fleet = nitro(head_time=NOW - 3600.0, advanced_at=NOW - 1.0 - since)
    found = finding(fleet, "rpc-stalled@nitro")
    assert found.severity is CRITICAL
    assert words in found.summary


def test_stalled_though_not_syncing_explains_lag_and_syncing() -> None:
    found = by_id(nitro(head_time=NOW - 3600.0, head=L2Block(HEAD - 10_000)))
    assert found["rpc-stalled@nitro"].severity is CRITICAL
    assert found["rpc-syncing@nitro"].severity is OK
    assert found["rpc-lagging@nitro"].severity is CRITICAL
    assert found["rpc-lagging@nitro"].cause == "rpc-stalled@nitro"


@pytest.mark.parametrize(
    ("lag", "expected"), [(0, OK), (40, OK), (41, WARNING), (400, WARNING), (401, CRITICAL)]
)
def test_lag_behind_the_highest_head(lag: int, expected: Severity) -> None:
    fleet = nitro(head=L2Block(HEAD - lag), head_hash=f"0x{HEAD - lag:064x}")
    assert severity(fleet, "rpc-lagging@nitro") is expected


def test_a_lagging_reference_is_no_more_than_a_warning() -> None:
    fleet = FleetBuilder().change(RpcHead, "reference", head=L2Block(HEAD - 100_000))
    found = by_id(fleet)
    assert found["rpc-lagging@reference"].severity is WARNING
    assert found["rpc-lagging@nitro"].severity is OK


def test_heads_of_different_chains_are_not_compared() -> None:
    fleet = FleetBuilder().change(RpcHead, "reference", chain_id=1, head=L2Block(HEAD * 2))
    assert severity(fleet, "rpc-lagging@nitro") is UNKNOWN


def test_a_single_endpoint_has_nothing_to_be_compared_with() -> None:
    fleet = FleetBuilder()
    fleet.configure(rpcs={"nitro": fleet.fleet.rpcs["nitro"]}).configure_chain(rpcs=("nitro",))
    found = by_id(fleet)
    assert "rpc-lagging@nitro" not in found
    assert "rpc-disagree@nitro" not in found


@pytest.mark.parametrize(("chain", "expected"), [(CHAIN_ID, CRITICAL), (1, WARNING)])
def test_different_blocks_at_one_height(chain: int, expected: Severity) -> None:
    fleet = nitro(head=HEAD, head_hash="0x" + "99" * 32, chain_id=chain)
    fleet.change(RpcHead, "reference", chain_id=chain)
    found = finding(fleet, "rpc-disagree@nitro")
    assert found.severity is expected
    assert "differs from that of reference" in found.summary


@pytest.mark.parametrize(
    ("mine", "expected"), [("0x" + "11" * 32, OK), ("0x" + "22" * 32, CRITICAL)]
)
def test_different_blocks_well_below_the_heads_are_a_fork_whatever_the_heads(
    mine: str, expected: Severity
) -> None:
    anchor = L2Block(HEAD - 100)
    fleet = nitro(anchor=anchor, anchor_hash=mine)
    fleet.change(RpcHead, "reference", anchor=anchor, anchor_hash="0x" + "11" * 32)
    found = finding(fleet, "rpc-disagree@nitro")
    assert found.severity is expected
    assert str(anchor) in found.summary


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, OK),
        (SyncProgress(10, 100), CRITICAL),
        (SyncProgress(None, None), CRITICAL),
        (SyncProgress(100, 100, indexing=True), WARNING),
        (SyncProgress(0, 100, stages=(("Headers", 100), ("Execution", 7))), CRITICAL),
        (SyncProgress(99, 100, indexing=True), CRITICAL),
    ],
)
def test_anything_but_false_is_syncing(progress: SyncProgress | None, expected: Severity) -> None:
    assert severity(nitro(syncing=progress), "rpc-syncing@nitro") is expected


@pytest.mark.parametrize(
    ("peers", "expected"), [(0, CRITICAL), (1, WARNING), (2, WARNING), (3, OK), (50, OK)]
)
def test_peers(peers: int, expected: Severity) -> None:
    fleet = nitro(peers=peers, chain_id=1, l1_block=None)
    assert severity(fleet, "rpc-peers@nitro") is expected


@pytest.mark.parametrize(
    "rollup", [{"l1_block": None}, {"chain_id": 412_346, "l1_block": L1Block(7)}]
)
def test_a_rollups_node_needs_no_peers(rollup: dict[str, object]) -> None:
    assert "rpc-peers@nitro" not in by_id(nitro(peers=0, **rollup))


def test_whether_it_syncs_is_unknown_when_it_does_not_say() -> None:
    found = finding(nitro(errors=(("eth_syncing", "internal error"),)), "rpc-syncing@nitro")
    assert found.severity is UNKNOWN
    assert "internal error" in found.summary


def test_an_endpoint_without_eth_syncing_is_judged_by_its_head_alone() -> None:
    assert "rpc-syncing@nitro" not in by_id(nitro(errors=(("eth_syncing", NOT_OFFERED),)))


@pytest.mark.parametrize(("behind", "expected"), [(118, OK), (161, WARNING)])
def test_blocks_that_came_while_the_other_was_read_later_are_no_lag(
    behind: int, expected: Severity
) -> None:
    """30 s later at 4 blocks a second: 120 blocks have come meanwhile."""
    fleet = nitro(head=L2Block(HEAD - behind), head_time=NOW - 2.0 - behind / 4)
    fleet.put(fleet.value(RpcHead, "nitro"), "nitro", age=31.0, interval=30.0)
    found = finding(fleet, "rpc-lagging@nitro")
    assert found.severity is expected


def test_stale_heads_are_unknown() -> None:
    found = by_id(FleetBuilder().age(RpcHead, "nitro", 60.0))
    assert found["rpc-reachable@nitro"].severity is UNKNOWN
    assert found["rpc-stalled@nitro"].severity is UNKNOWN
