"""The console's own transports, probes and checks against the simulated fleet, end to end."""

from __future__ import annotations

import dataclasses
import os
import shutil
import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lptui.checks import failing, run_checks
from lptui.clock import SystemClock
from lptui.collector.once import collect_once
from lptui.collector.registry import probes_for
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.chain import OrchestratorRecord, RewardHistory
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostUnits, HostVitals
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.finding import Severity
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.report import render_check, render_status
from lptui.sim import start
from lptui.sim.scenarios import SCENARIOS
from lptui.sim.simulation import Simulation
from lptui.sim.thread import DemoThread
from lptui.sim.world.build import REGISTERED
from lptui.transport.protocols import Command
from lptui.transport.reach import FleetReach
from tests.integration.promtool import lint
from tests.unit.report.test_json import check_schema
from tests.unit.report.test_prometheus import series
from tests.unit.report.test_text import check_format

W, C = Severity.WARNING, Severity.CRITICAL


@dataclasses.dataclass(slots=True)
class Console:
    """A simulated fleet and the console's way to it."""

    simulation: Simulation
    reach: FleetReach

    @property
    def fleet(self) -> Fleet:
        return self.simulation.fleet

    async def collect(self, deadline_s: float = 90.0) -> Snapshot:
        probes = probes_for(self.fleet)
        return await collect_once(self.fleet, self.reach, SystemClock(), probes, deadline_s)


@asynccontextmanager
async def console(
    directory: Path, scenario: str = "healthy", hosts: int | None = None
) -> AsyncIterator[Console]:
    simulation = await start(scenario, hosts=hosts, directory=directory / "run")
    # Who never answers is waited for; everybody else may take their time on a busy machine.
    timeout = 5.0 if scenario in ("host-dead", "flaky") else 30.0
    patient = dataclasses.replace(simulation.fleet.intervals, timeout=timeout)
    simulation.fleet = dataclasses.replace(simulation.fleet, intervals=patient)
    reach = FleetReach(simulation.fleet)
    try:
        yield Console(simulation, reach)
    finally:
        await reach.close()
        await simulation.close()


async def test_every_source_of_a_healthy_fleet_answers_and_all_is_well(tmp_path: Path) -> None:
    async with console(tmp_path) as it:
        first = await it.collect()
        second = await it.collect()
    for snapshot in (first, second):
        problems = {str(key): r.problem for key, r in snapshot.readings.items() if r.problem}
        # It is stopped, and its silence is what it should be.
        resting = {k for k, p in problems.items() if p.kind is ProblemKind.STANDBY}
        assert {key.partition("@")[2] for key in resting} == {"reward-standby"}
        assert set(problems) == resting
        assert {f.id: f.summary for f in run_checks(snapshot) if f.severity} == {}
    asked = {
        key
        for probe in probes_for(it.fleet)
        for t in probe.targets(it.fleet)
        for key in probe.keys(it.fleet, t)
    }
    assert asked <= set(first.readings)


async def test_what_the_panes_show_is_there(tmp_path: Path) -> None:
    async with console(tmp_path) as it:
        snapshot = await it.collect()
    history = snapshot.value(RewardHistory, "aurora")
    assert history is not None
    assert len(history.rounds) >= 20
    assert history.events[-1].caller in (REGISTERED, None)
    gpus = snapshot.value(HostGpus, "gpu-4")
    assert gpus is not None
    assert [card.index for card in gpus.gpus] == [0, 1, 2, 3]
    assert all(card.encoder and card.encoder_sessions for card in gpus.gpus)
    edge = snapshot.value(BalancerState, "edge")
    assert edge is not None
    assert {server.name for server in edge.servers} == {"orch-1", "orch-2", "orch-3"}
    rpc = snapshot.value(BalancerState, "rpc-edge")
    assert rpc is not None
    assert [server.backup for server in rpc.servers] == [False, True]
    metrics = snapshot.value(NodeMetrics, "orch-1")
    assert metrics is not None
    assert metrics.transcode_score_p50 is not None
    assert 0 < (metrics.current_sessions or 0) < (metrics.max_sessions or 0)


async def test_reading_changes_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, "reward-missed") as it:
        world = it.simulation.world
        sent, rounds = dict(world.ledger.transactions), list(world.ledger.initialised)
        units = {
            (name, unit.name): unit.invocation
            for name, machine in world.machines.items()
            for unit in machine.units.values()
        }
        for _ in range(2):
            await it.collect()
        assert world.ledger.transactions == sent
        assert world.ledger.initialised == rounds
        assert units == {
            (name, unit.name): unit.invocation
            for name, machine in world.machines.items()
            for unit in machine.units.values()
        }


