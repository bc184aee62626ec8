"""How many more sessions are taken, with what sets the limit, from what sessions cost now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.connections import HostConnections
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostSystem, HostVitals
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeMetrics, NodeStatus
from lptui.fleet.finding import Severity
from lptui.fleet.headroom import Headroom, Resource, headroom
from lptui.fleet.topology import Role
from lptui.fleet.units import Percent
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import by_id, finding

OWN, FLEET = "headroom@orch-1", "headroom@example"
HOSTS = ("gpu-1", "gpu-2")


def fleet() -> FleetBuilder:
    """Ten sessions of orch-1 on four cards of two hosts; orch-2 has two transcoders elsewhere."""
    found = FleetBuilder()
    elsewhere = tuple(ConnectedTranscoder(f"198.51.100.{n}:50000", 20) for n in (1, 2))
    return found.change(NodeStatus, "orch-2", transcoders=elsewhere)


def cards(found: FleetBuilder, **changes: object) -> FleetBuilder:
    for host in HOSTS:
        for index in (0, 1):
            found.change_gpu(host, index, **changes)
    return found


def of(found: FleetBuilder, name: str = "orch-1") -> Headroom:
    one = headroom(found.snapshot()).of(name)
    assert one is not None
    return one


def rooms(found: FleetBuilder, name: str = "orch-1") -> dict[Resource, int]:
    return {limit.resource: limit.room for limit in of(found, name).limits}


def test_each_resource_by_what_a_session_costs_now() -> None:
    assert rooms(fleet()) == {
        Resource.SESSIONS: 30,  # 10 of 40
        Resource.TRANSCODERS: 30,  # two for 20 each
        Resource.NVENC: 10,  # 16 of 32 in use: 1.6 a session
        Resource.ENCODER: 11,  # 4 x 45 % for ten: 18 % a session, 200 % left below 95 %
        Resource.DECODER: 21,
        Resource.MEMORY: 47,
        Resource.CPU: 62,
    }
    assert of(fleet()).hosts == HOSTS


def test_the_least_sets_the_limit_and_is_named() -> None:
    found = finding(fleet(), OWN)
    assert found.severity is Severity.OK
    assert found.summary == "10 more sessions, limited by the NVENC sessions"
    assert found.evidence[0] == "NVENC sessions: 10 more sessions (16 of 32, 1.6 a session)"
    assert {one.label: one.value for one in found.metrics}["headroom_by_encoder"] == 11


@pytest.mark.parametrize(
    ("changes", "limit", "room"),
    [
        ({"encoder": Percent(80.0)}, Resource.ENCODER, 1),
        ({"decoder": Percent(94.0)}, Resource.DECODER, 0),
        ({"memory_used": 22 * 1024**3}, Resource.MEMORY, 0),
        ({"encoder_sessions": 8}, Resource.NVENC, 0),
    ],
)
def test_cards_that_are_full(changes: dict[str, object], limit: Resource, room: int) -> None:
    found = cards(fleet(), **changes)
    assert (of(found).limit, of(found).room) == (limit, room)
    if not room:
        told = finding(found, OWN)
        assert told.severity is Severity.WARNING
        assert f"limited by the {limit}" in told.summary
        assert "-maxSessions promises too much" in told.remedy


def test_a_full_machine() -> None:
    found = fleet()
    for host in HOSTS:
        found.change(HostVitals, host, cpu_busy=Percent(89.0))
    assert of(found).limit is Resource.CPU


def test_a_single_reading_of_the_processors_is_their_load() -> None:
    found = fleet()
    for host in HOSTS:
        found.change(HostVitals, host, cpu_busy=None, load_1m=14.0)
    assert of(found).limit is Resource.CPU
    assert of(found.fail(HostSystem, "gpu-1")).missing == ("CPU of gpu-1",)


def test_its_own_cap_is_another_checks_matter() -> None:
    found = fleet().change(NodeMetrics, "orch-1", current_sessions=40)
    told = finding(found, OWN)
    assert told.summary.startswith("0 more sessions, limited by the session cap")
    assert told.cause == "sessions-capacity@orch-1"


def test_work_that_is_slower_than_it_is_watched_leaves_no_room() -> None:
    found = fleet().change(NodeMetrics, "orch-1", real_time_factor=0.91)
    assert finding(found, OWN).summary == "0 more sessions, limited by the real-time factor"


def test_fast_work_sets_no_limit_where_the_cards_are_known() -> None:
    found = fleet().change(NodeMetrics, "orch-1", real_time_factor=1.2)
    assert Resource.SPEED not in rooms(found)


def test_of_transcoders_elsewhere_only_caps_and_speed_are_known() -> None:
    found = fleet().change(NodeMetrics, "orch-2", real_time_factor=3.0)
    assert rooms(found, "orch-2") == {
        Resource.SPEED: 20,
        Resource.SESSIONS: 30,
        Resource.TRANSCODERS: 30,
    }
    told = finding(found, "headroom@orch-2")
    assert "the machines of 2 transcoders not in the configuration" in told.summary


def test_without_load_only_the_caps_are_known_and_it_says_so() -> None:
    found = cards(fleet().change(NodeMetrics, "orch-1", current_sessions=0), encoder_sessions=0)
    assert set(rooms(found)) == {Resource.SESSIONS, Resource.TRANSCODERS}
    assert "by caps alone, for none runs to tell what one costs" in finding(found, OWN).summary


def test_without_monitor_it_is_not_known_and_no_failure_of_the_node() -> None:
    found = fleet().put(NodeMetrics(monitored=False), "orch-1")
    assert OWN not in by_id(found)
    told = finding(found, FLEET)
    assert told.severity is Severity.OK
    assert told.summary.startswith("at least 30 more sessions")
    assert "sessions of orch-1 (it runs without -monitor)" in told.summary
    nobody = found.put(NodeMetrics(monitored=False), "orch-2")
    assert finding(nobody, FLEET).severity is Severity.UNKNOWN


def test_cards_that_are_not_told_are_named_as_missing() -> None:
    found = fleet().fail(HostGpus, "gpu-2")
    assert Resource.ENCODER not in rooms(found)
    assert "GPUs of gpu-2" in of(found).missing
    assert "encoder of some card" in of(cards(fleet(), encoder=None)).missing


def test_a_host_with_a_cap_fills_up_beside_those_without() -> None:
    found = cards(fleet(), encoder_sessions=6).configure_host("gpu-2", nvenc_sessions="unlimited")
    # Ten sessions took twelve there; for the four that are left three more come along.
    assert rooms(found)[Resource.NVENC] == 3
    assert "12 of 16 on gpu-1" in finding(found, OWN).evidence[0]
    found.configure_host("gpu-1", nvenc_sessions="unlimited")
    assert Resource.NVENC not in rooms(found)


def test_cards_that_cannot_encode_do_not_count() -> None:
    found = fleet()
    for host in HOSTS:
        found.change_gpu(host, 1, name="NVIDIA H100 80GB HBM3", encoder=None)
    assert rooms(found)[Resource.ENCODER] == 11


def test_the_fleets_room_is_the_sum_of_what_shares_nothing() -> None:
    found = finding(fleet(), FLEET)
    assert found.summary.startswith("40 more sessions, limited by the NVENC sessions, session cap")
    assert found.metrics[0].value == 40


def test_orchestrators_on_one_host_share_its_room() -> None:
    found = FleetBuilder()
    for name in ("orch-1", "orch-2"):
        node = found.fleet.nodes[name]
        roles = node.roles | {Role.TRANSCODER}
        found.configure_node(name, host="gpu-1", roles=roles, transcoders=None)
        found.change(NodeStatus, name, transcoders=(), transcoders_number=0)
    for host in HOSTS:
        found.put(HostConnections((), (8935,)), host)
    (group,) = headroom(found.snapshot()).groups
    assert group.orchestrators == ("orch-1", "orch-2")
    assert group.sessions == 20
    # 2 x 45 % for twenty: 4.5 % a session, 100 % left.
    assert {limit.resource: limit.room for limit in group.limits}[Resource.ENCODER] == 22
    assert {limit.resource: limit.room for limit in group.limits}[Resource.SESSIONS] == 60


@given(
    st.integers(0, 60) | st.none(),
    st.floats(0, 100),
    st.floats(0, 100),
    st.integers(0, 30) | st.none(),
    st.floats(0.01, 20) | st.none(),
)
def test_room_is_never_negative_and_never_beyond_the_cap(
    sessions: int | None, encoder: float, decoder: float, used: int | None, speed: float | None
) -> None:
    found = cards(
        fleet(), encoder=Percent(encoder), decoder=Percent(decoder), encoder_sessions=used
    )
    found.change(NodeMetrics, "orch-1", current_sessions=sessions, real_time_factor=speed)
    one = of(found)
    assert one.room is None or 0 <= one.room <= max(0, 40 - (sessions or 0))
    assert (one.room is None) == (sessions is None)
    sums = headroom(found.snapshot()).room
    assert sums is not None
    assert sums >= (one.room or 0)
