"""Plans that move a transcoder: where to, what it needs, what its old orchestrator keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.actions.move_transcoder import MoveTranscoder
from lptui.actions.moves import registered
from lptui.actions.moves.move import Seen, Standing
from lptui.actions.moves.registered import RegisteredMove
from lptui.actions.plan import Plan
from lptui.actions.select import requests, targets
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeStatus
from tests.snapshots import SERVICE_URI, FleetBuilder

FILE = "/etc/default/livepeer-transcoder"
VARIABLE = "LP_ORCHADDR"
ADDRESSES = {number: f"orch-{number}.example.org:8935" for number in (1, 2)}


def fleet() -> FleetBuilder:
    """Transcoder 1 works for orchestrator 1, which has another one besides."""
    made = FleetBuilder()
    for number, address in ADDRESSES.items():
        made.configure_node(f"orch-{number}", service_uri=f"https://{address}")
    made.configure_node("trans-1", environment_file=FILE)
    works_for(made, ADDRESSES[1])
    return made


def works_for(made: FleetBuilder, address: str, transcoder: int = 1) -> None:
    """What a transcoder's file and its process say."""
    made.put(NodeEnvironment(((VARIABLE, address),)), f"trans-{transcoder}")
    [process] = made.value(HostProcesses, f"gpu-{transcoder}").livepeer
    flags = (*(one for one in process.flags if one[0] != "orchaddr"), ("orchaddr", address))
    changed = (replace(process, flags=flags),)
    made.change(HostProcesses, f"gpu-{transcoder}", livepeer=changed)


def plan(made: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = made.snapshot()
    [request] = requests(MoveTranscoder(), snapshot, words or ("trans-1",), tuple(options.items()))
    return MoveTranscoder().plan(snapshot, request)


def test_it_is_stopped_pointed_elsewhere_started_and_seen_there() -> None:
    made = plan(fleet(), to="orch-2")
    assert made.why_not == ""
    kinds = [step.kind for step in made.steps]
    assert kinds == ["unit-stop", "environment", "unit-start", "registered"]
    assert made.steps[1].call == f"gpu-1: {VARIABLE}={ADDRESSES[2]} in {FILE}"
    assert made.steps[1].undo == f"back to {VARIABLE}={ADDRESSES[1]}"
    # Undone, it is stopped first, and started with its old file.
    assert [step.returns for step in made.steps] == [False, False, False, True]
    assert made.steps[2].undo == "stop it again"
    assert made.summary == "move trans-1 from orch-1 to orch-2"


def test_only_transcoders_with_a_file_and_a_unit_can_be_moved() -> None:
    made = fleet()
    assert targets(MoveTranscoder(), made.snapshot(), ("role:transcoder",)) == ("trans-1",)
    made.configure_node("trans-1", service=None)
    assert MoveTranscoder().targets(made.snapshot()) == ()


def test_it_must_be_told_where_to() -> None:
    assert "--to NAME: one of orch-1, orch-2" in plan(fleet()).refusals[0].remedy
    assert "redeemer is none" in plan(fleet(), to="redeemer").why_not


def test_one_that_is_there_already_is_done() -> None:
    assert plan(fleet(), to="orch-1").done.startswith("trans-1 works for orch-1 already")


def test_one_whose_file_was_edited_and_not_read_yet_is_started_anew() -> None:
    made = fleet()
    made.put(NodeEnvironment(((VARIABLE, ADDRESSES[2]),)), "trans-1")
    found = plan(made, to="orch-2")
    assert found.why_not == ""
    assert [step.kind for step in found.steps][:1] == ["unit-stop"]


def test_an_address_that_leads_to_several_must_be_said() -> None:
    made = fleet().configure_node("orch-2", service_uri=SERVICE_URI)
    assert "shared with front" in plan(made, to="orch-2").why_not
    said = plan(made, to="orch-2", address="192.0.2.12:8935")
    assert said.why_not == ""
    assert f"{VARIABLE}=192.0.2.12:8935" in said.steps[1].call
    assert "none that a file can hold" in plan(made, to="orch-2", address='x" y').why_not


def test_the_address_that_its_other_transcoders_use_is_taken() -> None:
    made = fleet()
    made.configure_node("trans-2", environment_file=FILE)
    works_for(made, "edge-2:8935", transcoder=2)
    assert f"{VARIABLE}=edge-2:8935" in plan(made, to="orch-2").steps[1].call


def test_an_orchestrator_that_serves_keeps_a_transcoder() -> None:
    made = fleet()
    one = (ConnectedTranscoder("192.0.2.1:40000", 20),)
    made.change(NodeStatus, "orch-1", transcoders=one, transcoders_number=1)
    refused = plan(made, to="orch-2")
    assert "no transcoder left, and gets traffic as orchestrators/o1" in refused.why_not
    assert refused.steps == ()
    made.change_server("front", "o1", admin=AdminState.DRAIN)
    assert plan(made, to="orch-2").why_not == ""


def test_what_cannot_be_read_is_not_changed() -> None:
    made = fleet().fail(NodeEnvironment, "trans-1", ProblemKind.FORBIDDEN, "permission denied")
    assert "permission denied" in plan(made, to="orch-2").why_not
    made = fleet().fail(NodeStatus, "orch-2", ProblemKind.TIMEOUT, "no answer")
    assert "no answer" in plan(made, to="orch-2").why_not
    made = fleet().change(NodeEnvironment, "trans-1", is_link=True)
    assert "symbolic link" in plan(made, to="orch-2").why_not


def test_an_old_orchestrator_that_cannot_be_told_is_warned_of() -> None:
    made = fleet()
    works_for(made, "192.0.2.77:8935")
    found = plan(made, to="orch-2")
    assert found.why_not == ""
    assert any("192.0.2.77:8935" in line for line in found.warnings)


BEFORE = ("192.0.2.0:40000", "192.0.2.1:40000")


@pytest.mark.parametrize(
    ("peers", "standing"),
    [
        (BEFORE, Standing.BEFORE),
        # Another one that came back in the meantime is not one more.
        (("192.0.2.0:40000", "192.0.2.1:50000"), Standing.BEFORE),
        ((*BEFORE, "192.0.2.9:41000"), Standing.MADE),
        (("192.0.2.9:41000",), Standing.BEFORE),
    ],
)
def test_a_transcoder_has_come_when_there_is_one_more_that_is_new(
    peers: tuple[str, ...], standing: Standing
) -> None:
    made = fleet()
    nodes = made.fleet.nodes
    step = registered.step(made.snapshot(), nodes["trans-1"], nodes["orch-2"])
    connected = tuple(ConnectedTranscoder(peer, 20) for peer in peers)
    made.change(NodeStatus, "orch-2", transcoders=connected, transcoders_number=len(peers))
    now = made.snapshot()
    assert RegisteredMove().seen(step, now, now).standing is standing


def test_one_that_does_not_run_is_not_taken_for_another_that_came() -> None:
    made = fleet()
    nodes = made.fleet.nodes
    step = registered.step(made.snapshot(), nodes["trans-1"], nodes["orch-2"])
    connected = tuple(ConnectedTranscoder(f"192.0.2.{n}:41000", 20) for n in range(3))
    made.change(NodeStatus, "orch-2", transcoders=connected, transcoders_number=3)
    made.change_unit("gpu-1", "livepeer-transcoder.service", active="failed", sub="failed")
    seen: Seen = RegisteredMove().seen(step, made.snapshot(), made.snapshot())
    assert seen.standing is Standing.BEFORE
    assert "failed" in seen.words
