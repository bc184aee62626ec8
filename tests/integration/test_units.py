"""Stopping, starting and proving units on hosts with a real systemd, as a login without root."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from lptui.actions.moves import units, wellness
from lptui.actions.plan import OnFailure, Outcome, Plan, Request, Result, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.clock import SystemClock
from lptui.fleet.facts.host import HostProcesses, HostUnits
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Endpoint, Fleet, Host, Node, Role, Service, SupervisorKind
from lptui.fleet.units import Address
from lptui.session import Session
from tests.systemd_hosts import LOGIN, HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

KEY = Address("0x" + "a1" * 20)
OTHER_KEY = Address("0x" + "b2" * 20)
PORT = 7935

Planner = Callable[[Snapshot], Sequence[Step]]


@dataclass
class Steps(Stepwise):
    """An action that is these steps and nothing else."""

    planner: Planner
    on_failure: OnFailure = OnFailure.UNDO
    spec: ActionSpec = field(
        default_factory=lambda: ActionSpec(
            id="test",
            title="Test",
            key="",
            effect=Effect.DESTRUCTIVE,
            subject="node",
            help="",
            probes=units.PROBES,
            proof=units.PROBES,
            together=True,
        )
    )

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return ()

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return ()

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        return Plan(
            action="test", target="test", summary="test", steps=tuple(self.planner(snapshot)),
            preconditions=(), cost="", effect="", on_failure=self.on_failure,
        )  # fmt: skip


@dataclass
class Bench:
    """A fleet of real hosts and the console's own parts on it."""

    session: Session

    async def run(self, planner: Planner, on_failure: OnFailure = OnFailure.UNDO) -> Result:
        """Plans from a reading, and makes the plan."""
        action = Steps(planner, on_failure)
        snapshot = await self.session.observe(units.PROBES)
        plan = self.session.runner.plan(action, snapshot, Request(("test",)))
        assert not plan.refusals
        return await self.session.runner.run(action, plan, lambda line: None)

    async def undo(self) -> Result:
        """Takes the newest run back, as after a console that was killed."""
        [entry, *_] = self.session.runner.journal.newest(self.session.fleet.name)
        return await self.session.runner.undo(entry, lambda line: None)

    async def look(self) -> Snapshot:
        return await self.session.observe(units.PROBES)


BenchOf = Callable[..., AbstractAsyncContextManager[Bench]]
"""Opens a bench of some hosts, and of `nodes`."""


@pytest.fixture(scope="module")
def hosts(systemd_hosts: HostFactory) -> tuple[SystemdHost, ...]:
    return systemd_hosts(2)


@pytest.fixture
def h1(hosts: tuple[SystemdHost, ...]) -> Iterator[SystemdHost]:
    yield from _cleared(hosts[0])


@pytest.fixture
def h2(hosts: tuple[SystemdHost, ...]) -> Iterator[SystemdHost]:
    yield from _cleared(hosts[1])


def _cleared(host: SystemdHost) -> Iterator[SystemdHost]:
    host.sudoers("NOPASSWD: ALL")
    yield host
    for unit in ("redeemer.timer", "redeemer.service", "other.service"):
        if (host.root / "etc/systemd/system" / unit).exists():
            host.remove_unit(unit)


def node(
    name: str = "redeemer", host: str = "h1", unit: str = "redeemer.service", **more: object
) -> Node:
    """A redeemer with a key, on a host with its unit."""
    facts = {
        "service": Service(SupervisorKind.SYSTEMD, unit),
        "cli": Endpoint(f"http://127.0.0.1:{PORT}", host),
        "account": KEY,
        **more,
    }
    return Node(name, host, frozenset({Role.REDEEMER}), **facts)  # type: ignore[arg-type]


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchOf:
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(wellness, "SETTLED_S", 1.0)  # the stand-ins do not ask themselves first

    @asynccontextmanager
    async def opened(*hosts: Host, nodes: Sequence[Node] = (node(),)) -> AsyncIterator[Bench]:
        fleet = Fleet(
            "units",
            hosts=MappingProxyType({host.name: host for host in hosts}),
            nodes=MappingProxyType({one.name: one for one in nodes}),
        )
        session = Session(fleet, SystemClock())
        try:
            yield Bench(session)
        finally:
            await session.close()

    return opened


