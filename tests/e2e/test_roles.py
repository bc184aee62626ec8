"""Roles and invariants of a real fleet, one thing out of place at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial

import pytest

from tests.e2e.command import SideBySide
from tests.e2e.fleet import MACHINE, Document, Edit, RealFleet
from tests.e2e.servers import unused_port


def cli_of(node: str, other: str, fleet: RealFleet) -> Edit:
    """A node's CLI address leads to where another one answers."""

    def edit(document: Document) -> None:
        document["nodes"][node]["cli"] = fleet.nodes[other].port

    return edit


@pytest.fixture(scope="module")
def misplaced(real_fleet: RealFleet) -> SideBySide:
    """What each of these nodes is, when it is another one that answers there."""
    pairs = {"orch-1": "transcoder-1", "redeemer": "orch-2", "orch-2": "reward"}
    return SideBySide(
        {
            node: partial(real_fleet.check, cli_of(node, other, real_fleet))
            for node, other in pairs.items()
        }
    )


def test_all_is_what_it_was_declared_to_be(real_fleet: RealFleet) -> None:
    healthy = real_fleet.healthy
    for check in ("redeemer-serving@main", "orchestrators-serving@e2e", "prices-agree@main"):
        assert healthy.severity(check) == "OK", healthy.finding(check)
    for node in ("orch-1", "orch-2", "redeemer", "transcoder-1"):
        found = healthy.finding(f"role-mismatch@{node}")
        assert found["severity"] == "OK", found
        assert found["summary"].startswith("is what it was declared to be")


def test_the_layout_is_told(real_fleet: RealFleet) -> None:
    layout = real_fleet.run("status", "--format", "json").json["layout"]
    [group] = layout["groups"]
    assert group["set_up"] == "set-up 3: a redeemer, a reward node"
    assert "behind edge (haproxy)" in group["variants"]
    assert "transcoding in its own process: orch-2" in group["variants"]
    assert group["orchestrators"] == ["orch-1", "orch-2"]
    assert (group["redeemers"], group["callers"]) == (["redeemer"], ["reward"])
    assert group["doubled"] == []
    ways = {(one["kind"], one["source"], one["target"]): one["state"] for one in layout["links"]}
    assert ways["clients", "edge", "orch-1"] == "up"
    assert ways["chain", "redeemer", "pool"] == "up"
    text = real_fleet.run("status").out
    assert "main  set-up 3: a redeemer, a reward node" in text
    assert "|- up   ok   orch-1  orchestrator" in text


def test_an_orchestrator_that_is_a_transcoder(misplaced: SideBySide) -> None:
    outcome = misplaced["orch-1"]
    found = outcome.finding("role-mismatch@orch-1")
    assert found["severity"] == "CRITICAL"
    assert found["summary"] == "declared orchestrator, but runs as transcoder"
    assert outcome.finding("orchestrators-serving@e2e")["summary"].startswith("1 of 2")


def test_a_redeemer_that_is_none(misplaced: SideBySide) -> None:
    outcome = misplaced["redeemer"]
    assert outcome.severity("role-mismatch@redeemer") == "CRITICAL"
    serving = outcome.finding("redeemer-serving@main")
    assert serving["severity"] == "CRITICAL"
    assert serving["cause"] == "role-mismatch@redeemer"


def test_two_nodes_with_the_registered_key(misplaced: SideBySide) -> None:
    found = misplaced["orch-2"].finding("registered-key-once@main")
    assert found["severity"] == "CRITICAL"
    assert "orch-2" in found["summary"]
    assert "reward" in found["summary"]


def test_the_redeemer_is_gone(real_fleet: RealFleet) -> None:
    with unused_port() as port:

        def edit(document: Document) -> None:
            document["nodes"]["redeemer"]["cli"] = port

        outcome = real_fleet.check(edit)
    found = outcome.finding("redeemer-serving@main")
    assert found["severity"] == "CRITICAL"
    assert "no redeemer serves: redeemer is down" in found["summary"]
    assert found["cause"] == "node-up@redeemer"
    assert outcome.roots(MACHINE) == {"node-up@redeemer": "CRITICAL"}


def test_too_few_orchestrators(real_fleet: RealFleet) -> None:
    with unused_port() as port:

        def edit(document: Document) -> None:
            document["nodes"]["orch-1"]["cli"] = port
            document["thresholds"] = {"min_orchestrators": 2}

        found = real_fleet.check(edit).finding("orchestrators-serving@e2e")
    assert found["severity"] == "CRITICAL"
    assert found["summary"] == "1 of 2 orchestrators take work, at least 2 are to"
    assert found["cause"] == "node-up@orch-1"


@contextmanager
def asking(fleet: RealFleet, node: str, price: int) -> Iterator[None]:
    config = fleet.nodes[node].config
    before, config.price = config.price, Fraction(price)
    try:
        yield
    finally:
        config.price = before


def test_prices_that_differ(real_fleet: RealFleet) -> None:
    with asking(real_fleet, "orch-2", 900):
        found = real_fleet.check().finding("prices-agree@main")
    assert found["severity"] == "WARNING"
    assert found["summary"] == "prices differ: orch-1 1200 wei/pixel, orch-2 900 wei/pixel"
    assert "lost at the next restart" in found["remedy"]
