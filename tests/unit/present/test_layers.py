"""A node's layers in its detail: what clients meet first stands first."""

from __future__ import annotations

from lptui.checks import run_checks
from lptui.fleet.facts.livepeer import NodeBlock, NodeStatus
from lptui.history.series import History
from lptui.present.catalog import PRESENTERS
from lptui.present.layers import layer_lines
from lptui.present.model import text_of
from lptui.present.view import Findings, Memo, View
from tests.snapshots import NOW, FleetBuilder


def layers(fleet: FleetBuilder, node: str) -> list[str]:
    snapshot = fleet.snapshot()
    view = View(snapshot, NOW, Findings(run_checks(snapshot)), History(), Memo())
    model = PRESENTERS["transcoders"](view)
    [row] = [r for s in model.sections for r in s.rows if r.key == f"node:{node}"]
    return [text_of(line) for line in layer_lines(view, row)]


def test_of_an_orchestrator_from_its_address_to_its_sessions() -> None:
    head, *lines, _ = layers(FleetBuilder(), "orch-1")
    assert head.strip().startswith("Layers")
    names = [line[9:27].strip() for line in lines]
    assert names == [
        "address, TLS",
        "balancer's check",
        "CLI /status",
        "follows blocks",
        "room for sessions",
    ]
    assert all(line.startswith("   ok") for line in lines)


def test_what_fails_by_itself_is_named_and_not_what_follows_from_it() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "orch-1").fail(NodeBlock, "orch-1")
    marked = [line for line in layers(fleet, "orch-1") if "to be mended first" in line]
    [line] = marked
    assert "CLI /status" in line


def test_a_node_that_no_client_reaches_has_no_address() -> None:
    assert not any("address" in line for line in layers(FleetBuilder(), "trans-1"))