def livepeer(account: str = KEY, more: str = "", service: str = "") -> str:
    """A unit of a livepeer redeemer."""
    return (
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=5\n"
        f"[Service]\nExecStart=/usr/local/bin/livepeer -redeemer -ethAcctAddr {account}"
        f" -cliAddr 127.0.0.1:{PORT} {more}\nRestart=always\nRestartSec=100ms\n{service}"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def stop(snapshot: Snapshot, name: str = "redeemer", **how: object) -> Step:
    return units.stop_step(snapshot, snapshot.fleet.nodes[name], **how)  # type: ignore[arg-type]


def start(snapshot: Snapshot, name: str = "redeemer", **how: object) -> Step:
    return units.start_step(snapshot, snapshot.fleet.nodes[name], **how)  # type: ignore[arg-type]


def proved(snapshot: Snapshot, name: str = "redeemer") -> Step:
    step = units.proved_stopped_step(snapshot, snapshot.fleet.nodes[name])
    return replace(step, deadline_s=1.0)


def well(snapshot: Snapshot, name: str = "redeemer", wait_s: float = 20.0) -> Step:
    return units.well_step(snapshot, snapshot.fleet.nodes[name], wait_s=wait_s)


# Stopping and starting.


async def test_a_node_is_stopped_started_and_seen_well(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    before = h1.property("redeemer", "InvocationID")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(
            lambda now: [stop(now, group="g"), start(now, group="g"), well(now)]
        )
    assert result.outcome is Outcome.DONE, result.summary
    assert "acts as 0xa1a1…a1a1" in result.summary
    assert h1.state("redeemer") == "active"
    assert h1.property("redeemer", "InvocationID") != before


async def test_a_stop_is_taken_back_by_starting_it_again(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now)])
        assert result.outcome is Outcome.DONE
        assert h1.state("redeemer") == "inactive", "Restart=always does not bring it back"
        result = await bench.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert h1.state("redeemer") == "active"


async def test_what_was_stopped_before_is_left_stopped(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now)])
        assert result.outcome is Outcome.DONE
        assert "(already)" in result.summary
        await bench.undo()
    assert h1.state("redeemer") == "inactive"


async def test_a_start_is_taken_back_by_stopping_it(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    async with bench_of(h1.host()) as bench:
        assert (await bench.run(lambda now: [start(now)])).outcome is Outcome.DONE
        assert h1.state("redeemer") == "active"
        assert (await bench.undo()).outcome is Outcome.DONE
    assert h1.state("redeemer") == "inactive"


async def test_a_unit_that_keeps_restarting_is_stopped(h1: SystemdHost, bench_of: BenchOf) -> None:
    loop = livepeer(service="Environment=STANDIN_END=0\nRestartSec=30\n")
    h1.unit("redeemer.service", loop)
    h1.run("systemctl", "start", "--no-block", "redeemer")
    await until(lambda: h1.property("redeemer", "SubState") == "auto-restart")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now)])
    assert result.outcome is Outcome.DONE, result.summary
    assert h1.state("redeemer") == "inactive"


async def test_a_unit_that_ignores_sigterm_is_reported_and_not_awaited(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    deaf = livepeer(service="Environment=STANDIN_DEAF=1\nTimeoutStopSec=10min\n")
    h1.unit("redeemer.service", deaf)
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host()) as bench:
        await _until_it_answers(bench)
        begun = time.monotonic()
        result = await bench.run(lambda now: [stop(now, most_s=1.0)])
        took = time.monotonic() - begun
    assert "deactivating (stop-sigterm)" in result.summary
    assert "systemd kills it after 10 min" in result.summary
    assert took < 20
    # It cannot be undone while the old process lives; systemd starts it when that has ended.
    assert "NOT undone" in result.summary
    h1.run("systemctl", "kill", "--signal=KILL", "redeemer")
    await until(lambda: h1.state("redeemer") == "active")


