"""The long-lived shell on a real sshd and on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lptui.fleet.topology import Fleet, Host
from lptui.transport.protocols import Command, ShellFunction
from lptui.transport.reach import FleetReach
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]

UPTIME = ShellFunction("up", "up() { read -r _u </proc/uptime; printf '%s' \"$_u\"; }")


@pytest.fixture
async def reach(sshd: Sshd) -> AsyncIterator[FleetReach]:
    hosts = {"node": Host("node", sshd.ssh()), "here": Host("here", None)}
    reach = FleetReach(Fleet("test", hosts))
    yield reach
    await reach.close()


@pytest.mark.parametrize("host", ["node", "here"])
async def test_one_batch_gives_each_commands_output_and_status(
    reach: FleetReach, host: str
) -> None:
    outputs = await reach.shell(host).run(
        [
            Command(("printf", "%s", "it's; $HOME `id`")),
            Command(("sh", "-c", "echo out; echo err >&2; exit 3")),
            Command(("sh", "-c", "echo err >&2"), merge_stderr=True),
            Command(("no-such-command",)),
            Command(("up",), function=UPTIME),
            Command(("cat",)),
        ],
        10,
    )
    assert [output.status for output in outputs] == [0, 3, 0, 127, 0, 0]
    assert outputs[0].stdout == b"it's; $HOME `id`"
    assert outputs[1].stdout == b"out\n"
    assert outputs[2].stdout == b"err\n"
    assert float(outputs[4].text.split()[0]) > 0
    assert outputs[5].stdout == b"", "standard input is empty"
