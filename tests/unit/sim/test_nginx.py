"""nginx on a simulated host: files are edited, tested and loaded, and traffic follows what is
loaded.
"""

from __future__ import annotations

import json

import pytest

from lptui.sim.serve.http import HttpReply, HttpRequest
from lptui.sim.serve.network import Network
from lptui.sim.world.nginx import MAIN, parse
from tests.unit.sim.acting import Hosts
from tests.unit.sim.recorder import spawn

HOST = "rpc-edge"
LINK = "/etc/nginx/sites-enabled/rpc.conf"
SITE = "/etc/nginx/sites-available/rpc.conf"
FIRST, SECOND = "10.20.2.1:8547", "10.20.2.2:8547"
DRAFT, KEPT = (f"/etc/nginx/sites-available/.rpc.conf.lptui-{what}" for what in ("new", "old"))


@pytest.fixture
def hosts() -> Hosts:
    made = Hosts()
    made.later(5)
    return made


def workers(hosts: Hosts, *, finishing: bool = False) -> set[int]:
    word = "nginx: worker process" + (" is shutting down" if finishing else "")
    processes = hosts.world.machines[HOST].processes.values()
    return {process.pid for process in processes if process.argv == (word,)}


def replace(hosts: Hosts, old: str, new: str) -> None:
    """The edit protocol of the console: beside it, kept, and in its place in one instant."""
    assert hosts.run(HOST, "readlink", "-f", LINK).stdout.decode() == f"{SITE}\n"
    text = hosts.run(HOST, "cat", SITE).stdout.decode()
    assert old in text
    hosts.done(HOST, "cp", "-p", SITE, DRAFT)
    hosts.done(HOST, "tee", DRAFT, stdin=text.replace(old, new).encode())
    hosts.done(HOST, "cp", "-p", SITE, KEPT)
    hosts.done(HOST, "mv", "-f", DRAFT, SITE)


def asked(hosts: Hosts) -> str:
    """Which RPC node a request to the pool comes to."""
    network = Network(hosts.world, spawn)
    handler = network._pool()
    for name in ("nitro-1", "nitro-2"):
        hosts.world.rpcs[name].asked = 0
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}).encode()
    reply = handler(HttpRequest("POST", "/", "", {}, call, {}))
    assert isinstance(reply, HttpReply)
    if reply.status == 502:
        return ""
    [name] = [one for one in ("nitro-1", "nitro-2") if hosts.world.rpcs[one].asked]
    return name


def test_what_is_on_the_disk_is_not_what_is_loaded(hosts: Hosts) -> None:
    assert asked(hosts) == "nitro-1"
    replace(hosts, f"{FIRST} max_fails=2 fail_timeout=5s", f"{FIRST} down")
    assert parse(hosts.world.machines[HOST].files)["arbitrum_rpc"][0].is_down
    assert asked(hosts) == "nitro-1"
    hosts.done(HOST, "nginx", "-t")
    hosts.done(HOST, "nginx", "-s", "reload")
    assert asked(hosts) == "nitro-2"
    hosts.done(HOST, "mv", "-f", KEPT, SITE)
    hosts.done(HOST, "nginx", "-s", "reload")
    assert asked(hosts) == "nitro-1"


def test_a_reload_is_a_new_generation_of_workers_under_the_same_master(hosts: Hosts) -> None:
    unit = hosts.world.machines[HOST].units["nginx.service"]
    before, master = workers(hosts), unit.pid
    hosts.done(HOST, "nginx", "-s", "reload")
    assert unit.pid == master
    assert len(workers(hosts)) == len(before) == 4
    assert not workers(hosts) & before
    assert workers(hosts, finishing=True) == before
    listed = hosts.run(HOST, "lptui_nginx").stdout.decode()
    assert listed.count("worker process is shutting down") == 4
    hosts.wait(4)
    assert not workers(hosts, finishing=True)
    assert len(workers(hosts)) == 4


def test_dates_tell_an_edit_from_a_load(hosts: Hosts) -> None:
    def modified() -> float:
        said = hosts.run(HOST, "stat", "-L", "-c", "%Y %y %n", "--", LINK).stdout.decode()
        seconds, _, clock, *_ = said.split()
        return int(seconds) + float(f"0.{clock.partition('.')[2]}")

    old = modified()
    replace(hosts, "least_conn", "random")
    now = hosts.world.host_time(hosts.world.machines[HOST])
    assert abs(modified() - now) < 0.001
    hosts.done(HOST, "mv", "-f", KEPT, SITE)
    assert modified() == old