async def test_its_own_stop_timeout_is_the_deadline(h1: SystemdHost, bench_of: BenchOf) -> None:
    deaf = livepeer(service="Environment=STANDIN_DEAF=1\nTimeoutStopSec=1\n")
    h1.unit("redeemer.service", deaf)
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host()) as bench:
        await _until_it_answers(bench)
        step = stop(await bench.look())
        assert step.deadline_s == 1 + units.STOP_MARGIN_S
        result = await bench.run(lambda now: [stop(now)])
    assert result.outcome is Outcome.DONE, result.summary
    assert "failed" in result.summary
    assert "timeout" in result.summary, "killed by systemd, and said so"


async def test_a_unit_that_fails_to_start_fails_the_step_at_once(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    broken = livepeer(service="Type=exec\nRestart=no\n").replace("/usr/local/bin", "/nonexistent")
    h1.unit("redeemer.service", broken)
    async with bench_of(h1.host()) as bench:
        begun = time.monotonic()
        result = await bench.run(lambda now: [start(now)])
    assert time.monotonic() - begun < units.START_S / 4
    assert result.outcome is Outcome.FAILED
    assert "redeemer.service on h1 is failed" in result.summary
    assert "exit-code, status 203" in result.summary


async def test_a_unit_that_hits_its_start_limit_fails_the_step(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer(service="Environment=STANDIN_END=0\n"))
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [start(now), well(now)])
        assert result.outcome is Outcome.FAILED
        assert "start-limit-hit" in result.summary
        # What it failed of before does not keep it from being started when it is mended.
        h1.unit("redeemer.service", livepeer())
        result = await bench.run(lambda now: [start(now), well(now)])
    assert result.outcome is Outcome.DONE, result.summary


async def test_a_masked_unit_is_refused_with_the_remedy_and_the_rest_taken_back(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    h1.run("systemctl", "mask", "other.service")
    other = node("other", unit="other.service", account=OTHER_KEY, cli=None)
    async with bench_of(h1.host(), nodes=(node(), other)) as bench:
        result = await bench.run(lambda now: [stop(now), start(now, "other")])
    assert result.outcome is Outcome.FAILED
    assert "systemctl unmask other.service" in result.summary
    assert h1.state("redeemer") == "active", "it was started again"
    h1.run("systemctl", "unmask", "other.service")


async def test_a_name_that_no_unit_can_have_is_never_part_of_a_command(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    for name in ("--force", "a b.service", "x;reboot.service"):
        async with bench_of(h1.host(), nodes=(node(unit=name),)) as bench:
            result = await bench.run(lambda now: [stop(now), start(now)])
        assert result.outcome is Outcome.REFUSED, name
        assert "no name of a unit" in result.summary, name


# Rights.


async def test_exactly_the_rules_that_are_needed_are_enough(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "enable", "--now", "redeemer")
    h1.sudoers(
        "NOPASSWD: /usr/bin/systemctl stop redeemer.service",
        "NOPASSWD: /usr/bin/systemctl start redeemer.service",
        "NOPASSWD: /usr/bin/systemctl disable redeemer.service",
        "NOPASSWD: /usr/bin/systemctl enable redeemer.service",
    )
    async with bench_of(h1.host()) as bench:
        result = await bench.run(
            lambda now: [
                stop(now, for_good=True),
                units.disable_step(now, now.fleet.nodes["redeemer"]),
                proved(now),
                units.enable_step(now, now.fleet.nodes["redeemer"]),
                start(now),
            ]
        )
    assert result.outcome is Outcome.DONE, result.summary
    assert h1.property("redeemer", "UnitFileState") == "enabled"


async def test_a_missing_rule_is_named(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    h1.sudoers("NOPASSWD: /usr/bin/systemctl restart redeemer.service")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now)])
    assert result.outcome is Outcome.REFUSED
    assert "does not allow `systemctl stop redeemer.service` and 1 more" in result.summary
    assert "rule `NOPASSWD: systemctl stop redeemer.service`" in result.remedy
    assert h1.state("redeemer") == "active"


