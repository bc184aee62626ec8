"""Where a node's keys are, told by its unit while it is stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import CommandError
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.upkeep import HostUnitTexts, UnitText
from lptui.probes.host.key_trial import keys_at
from tests.snapshots import FleetBuilder

GIVEN = (("ethKeystorePath", "/srv/keys"),)
FOLDER = (("dataDir", "/srv/lp"),)


def stopped(**text: object) -> FleetBuilder:
    """orch-1 does not run; its unit's text is there alone."""
    fleet = FleetBuilder().change(HostProcesses, "edge-1", livepeer=())
    service = fleet.fleet.nodes["orch-1"].service
    assert service is not None
    plain = UnitText(service.name, "/usr/bin/livepeer", environment=False, plain=True)
    return fleet.put(HostUnitTexts((replace(plain, **text),)), "edge-1")  # type: ignore[arg-type]


def where(fleet: FleetBuilder) -> str:
    snapshot = fleet.snapshot()
    return keys_at(snapshot, snapshot.fleet.nodes["orch-1"])


def test_a_stopped_nodes_unit_tells_its_place() -> None:
    assert where(stopped(flags=GIVEN)) == "/srv/keys"
    assert where(stopped(flags=GIVEN, environment=True)) == "/srv/keys"
    assert where(stopped(flags=FOLDER)) == "/srv/lp/keystore"


@pytest.mark.parametrize(
    "text",
    [
        {"flags": ()},
        {"flags": GIVEN, "plain": False},
        {"flags": FOLDER, "environment": True},
        {"flags": (*FOLDER, ("config", "/etc/lp.conf"))},
    ],
    ids=["nothing", "filled in", "variables", "a file"],
)
def test_what_something_else_may_tell_is_not_guessed(text: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        where(stopped(**text))
