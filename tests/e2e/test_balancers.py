"""One load balancer broken at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.e2e.command import Outcome
from tests.e2e.fleet import HOSTS, MACHINE, Document, Edit, RealFleet, machine, upstream
from tests.e2e.servers import blackhole, flood, greeting, talking, unused_port
from tests.haproxy import Haproxy, haproxy
from tests.nginx import Nginx, nginx
from tests.sshd import SSHD, need


def socket_at(address: str) -> Edit:
    """HAProxy's runtime socket is said to be elsewhere."""

    def edit(document: Document) -> None:
        document["balancers"]["edge"]["socket"] = address

    return edit


def assert_the_rest_is_read(outcome: Outcome, *broken: str) -> None:
    """Everything but this balancer; each error says what to do."""
    for one in outcome.json["readings"]:
        if one["error"] is not None:
            assert one["error"]["remedy"], one
            assert one["error"]["why"], one
    assert set(outcome.errors) <= {f"{topic}@{name}" for topic in TOPICS for name in broken}
    assert not set(outcome.errors) & {f"HostVitals@{name}" for name in HOSTS}


TOPICS = ("BalancerState", "NginxConfig", "NginxConnections")


@pytest.fixture
def own_haproxy(real_fleet: RealFleet) -> Iterator[Haproxy]:
    """A HAProxy of the test's own, over the fleet's servers, to be killed."""
    servers = [
        f"o{number} {real_fleet.backends[f'orch-{number}'].address} check inter 200ms"
        for number in (1, 2)
    ]
    with real_fleet.stage.holding(haproxy(servers)) as one:
        yield one


@pytest.fixture
def own_nginx(real_fleet: RealFleet) -> Iterator[Nginx]:
    """An nginx of the test's own, over the fleet's servers, to be spoiled."""
    servers = upstream(real_fleet.backends["arb-1"], real_fleet.backends["arb-2"])
    with real_fleet.stage.holding(nginx(servers)) as one:
        yield one


def nginx_at(one: Nginx) -> Edit:
    """The fleet's nginx is this one."""

    def edit(document: Document) -> None:
        document["balancers"]["rpc-edge"] |= {
            "config": str(one.config),
            "stub_status": {"url": one.status_url, "via": "edge"},
        }

    return edit


# HAProxy


def test_socket_missing(real_fleet: RealFleet) -> None:
    outcome = real_fleet.check(socket_at("/run/nowhere/admin.sock"))
    assert outcome.error("BalancerState", "edge")["kind"] == "refused"
    found = outcome.finding("lb-up@edge")
    assert found["severity"] == "CRITICAL"
    assert "no such socket" in found["summary"]
    assert "stats socket" in found["remedy"]
    assert_the_rest_is_read(outcome, "edge")
    assert outcome.roots(MACHINE) == {"lb-up@edge": "CRITICAL"}


@pytest.fixture
def lesser_root(real_fleet: RealFleet, tmp_path: Path) -> Iterator[Edit]:
    """`edge` is reached by a login that file permissions hold for, even where it is root."""
    program = SSHD
    if os.geteuid() == 0:
        setpriv = need(shutil.which("setpriv"), "setpriv")
        program = str(tmp_path / "sshd-without-capabilities")
        Path(program).write_text(
            f'#!/bin/sh\nexec {setpriv} --bounding-set -dac_override,-dac_read_search {SSHD} "$@"\n'
        )
        Path(program).chmod(0o755)
    with mock.patch("tests.sshd.SSHD", program):
        server = machine(tmp_path / "sshd", real_fleet.identity)
    known = (real_fleet.folder / "known_hosts").read_text() + server.known_hosts.read_text()
    (tmp_path / "known_hosts").write_text(known)

    def edit(document: Document) -> None:
        document["ssh"]["known_hosts"] = str(tmp_path / "known_hosts")
        document["hosts"]["edge"]["port"] = server.port

    try:
        yield edit
    finally:
        server.stop()


@contextlib.contextmanager
def closed(path: Path) -> Iterator[None]:
    """Nobody may read or write a file."""
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(mode)


def test_socket_forbidden(real_fleet: RealFleet, lesser_root: Edit) -> None:
    with closed(Path(real_fleet.haproxy.socket)):
        outcome = real_fleet.check(lesser_root)
    assert outcome.error("BalancerState", "edge")["kind"] == "forbidden"
    found = outcome.finding("lb-up@edge")
    # It may run well: nobody can tell.
    assert found["severity"] == "UNKNOWN"
    assert "haproxy" in found["remedy"]
    assert_the_rest_is_read(outcome, "edge")