async def test_sudo_that_asks_for_a_password_is_refused(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    h1.sudoers("PASSWD: ALL")
    async with bench_of(h1.host()) as bench:
        begun = time.monotonic()
        result = await bench.run(lambda now: [stop(now)])
    assert "a password is required" in result.summary
    assert time.monotonic() - begun < 10
    assert h1.state("redeemer") == "active"


async def test_root_needs_no_sudo(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    h1.sudoers()
    async with bench_of(h1.host("root")) as bench:
        assert (await bench.run(lambda now: [stop(now)])).outcome is Outcome.DONE
    assert h1.state("redeemer") == "inactive"


# Starting with the host.


async def test_what_is_disabled_is_enabled_again(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "enable", "redeemer")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [units.disable_step(now, node())])
        assert result.outcome is Outcome.DONE, result.summary
        assert h1.property("redeemer", "UnitFileState") == "disabled"
        assert (await bench.undo()).outcome is Outcome.DONE
    assert h1.property("redeemer", "UnitFileState") == "enabled"


async def test_a_unit_that_is_linked_from_elsewhere_comes_back_too(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.write("/srv/fleet/redeemer.service", livepeer())
    h1.run("systemctl", "enable", "/srv/fleet/redeemer.service")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [units.disable_step(now, node())])
        assert result.outcome is Outcome.DONE, result.summary
        assert (await bench.undo()).outcome is Outcome.DONE
    assert h1.property("redeemer", "UnitFileState") == "enabled"
    h1.remove_unit("redeemer.service")


async def test_what_another_unit_starts_cannot_be_disabled(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer().partition("[Install]")[0])
    h1.unit("other.service", "[Unit]\nWants=redeemer.service\n[Service]\nExecStart=sleep 1000\n")
    h1.run("systemctl", "start", "other")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(
            lambda now: [stop(now), units.disable_step(now, node()), proved(now)]
        )
    assert result.outcome is Outcome.FAILED
    assert "other.service starts it" in result.summary
    assert h1.state("redeemer") == "active", "taken back"


# Proof that an old holder of a key is stopped.


async def test_a_stray_process_with_the_same_arguments_is_found(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    stray = ("systemd-run", "--unit=by-hand", "--uid=ops", "--collect")
    h1.run(*stray, "/usr/local/bin/livepeer", "-redeemer", "-ethAcctAddr", KEY)
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now), proved(now)])
        assert result.outcome is Outcome.FAILED
        assert "1 process with its key or arguments on h1" in result.summary
        assert "of ops" in result.summary
        h1.run("systemctl", "stop", "by-hand")
        result = await bench.run(lambda now: [stop(now), proved(now)])
    assert result.outcome is Outcome.DONE, result.summary


async def test_a_process_that_its_own_stop_leaves_behind_acts_with_the_key_still(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    """`KillMode=process` ends a unit's main process alone; the unit is inactive then."""
    livepeer_line = f"/usr/local/bin/livepeer -redeemer -ethAcctAddr {KEY}"
    service = f"[Service]\nKillMode=process\nExecStart=/bin/sh -c '{livepeer_line} & wait'\n"
    h1.unit("redeemer.service", service)
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host(), nodes=(node(cli=None),)) as bench:

        def runs() -> bool:
            found = h1.run("pgrep", "-f", "python3 /usr/local/bin/livepeer", check=False)
            return len(found.split()) == 1

        await until(runs, 30, "the wrapped process")
        result = await bench.run(lambda now: [stop(now), proved(now)], OnFailure.STOP)
        assert result.outcome is Outcome.FAILED, result.summary
        assert "1 process with its key or arguments on h1" in result.summary
        assert "(left there by redeemer.service)" in result.summary
        result = await bench.run(lambda now: [start(now)])
        assert result.outcome is Outcome.FAILED, result.summary
        assert h1.state("redeemer") == "inactive", "no second one beside it"
    h1.run("systemctl", "kill", "--kill-who=all", "redeemer")


async def test_a_process_with_another_key_is_nobody_s_business(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    stray = ("systemd-run", "--unit=by-hand", "--collect")
    h1.run(*stray, "/usr/local/bin/livepeer", "-orchestrator", "-ethAcctAddr", OTHER_KEY)
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [stop(now), proved(now)])
    h1.run("systemctl", "stop", "by-hand")
    assert result.outcome is Outcome.DONE, result.summary


