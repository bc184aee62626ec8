"""From here to ports that must be closed: each address and port once, nothing else."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from lptui.clock import FrozenClock
from lptui.errors import ProblemKind, TransportError
from lptui.fleet.facts.links import ClosedPorts
from lptui.fleet.safety import Safety
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host
from lptui.probes.links.closed import ClosedPortsProbe
from lptui.probes.probe import Asking
from lptui.transport.fake import FakeReach

NAME = "edge.example.org"
FLEET = Fleet(
    "test",
    hosts=MappingProxyType(
        {
            "edge-1": Host("edge-1", None, safety=Safety(None, (7935, 8545), NAME)),
            "edge-2": Host("edge-2", None),
        }
    ),
)


async def asked(reach: FakeReach) -> ClosedPorts:
    asking = Asking(FLEET, reach, FrozenClock(), Snapshot(FLEET), 5.0)
    [answer] = await ClosedPortsProbe().ask(asking, "edge-1")
    assert isinstance(answer.value, ClosedPorts)
    return answer.value


def test_only_hosts_with_such_ports_are_tried_and_never_more_than_once_a_minute() -> None:
    probe = ClosedPortsProbe()
    assert probe.targets(FLEET) == ("edge-1",)
    assert probe.interval_s(FLEET, "edge-1") >= 60


async def test_each_address_of_the_name_is_tried_at_each_port() -> None:
    reach = FakeReach(
        names={NAME: ["192.0.2.7", "2001:db8::7"]}, connects={"here [2001:db8::7]:8545": 0.02}
    )
    found = await asked(reach)
    assert [(one.address, one.problem.kind if one.problem else None) for one in found.tries] == [
        ("192.0.2.7:7935", ProblemKind.REFUSED),
        ("192.0.2.7:8545", ProblemKind.REFUSED),
        ("[2001:db8::7]:7935", ProblemKind.REFUSED),
        ("[2001:db8::7]:8545", None),
    ]
    assert {kind for kind, _, _ in reach.asked} == {"resolve", "contact"}


async def test_a_name_that_is_not_known_says_nothing_of_its_ports() -> None:
    with pytest.raises(TransportError):
        await asked(FakeReach())
