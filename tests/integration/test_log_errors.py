"""Errors in a log that systemd appends to a file, on a real host in a zone of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sshd import need
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts

__all__ = ["systemd_hosts"]

UNIT = "livepeer-files.service"
FOLDER = "/var/log/livepeer"
LOG = f"{FOLDER}/node.log"
FIFO, NODE, CLOCK = "/opt/logs", "/opt/node.sh", "/etc/localtime"
ZONE, EAST = "/usr/share/zoneinfo/Asia/Kolkata", "UTC+05:30"
SCRIPT = f"""while read -r line; do
    [ "${{line#goroutine}}" = "$line" ] || {{ echo "$line"; continue; }}
    echo "E$(date '+%m%d %H:%M:%S.%6N')       1 x.go:1] $line"
done <> {FIFO}
"""


@pytest.fixture
def host(systemd_hosts: HostFactory) -> Iterator[SystemdHost]:
    """A host whose node writes what it is told, by glog's stamps, to a file."""
    (host,) = systemd_hosts(1)
    host.run("rm", "-rf", FIFO, FOLDER)
    host.run("mkfifo", FIFO)
    host.run("mkdir", FOLDER)
    host.write(NODE, SCRIPT)
    host.run("ln", "-sf", ZONE, CLOCK)
    host.unit(UNIT, f"[Service]\nExecStart=/bin/sh {NODE}\nStandardOutput=append:{LOG}\n")
    host.run("systemctl", "start", UNIT)
    try:
        yield host
    finally:
        host.remove_unit(UNIT)
        host.run("rm", "-rf", FOLDER, CLOCK)


def say(host: SystemdHost, *lines: str) -> None:
    """The node's log has these lines when this returns."""
    quoted = " ".join(f"'{line}'" for line in lines)
    files = f"$(ls {FOLDER}/node.log* | grep -v gz)"
    script = (
        f"printf '%s\\n' {quoted} > {FIFO}; n=0; until cat {files} | grep -qF '{lines[-1]}'; do "
        "n=$((n+1)); [ $n -lt 500 ] || exit 1; sleep 0.02; done"
    )
    host.run("sh", "-c", script)


def checked(host: SystemdHost, folder: Path) -> dict[str, Any]:
    """What a check from cron says of the node's log."""
    ssh = host.ssh()
    fleet = {
        "name": "test",
        "ssh": {"known_hosts": ssh.known_hosts, "config": []},
        "hosts": {"h": {"address": ssh.address, "user": ssh.user, "identity": ssh.identities[0]}},
        "nodes": {
            "talk": {
                "host": "h", "role": "transcoder", "unit": UNIT, "cli": "none",
                "logs": [{"file": LOG}],
            }
        },
        "thresholds": {"log_errors_warn": 3},
    }  # fmt: skip
    config = folder / "fleet.yaml"
    config.write_text(json.dumps(fleet))
    done = subprocess.run(
        [sys.executable, "-m", "lptui", "--config", str(config), "--headless", "check", "--format",
         "json"],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LPTUI_STATE": str(folder)},
    )  # fmt: skip
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return next(one for one in found if one["check"] == "log-errors")


@pytest.mark.parametrize("way", ["copytruncate\ncompress", "create 0644 root root\ndelaycompress"])
def test_a_node_whose_log_is_in_files_is_counted_across_its_rotation(
    host: SystemdHost, tmp_path: Path, way: str
) -> None:
    logrotate = need(shutil.which("logrotate", path="/usr/sbin:/usr/bin"), "logrotate")
    say(host, 'Error submitting segment err="EOF"', "dial tcp: connection refused", "goroutine 1")
    found = checked(host, tmp_path)
    assert (found["severity"], found["summary"].split(" in the last ")[0]) == (
        "OK",
        "2 errors in its log",
    )
    assert f"its lines' times were taken as {EAST}" in found["evidence"]

    config = tmp_path / "rotate.conf"
    config.write_text(f"{host.root}{LOG} {{\nsu root root\nrotate 3\n{way}\n}}\n")
    subprocess.run(
        [logrotate, "-f", "-s", str(tmp_path / "state"), str(config)], check=True, timeout=30
    )
    # After a rotation by name systemd goes on with the file that it has open.
    say(host, "panic: runtime error")
    found = checked(host, tmp_path)
    assert found["severity"] == "WARNING"
    assert found["summary"].startswith("3 errors in its log in the last ")
    assert sorted(found["summary"].partition(": ")[2].split(", ")) == [
        "eof 1",
        "panic 1",
        "refused 1",
    ]


def test_a_log_that_is_closed_to_the_login_is_unknown_with_what_to_do(
    host: SystemdHost, tmp_path: Path
) -> None:
    say(host, "connection refused")
    host.run("chmod", "600", LOG)
    found = checked(host, tmp_path)
    assert (found["severity"], found["summary"]) == (
        "UNKNOWN",
        f"not known: {LOG}: the login may not read it",
    )
    assert "its group (often adm), or an ACL" in found["remedy"]
    host.run("chmod", "700", FOLDER)
    found = checked(host, tmp_path)
    assert found["severity"] == "UNKNOWN"
    assert "closed to the login" in found["summary"]
