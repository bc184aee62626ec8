"""Upkeep and drift of two hosts with a real systemd, as cron sees them."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.site import Site, installed, two_hosts, unit
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-t.service"
SECRET = "hunter2-of-the-tests"
OLD, NEW = "6f" * 32, "7a" * 32
GIB = 1024**3

STATE = json.dumps(
    {
        "name": "/box",
        "state": {"Status": "running", "Running": True, "Pid": 1},
        "restarts": 0,
        "policy": "always",
        "image": "node:1",
    }
)
ENGINE = f"""\
#!/bin/sh
# Says of one container and its image what docker would.
case "$1 $5 $4" in
"container box "*RestartCount*) echo '{STATE}';;
"container box "*) echo '{json.dumps({"name": "/box", "id": f"sha256:{OLD}", "image": "node:1"})}';;
"image node:1 "*) echo '{json.dumps({"id": f"sha256:{NEW}", "digests": []})}';;
"image {OLD} "*) echo '{json.dumps({"id": f"sha256:{OLD}", "digests": [f"node@sha256:{OLD}"]})}';;
*) exit 1;;
esac
"""


def transcoder(host: SystemdHost, gas: str, *more: str, extra: str = "") -> str:
    flags = ("-transcoder", "-orchAddr", f"{host.gateway}:8935", "-cliAddr=127.0.0.1:6935")
    return unit(
        *flags, "-maxGasPrice", gas, "-orchSecret", SECRET, *more,
        extra=f"User=ops\nTimeoutStopSec=1\n{extra}",
    )  # fmt: skip


def declared(site: Site) -> None:
    for number, host in enumerate((site.h1, site.h2), 1):
        site.node(f"t{number}", host.name, "transcoder", UNIT, 6935)
    site.document["nodes"]["box"] = {
        "host": site.h2.name, "role": "gateway", "container": "box", "cli": "none"
    }  # fmt: skip
    site.document["minimum_versions"] = {"livepeer": "0.9"}
    site.document["hosts"][site.h1.name]["backups"] = {
        "keys": {"path": "/srv/backup/keys-*.gz", "checksum": True},
        "small": {"path": "/srv/backup/small.gz", "min_size": "1 kB", "max_age": "1h"},
        "gone": {"path": "/srv/backup/gone.gz"},
    }
    site.document["hosts"][site.h2.name]["backups"] = {"closed": {"path": "/srv/closed/*.gz"}}


def prepared(site: Site) -> None:
    """Backups and an engine: what is well, and what is not."""
    for name, text in (("keys-1.gz", "old"), ("keys-2.gz", "content"), ("small.gz", "x")):
        site.h1.write(f"/srv/backup/{name}", text)
    digest = hashlib.sha256(b"content, as it was").hexdigest()
    site.h1.write("/srv/backup/keys-2.gz.sha256", f"{digest}  keys-2.gz\n")
    site.h1.run("touch", "-d", "2 days ago", "/srv/backup/small.gz")
    site.h1.run("touch", "-d", "2 hours ago", "/srv/backup/keys-1.gz")
    site.h2.run("install", "-d", "-m", "700", "/srv/closed")
    site.h2.write("/usr/local/bin/docker", ENGINE, 0o755)


def has_run(host: SystemdHost) -> bool:
    """Whether its unit's process has been there for a while: what is read of it is of it alone."""
    since_s = int(host.property(UNIT, "ExecMainStartTimestampMonotonic")) / 1e6
    up_s = float(host.run("cat", "/proc/uptime").split()[0])
    return 0 < since_s < up_s - 2


async def checked(site: Site) -> dict[str, Any]:
    outcome = await site.lptui("check", "--format", "json")
    assert SECRET not in outcome.out + outcome.err
    return {found["id"]: found for found in outcome.json["findings"]}


def filled(state: Path) -> None:
    """What earlier runs would have kept, if the disks had filled up since the day before."""
    document = json.loads(state.read_text())
    for entry in document["hosts"].values():
        for mount in entry["HostGrowth"]:
            _, _, _, available, *samples = mount
            now = samples[-1][0]
            a_span = available // 18
            mount[4:] = [[now - ago, available + ago * a_span] for ago in range(12, -1, -1)]
    state.write_text(json.dumps(document))


async def test_drift_and_upkeep(systemd_hosts: HostFactory, tmp_path: Path) -> None:
    h1, h2 = systemd_hosts(2)
    site = two_hosts(h1, h2, tmp_path)
    declared(site)
    with ExitStack() as stack:
        stack.callback(h1.run, "rm", "-rf", "/srv/backup")
        stack.callback(h2.run, "rm", "-rf", "/srv/closed", "/usr/local/bin/docker")
        prepared(site)
        stack.enter_context(installed(h1, UNIT, transcoder(h1, "5")))
        text = transcoder(h2, "50", extra="LimitNOFILE=2048\n")
        stack.enter_context(installed(h2, UNIT, text))
        found = await checked(site)
        _first(site, found)

        h1.unit(UNIT, transcoder(h1, "7"))
        h2.write(f"/etc/systemd/system/{UNIT}", text.replace("2048", "4096"))
        filled(site.operator.state / "hosts.json")
        h1.write("/srv/backup/keys-2.gz", "content, as it was")
        site.document["may_differ"] = ["maxGasPrice", "LimitNOFILE"]
        found = await checked(site)
        _then(site, found)


