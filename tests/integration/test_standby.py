"""A stand-by on hosts with a real systemd, as `check` and `status` tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import Operator, Outcome
from tests.systemd_hosts import LOGIN, HostFactory, SystemdHost, systemd_hosts

__all__ = ["systemd_hosts"]

KEY = "0x" + "a1" * 20
UNIT = "standby-test.service"
TEXT = f"""\
[Service]
ExecStart=/usr/local/bin/livepeer -redeemer -ethAcctAddr {KEY} -cliAddr 127.0.0.1:7961
Restart=always
[Install]
WantedBy=multi-user.target
"""


class Pair:
    """A redeemer on one host, and its stand-by on another."""

    def __init__(self, hosts: tuple[SystemdHost, ...], folder: Path) -> None:
        self.first, self.spare = hosts
        self.operator = Operator(folder)
        self.config = folder / "lptui.yaml"
        node = {"role": "redeemer", "unit": UNIT, "cli": 7961}
        document: dict[str, Any] = {
            "name": "pair",
            "ssh": {"known_hosts": str(self.first.known_hosts), "config": []},
            "hosts": {
                host.name: {
                    "address": host.address,
                    "user": LOGIN,
                    "identity": str(host.identity),
                    "known_hosts": str(host.known_hosts),
                }
                for host in hosts
            },
            "nodes": {
                "red": {**node, "host": self.first.name, "account": KEY},
                "spare": {**node, "host": self.spare.name, "standby_for": "red"},
            },
        }
        self.config.write_text(yaml.safe_dump(document))

    def lptui(self, *words: str) -> Outcome:
        return self.operator.run("--config", str(self.config), "--headless", *words)

    def allow_what_is_printed(self) -> None:
        """Gives each host's login the rules that are printed for it, and no others."""
        for host in (self.first, self.spare):
            told = self.operator.run("--config", str(self.config), "sudoers", host.name)
            host.write("/etc/sudoers.d/lptui", told.out, 0o440)

    def told(self) -> Outcome:
        """All findings and readings."""
        return self.lptui("status", "--format", "json")


@pytest.fixture
def pair(systemd_hosts: HostFactory, tmp_path: Path) -> Iterator[Pair]:
    hosts = systemd_hosts(2)
    for host in hosts:
        host.unit(UNIT, TEXT)
    yield Pair(hosts, tmp_path)
    for host in hosts:
        host.remove_unit(UNIT)


def of_nodes(outcome: Outcome) -> dict[str, str]:
    """What is not well of the two nodes, by its root."""
    found = outcome.roots().items()
    return {name: severity for name, severity in found if name.endswith(("@red", "@spare"))}


def test_a_pair_through_a_failover(pair: Pair) -> None:
    pair.first.run("systemctl", "start", UNIT)
    told = pair.told()
    assert of_nodes(told) == {}
    assert told.finding("standby@spare")["summary"] == "stopped, stands by for red"
    error = told.error("NodeStatus", "spare")
    assert (error["kind"], error["why"]) == ("standby", "stands by for red")

    # Somebody starts it as well.
    pair.spare.run("systemctl", "start", UNIT)
    told = pair.told()
    found = told.finding("standby@spare")
    assert found["severity"] == "CRITICAL"
    assert found["summary"] == "runs while red runs too: 2 holders of 0xa1a1…a1a1"
    assert [UNIT in line for line in found["evidence"]] == [True, True]

    # It has taken over; the other one would come back with its host.
    pair.first.run("systemctl", "stop", UNIT)
    pair.first.run("systemctl", "enable", UNIT)
    told = pair.told()
    assert of_nodes(told) == {"standby@spare": "WARNING", "unit-state@red": "WARNING"}
    assert told.severity("standby@spare") == "WARNING"
    assert "spare is the active one" in told.finding("standby@spare")["summary"]
    assert "starts at the host's next boot" in told.finding("unit-state@red")["summary"]
    assert told.error("NodeStatus", "red")["kind"] == "standby"
    pair.first.run("systemctl", "disable", UNIT)
    text = pair.lptui("status").out
    assert "red: stopped, spare runs in its place" in text


def test_the_printed_rules_suffice_for_a_failover(pair: Pair) -> None:
    pair.first.run("systemctl", "enable", "--now", UNIT)
    for host in (pair.first, pair.spare):
        host.sudoers()
        host.key(KEY)
    refused = pair.lptui("failover", "red", "--yes")
    assert refused.code == 1, refused.out
    assert f"spare has its key on {pair.spare.name}" in refused.out
    refused = pair.lptui("failover", "red", "--yes", "--has-key", pair.spare.name)
    assert refused.code == 2, refused.out
    assert f"rule `NOPASSWD: systemctl stop {UNIT}`" in refused.out
    assert pair.first.state(UNIT) == "active"
    pair.allow_what_is_printed()
    checked = pair.operator.run("--config", str(pair.config), "sudoers", "--check")
    assert checked.code == 0, checked.out
    done = pair.lptui("failover", "red", "--yes")
    assert done.code == 0, done.out
    assert (pair.first.state(UNIT), pair.spare.state(UNIT)) == ("inactive", "active")
    assert pair.first.property(UNIT, "UnitFileState") == "disabled"
