"""A node's log as a real journald gives it, to a login that may read it and to one that may not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.facts.reward import NodeRewardLog
from lptui.fleet.reading import Key
from lptui.fleet.topology import LogKind, LogSource, Node, Role, Service, SupervisorKind
from lptui.fleet.units import Round
from lptui.probes.host.node_log import NodeLogProbe
from lptui.probes.probe import Answer
from tests.integration.cycles import Cycles, cycles
from tests.snapshots import NETWORK, ROUND, FleetBuilder
from tests.systemd_hosts import LOGIN, HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-reward.service"
GROUP = "systemd-journal"
LINES = (
    'E1127 1 rewardservice.go:69] Error trying to call reward for round {before} err="EOF"',
    "I1127 1 block_watcher.go:210] Processed block=1",
    'E1127 1 rewardservice.go:69] Error trying to call reward for round {now} err="nonce too low"',
)
SAY_CALLED = (
    'echo "I$(date "+%m%d %H:%M:%S.%6N") 1 rewardservice.go:119] Called reward for round {round}" '
    ">> /var/log/livepeer-reward.log"
)


@pytest.fixture
def logging_host(systemd_hosts: HostFactory) -> Iterator[SystemdHost]:
    """A host whose unit has logged two failed tries."""
    (host,) = systemd_hosts(1)
    lines = [line.format(before=ROUND - 1, now=ROUND) for line in LINES]
    host.write("/opt/said", "".join(f"{line}\n" for line in lines))
    host.unit(UNIT, "[Service]\nExecStart=/bin/sh -c 'cat /opt/said >&2; exec sleep 3600'\n")
    host.run("systemctl", "start", UNIT)
    host.run("gpasswd", "-a", LOGIN, GROUP)
    try:
        yield host
    finally:
        host.run("gpasswd", "-d", LOGIN, GROUP, check=False)
        host.remove_unit(UNIT)
        host.run("rm", "-f", "/var/log/livepeer-reward.log")


@contextlib.asynccontextmanager
async def looking(host: SystemdHost, *logs: LogSource) -> AsyncIterator[Cycles]:
    """A fleet whose reward is due, and whose node `reward` runs on the host."""
    builder = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    node = Node(
        "reward",
        host.name,
        frozenset({Role.REWARD}),
        service=Service(SupervisorKind.SYSTEMD, UNIT),
        account=builder.fleet.nodes["reward"].account,
        logs=logs,
    )
    fleet = replace(builder.fleet, hosts={host.name: host.host()}, nodes={"reward": node})
    async with cycles(fleet) as asked:
        known = (Key(ChainRound, NETWORK), Key(OrchestratorRecord, "main"))
        asked.ledger.record(
            [Answer(key, builder.value(*key)) for key in known],
            source="the chain",
            taken_at=time.time(),
            took_s=0.1,
            interval_s=60.0,
        )
        asked.ledger.publish(time.time())
        yield asked


async def test_the_tries_of_the_round_are_read(logging_host: SystemdHost) -> None:
    def is_logged() -> bool:
        return "nonce too low" in logging_host.run("journalctl", "-q", "-u", UNIT)

    await until(is_logged, 60, "the lines in the journal")
    async with looking(logging_host) as asked:
        await asked.ask(NodeLogProbe())
        tries = asked.value(NodeRewardLog, "reward").tries
        assert [(one.round, one.called, one.why) for one in tries] == [
            (ROUND - 1, False, "EOF"),
            (ROUND, False, "nonce too low"),
        ]
        assert abs(tries[0].at - time.time()) < 600


async def test_the_tries_are_read_from_files_too(logging_host: SystemdHost) -> None:
    said = logging_host.run("date", "+%m%d %H:%M:%S.%6N").strip()
    lines = [line.format(before=ROUND - 1, now=ROUND) for line in LINES]
    stamped = "".join(f"{line[0]}{said}{line[5:]}\n" for line in lines)
    logging_host.write("/var/log/livepeer-reward.log", stamped)
    async with looking(logging_host, LogSource(LogKind.FILE, "/var/log/livepeer-*.log")) as asked:
        await asked.ask(NodeLogProbe())
        log = asked.value(NodeRewardLog, "reward")
        assert [(one.round, one.why) for one in log.tries] == [
            (ROUND - 1, "EOF"),
            (ROUND, "nonce too low"),
        ]
        assert log.is_partial, "what it said before that is not known"
        # Once read, it is read on from there, by the same commands as its errors.
        logging_host.run("sh", "-c", SAY_CALLED.format(round=ROUND))
        await asked.ask(NodeLogProbe())
        again = asked.value(NodeRewardLog, "reward")
        assert (again.since_at, again.tries[:2]) == (log.since_at, log.tries)
        assert again.tries[2].called


async def test_a_login_that_may_not_read_it_is_told_so(logging_host: SystemdHost) -> None:
    logging_host.run("gpasswd", "-d", LOGIN, GROUP)
    async with looking(logging_host) as asked:
        snapshot = await asked.ask(NodeLogProbe())
        problem = snapshot.reading(NodeRewardLog, "reward").problem
        assert problem is not None
        assert problem.kind is ProblemKind.FORBIDDEN
        assert GROUP in problem.remedy