def _first(site: Site, found: dict[str, Any]) -> None:
    drift = found["settings-drift@role:transcoder"]
    assert drift["severity"] == "WARNING"
    assert drift["summary"] == "2 settings differ: LimitNOFILE, -maxGasPrice"
    assert drift["evidence"][1] == "-maxGasPrice: 5 on t1; 50 on t2"
    assert "2048 on t2" in drift["evidence"][0]
    h1, h2 = site.h1.name, site.h2.name
    assert {key: found[f"unit-stale@{key}"]["severity"] for key in ("t1", "t2")} == {
        "t1": "OK",
        "t2": "OK",
    }
    assert found["version-old@t1"]["summary"] == "runs 0.8.9, older than 0.9"
    old = found[f"backup-old@{h1}"]
    assert (old["severity"], old["summary"]) == (
        "CRITICAL",
        "gone: there is none (/srv/backup/gone.gz)",
    )
    assert "1 bytes, less than 1000" in found[f"backup-small@{h1}"]["summary"]
    assert found[f"backup-damaged@{h1}"]["severity"] == "CRITICAL"
    closed = found[f"backup-old@{h2}"]
    assert closed["severity"] == "UNKNOWN"
    assert "/srv/closed is closed to the login" in closed["summary"]
    stale = found["container-stale@box"]
    assert (stale["severity"], stale["remedy"]) == (
        "WARNING",
        "make the container anew in a quiet hour",
    )
    assert "not known yet" in found[f"disk-filling@{h1}"]["summary"]


def _then(site: Site, found: dict[str, Any]) -> None:
    assert found["settings-drift@role:transcoder"]["severity"] == "OK"
    stale = found["unit-stale@t1"]
    assert stale["severity"] == "WARNING"
    assert "runs with -maxGasPrice 5, its unit says -maxGasPrice 7" in stale["summary"]
    assert "daemon-reload" in found["unit-stale@t2"]["remedy"]
    filling = found[f"disk-filling@{site.h1.name}"]
    assert filling["severity"] == "CRITICAL"
    assert "/ is full in 1.5 days" in filling["summary"]
    assert found[f"backup-damaged@{site.h1.name}"]["severity"] == "OK", "written to: read again"


async def test_files_that_were_written_to_since_a_node_was_started(
    systemd_hosts: HostFactory, tmp_path: Path
) -> None:
    """Environment and configuration files, through a link, in a closed folder, and gone."""
    h1, h2 = systemd_hosts(2)
    site = two_hosts(h1, h2, tmp_path)
    site.node("t1", h1.name, "transcoder", UNIT, 6935)
    named = "EnvironmentFile=/etc/stale/env\nEnvironmentFile=-/etc/stale/none\n"
    named += "EnvironmentFile=/srv/stale/closed.env\nWorkingDirectory=/etc/stale\n"
    with ExitStack() as stack:
        stack.callback(h1.run, "rm", "-rf", "/etc/stale", "/srv/stale")
        for path in ("/etc/stale/env", "/etc/stale/1.conf", "/etc/stale/2.conf"):
            h1.write(path, "")
            h1.run("touch", "-d", "1 hour ago", path)
        h1.run("ln", "-s", "1.conf", "/etc/stale/conf")
        h1.run("touch", "-h", "-d", "1 hour ago", "/etc/stale/conf")
        h1.write("/srv/stale/closed.env", f"LP_ORCHSECRET={SECRET}\n", 0o600)
        h1.run("chmod", "700", "/srv/stale")
        text = transcoder(h1, "5", "-config conf", extra=named)
        stack.enter_context(installed(h1, UNIT, text))
        await until(lambda: has_run(h1), 30)

        found = (await checked(site))["unit-stale@t1"]
        assert (found["severity"], found["summary"]) == ("OK", "runs as its unit says")
        assert any("/srv/stale/closed.env" in line for line in found["evidence"])
        assert not any("/etc/stale" in line for line in found["evidence"])

        later = h1.run("date", "-d", "5 seconds", "+%s").strip()
        await until(lambda: h1.run("date", "+%s").strip() >= later, 30)
        h1.write("/etc/stale/env", "LP_V=6\n")
        h1.run("ln", "-sfn", "2.conf", "/etc/stale/conf")
        found = (await checked(site))["unit-stale@t1"]
        assert found["severity"] == "WARNING"
        assert "/etc/stale/env was written to since it was started" in found["summary"]
        assert "/etc/stale/conf was written to since it was started" in found["summary"]
        assert "restart it" in found["remedy"]

        h1.run("systemctl", "restart", UNIT)
        await until(lambda: has_run(h1), 30)
        assert (await checked(site))["unit-stale@t1"]["severity"] == "OK"
        h1.run("rm", "/etc/stale/env")
        found = (await checked(site))["unit-stale@t1"]
        assert "/etc/stale/env is gone, which its next start reads" in found["summary"]
