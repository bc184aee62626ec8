"""What keeps a host safe, on one with a real systemd, sshd and sudo: first by a login that may do
nothing as root, then with the rules that lptui prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from eth_keyfile.keyfile import create_keyfile_json

from tests.e2e.command import Operator, Outcome
from tests.site import installed, unit
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts

__all__ = ["systemd_hosts"]

OPEN, CLOSED = 9901, 9902
KEYS = "/var/lib/lp/keystore"
KEY = "UTC--2025-01-01T00-00-00.000000000Z--4444"
LISTENS = f"import socket, time; s = socket.create_server(('0.0.0.0', {OPEN})); time.sleep(9999)"
STRAY = f'[Service]\nExecStart=/usr/bin/python3 -c "{LISTENS}"\n'
IDLE = unit("-network", "offchain", "-ethPassword", "hunter2-of-the-tests").replace(
    "Restart=always", "Restart=no"
)


class Desk:
    """An operator, one host, and what its operator has stated of it."""

    def __init__(self, machine: SystemdHost, folder: Path) -> None:
        self.machine = machine
        self.operator = Operator(folder)
        self.config = folder / "lptui.yaml"
        login = {
            "address": machine.address,
            "user": "ops",
            "identity": str(machine.identity),
            "safety": {
                "allowed_ports": [],
                "closed_ports": [OPEN, CLOSED],
                "logins": "keys",
                "encrypted": True,
                "security_updates": 10_000,
            },
        }
        nodes = {
            "orch": {
                "host": "h1",
                "role": "orchestrator",
                "unit": "orch.service",
                "cli": 7935,
                "keystore_check": True,
            },
            "reward": {"host": "h1", "role": "reward", "unit": "reward.service", "cli": 7937},
        }
        document = {
            "name": "safe",
            "ssh": {"known_hosts": str(machine.known_hosts), "config": []},
            "hosts": {"h1": login},
            "nodes": nodes,
        }
        self.config.write_text(yaml.safe_dump(document))

    def lptui(self, *words: str) -> Outcome:
        return self.operator.run("--config", str(self.config), *words)

    def check(self) -> Outcome:
        outcome = self.lptui("--headless", "check", "--format", "json")
        assert outcome.out, outcome.err
        assert "hunter2" not in outcome.out
        return outcome


@pytest.fixture
def desk(systemd_hosts: HostFactory, tmp_path: Path) -> Iterator[Desk]:
    """Its orchestrator has a limit of 20 000 files and a key without a passphrase, its reward
    node is stopped, and something else listens."""
    [machine] = systemd_hosts(1)
    home = tmp_path / "home"
    home.mkdir()
    blank = json.dumps(create_keyfile_json(bytes(range(1, 33)), b"", kdf="scrypt", iterations=64))
    limit = "LimitNOFILE={}\nWatchdogSec=5min\nTimeoutStopSec=1\n"
    flags = ("-orchestrator", "-ethKeystorePath", KEYS, "-cliAddr=127.0.0.1:7935")
    with ExitStack() as stack:
        stack.enter_context(installed(machine, "stray.service", STRAY, start=False))
        stack.enter_context(installed(machine, "reward.service", IDLE, start=False))
        before = unit(*flags, extra=limit.format(20_000))
        stack.enter_context(installed(machine, "orch.service", before))
        machine.write(f"{KEYS}/{KEY}", blank, 0o600)
        machine.run("chmod", "700", KEYS)
        machine.run("systemctl", "start", "stray.service")
        # Listens or ends within a moment; waiting for it is the host's work.
        machine.run("sh", "-c", f"until ss -Hltn sport = {OPEN} | grep -q LISTEN; do :; done")
        machine.unit("orch.service", unit(*flags, extra=limit.format(50_000)))
        stack.callback(machine.run, "rm", "-rf", KEYS, "/etc/ssh/sshd_config.d/00-lax.conf")
        stack.callback(machine.sudoers)
        machine.sudoers()
        yield Desk(machine, home)


def told(outcome: Outcome, identity: str) -> tuple[str, str]:
    found = outcome.finding(identity)
    return found["severity"], found["summary"]


def test_a_host_that_is_not_as_safe_as_its_operator_thinks(desk: Desk) -> None:
    _by_an_ordinary_login(desk)
    rules = desk.lptui("sudoers", "h1")
    assert "NOPASSWD: /usr/sbin/sshd -T" in rules.out, rules.out
    desk.machine.write("/etc/sudoers.d/lptui", rules.out, 0o440)
    assert desk.lptui("sudoers", "--check", "h1").code == 0
    _with_the_rules(desk)


def _by_an_ordinary_login(desk: Desk) -> None:
    seen = desk.check()
    units = {one["name"]: one for one in seen.reading("HostUnits", "h1")["value"]["units"]}
    assert units["orch.service"]["watchdog_seconds"] == 300
    assert units["reward.service"]["start_flags"] == []
    severity, summary = told(seen, "fd-limit@orch")
    assert severity == "WARNING"
    assert summary == "may have 20000 files open, its unit asks for 50000"
    severity, summary = told(seen, "role-mismatch@reward")
    assert severity == "CRITICAL"
    assert "its unit does not give -reward" in summary
    severity, summary = told(seen, "port-unexpected@h1")
    assert severity == "WARNING"
    assert f"0.0.0.0:{OPEN} (stray.service)" in summary
    severity, summary = told(seen, "port-open@h1")
    assert severity == "CRITICAL"
    assert f"{desk.machine.address}:{OPEN}" in summary
    assert str(CLOSED) not in summary
    for check in ("ssh-password-login@h1", "ssh-root-login@h1"):
        severity, summary = told(seen, check)
        assert severity == "UNKNOWN"
        assert "sshd -T" in summary
        assert "lptui sudoers h1" in seen.finding(check)["remedy"]
    assert told(seen, "keystore-blank-passphrase@orch")[0] == "UNKNOWN"
    # The root of such a host is an overlay, whose devices nobody tells.
    assert told(seen, "disk-encryption@h1")[0] == "UNKNOWN"
    assert told(seen, "security-updates@h1")[0] == "OK"
    value: Any = seen.reading("HostSafety", "h1")["value"]
    assert value["updates"]["source"] == "apt-get"
    assert value["fqdn"] == desk.machine.name
    assert told(seen, "machine-twice@h1")[0] == "OK"


def _with_the_rules(desk: Desk) -> None:
    seen = desk.check()
    assert told(seen, "ssh-password-login@h1")[0] == "OK"
    assert told(seen, "ssh-root-login@h1")[0] == "OK"
    severity, summary = told(seen, "keystore-blank-passphrase@orch")
    assert (severity, summary) == ("CRITICAL", f"opens without a passphrase: {KEY}")
    lax = "PasswordAuthentication yes\nPermitRootLogin yes\n"
    desk.machine.write("/etc/ssh/sshd_config.d/00-lax.conf", lax)
    changed = desk.check()
    assert told(changed, "ssh-password-login@h1")[0] == "WARNING"
    assert told(changed, "ssh-root-login@h1")[0] == "CRITICAL"