def test_the_dump_has_every_file_that_is_included_and_no_draft(hosts: Hosts) -> None:
    hosts.done(HOST, "cp", "-p", SITE, "/etc/nginx/sites-enabled/.rpc.conf.lptui-new")
    dump = hosts.run(HOST, "nginx", "-T")
    assert dump.stdout.decode().count("# configuration file ") == 2
    assert f"# configuration file {LINK}:\nupstream arbitrum_rpc {{" in dump.stdout.decode()
    assert b"test is successful" in dump.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f"{FIRST} max_fails=2", f"{FIRST} weight=0", 'invalid parameter "weight=0" in '),
        (f"{FIRST} max_fails=2", f"{FIRST} slow_start=9s", 'invalid parameter "slow_start=9s"'),
        (f"{FIRST} max_fails=2", f"{FIRST} backup", 'no servers in upstream "arbitrum_rpc"'),
        ("keepalive 16;", "keepalive 16", 'unexpected "}"'),
        ("keepalive 16;\n}", "keepalive 16;\n", "unexpected end of file"),
        ("keepalive 16;", ";", 'unexpected ";"'),
    ],
)
def test_files_with_a_mistake_are_refused_and_what_runs_goes_on(
    hosts: Hosts, old: str, new: str, said: str
) -> None:
    before = workers(hosts)
    replace(hosts, old, new)
    for words in (("-t",), ("-T",), ("-s", "reload")):
        done = hosts.root(HOST, "nginx", *words)
        assert (done.status, done.stdout) == (1, b"")
        assert done.stderr.decode().startswith("nginx: [emerg] ")
        assert said in done.stderr.decode()
    assert workers(hosts) == before
    assert asked(hosts) == "nitro-1"
    stopped = hosts.root(HOST, "systemctl", "restart", "nginx.service")
    assert stopped.status == 1
    assert hosts.show(HOST, "nginx.service", "ActiveState") == {"ActiveState": "failed"}


def test_a_file_that_is_included_and_gone(hosts: Hosts) -> None:
    hosts.done(HOST, "tee", MAIN, stdin=b"events {}\nhttp { include gone.conf; }\n")
    done = hosts.root(HOST, "nginx", "-t")
    assert (done.status, b'open() "/etc/nginx/gone.conf" failed' in done.stderr) == (1, True)


def test_a_login_may_look_and_neither_write_nor_signal(hosts: Hosts) -> None:
    assert hosts.run(HOST, "nginx", "-T").status == 0
    for words in (
        ("nginx", "-s", "reload"),
        ("cp", "-p", SITE, DRAFT),
        ("mv", "-f", SITE, DRAFT),
        ("rm", "-f", SITE),
        ("tee", SITE),
    ):
        done = hosts.run(HOST, *words, stdin=b"events {}")
        assert done.status == 1, words
        assert b"not permitted" in done.stderr or b"Permission denied" in done.stderr
    assert asked(hosts) == "nitro-1"


def test_a_server_that_does_not_answer_is_passed_over(hosts: Hosts) -> None:
    hosts.done("nitro-1", "systemctl", "stop", "nitro.service")
    assert asked(hosts) == "nitro-2"
    hosts.done("nitro-2", "systemctl", "stop", "nitro.service")
    assert asked(hosts) == ""


def test_weights_share_the_requests(hosts: Hosts) -> None:
    replace(hosts, f"{FIRST} max_fails=2", f"{FIRST} weight=3")
    hosts.done(HOST, "mv", "-f", SITE, DRAFT)
    text = hosts.done(HOST, "cat", DRAFT).replace(" backup", "")
    hosts.done(HOST, "tee", SITE, stdin=text.encode())
    hosts.done(HOST, "nginx", "-s", "reload")
    names = [asked(hosts) for _ in range(400)]
    assert names.count("nitro-1") == 300


def test_connections_are_those_of_who_is_asked_and_of_workers_that_finish(hosts: Hosts) -> None:
    def counted() -> list[str]:
        said = hosts.run(HOST, "lptui_established", "2163").stdout.decode().splitlines()
        assert (said[0], said[-1]) == ("login 1000", "end")
        return [line for line in said if line.startswith("to ")]

    assert counted() == ["to 33 0102140A:2163 4"]
    replace(hosts, f"{FIRST} max_fails=2 fail_timeout=5s", f"{FIRST} down")
    hosts.done(HOST, "nginx", "-s", "reload")
    assert counted() == ["to 33 0202140A:2163 4", "to 33 0102140A:2163 2"]
    hosts.wait(4)
    assert counted() == ["to 33 0202140A:2163 4"]
    assert hosts.run(HOST, "lptui_established", "0050").stdout.count(b"to ") == 0


def test_files_are_told_without_a_test(hosts: Hosts) -> None:
    hosts.done(HOST, "tee", MAIN, stdin=b"events {")
    said = hosts.run(HOST, "lptui_nginx_files", MAIN, "/etc/nginx/sites-enabled/*").stdout.decode()
    assert said.startswith(f"# configuration file {MAIN}:\nevents {{\n# configuration file {LINK}:")