async def test_the_same_command_line_is_known_again_without_an_account(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    """By its data folder: go-livepeer takes the first key of the keystore there."""
    text = livepeer(more="-dataDir /srv/lp").replace(f"-ethAcctAddr {KEY}", "")
    h1.unit("redeemer.service", text)
    h1.run("systemctl", "start", "redeemer")
    stray = ("systemd-run", "--unit=by-hand", "--collect")
    h1.run(*stray, "/usr/local/bin/livepeer", "-redeemer", "-dataDir", "/srv/lp/")
    async with bench_of(h1.host(), nodes=(node(account=None),)) as bench:
        result = await bench.run(lambda now: [stop(now), proved(now)])
    h1.run("systemctl", "stop", "by-hand")
    assert "1 process with its key or arguments on h1" in result.summary


async def test_a_timer_that_would_start_it_is_found(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer())
    timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"
    h1.unit("redeemer.timer", timer)
    h1.run("systemctl", "enable", "--now", "redeemer.timer")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [proved(now)])
        assert result.outcome is not Outcome.DONE
        assert "redeemer.timer would start redeemer.service" in result.summary
        h1.run("systemctl", "disable", "--now", "redeemer.timer")
        result = await bench.run(lambda now: [proved(now)])
    assert result.outcome is Outcome.DONE, result.summary


async def test_a_unit_that_starts_at_the_next_boot_is_not_proved(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("systemctl", "enable", "redeemer")
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [proved(now)])
    assert result.outcome is not Outcome.DONE
    assert "redeemer.service is enabled" in result.summary


async def test_processes_that_the_login_may_not_see_prove_nothing(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer())
    h1.run("mount", "-o", "remount,hidepid=2", "/proc")
    try:
        async with bench_of(h1.host()) as bench:
            there = (await bench.look()).value(HostProcesses, "h1")
            assert there is not None
            assert there.hidden
            assert "hidepid" in units.why_not_proved(await bench.look(), node())
    finally:
        h1.run("mount", "-o", "remount,hidepid=0", "/proc")


# One key, one active host.


def _pair() -> tuple[Node, Node]:
    return node(), node("spare", "h2", standby_for="redeemer")


async def test_a_second_holder_is_never_started(
    h1: SystemdHost, h2: SystemdHost, bench_of: BenchOf
) -> None:
    for host in (h1, h2):
        host.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host(), h2.host(), nodes=_pair()) as bench:
        result = await bench.run(lambda now: [start(now, "spare")])
    assert result.outcome is Outcome.FAILED
    assert "redeemer on h1 has the same key and runs" in result.summary
    assert h2.state("redeemer") == "inactive"


async def test_the_old_holder_is_not_brought_back_beside_the_new_one(
    h1: SystemdHost, h2: SystemdHost, bench_of: BenchOf
) -> None:
    for host in (h1, h2):
        host.unit("redeemer.service", livepeer())
    h1.run("systemctl", "start", "redeemer")
    async with bench_of(h1.host(), h2.host(), nodes=_pair()) as bench:
        result = await bench.run(lambda now: [stop(now, for_good=True)])
        assert result.outcome is Outcome.DONE
        h2.run("systemctl", "start", "redeemer")  # by somebody else
        result = await bench.undo()
    assert result.outcome is not Outcome.DONE
    assert "spare on h2 has the same key and runs" in result.summary
    assert h1.state("redeemer") == "inactive"


async def test_a_failover_is_made_and_taken_back(
    h1: SystemdHost, h2: SystemdHost, bench_of: BenchOf
) -> None:
    for host in (h1, h2):
        host.unit("redeemer.service", livepeer())
    h1.run("systemctl", "enable", "--now", "redeemer")

    def steps(now: Snapshot) -> list[Step]:
        old, new = now.fleet.nodes["redeemer"], now.fleet.nodes["spare"]
        return [
            units.stop_step(now, old, for_good=True),
            units.disable_step(now, old),
            units.proved_stopped_step(now, old),
            units.enable_step(now, new),
            units.start_step(now, new),
            units.well_step(now, new, wait_s=20),
        ]

    async with bench_of(h1.host(), h2.host(), nodes=_pair()) as bench:
        result = await bench.run(steps)
        assert result.outcome is Outcome.DONE, result.summary
        assert _holders(h1, h2) == ("inactive disabled", "active enabled")
        result = await bench.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert _holders(h1, h2) == ("active enabled", "inactive disabled")


