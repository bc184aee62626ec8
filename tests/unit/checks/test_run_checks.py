"""What holds for all checks together."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.checks import CHECKS, CheckSpec, failing, overall, run_checks
from lptui.checks.view import View
from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.host import HostClock, HostVitals
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import Percent, Wei
from tests.snapshots import NETWORK, NOW, REDEEMER, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, by_id, finding

KEYS = sorted(FleetBuilder().readings, key=str)


def test_a_healthy_fleet_is_well_and_every_check_says_so() -> None:
    found = run_checks(FleetBuilder().snapshot())
    assert [f.id for f in found if f.severity] == []
    assert overall(found) is OK
    silent = {check.id for check in CHECKS} - {f.check for f in found}
    # No client of the reference fleet offers net_peerCount, no node stands by, none calls
    # reward with a key of its own, and there is no gateway. No container, backup or least version
    # is declared.
    undeclared = {
        "container-stale",
        "backup-old",
        "backup-small",
        "backup-damaged",
        "version-old",
        "log-files",
    }
    assert silent == {"rpc-peers", "standby", "reward-delegate", "gateway-funds"} | undeclared


def test_well_findings_carry_evidence_and_no_remedy_action() -> None:
    for found in run_checks(FleetBuilder().snapshot()):
        assert found.evidence, found.id
        assert found.action == "", found.id
        assert found.cause == "", found.id


def test_every_check_explains_itself() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.title
        assert check.meaning.endswith((".", "!"))
        assert check.runbook.endswith(".")


def test_nothing_read_is_never_well() -> None:
    found = run_checks(FleetBuilder().empty())
    assert found
    assert {f.severity for f in found} == {UNKNOWN}
    assert overall(found) is UNKNOWN


def test_a_fleet_without_anything_is_not_well_either() -> None:
    found = run_checks(Snapshot(fleet=replace(FleetBuilder().fleet, hosts={}, nodes={})))
    assert overall(found) is UNKNOWN
    assert overall(()) is UNKNOWN


def test_what_was_read_long_ago_is_never_well() -> None:
    found = run_checks(FleetBuilder().snapshot(after=3600.0))
    assert {f.severity for f in found} == {UNKNOWN}
    assert "60 min ago" in finding(FleetBuilder().snapshot(after=3600.0), "node-up@orch-1").summary


def test_findings_come_worst_first_then_by_check_and_target() -> None:
    fleet = FleetBuilder().lose_host("core-1")
    found = run_checks(fleet.snapshot())
    keys = [(-f.severity.rank, f.check, f.target) for f in found]
    assert keys == sorted(keys)
    assert found[0].severity is CRITICAL
    assert found[-1].severity is OK


def test_a_check_that_fails_becomes_a_finding_and_stops_no_other() -> None:
    def broken(view: View) -> list[Finding]:
        raise ZeroDivisionError("a mistake")

    spec = CheckSpec("broken", "Broken", "It is broken.", "Mend it.", broken)
    found = run_checks(FleetBuilder().snapshot(), (*CHECKS, spec))
    (itself,) = (f for f in found if f.check == "broken")
    assert itself.severity is UNKNOWN
    assert "ZeroDivisionError" in itself.summary
    assert len({f.check for f in found}) > 40


def test_a_lost_host_is_one_critical_finding_and_explains_the_rest() -> None:
    found = by_id(FleetBuilder().lose_host("edge-1"))
    bad = {name: f for name, f in found.items() if f.severity}
    assert bad.pop("host-up@edge-1").severity is CRITICAL
    assert "node-up@orch-1" in bad
    for name, unknown in bad.items():
        assert unknown.severity is UNKNOWN, name
        assert unknown.cause == "host-up@edge-1", name
    assert [f.id for f in failing(found.values())] == ["host-up@edge-1"]


def test_a_host_behind_a_lost_jump_host_is_explained_by_the_jump_host() -> None:
    fleet = FleetBuilder()
    ssh = fleet.fleet.hosts["gpu-1"].ssh
    assert ssh is not None
    fleet.configure_host("gpu-1", ssh=replace(ssh, jump=("lb-1",)))
    fleet.lose_host("lb-1").lose_host("gpu-1")
    found = by_id(fleet)
    assert found["host-up@lb-1"].severity is CRITICAL
    assert found["host-up@gpu-1"].severity is UNKNOWN
    assert found["host-up@gpu-1"].cause == "host-up@lb-1"
    assert found["memory@gpu-1"].cause == "host-up@lb-1"


def test_losing_the_rpc_host_explains_what_the_chain_says_no_more() -> None:
    found = by_id(FleetBuilder().lose_host("core-1"))
    for name in ("reward-due@main", "balance@redeemer", "round-initialized@arbitrum-one-mainnet"):
        assert found[name].severity is UNKNOWN
        assert found[name].cause == "host-up@core-1"


def test_the_chain_as_an_endpoint_that_stands_still_has_it_is_never_well() -> None:
    fleet = FleetBuilder().change(ChainRound, NETWORK, head_time=NOW - 3600.0)
    fleet.change(RpcHead, "nitro", head_time=NOW - 3600.0)
    found = by_id(fleet)
    assert found["rpc-stalled@nitro"].severity is CRITICAL
    of_chain = [f for f in found.values() if f.check in {c.id for c in CHECKS if c.of_chain}]
    assert {"reward-due", "round-initialized", "balance"} <= {f.check for f in of_chain}
    for one in of_chain:
        assert one.severity is UNKNOWN, one.id
        assert one.cause == "rpc-stalled@nitro", one.id
        assert "60 min ago" in one.summary
    assert failing(of_chain) == ()


def test_what_was_bad_an_hour_ago_stays_so_until_somebody_knows_better() -> None:
    fleet = FleetBuilder().change(ChainRound, NETWORK, head_time=NOW - 3600.0)
    fleet.change(SignerAccount, REDEEMER, balance=Wei(1))
    assert by_id(fleet)["balance@redeemer"].severity is CRITICAL


def test_an_endpoint_that_fails_explains_nothing_while_another_gives_the_round() -> None:
    fleet = FleetBuilder().fail(RpcHead, "nitro")
    found = by_id(fleet.fail(OrchestratorRecord, "main", ProblemKind.REVERTED))
    assert found["rpc-reachable@nitro"].severity is CRITICAL
    assert found["orchestrator-active@main"].severity is UNKNOWN
    assert found["orchestrator-active@main"].cause == ""


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from([None, *ProblemKind]), min_size=1, max_size=12
    )
)
def test_causes_of_unknown_findings_exist_and_are_not_well(
    broken: dict[Key, ProblemKind | None],
) -> None:
    healthy = by_id(FleetBuilder())
    fleet = FleetBuilder()
    for key, kind in broken.items():
        if kind is None:
            fleet.drop(key.topic, key.target)
        else:
            fleet.fail(key.topic, key.target, kind)
    found = by_id(fleet)
    assert set(found) >= {name for name in healthy if name.startswith(("node-up", "host-up"))}
    for f in found.values():
        assert f.check != "broken"
        assert "the check itself failed" not in f.summary, f.summary
        if f.cause:
            assert f.cause in found, f"{f.id} names {f.cause}, which does not exist"
            assert found[f.cause].severity, f"{f.id} is explained by {f.cause}, which is well"


def test_what_is_no_number_is_never_well() -> None:
    nan = float("nan")
    fleet = FleetBuilder()
    fleet.change_gpu("gpu-1", 0, temperature_c=nan, encoder=Percent(nan))
    fleet.change(HostVitals, "edge-1", load_5m=nan)
    fleet.change(RpcHead, "nitro", head_time=nan)
    fleet.put(HostClock(nan, 0.1, True), "edge-1")
    found = by_id(fleet)
    for name in (
        "gpu-temperature@gpu-1/0",
        "gpu-encoder@gpu-1/0",
        "load@edge-1",
        "rpc-stalled@nitro",
        "clock@edge-1",
    ):
        assert found[name].severity is UNKNOWN, name


def test_the_checks_need_no_screen_no_network_no_chain_library() -> None:
    code = (
        "import json, sys, lptui.checks\n"
        "print(json.dumps([m for m in ('textual','web3','httpx','asyncssh','pydantic') "
        "if m in sys.modules]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(out.stdout) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_check_alone_gives_only_its_own_findings(check: CheckSpec) -> None:
    found = run_checks(FleetBuilder().snapshot(), (check,))
    assert {f.check for f in found} <= {check.id}


def test_severity_unknown_outranks_a_warning() -> None:
    assert max((Severity.WARNING, Severity.UNKNOWN), key=lambda s: s.rank) is UNKNOWN
