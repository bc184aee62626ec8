"""What nodes turn out to be by their processes on a host with a real systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import Operator, Outcome
from tests.site import installed, unit
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts

__all__ = ["systemd_hosts"]

UNIT = "livepeer-node.service"
KEY = "0x" + "a1" * 20
SECRET = "hunter2-of-the-tests"

Runs = Callable[..., None]


@dataclass
class Host:
    """A host, and cron's view of the one node that it is declared to have."""

    machine: SystemdHost
    operator: Operator
    config: Path
    stack: ExitStack

    def declare(self, *roles: str, **node: Any) -> None:
        login = {
            "address": self.machine.address,
            "user": "ops",
            "identity": str(self.machine.identity),
        }
        document = {
            "name": "site",
            "ssh": {"known_hosts": str(self.machine.known_hosts), "config": []},
            "hosts": {"h1": login},
            "nodes": {"n1": {"host": "h1", "roles": list(roles), "cli": "none", **node}},
            "signers": {"treasury": {"address": KEY, "role": "redeemer"}},
        }
        self.config.write_text(yaml.safe_dump(document))

    def runs(self, *flags: str, name: str = UNIT, extra: str = "") -> None:
        """A unit with these arguments, until the test ends."""
        self.stack.enter_context(installed(self.machine, name, unit(*flags, extra=extra)))

    def asked(self, verb: str) -> Outcome:
        words = ("--config", str(self.config), "--headless", verb, "--format", "json")
        outcome = self.operator.run(*words)
        assert outcome.out, outcome.err
        assert SECRET not in outcome.out
        return outcome

    def finding(self, identity: str) -> dict[str, Any]:
        found: dict[str, Any] = self.asked("check").finding(identity)
        return found


@pytest.fixture
def host(systemd_hosts: HostFactory, tmp_path: Path) -> Iterator[Host]:
    [machine] = systemd_hosts(1)
    home = tmp_path / "home"
    home.mkdir()
    with ExitStack() as stack:
        yield Host(machine, Operator(home), tmp_path / "lptui.yaml", stack)


def test_an_orchestrator_by_declaration_that_runs_as_a_transcoder(host: Host) -> None:
    host.declare("orchestrator", unit=UNIT)
    host.runs("-transcoder", "-orchAddr", "192.0.2.1:8935", "-cliAddr=127.0.0.1:6935")
    found = host.finding("role-mismatch@n1")
    assert found["severity"] == "CRITICAL"
    assert found["summary"] == "declared orchestrator, but runs as transcoder"
    pid = host.machine.property(UNIT, "MainPID")
    assert any(f"process {pid}: -transcoder" in line for line in found["evidence"])


def test_settings_of_a_file_and_of_the_environment_count_and_are_told_apart(host: Host) -> None:
    host.declare("orchestrator", unit=UNIT)
    host.machine.write(
        "/etc/livepeer/o.conf",
        f"orchestrator true\nmaxSessions 7\npricePerUnit 900\norchSecret {SECRET}\n",
    )
    host.runs(
        *("-config", "/etc/livepeer/o.conf", "-cliAddr=127.0.0.1:7935"),
        extra="User=ops\nEnvironment=LP_MAXSESSIONS=12\nEnvironment=LP_REDEEMERADDR=192.0.2.5:8935\n"
        f"Environment=LP_ETHPASSWORD={SECRET}\n",
    )
    status = host.asked("status").json
    [member] = status["layout"]["members"]
    assert (member["node_type"], member["roles"]) == ("orchestrator", ["orchestrator"])
    told = {one["name"]: (one["value"], one["origin"]) for one in member["settings"]}
    assert told["orchestrator"] == ("true", "configuration file /etc/livepeer/o.conf")
    assert told["pricePerUnit"] == ("900", "configuration file /etc/livepeer/o.conf")
    assert told["maxSessions"] == ("12", "environment")
    assert told["redeemerAddr"] == ("192.0.2.5:8935", "environment")
    assert told["cliAddr"] == ("127.0.0.1:7935", "command line")
    [group] = status["layout"]["groups"]
    assert group["missing"] == ["the redeemer that n1 send their winning tickets to"]
    [found] = [one for one in status["findings"] if one["id"] == "role-mismatch@n1"]
    assert found["severity"] == "OK"


def test_a_price_that_the_next_restart_takes_back(host: Host) -> None:
    host.declare("orchestrator", unit=UNIT, cli=7935)
    host.runs(
        *("-orchestrator", "-pricePerUnit", "1200", "-cliAddr=127.0.0.1:7935"),
        extra="Environment=STANDIN_PRICE=900\n",
    )
    found = host.finding("price-drift@n1")
    assert found["severity"] == "WARNING"
    assert found["summary"] == "asks 900 wei/pixel, but starts with 1200 wei/pixel"


def test_another_users_environment_is_not_read_and_nothing_is_claimed_of_it(host: Host) -> None:
    host.declare("transcoder", unit=UNIT)
    host.runs("-cliAddr=127.0.0.1:6935", extra="Environment=LP_TRANSCODER=true\n")
    outcome = host.asked("check")
    assert "role-mismatch@n1" not in {one["id"] for one in outcome.json["findings"]}
    [process] = outcome.reading("HostProcesses", "h1")["value"]["livepeer"]
    assert process["unread"] == ["environment"]


def test_processes_that_nobody_declared(host: Host) -> None:
    host.declare("orchestrator", unit=UNIT)
    host.runs("-orchestrator", "-cliAddr=127.0.0.1:7935")
    assert host.finding("unknown-process@h1")["severity"] == "OK"
    host.runs("-gateway", "-cliAddr=127.0.0.1:5935", name="livepeer-old.service")
    found = host.finding("unknown-process@h1")
    assert found["severity"] == "WARNING"
    assert "livepeer-old.service (gateway)" in found["summary"]
    flags = ("-redeemer", "-ethAcctAddr", KEY, "-ethUrl", "http://192.0.2.9:8545")
    host.runs(*flags, "-cliAddr=127.0.0.1:7936", name="livepeer-older.service")
    found = host.finding("unknown-process@h1")
    assert found["severity"] == "CRITICAL"
    assert "livepeer-older.service (redeemer) as treasury" in found["summary"]


def test_a_reward_node_that_ends_because_reward_is_not_given(host: Host) -> None:
    host.declare("reward", unit=UNIT, cli=10935)
    ends = "[Service]\nExecStart=/usr/local/bin/livepeer -ethUrl http://192.0.2.9:8545\n"
    host.stack.enter_context(
        installed(host.machine, UNIT, f"{ends}Environment=STANDIN_END=2\n[Install]\n")
    )
    found = host.finding("role-mismatch@n1")
    assert found["severity"] == "CRITICAL"
    assert "ended with status 2, as go-livepeer does when -reward is not given" in found["summary"]
    assert found["cause"] == "unit-state@n1"
