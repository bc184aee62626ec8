"""What a key acts on: the row's own thing, in the words that the command line takes too."""

from __future__ import annotations

import pytest

from lptui.actions.plan import Request
from lptui.actions.registry import action
from lptui.errors import RefusedError
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.live import aim, refusal
from lptui.present.model import Row, State
from lptui.tui.aiming import words_of
from tests.snapshots import FleetBuilder


def row(*subjects: tuple[str, str]) -> Row:
    return Row("key", (), State.OK, subjects)


def aimed(name: str, *words: str) -> Request:
    found = action(name)
    assert found is not None
    return aim(found, FleetBuilder().snapshot(), words)


def test_a_servers_row_is_the_server_its_pool_and_its_node_but_not_its_balancer() -> None:
    found = words_of(row(("server", "front/pool/a"), ("balancer", "front"), ("node", "orch-1")))
    assert found == ("lb:front/pool/a", "lb:front/pool", "orch-1")


def test_a_server_may_have_slashes_in_its_name() -> None:
    found = words_of(row(("server", "front/pool/unix:/run/a.sock")))
    assert found == ("lb:front/pool/unix:/run/a.sock", "lb:front/pool")


def test_a_gpu_is_not_its_host_and_a_host_is_all_its_nodes() -> None:
    assert words_of(row(("gpu", "gpu-1/0"), ("host", "gpu-1"))) == ()
    assert words_of(row(("host", "gpu-1"))) == ("host:gpu-1",)
    assert words_of(None) == ()


def test_draining_takes_the_server_the_node_that_is_one_or_all_of_a_host() -> None:
    servers = ("lb:orchestrators/o1",)
    assert aimed("drain", "lb:front/orchestrators/o1", "orch-1").targets == servers
    assert set(aimed("drain", "orch-1").targets) >= set(servers)
    assert aimed("drain", "host:edge-1").targets == aimed("drain", "orch-1").targets


def test_a_pools_action_takes_the_pool_of_a_server() -> None:
    words = ("lb:front/orchestrators/o1", "lb:front/orchestrators", "orch-1")
    assert aimed("failover", *words).targets == ("lb:orchestrators",)


def test_what_selects_nothing_for_an_action_is_said_in_its_own_words() -> None:
    with pytest.raises(RefusedError, match="no server selected"):
        aimed("drain", "host:core-1")
    with pytest.raises(RefusedError, match="no orchestrator selected"):
        aimed("reward")


def test_what_an_unread_balancer_hides_is_said() -> None:
    found = action("drain")
    assert found is not None
    snapshot = FleetBuilder().drop(BalancerState, "front").snapshot()
    with pytest.raises(RefusedError, match="could not be read: front"):
        aim(found, snapshot, ("lb:front/orchestrators/o1", "orch-1"))
    found = action("failover")
    assert found is not None
    [pool] = [name for name in found.targets(snapshot) if name.startswith("lb:")]
    assert aim(found, snapshot, ("lb:ws/no/server", pool)).target == pool


def test_without_a_row_the_only_target_is_meant() -> None:
    found = action("initialize-round")
    assert found is not None
    assert aim(found, FleetBuilder().snapshot(), None).target == "arbitrum-one-mainnet"


def test_a_key_is_grey_only_while_neither_of_its_actions_has_anything_to_do() -> None:
    pair, server = ("drain", "undrain"), ("lb:front/orchestrators/o1",)
    builder = FleetBuilder()
    assert refusal(builder.snapshot(), pair, server) == ""
    builder.change_server("front", "o1", admin=AdminState.DRAIN)
    assert refusal(builder.snapshot(), pair, server) == ""
    builder.change_server("front", "o1", admin=AdminState.READY)
    builder.change_server("front", "o2", admin=AdminState.DRAIN)
    assert "keeps at least 1 in service" in refusal(builder.snapshot(), pair, server)
    assert refusal(builder.snapshot(), pair, ()) == "no server selected"