EXPECTED: Mapping[str, Mapping[str, Severity]] = {
    "healthy": {},
    "reward-missed": {"reward-due@aurora": C},
    "round-not-initialized": {"round-initialized@arbitrum-one-mainnet": W},
    "reward-disagrees": {"reward-disagrees@aurora": W},
    "round-skipped": {"round-skipped@arbitrum-one-mainnet": W},
    "inactive": {"orchestrator-active@aurora": C},
    "low-eth": {"balance@aurora": C, "balance@redeemer": W},
    "rpc-stuck": {"rpc-stalled@nitro-1": C, "rpc-stalled@rpc-pool": C},
    "rpc-lagging": {"rpc-lagging@nitro-2": C, "rpc-stalled@nitro-2": W},
    "rpc-behind": {"rpc-lagging@nitro-2": W},
    "rpc-disagree": {f"rpc-disagree@{name}": C for name in ("nitro-1", "nitro-2", "rpc-pool")},
    "rpc-wrong-chain": {"rpc-chain@nitro-2": C},
    "gpu-hot": {"gpu-temperature@gpu-4/0": C, "gpu-throttled@gpu-4/0": W},
    "gpu-missing": {"gpu-missing@gpu-3": C},
    "encoder-saturated": {"gpu-encoder@gpu-2/0": W, "gpu-encoder@gpu-2/1": W},
    "nvenc-cap": {"nvenc-sessions@gpu-2": W},
    "backend-down": {"lb-server@edge/orchestrators/orch-2": C},
    "backend-drained": {"lb-server@edge/orchestrators/orch-3": W},
    "unbalanced": {"sessions-capacity@orch-1": W},
    "split-brain": {"registered-key-once@aurora": C},
    "role-mismatch": {"role-mismatch@orch-3": C, "lb-server@edge/orchestrators/orch-3": C},
    "price-drift": {"price-drift@orch-2": W},
    "node-down": {"unit-state@orch-2": C},
    "host-dead": {"host-up@gpu-5": C},
    "watcher-stalled": {"watcher-stalled@reward": C},
    "nonce-stuck": {"nonce-stuck@redeemer": W},
    "transaction-lost": {"transaction-lost@redeemer": W},
    "reward-gated": {"reward-due@aurora": C},
    "gas-cap": {"reward-due@aurora": C, "gas-cap@reward": W},
    "tickets-expiring": {"tickets-expiring@redeemer": C, "gas-cap@redeemer": W},
    "gateway-reserve-low": {"gateway-funds@gateway": C},
    "service-uri-mismatch": {"service-uri@aurora": C},
    "stake-margin": {"stake-margin@aurora": W},
    "slashed": {"slashed@aurora": C, "orchestrator-active@aurora": W},
    "unit-failed": {"unit-state@transcoder-2": C},
    "disk-full": {"disk@nitro-2": C},
    "clock-skew": {"clock@orch-1": C},
    "cli-exposed": {"cli-exposed@redeem-1": C},
    "keystore-open": {"keystore-open@vault-1": C},
    "standby-keyless": {"standby@reward-standby": W},
    "redeemer-gone": {"unit-state@redeemer": C},
    "transcoders-missing": {"transcoder-registered@transcoder-2": W},
    "hostile": {"service-uri@aurora": C},
    "flaky": {"node-up@orch-2": C, "node-up@orch-3": C, "rpc-reachable@nitro-2": C},
    "delegated-caller": {},
    "caller-revoked": {"reward-due@aurora": C, "reward-delegate@aurora": C},
    "two-callers": {"reward-called-once@aurora": W},
    "reward-retry": {"reward-due@aurora": W},
    "settings-drift": {"settings-drift@role:orchestrator": W},
    "unit-stale": {"unit-stale@orch-2": W},
    "backup-old": {"backup-old@vault-1": W},
}
"""What each scenario leads to in the first collection. Other roots may be warnings or unknown,
never critical, but for the two scenarios in which nothing can be relied on."""


def test_every_scenario_has_its_finding() -> None:
    assert list(EXPECTED) == list(SCENARIOS)


@pytest.mark.parametrize("name", list(EXPECTED))
async def test_the_first_collection_finds_what_the_scenario_prepared(
    tmp_path: Path, name: str
) -> None:
    async with console(tmp_path, name) as it:
        snapshot = await it.collect()
    findings = {found.id: found.severity for found in run_checks(snapshot)}
    assert {key: findings.get(key) for key in EXPECTED[name]} == EXPECTED[name]
    hold_reports(snapshot)
    roots = {found.id: found.severity for found in failing(run_checks(snapshot))}
    assert set(EXPECTED[name]) <= set(roots)
    if name not in ("hostile", "flaky"):
        others = {key: s for key, s in roots.items() if key not in EXPECTED[name]}
        assert C not in others.values(), others


