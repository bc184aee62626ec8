"""A reach on hosts of one's own for tests; fails when it leaves anything behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lptui.errors import TransportError
from lptui.fleet.topology import Fleet, Host, Rpc, Ssh
from lptui.transport.pool import Limits
from lptui.transport.protocols import Command
from lptui.transport.reach import FleetReach
from tests.waiting import tasks_of_lptui

HELLO = [Command(("echo", "hello"))]
QUICK = Limits(connect_s=1.0, login_s=1.5, backoff_first_s=0.2, backoff_longest_s=1.0)


@asynccontextmanager
async def reach_of(
    *hosts: Ssh | None,
    names: tuple[str, ...] = (),
    known_hosts: str | None = None,
    rpcs: tuple[Rpc, ...] = (),
    **options: Any,
) -> AsyncIterator[FleetReach]:
    """A reach whose host `h0`, `h1`… (or `names`) have these settings; None is this machine."""
    before = tasks_of_lptui()
    names = names or tuple(f"h{number}" for number in range(len(hosts)))
    fleet = Fleet(
        "test",
        {name: Host(name, ssh) for name, ssh in zip(names, hosts, strict=True)},
        rpcs={rpc.name: rpc for rpc in rpcs},
        known_hosts=known_hosts,
    )
    reach = FleetReach(fleet, **{"limits": QUICK, **options})
    try:
        yield reach
    finally:
        await reach.close()
        left = tasks_of_lptui() - before
        assert not left, f"left behind: {left}"


async def hello(reach: FleetReach, host: str = "h0", deadline_s: float = 30.0) -> str:
    """Asks a host for one word."""
    return (await reach.shell(host).run(HELLO, deadline_s))[0].text


async def failure(reach: FleetReach, host: str = "h0", deadline_s: float = 30.0) -> TransportError:
    """The error that a host's shell gives; it must come with a remedy."""
    with pytest.raises(TransportError) as caught:
        await reach.shell(host).run(HELLO, deadline_s)
    assert caught.value.remedy, "every failure says what to do"
    assert "\n" not in caught.value.remedy
    return caught.value