@pytest.mark.parametrize("level", ["user", "operator"])
def test_lower_levels_are_enough_to_read(real_fleet: RealFleet, level: str) -> None:
    one = real_fleet.haproxy
    outcome = real_fleet.check(socket_at(one.user_socket if level == "user" else one.cli_address))
    assert outcome.errors == {}
    assert outcome.reading("BalancerState", "edge")["value"]["level"] == level
    assert outcome.roots(MACHINE) == {}
    if level == "operator":
        assert any("TCP" in line for line in outcome.finding("lb-up@edge")["evidence"])


def test_socket_on_tcp_refused_hanging_flooding_garbled(real_fleet: RealFleet) -> None:
    with unused_port() as port:
        outcome = real_fleet.check(socket_at(f"127.0.0.1:{port}"))
    assert outcome.error("BalancerState", "edge")["kind"] == "refused"
    assert_the_rest_is_read(outcome, "edge")
    with talking(flood) as port:
        outcome = real_fleet.check(socket_at(f"127.0.0.1:{port}"))
    assert outcome.error("BalancerState", "edge")["kind"] == "output-too-large"
    assert_the_rest_is_read(outcome, "edge")


@pytest.mark.slow
@pytest.mark.parametrize("says", [b"", b"\x1b[31mHTTP/1.0 400 bad\r\n[red]"])
def test_socket_on_tcp_that_hangs(real_fleet: RealFleet, says: bytes) -> None:
    with talking(greeting(says)) if says else blackhole() as port:
        outcome = real_fleet.check(socket_at(f"127.0.0.1:{port}"), answer_s=8)
    assert outcome.error("BalancerState", "edge")["kind"] in ("timeout", "bad-answer")
    assert outcome.severity("lb-up@edge") == "CRITICAL"
    assert_the_rest_is_read(outcome, "edge")


def test_server_down(real_fleet: RealFleet) -> None:
    stage, one = real_fleet.stage, real_fleet.backends["orch-1"]
    stage.do(one.stop())
    try:
        stage.do(real_fleet.haproxy.until_status("web/o1", "DOWN"))
        outcome = real_fleet.check()
    finally:
        stage.do(one.start())
        stage.do(real_fleet.haproxy.until_status("web/o1", "UP"))
    assert outcome.errors == {}
    assert outcome.roots(MACHINE) == {"lb-server@edge/web/o1": "CRITICAL"}
    assert "orch-1" in outcome.finding("lb-server@edge/web/o1")["summary"]
    assert outcome.severity("lb-backend@edge/web") == "WARNING"


def test_all_servers_down(real_fleet: RealFleet) -> None:
    stage = real_fleet.stage
    both = [real_fleet.backends[name] for name in ("orch-1", "orch-2")]
    for one in both:
        stage.do(one.stop())
    try:
        for name in ("web/o1", "web/o2"):
            stage.do(real_fleet.haproxy.until_status(name, "DOWN"))
        outcome = real_fleet.check()
    finally:
        for one in both:
            stage.do(one.start())
        for name in ("web/o1", "web/o2"):
            stage.do(real_fleet.haproxy.until_status(name, "UP"))
    assert outcome.severity("lb-backend@edge/web") == "CRITICAL"


def test_server_drained(real_fleet: RealFleet) -> None:
    stage = real_fleet.stage
    stage.do(real_fleet.haproxy.cli("set server web/o1 state drain"))
    try:
        outcome = real_fleet.check()
    finally:
        stage.do(real_fleet.haproxy.cli("set server web/o1 state ready"))
    assert outcome.roots(MACHINE) == {"lb-server@edge/web/o1": "WARNING"}
    found = outcome.finding("lb-server@edge/web/o1")
    assert "drained" in found["summary"]
    assert found["action"] == "undrain"


def test_haproxy_killed(real_fleet: RealFleet, own_haproxy: Haproxy) -> None:
    healthy = real_fleet.check(socket_at(own_haproxy.socket))
    assert healthy.errors == {}
    own_haproxy.process.kill()
    real_fleet.stage.do(own_haproxy.process.wait())
    outcome = real_fleet.check(socket_at(own_haproxy.socket))
    assert outcome.error("BalancerState", "edge")["kind"] == "refused"
    assert outcome.roots(MACHINE) == {"lb-up@edge": "CRITICAL"}
    assert "HAProxy has ended" in outcome.finding("lb-up@edge")["remedy"]
    assert_the_rest_is_read(outcome, "edge")


@pytest.mark.slow
def test_haproxy_stopped(real_fleet: RealFleet, own_haproxy: Haproxy) -> None:
    own_haproxy.process.send_signal(signal.SIGSTOP)
    try:
        outcome = real_fleet.check(socket_at(own_haproxy.socket), answer_s=8)
    finally:
        own_haproxy.process.send_signal(signal.SIGCONT)
    assert outcome.error("BalancerState", "edge")["kind"] == "timeout"
    assert outcome.roots(MACHINE) == {"lb-up@edge": "CRITICAL"}
    assert_the_rest_is_read(outcome, "edge")