def hold_reports(snapshot: Snapshot) -> None:
    """Every format of a real collection keeps to what its readers rely on."""
    findings = run_checks(snapshot)
    check_format(render_check(snapshot, findings, "text", took_s=1.5).splitlines())
    check_schema(snapshot)
    series(render_check(snapshot, findings, "prometheus"))
    if os.environ.get("LPTUI_REQUIRE_REAL") == "1" or shutil.which("promtool"):
        lint(snapshot)
    assert render_check(snapshot, findings, "markdown").startswith("# ")
    assert "\x1b" not in render_status(snapshot, findings, "text")


async def test_a_reward_by_hand_mends_the_missed_one(tmp_path: Path) -> None:
    async with console(tmp_path, "reward-missed") as it:
        node = it.fleet.nodes["reward"].cli
        assert node is not None
        answer = await it.reach.http(node).request("POST", "/reward", form={}, deadline_s=30)
        assert (answer.status, answer.body) == (200, b"")
        again = await it.reach.http(node).request("POST", "/reward", form={}, deadline_s=30)
        assert again.status == 500
        snapshot = await it.collect()
    record = snapshot.value(OrchestratorRecord, "aurora")
    assert record is not None
    assert record.last_reward_round == it.simulation.world.ledger.round_at(
        it.simulation.world.l2_block
    )
    assert {f.id for f in failing(run_checks(snapshot))} == set()


async def test_a_failed_unit_is_started_by_a_one_off_command(tmp_path: Path) -> None:
    async with console(tmp_path, "unit-failed") as it:
        unit = "livepeer-transcoder.service"
        argv = ("sudo", "-n", "systemctl", "restart", "--", unit)
        done = await it.reach.execute("gpu-2", Command(argv))
        assert (done.status, done.stdout) == (0, b"")
        assert done.stderr == b""
        gone = await it.reach.execute("gpu-2", Command(("no-such-program",)))
        assert gone.status == 127
        snapshot = await it.collect()
    units = snapshot.value(HostUnits, "gpu-2")
    found = units.find(unit) if units else None
    assert found is not None
    assert found.is_running


async def test_a_dead_host_delays_no_other(tmp_path: Path) -> None:
    async with console(tmp_path, "host-dead") as it:
        snapshot = await it.collect()
    readings = dict(snapshot.all(HostVitals))
    dead = readings.pop("gpu-5")
    assert dead.problem is not None
    assert len(readings) == 15
    assert all(r.problem is None and r.took_s < dead.took_s / 2 for r in readings.values())


async def test_a_flaky_fleet_still_gives_what_is_sound(tmp_path: Path) -> None:
    async with console(tmp_path, "flaky") as it:
        for _ in range(2):
            snapshot = await it.collect()
    for host in ("edge-1", "gpu-4", "vault-1", "orch-1"):
        assert snapshot.reading(HostVitals, host).problem is None
    assert snapshot.value(OrchestratorRecord, "aurora") is not None


def texts(value: object) -> Iterator[str]:
    """Every text in a fact, however deep."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from texts(tuple(value.items()))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from texts(item)


UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


async def test_no_hostile_text_gets_through_unclean_or_long(tmp_path: Path) -> None:
    async with console(tmp_path, "hostile") as it:
        snapshot = await it.collect()
    found = list(run_checks(snapshot))
    seen = 0
    for subject in (*(_told(r) for r in snapshot.readings.values()), *found):
        for text in texts(subject):
            seen += "[bold" in text or "$(" in text
            assert not {unicodedata.category(char) for char in text} & UNSAFE, repr(text)
            assert len(text) <= 1200, text[:200]
    assert seen > 20
    assert not any("the check itself failed" in one.summary for one in found)
    sound = [key for key, reading in snapshot.readings.items() if reading.problem is None]
    assert len(sound) > len(snapshot.readings) * 0.8


def _told(reading: Reading[object]) -> tuple[object, ...]:
    return (reading.value, reading.problem, reading.source)


async def test_a_fleet_in_a_thread_of_its_own_is_read_from_here() -> None:
    demo = DemoThread(hosts=14)
    fleet = demo.start()
    reach = FleetReach(fleet)
    try:
        probes = [probe for probe in probes_for(fleet) if probe.name == "host-vitals"]
        snapshot = await collect_once(fleet, reach, SystemClock(), probes, 10.0)
    finally:
        await reach.close()
        assert demo.stop()
    assert len(snapshot.readings) == 14
    assert all(reading.problem is None for reading in snapshot.readings.values())


async def test_a_large_fleet_is_read_whole(tmp_path: Path) -> None:
    async with console(tmp_path, hosts=80) as it:
        probes = [probe for probe in probes_for(it.fleet) if probe.name == "host-vitals"]
        snapshot = await collect_once(it.fleet, it.reach, SystemClock(), probes, 90.0)
    assert sum(reading.problem is None for reading in snapshot.readings.values()) == 80