def _holders(*hosts: SystemdHost) -> tuple[str, ...]:
    return tuple(
        f"{host.state('redeemer')} {host.property('redeemer', 'UnitFileState')}" for host in hosts
    )


async def test_a_node_with_another_key_than_before_is_not_well(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.unit("redeemer.service", livepeer(OTHER_KEY))
    async with bench_of(h1.host()) as bench:
        result = await bench.run(lambda now: [start(now), well(now)])
    assert result.outcome is Outcome.FAILED
    assert "acts as 0xb2b2…b2b2, and is to act as 0xa1a1…a1a1" in result.summary
    assert h1.state("redeemer") == "inactive", "taken back"


# Containers.

ENGINE = """\
#!/bin/sh
# Says and does of one container what docker would, for who may write to its socket.
cd /srv/engine || exit 1
case $1 in
container) cat state; printf '"Pid":%s},"restarts":0,"image":"x","policy":"%s"}\\n' "$(cat pid)" "$(cat policy)";;
stop) kill "$(cat pid)"; echo 0 >pid; printf '{"name":"/redeemer","state":{"Status":"exited",' >state;;
start) setsid livepeer -redeemer -ethAcctAddr ACCOUNT </dev/null >/dev/null 2>&1 & echo $! >pid
    printf '{"name":"/redeemer","state":{"Status":"running",' >state;;
update) echo "${2#--restart=}" >policy;;
*) exit 1;;
esac
"""  # noqa: E501


async def test_a_container_is_stopped_for_good_and_back_by_the_login_itself(
    h1: SystemdHost, bench_of: BenchOf
) -> None:
    h1.write("/usr/local/bin/docker", ENGINE.replace("ACCOUNT", KEY), 0o755)
    h1.run("install", "-d", "-o", LOGIN, "/srv/engine")
    h1.run("runuser", "-u", LOGIN, "--", "docker", "update", "--restart=always", "redeemer")
    h1.run("runuser", "-u", LOGIN, "--", "docker", "start", "redeemer")
    h1.sudoers()
    box = node(service=Service(SupervisorKind.CONTAINER, "redeemer"), cli=None)
    async with bench_of(h1.host(), nodes=(box,)) as bench:
        result = await bench.run(
            lambda now: [stop(now, for_good=True), units.disable_step(now, box), proved(now)]
        )
        assert result.outcome is Outcome.DONE, result.summary
        assert _container(h1) == ("exited", "no")
        result = await bench.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert _container(h1) == ("running", "always")
    h1.run("docker", "stop", "redeemer")
    h1.run("rm", "-r", "/usr/local/bin/docker", "/srv/engine")


def _container(host: SystemdHost) -> tuple[str, str]:
    """What its engine says, by what the tests' engine keeps."""
    state = host.run("cat", "/srv/engine/state")
    is_up = "running" in state and host.run("cat", "/srv/engine/pid").strip() != "0"
    return "running" if is_up else "exited", host.run("cat", "/srv/engine/policy").strip()


# What is read of a unit.


async def test_what_starts_a_unit_is_read_with_it(h1: SystemdHost, bench_of: BenchOf) -> None:
    h1.unit("redeemer.service", livepeer(service="TimeoutStopSec=90\n"))
    h1.unit("redeemer.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n")
    h1.run("systemctl", "enable", "redeemer.service")
    h1.run("systemctl", "start", "redeemer.timer")
    async with bench_of(h1.host()) as bench:
        there = (await bench.look()).value(HostUnits, "h1")
    unit = there.find("redeemer.service") if there is not None else None
    assert unit is not None
    assert unit.stop_timeout_s == 90
    assert unit.pulled_in_by == ("multi-user.target",)
    [trigger] = unit.triggers
    assert (trigger.name, trigger.active, trigger.enabled) == (
        "redeemer.timer",
        "active",
        "disabled",
    )


async def _until_it_answers(bench: Bench) -> None:
    """Until its process has come so far that it is deaf, or is not."""
    async with asyncio.timeout(20):
        while (await bench.look()).value(NodeIdentity, "redeemer") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
