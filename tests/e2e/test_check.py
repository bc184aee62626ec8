"""`lptui --headless check` and `status` on a healthy real fleet, and the deadline of a run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from lptui.report import schema as schemas
from tests.e2e.fleet import BEHIND_JUMP, HOSTS, MACHINE, NODES, RPCS, Document, RealFleet
from tests.e2e.servers import blackhole
from tests.sshd import descendants
from tests.waiting import on_this_machine, until

OF_HOSTS = ("HostVitals", "HostUnits", "HostDisks", "HostSystem", "HostClock", "HostGpus")
OF_NODES = ("NodeStatus", "NodeIdentity", "NodeMetrics")
EXPECTED = {
    *(f"{topic}@{host}" for topic in OF_HOSTS for host in HOSTS),
    *(f"{topic}@{host}" for topic in ("HostListeners", "HostProcesses") for host in BEHIND_JUMP),
    *(f"{topic}@{node}" for topic in OF_NODES for node in NODES),
    *(f"RpcHead@{rpc}" for rpc in RPCS),
    *("ChainRound@devnet", "RewardHistory@main", "OrchestratorRecord@main", "GasPrices@devnet"),
    *("BalancerState@edge", "BalancerState@rpc-edge"),
    *("NginxConfig@rpc-edge", "NginxConnections@rpc-edge"),
}


def test_every_source_is_read_and_all_is_well(real_fleet: RealFleet) -> None:
    healthy = real_fleet.healthy
    assert healthy.errors == {}
    assert healthy.json["complete"]
    read = {f"{one['topic']}@{one['target']}" for one in healthy.json["readings"]}
    assert read >= EXPECTED, EXPECTED - read
    wrong = {
        name: healthy.finding(name)["summary"]
        for name in healthy.not_ok
        if name.split("@")[0] not in MACHINE
    }
    assert wrong == {}


def test_each_reading_tells_its_way(real_fleet: RealFleet) -> None:
    """Where it came from, in words an operator can follow, and how old it is."""
    readings = real_fleet.healthy.json["readings"]
    for one in readings:
        assert 0 <= one["age_seconds"] < 20, one
        assert one["took_seconds"] >= 0
        assert not one["stale"]
    sources = {f"{one['topic']}@{one['target']}": one["source"] for one in readings}
    assert "orch-1" in sources["HostVitals@orch-1"]
    assert "treasury" in sources["NodeStatus@reward"]
    assert "edge" in sources["BalancerState@edge"]


def test_status_follows_its_schema_and_money_is_exact(real_fleet: RealFleet) -> None:
    outcome = real_fleet.run("status", "--format", "json")
    assert outcome.code == 0
    published = json.loads((schemas.FOLDER / "status.schema.json").read_text())
    validator = jsonschema_rs.Draft202012Validator(published, validate_formats=True)
    assert [error.message[:200] for error in validator.iter_errors(outcome.json)] == []
    account = outcome.reading("SignerAccount", real_fleet.registered.lower())["value"]
    balance = real_fleet.stage.do(real_fleet.net.balance(real_fleet.registered))
    assert account["balance_wei"] == str(balance)
    wei = list(money(outcome.json))
    assert len(wei) > 3
    assert all(isinstance(amount, str) and amount.isdigit() for amount in wei)


def money(value: Any) -> Iterator[Any]:
    """Everything in a document that is an amount."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith(("_wei", "_lptu")) and inner is not None:
                yield inner
            else:
                yield from money(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from money(inner)


def test_check_follows_its_schema(real_fleet: RealFleet) -> None:
    published = json.loads((schemas.FOLDER / "check.schema.json").read_text())
    errors = jsonschema_rs.Draft202012Validator(published).iter_errors(real_fleet.healthy.json)
    assert [error.message[:200] for error in errors] == []


def test_text_is_for_monitoring_systems(real_fleet: RealFleet) -> None:
    outcome = real_fleet.run("check")
    first = outcome.out.splitlines()[0]
    word = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[outcome.code]
    assert first.startswith(f"{word} - ")
    text, _, performance = first.partition("|")
    assert "'" in performance
    # The machine that runs the tests may be busy, which is a finding of its own.
    assert ("round 4200" in text) is (outcome.code == 0)


def test_prometheus_text(real_fleet: RealFleet) -> None:
    outcome = real_fleet.run("check", "--format", "prometheus")
    assert 'lptui_host_up{host="gpu-1"} 1' in outcome.out
    assert 'lptui_balancer_up{balancer="edge"} 1' in outcome.out
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run(
            [promtool, "check", "metrics"], input=outcome.out.encode(), capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_markdown(real_fleet: RealFleet) -> None:
    outcome = real_fleet.run("check", "--format", "markdown")
    assert re.match(r"# (OK|WARNING|CRITICAL|UNKNOWN): e2e\n", outcome.out)


def test_status_as_text(real_fleet: RealFleet) -> None:
    outcome = real_fleet.run("status")
    assert outcome.code == 0
    for name in (*HOSTS, *NODES, *RPCS, "rpc-edge"):
        assert name in outcome.out


def test_a_run_leaves_no_login_behind(real_fleet: RealFleet) -> None:
    real_fleet.check()

    async def quiet() -> None:
        await until(real_fleet.quiet, 30, "all logins ended")

    try:
        real_fleet.stage.do(quiet())
    except AssertionError:
        left = {name: descendants(one.process.pid) for name, one in real_fleet.sshds.items()}
        raise AssertionError(f"still logged in: {left}") from None


def test_the_console_needs_a_terminal_and_says_so(real_fleet: RealFleet) -> None:
    outcome = real_fleet.operator.run("--config", str(real_fleet.config()))
    assert outcome.code == 3
    assert "terminal" in outcome.err
    assert "--headless check" in outcome.err


@pytest.mark.parametrize("timeout_s", [3, 15])
def test_the_deadline_holds_and_what_is_missing_is_unknown(
    real_fleet: RealFleet, timeout_s: int
) -> None:
    with blackhole() as port:

        def hang(document: Document) -> None:
            document["hosts"]["gpu-1"]["port"] = port

        outcome = real_fleet.check(hang, timeout_s=timeout_s)
    assert outcome.took_s <= timeout_s + on_this_machine(0.5)
    had_its_time = timeout_s > 8  # what one answer may take by default
    assert outcome.severity("host-up@gpu-1") == ("CRITICAL" if had_its_time else "UNKNOWN")
    assert outcome.severity("node-up@transcoder-1") == "UNKNOWN"
    assert outcome.severity("disk@gpu-1") == "UNKNOWN"
    for name in ("HostVitals", "HostDisks", "HostUnits"):
        assert outcome.error(name, "gpu-1")["kind"] == (
            "timeout" if had_its_time else "run-deadline"
        )
    if timeout_s > 3:  # three seconds may be too few for the others on a busy machine
        names = ("@gpu-1", "@transcoder-1")
        assert {name for name in outcome.errors if not name.endswith(names)} == set()
    assert outcome.code in (2, 3)