def test_the_statistics_page_instead_of_the_socket(real_fleet: RealFleet) -> None:
    def edit(document: Document) -> None:
        edge = document["balancers"]["edge"]
        del edge["socket"]
        edge["stats"] = {"url": real_fleet.haproxy.stats_url, "via": "edge"}

    outcome = real_fleet.check(edit)
    assert outcome.errors == {}
    assert outcome.roots(MACHINE) == {}


# nginx


def test_configuration_broken_under_a_running_nginx(
    real_fleet: RealFleet, own_nginx: Nginx
) -> None:
    """It still serves: that is not told as down, nor as well."""
    text = own_nginx.config.read_text()
    own_nginx.config.write_text(f"{text}\nserver {{ oops \x1b[31m[red] ;")
    outcome = real_fleet.check(nginx_at(own_nginx))
    assert outcome.error("NginxConfig", "rpc-edge")["kind"] == "bad-answer"
    found = outcome.finding("lb-up@rpc-edge")
    assert found["severity"] == "CRITICAL"
    assert "configuration is broken" in found["summary"]
    assert "does not answer" not in found["summary"]
    assert "nginx -t" in found["remedy"]
    assert_the_rest_is_read(outcome, "rpc-edge")


def test_configuration_that_is_binary_or_huge(real_fleet: RealFleet, own_nginx: Nginx) -> None:
    text = own_nginx.config.read_text()
    own_nginx.config.write_bytes(bytes(range(256)) * 20)
    outcome = real_fleet.check(nginx_at(own_nginx))
    assert outcome.error("NginxConfig", "rpc-edge")["kind"] in ("bad-answer", "command-failed")
    assert_the_rest_is_read(outcome, "rpc-edge")
    own_nginx.config.write_text(text + "# \x1b[2J[red]\n" * 400_000)
    outcome = real_fleet.check(nginx_at(own_nginx))
    assert outcome.error("NginxConfig", "rpc-edge")["kind"] == "output-too-large"
    assert outcome.severity("lb-up@rpc-edge") == "UNKNOWN"
    assert_the_rest_is_read(outcome, "rpc-edge")


def test_configuration_missing(real_fleet: RealFleet) -> None:
    def edit(document: Document) -> None:
        document["balancers"]["rpc-edge"]["config"] = "/etc/nowhere/nginx.conf"

    outcome = real_fleet.check(edit)
    assert outcome.error("NginxConfig", "rpc-edge")["kind"] == "command-failed"
    assert outcome.severity("lb-up@rpc-edge") == "UNKNOWN"
    assert_the_rest_is_read(outcome, "rpc-edge")


def test_configuration_forbidden(
    real_fleet: RealFleet, own_nginx: Nginx, lesser_root: Edit
) -> None:
    def edit(document: Document) -> None:
        lesser_root(document)
        nginx_at(own_nginx)(document)

    with closed(own_nginx.config):
        outcome = real_fleet.check(edit)
    assert outcome.error("NginxConfig", "rpc-edge")["kind"] == "forbidden"
    found = outcome.finding("lb-up@rpc-edge")
    assert found["severity"] == "UNKNOWN"
    assert "sudoers" in found["remedy"]
    assert_the_rest_is_read(outcome, "rpc-edge")


def test_nginx_stopped(real_fleet: RealFleet, own_nginx: Nginx) -> None:
    """Its files can still be read: that is no sign of life."""
    own_nginx.process.terminate()
    real_fleet.stage.do(own_nginx.process.wait())
    outcome = real_fleet.check(nginx_at(own_nginx))
    found = outcome.finding("lb-up@rpc-edge")
    assert found["severity"] == "CRITICAL"
    assert "not seen to run" in found["summary"]
    assert found["remedy"]
    assert_the_rest_is_read(outcome, "rpc-edge")


@pytest.mark.slow
def test_nginx_hangs(real_fleet: RealFleet, own_nginx: Nginx) -> None:
    """Its processes are there, and nobody gets an answer."""
    pids = [own_nginx.process.pid, *own_nginx.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        outcome = real_fleet.check(nginx_at(own_nginx))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    found = outcome.finding("lb-up@rpc-edge")
    assert found["severity"] == "CRITICAL"
    assert "does not answer" in found["summary"]
    assert_the_rest_is_read(outcome, "rpc-edge")


def test_nginx_s_server_down(real_fleet: RealFleet) -> None:
    one = real_fleet.backends["arb-1"]
    real_fleet.stage.do(one.stop())
    try:
        outcome = real_fleet.check()
    finally:
        real_fleet.stage.do(one.start())
    identity = f"lb-server@rpc-edge/rpc/{one.address}"
    assert outcome.roots(MACHINE) == {identity: "CRITICAL"}
    assert "arb-1" in outcome.finding(identity)["summary"]
    # nginx checks nothing: it was the console that asked.
    assert "health check" not in outcome.finding(identity)["summary"]
