"""Asking for nginx's configuration, and its servers."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lptui.clock import FrozenClock
from lptui.errors import LptuiError, Problem, ProblemKind, TransportError
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    NginxServer,
    NginxUpstream,
)
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Endpoint, Fleet
from lptui.fleet.topology import Host as FleetHost
from lptui.probes.nginx import PROBES
from lptui.probes.probe import Answer, Asking
from lptui.transport.fake import HANG, FakeReach
from lptui.transport.protocols import Command, HttpAnswer, Output
from tests.unit.probes.nginx.test_dump import DUMP, MAIN, PROCESSES

CONFIG, STATE, CONNECTIONS = PROBES
LB, HOST = "lb-2", "edge-1"
DENIED = b'nginx: [emerg] open() "/run/nginx.pid" failed (13: Permission denied)\n'
NOTE = "requests also go where variables lead, which is not followed: http://$somewhere"
STUB = Endpoint("http://127.0.0.1:8081/status", HOST)
STUB_PAGE = (
    "Active connections: 7 \nserver accepts handled requests\n 10 10 31 \n"
    "Reading: 0 Writing: 1 Waiting: 6 \n"
)


def _asking(reach: FakeReach, known: Reading[Any] | None = None, **fields: Any) -> Asking:
    balancer = Balancer(LB, BalancerKind.NGINX, HOST, **fields)
    fleet = Fleet("test", balancers=MappingProxyType({LB: balancer}))
    readings = {Key(NginxConfig, LB): known} if known else {}
    return Asking(fleet, reach, FrozenClock(), Snapshot(fleet, readings), 5.0)


class Host:
    """A host with nginx; its files may be read by the login, by sudo, or not at all."""

    def __init__(self, dump: Any, files: Any = Output(b"", 0), sudo: Any = Output(b"", 1)) -> None:  # noqa: B008
        self.dump, self.files, self.sudo = dump, files, sudo
        self.modified = f"1763600000 {MAIN}\n"
        self.processes = PROCESSES

    def __call__(self, command: Command) -> Any:
        match command.argv[:2]:
            case ("nginx", "-v"):
                return "nginx version: nginx/1.22.1\n"
            case ("nginx", "-T"):
                return self.dump
            case ("sudo", "-n"):
                return self.sudo
            case ("lptui_nginx",):
                return self.processes
            case ("lptui_nginx_files", first):
                return self.files if first == MAIN else Output(b"", 0)
            case ("stat", _):
                return self.modified
        return Output(b"", 0 if command.argv[0] == "lptui_date" else 127)


async def _config(host: Host, **fields: Any) -> NginxConfig:
    asking = _asking(FakeReach(commands={HOST: host}), **fields)
    [answer] = await CONFIG.ask(asking, LB)
    assert isinstance(answer.value, NginxConfig)
    return answer.value


async def test_a_dump_with_its_processes() -> None:
    config = await _config(Host(DUMP))
    assert config.version == "1.22.1"
    assert len(config.upstreams) == 4
    assert (config.pid, config.old_workers, config.edited) == (700, 1, False)
    assert config.notes == (NOTE,)


async def test_files_newer_than_the_workers_are_edited_and_not_loaded() -> None:
    host = Host(DUMP)
    host.modified = f"1763600000 {MAIN}\n1763668000 /etc/nginx/lptui/orch.servers\n"
    assert (await _config(host)).edited is True
    host.modified = ""
    assert (await _config(host)).edited is None


@pytest.mark.parametrize(
    ("when", "edited"),
    [
        ("1763668801 {path}", True),
        ("1763668801 2025-11-20 20:00:01.120000000 +0000 {path}", True),
        ("1763668800 2025-11-20 20:00:00.700000000 +0000 {path}", True),
        # Within what the start of a worker is known by: loaded at once.
        ("1763668800 2025-11-20 20:00:00.100000000 +0000 {path}", False),
        ("1763668799 2025-11-20 19:59:59.999999999 +0000 {path}", False),
        ("{path} is not there", None),
    ],
)
async def test_a_file_is_newer_to_the_part_of_a_second(when: str, edited: bool | None) -> None:
    host = Host(DUMP)
    host.processes = (
        "now 1763668860.0\nuptime 1000.00 1.0\nhz 100\n"
        "process 700 1 90000 nginx: master process nginx\n"
        "process 701 700 94000 nginx: worker process\n"
    )
    host.modified = when.format(path=MAIN) + "\n"
    config = await _config(host)
    assert config.loaded_at == 1763668800.0
    assert config.edited is edited
    assert (config.workers, config.serving_s) == ((701,), 60.0)


async def test_without_the_right_to_test_the_files_are_read() -> None:
    config = await _config(Host(Output(DENIED, 1), files=DUMP))
    assert len(config.upstreams) == 4
    assert config.notes == (NOTE,)


async def test_sudo_is_the_last_resort() -> None:
    config = await _config(Host(Output(DENIED, 1), sudo=DUMP))
    assert len(config.upstreams) == 4


@pytest.mark.parametrize(("privilege", "tried"), [("doas", ["doas"]), ("none", []), ("root", [])])
async def test_root_only_in_the_way_that_the_host_allows(privilege: str, tried: list[str]) -> None:
    host = Host(Output(DENIED, 1), sudo=DUMP)
    seen: list[str] = []

    def answer(command: Command) -> Any:
        seen.append(command.argv[0])
        return host(command)

    asking = _asking(FakeReach(commands={HOST: answer}))
    hosts = MappingProxyType({HOST: FleetHost(HOST, None, privilege=privilege)})
    asking = replace(asking, fleet=replace(asking.fleet, hosts=hosts))
    with pytest.raises(LptuiError):
        await CONFIG.ask(asking, LB)
    assert [word for word in seen if word in ("sudo", "doas")] == tried


async def test_where_nothing_helps_the_sudoers_line_is_told() -> None:
    refused = Output(b"sudo: a password is required\n", 1)
    unreadable = f"# unreadable file {MAIN}:\n"
    with pytest.raises(LptuiError) as caught:
        await _config(Host(Output(DENIED, 1), files=unreadable, sudo=refused))
    assert caught.value.kind is ProblemKind.FORBIDDEN
    assert "password is required" in str(caught.value)
    assert "NOPASSWD: /usr/sbin/nginx -T" in caught.value.remedy


async def test_broken_files_are_told_by_nginx_s_own_words() -> None:
    broken = Output(b'nginx: [emerg] host not found in upstream "x:1" in /etc/nginx/a:3\n', 1)
    config = await _config(Host(broken, files=DUMP))
    assert "host not found" in config.refused
    assert config.upstreams
    with pytest.raises(LptuiError, match="host not found"):
        await _config(Host(broken))


@pytest.mark.parametrize(
    "words",
    [
        'mkdir() "/var/lib/nginx/body" failed (13: Permission denied)',
        'chown("/var/lib/nginx/body", 33) failed (1: Operation not permitted)',
        'open() "/run/nginx.pid" failed (30: Read-only file system)',
    ],
)
async def test_what_only_the_login_may_not_do_is_no_fault_of_the_files(words: str) -> None:
    config = await _config(Host(Output(f"nginx: [emerg] {words}\n".encode(), 1), files=DUMP))
    assert config.refused == ""


async def test_files_that_nginx_accepts_are_not_called_broken() -> None:
    many = "".join(f"# configuration file /etc/nginx/{number}:\n" for number in range(500))
    with pytest.raises(LptuiError, match=r"nginx accepts it.*more than") as caught:
        await _config(Host(many))
    assert caught.value.kind is ProblemKind.COMMAND_FAILED


async def test_passes_that_cannot_be_followed_are_noted() -> None:
    dump = f"# configuration file {MAIN}:\nhttp {{ server {{ proxy_pass http://$host; }} }}\n"
    assert "http://$host" in (await _config(Host(dump))).notes[0]


async def test_where_nginx_does_not_run_nothing_is_tested() -> None:
    host = Host(DUMP, files=DUMP)
    host.processes = PROCESSES.partition("process")[0]
    reach = FakeReach(commands={HOST: host})
    [answer] = await CONFIG.ask(_asking(reach), LB)
    assert isinstance(answer.value, NginxConfig)
    assert len(answer.value.upstreams) == 4
    assert (answer.value.pid, answer.value.edited, answer.value.old_workers) == (None, None, None)
    assert "no nginx is running" in answer.value.notes[0]
    assert not [what for _, _, what in reach.asked if "-T" in what]
    host.files = Output(b"", 0)
    with pytest.raises(LptuiError, match="no such file"):
        await _config(host)


def _known(*servers: NginxServer, scheme: str = "http", context: str = "http") -> Reading[Any]:
    upstream = NginxUpstream("orch", context, servers, scheme=scheme)
    other = NginxUpstream("other", "http", (NginxServer("192.0.2.99:80"),))
    value = NginxConfig((upstream, other), ("443",), version="1.22.1", pid=700, edited=True)
    return Reading(value, None, "", 1_799_999_990.0)


A, B = NginxServer("192.0.2.11:8935", weight=3), NginxServer("192.0.2.12:8935", down=True)


async def _ask(asking: Asking) -> Answer:
    [answer] = await STATE.ask(asking, LB)
    assert answer.key == Key(BalancerState, LB)
    return answer


async def _state(reach: FakeReach, known: Reading[Any], **fields: Any) -> BalancerState:
    reach.commands.setdefault(HOST, Host(DUMP))
    answer = await _ask(_asking(reach, known, backends=("orch",), **fields))
    assert isinstance(answer.value, BalancerState)
    return answer.value


async def test_servers_are_asked_from_the_balancer_s_host() -> None:
    reach = FakeReach(connects={f"{HOST} {A.address}": 0.002})
    state = await _state(reach, _known(A, B, A))
    first, second, twin = state.servers
    assert (first.health, first.latency_s, first.health_source) == (Health.UP, 0.002, "probe")
    assert (first.weight, first.sessions, first.total_sessions) == (3, None, None)
    assert (second.admin, second.health, second.weight) == (AdminState.DOWN, Health.DOWN, 0)
    assert "refused" in second.check_detail
    assert twin.name != first.name
    backend = state.backend("orch")
    assert backend is not None
    assert (backend.status, backend.active, backend.backup) == ("UP", 2, 0)
    assert (state.edited, state.pid, state.connections) == (True, 700, None)
    assert state.proxies[0].addresses == ("443",)
    asked = [what for kind, _, what in reach.asked if kind == "connect"]
    assert asked == [A.address, B.address], "each once, and only the backends of interest"


async def test_a_forbidden_way_is_no_verdict_on_the_server() -> None:
    error = TransportError(A.address, "sshd does not allow it", kind=ProblemKind.FORBIDDEN)
    state = await _state(FakeReach(connects={f"{HOST} {A.address}": error}), _known(A))
    assert (state.servers[0].health, state.servers[0].health_source) == (Health.UNKNOWN, "")
    backend = state.backend("orch")
    assert backend is not None
    assert (backend.status, backend.active) == ("", None)


async def test_a_dead_host_is_not_taken_for_dead_servers() -> None:
    reach = FakeReach(down={HOST: TransportError(HOST, "gone", kind=ProblemKind.REFUSED)})
    with pytest.raises(LptuiError, match="gone"):
        await _state(reach, _known(A))


@pytest.mark.parametrize(("patience_s", "health"), [(0.1, Health.DOWN), (2.0, Health.UNKNOWN)])
async def test_a_silent_server_is_down_after_its_patience_and_not_before(
    monkeypatch: pytest.MonkeyPatch, patience_s: float, health: Health
) -> None:
    monkeypatch.setattr("lptui.probes.nginx.verdicts.PATIENCE_S", patience_s)
    reach = FakeReach(connects={f"{HOST} {A.address}": HANG})  # type: ignore[dict-item]
    asking = _asking(reach, _known(A))
    reach.commands[HOST] = Host(DUMP)
    answer = await _ask(replace(asking, deadline_s=0.2))
    assert answer.value.servers[0].health is health


@pytest.mark.parametrize(
    ("status", "health"), [(200, Health.UP), (302, Health.UP), (404, Health.DOWN)]
)
async def test_a_page_is_asked_for_where_one_is_named(status: int, health: Health) -> None:
    page = HttpAnswer(status, {}, b"", 0.01)
    reach = FakeReach(pages={f"GET https://{A.address}/healthz": page})
    state = await _state(reach, _known(A, scheme="https"), probe_path="/healthz")
    assert (state.servers[0].health, state.servers[0].latency_s) == (health, 0.01)
    assert str(status) in state.servers[0].check_detail


async def test_behind_a_stream_https_is_tried_before_http() -> None:
    not_tls = TransportError(A.address, "wrong version number", kind=ProblemKind.TLS)
    pages = {
        f"GET https://{A.address}/healthz": not_tls,
        f"GET http://{A.address}/healthz": "ok",
    }
    known = _known(A, scheme="", context="stream")
    state = await _state(FakeReach(pages=pages), known, probe_path="/healthz")
    assert state.servers[0].health is Health.UP


async def test_stub_status_and_its_absence() -> None:
    reach = FakeReach(connects={f"{HOST} {A.address}": 0.1}, pages={f"GET {STUB.url}": STUB_PAGE})
    state = await _state(reach, _known(A), stub_status=STUB)
    assert (state.connections, state.proxies[0].sessions) == (7, 7)
    reach.pages.clear()
    state = await _state(reach, _known(A), stub_status=STUB)
    assert state.connections is None
    assert state.notes[0] == "stub_status: status 404"
    assert state.proxies[0].status == "OPEN", "it answered, if only so"


async def test_an_nginx_that_runs_and_says_nothing_is_not_open() -> None:
    reach = FakeReach(connects={f"{HOST} {A.address}": 0.1}, pages={f"GET {STUB.url}": HANG})
    reach.commands[HOST] = Host(DUMP)
    answer = await _ask(replace(_asking(reach, _known(A), stub_status=STUB), deadline_s=0.3))
    assert answer.value.proxies[0].status == "SILENT"
    assert "stub_status" in answer.value.notes[0]


X = NginxServer("unix:/run/x.sock")


async def test_a_unix_socket_is_asked_like_any_server() -> None:
    state = await _state(FakeReach(connects={f"{HOST} /run/x.sock": 0.1}), _known(X))
    assert state.servers[0].health is Health.UP
    reach = FakeReach(pages={"GET unix:///run/x.sock/healthz": "ok"})
    state = await _state(reach, _known(X), probe_path="/healthz")
    assert state.servers[0].health is Health.UP


@pytest.mark.parametrize(
    ("seen", "health", "says"),
    [
        ("there usable", Health.DOWN, "nobody listens"),
        ("there", Health.UNKNOWN, "login may not use"),
        ("hidden", Health.UNKNOWN, "login may not use"),
        ("", Health.DOWN, "no such socket"),
    ],
)
async def test_a_socket_that_is_closed_to_the_login_alone_is_not_down(
    seen: str, health: Health, says: str
) -> None:
    host = {HOST: lambda _: Output(seen.encode(), 0)}
    state = await _state(FakeReach(commands=dict(host)), _known(X))
    assert state.servers[0].health is health
    assert says in state.servers[0].check_detail


async def test_udp_cannot_be_asked_and_is_taken_for_neither_up_nor_down() -> None:
    reach = FakeReach()
    state = await _state(reach, _known(A, scheme="udp", context="stream"))
    assert (state.servers[0].health, state.servers[0].health_source) == (Health.NO_CHECK, "")
    backend = state.backend("orch")
    assert backend is not None
    assert backend.status == "UP"
    assert not [kind for kind, _, _ in reach.asked if kind == "connect"]


@pytest.mark.parametrize("scheme", ["grpc", "fastcgi", "uwsgi"])
async def test_a_page_is_asked_only_of_those_that_have_pages(scheme: str) -> None:
    reach = FakeReach(connects={f"{HOST} {A.address}": 0.1})
    state = await _state(reach, _known(A, scheme=scheme), probe_path="/healthz")
    assert state.servers[0].health is Health.UP


async def test_an_earlier_configuration_is_used_with_its_age() -> None:
    problem = Problem(ProblemKind.FORBIDDEN, "nginx -T", "no")
    failed: Reading[Any] = Reading(None, problem, "", 1_800_000_000.0, last_good=_known(A))
    state = await _state(FakeReach(connects={f"{HOST} {A.address}": 0.1}), failed)
    assert "10 s ago" in state.notes[0]
    asking = _asking(FakeReach(), failed)
    long_ago = asking.clock.now() - 10 * asking.fleet.intervals.slow
    stale = replace(failed, last_good=replace(_known(A), taken_at=long_ago))
    answer = await _ask(_asking(FakeReach(), stale))
    assert answer.problem == problem, "what it was an hour ago says nothing of now"
    answer = await _ask(_asking(FakeReach(), replace(failed, last_good=None)))
    assert answer.problem == problem
    answer = await _ask(_asking(FakeReach()))
    assert answer.problem is not None
    assert answer.problem.kind is ProblemKind.NOT_READ


def test_the_state_needs_the_configuration_first() -> None:
    assert STATE.needs == (CONFIG.name,)
    fleet = _asking(FakeReach()).fleet
    assert CONFIG.interval_s(fleet, LB) == fleet.intervals.slow
    assert STATE.interval_s(fleet, LB) == fleet.intervals.balancer
