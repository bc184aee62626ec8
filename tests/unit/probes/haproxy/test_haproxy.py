"""HAProxy's answers, the samples being of a real 2.6."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.errors import BadAnswerError, HttpError, LptuiError, ProblemKind, TransportError
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Server
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Endpoint, Fleet
from lptui.probes.haproxy import dialogue
from lptui.probes.haproxy.probe import HaproxyProbe
from lptui.probes.haproxy.state import parse_page, parse_socket, with_shares
from lptui.probes.probe import Asking
from lptui.transport.fake import FakeReach
from lptui.transport.protocols import HttpAnswer, Output
from tests.unit.probes.hostile import HOSTILE

SAMPLES = Path(__file__).parent / "samples"
SOCKET = (SAMPLES / "socket.txt").read_bytes()
PAGE = (SAMPLES / "page.csv").read_text()
LB = "lb-1"
PATH = "/run/haproxy/admin.sock"
STATS = Endpoint("http://127.0.0.1:8404/stats", "edge-1")


def _servers(state: BalancerState) -> dict[str, Server]:
    return {server.name: server for server in state.servers}


def test_wish_and_health_are_told_apart() -> None:
    servers = _servers(parse_socket(SOCKET))
    assert {name: (server.admin, server.health) for name, server in servers.items()} == {
        "o1": (AdminState.READY, Health.UP),
        "o2": (AdminState.DRAIN, Health.DOWN),
        "o3": (AdminState.READY, Health.UP),
        "o4": (AdminState.READY, Health.NO_CHECK),
        "o5": (AdminState.READY, Health.NO_CHECK),
        "o6": (AdminState.MAINT, Health.UNKNOWN),
        "t1": (AdminState.READY, Health.UP),
        "t2": (AdminState.MAINT, Health.UNKNOWN),
        "named": (AdminState.READY, Health.UNRESOLVED),
    }


def test_server_figures() -> None:
    servers = _servers(parse_socket(SOCKET))
    assert servers["o1"].total_sessions == 6
    assert servers["o1"].check == "L4OK"
    assert servers["o2"].check_detail == "DOWN: Connection refused"
    assert (servers["o3"].backup, servers["o3"].session_limit) == (True, 20)
    assert servers["o1"].session_limit is None
    assert (servers["o5"].weight, servers["o5"].configured_weight) == (0, 1)
    assert servers["t2"].check_detail == "MAINT (via web/o6)"
    assert servers["named"].address == "name.invalid:80"
    assert servers["o5"].health_source == ""


def test_balancer_and_proxies() -> None:
    state = parse_socket(SOCKET)
    assert (state.kind, state.version, state.level) == ("haproxy", "2.6.12-1+deb12u4", "admin")
    assert state.pid
    assert state.uptime_s is not None
    web = state.backend("web")
    assert web is not None
    assert (web.status, web.active, web.backup, web.algorithm) == ("UP", 2, 1, "roundrobin")
    assert [proxy.name for proxy in state.proxies if proxy.kind == "frontend"] == [
        "stats",
        "public",
    ]
    assert state.old_workers is None


def test_a_page_hides_the_wish_of_a_server_that_is_down() -> None:
    servers = _servers(parse_page(PAGE))
    assert (servers["o2"].admin, servers["o2"].health) == (AdminState.UNKNOWN, Health.DOWN)
    assert servers["o1"].admin is AdminState.READY
    assert servers["o6"].admin is AdminState.MAINT
    assert servers["o1"].configured_weight is None


@pytest.mark.parametrize(
    ("status", "admin", "health"),
    [
        ("UP 1/2", AdminState.READY, Health.GOING_DOWN),
        ("DOWN 1/2", AdminState.UNKNOWN, Health.GOING_UP),
        ("DOWN (agent)", AdminState.UNKNOWN, Health.DOWN),
        ("DRAIN", AdminState.DRAIN, Health.UP),
        ("DRAIN (agent)", AdminState.DRAIN, Health.UP),
        ("NOLB 1/2", AdminState.READY, Health.GOING_DOWN),
        ("MAINT (resolution)", AdminState.READY, Health.UNRESOLVED),
        ("something new", AdminState.UNKNOWN, Health.UNKNOWN),
    ],
)
def test_words_of_the_status_column(status: str, admin: AdminState, health: Health) -> None:
    lines = PAGE.splitlines()
    column = lines[0].removeprefix("# ").split(",").index("status")
    row = next(line for line in lines if line.startswith("web,o1,")).split(",")
    row[column] = status
    servers = _servers(parse_page("\n".join([lines[0], lines[-1], ",".join(row)])))
    assert (servers["o1"].admin, servers["o1"].health) == (admin, health)


def test_slow_start_is_told() -> None:
    raw = SOCKET.replace(b" 2 0 100 100 ", b" 1 0 100 100 ")
    assert _servers(parse_socket(raw))["o1"].health is Health.STARTING


def test_an_agent_is_told() -> None:
    raw = SOCKET.replace(b"3 1 6 0 0 0 -", b"3 1 6 22 0 0 -")
    assert _servers(parse_socket(raw))["o1"].agent


def test_an_old_worker_says_so() -> None:
    state = parse_socket(SOCKET.replace(b"Stopping: 0", b"Stopping: 1"))
    assert "old worker" in state.notes[0]


@pytest.mark.parametrize("length", [0, 1, 40, 2000, len(SOCKET) // 2, len(SOCKET) - 20])
def test_a_cut_answer_is_refused(length: int) -> None:
    with pytest.raises(BadAnswerError):
        parse_socket(SOCKET[:length])


def test_a_page_cut_in_a_row_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="cut"):
        parse_page(PAGE[: len(PAGE) * 2 // 3])


@pytest.mark.parametrize(
    "raw",
    [
        b"\n[3]: Permission denied\n\n" + b"x\n\n" * 3,
        b"\nPermission denied\n\n" + b"x\n\n" * 3,
    ],
)
def test_a_refusal_comes_as_text(raw: bytes) -> None:
    with pytest.raises(BadAnswerError, match="Permission denied") as caught:
        parse_socket(raw)
    assert caught.value.kind is ProblemKind.FORBIDDEN


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\n\n\n\n\n\n",
        b"\x16\x03\x01\x02\x00\x01\n\n\n\n\n\n",
        b"\nUnknown command\n\n\n\n\n",
        b"\n" * 10,
    ],
)
def test_something_else_than_haproxy_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAnswerError):
        parse_socket(raw)


def _later(state: BalancerState, **sessions: int) -> BalancerState:
    servers = tuple(
        replace(one, total_sessions=(one.total_sessions or 0) + sessions.get(one.name, 0))
        for one in state.servers
    )
    return replace(state, servers=servers, uptime_s=(state.uptime_s or 0) + 3)


def test_shares_of_new_sessions() -> None:
    first = parse_socket(SOCKET)
    assert all(server.share is None for server in with_shares(first, None).servers)
    shares = _servers(with_shares(_later(first, o1=3, o3=1), first))
    assert [shares[name].share for name in ("o1", "o3", "o2")] == [75.0, 25.0, 0.0]
    assert shares["t1"].share is None, "its backend had no traffic"


def test_no_share_is_claimed_across_a_reload_or_cleared_counters() -> None:
    first = parse_socket(SOCKET)
    later = _later(first, o1=3)
    assert _servers(with_shares(replace(later, pid=1), first))["o1"].share is None
    assert _servers(with_shares(replace(later, uptime_s=0.0), first))["o1"].share is None
    cleared = _later(first, o1=-2, o3=5)
    assert _servers(with_shares(cleared, first))["o3"].share is None


def _asking(reach: FakeReach, **fields: Any) -> Asking:
    fields = {"host": "edge-1", "socket": PATH, **fields}
    balancer = Balancer(LB, BalancerKind.HAPROXY, **fields)
    fleet = Fleet("test", balancers=MappingProxyType({LB: balancer}))
    return Asking(fleet, reach, FrozenClock(), Snapshot(fleet), 5.0)


async def _ask(asking: Asking) -> BalancerState:
    [answer] = await HaproxyProbe().ask(asking, LB)
    assert answer.key == Key(BalancerState, LB)
    assert isinstance(answer.value, BalancerState)
    return answer.value


async def test_asks_the_socket_once() -> None:
    reach = FakeReach(sockets={f"edge-1 {PATH}": SOCKET})
    asking = _asking(reach)
    assert await _ask(asking) == parse_socket(SOCKET)
    assert [kind for kind, _, _ in reach.asked] == ["exchange"]
    known: Reading[object] = Reading(_later(parse_socket(SOCKET), o1=-2), None, "", 1.0)
    again = replace(asking, latest=Snapshot(asking.fleet, {Key(BalancerState, LB): known}))
    assert _servers(await _ask(again))["o1"].share is None, "uptime went back"


async def test_only_the_backends_of_interest_are_kept() -> None:
    reach = FakeReach(sockets={f"edge-1 {PATH}": SOCKET})
    state = await _ask(_asking(reach, backends=("tcp", "typo")))
    assert {server.backend for server in state.servers} == {"tcp"}
    assert "'typo'" in state.notes[0]


async def test_a_tcp_socket_that_may_change_things_is_noted() -> None:
    reach = FakeReach(sockets={"edge-1 127.0.0.1:9999": SOCKET})
    state = await _ask(_asking(reach, socket="127.0.0.1:9999"))
    assert "anybody" in state.notes[0]


async def test_the_page_is_read_where_the_socket_is_not_to_be_had() -> None:
    reach = FakeReach(pages={f"GET {STATS.url};csv": PAGE})
    state = await _ask(_asking(reach, stats=STATS))
    assert _servers(state)["o2"].admin is AdminState.UNKNOWN
    assert "read by HTTP" in state.notes[0]
    assert _servers(await _ask(_asking(reach, host=None, socket=None, stats=STATS)))


@pytest.mark.parametrize(
    ("seen", "says", "kind"),
    [
        ("", "no such socket", ProblemKind.REFUSED),
        ("there", "group haproxy", ProblemKind.FORBIDDEN),
        ("hidden", "may not look", ProblemKind.FORBIDDEN),
        ("there usable", "sshd", ProblemKind.REFUSED),
    ],
)
async def test_a_socket_that_does_not_open_is_explained(
    seen: str, says: str, kind: ProblemKind
) -> None:
    with pytest.raises(TransportError) as caught:
        await _ask(_asking(FakeReach(commands={"edge-1": lambda _: Output(seen.encode(), 0)})))
    assert says in f"{caught.value} {caught.value.remedy}"
    assert caught.value.kind is kind


async def test_when_socket_and_page_fail_both_are_told() -> None:
    reach = FakeReach(pages={f"GET {STATS.url};csv": HttpAnswer(503, {}, b"<html>")})
    with pytest.raises(TransportError, match=r"503.*the socket: ") as caught:
        await _ask(_asking(reach, stats=STATS))
    assert "stats uri" in caught.value.remedy


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}"])
async def test_another_page_is_told_with_what_to_correct(body: bytes) -> None:
    reach = FakeReach(pages={f"GET {STATS.url};csv": HttpAnswer(200, {}, body)})
    with pytest.raises(BadAnswerError, match=f"statistics page of {LB}") as caught:
        await _ask(_asking(reach, host=None, socket=None, stats=STATS))
    assert "stats uri" in caught.value.remedy


async def test_a_page_that_wants_a_login_says_so() -> None:
    reach = FakeReach(pages={f"GET {STATS.url};csv": HttpAnswer(401, {}, b"<html>")})
    with pytest.raises(HttpError) as caught:
        await _ask(_asking(reach, host=None, socket=None, stats=STATS))
    assert caught.value.kind is ProblemKind.AUTHENTICATION


async def test_a_dead_host_stays_a_dead_host() -> None:
    dead = TransportError("edge-1", "no route", kind=ProblemKind.TIMEOUT)
    with pytest.raises(LptuiError, match="no route"):
        await _ask(_asking(FakeReach(down={"edge-1": dead})))


def test_sources_and_targets() -> None:
    asking = _asking(FakeReach(), stats=Endpoint("http://u:p@127.0.0.1:1/s", None), socket=None)
    assert HaproxyProbe().targets(asking.fleet) == (LB,)
    assert HaproxyProbe().source(asking.fleet, LB) == "http://127.0.0.1:1/s"
    nothing = _asking(FakeReach(), socket=None)
    assert HaproxyProbe().targets(nothing.fleet) == ()


_LINES = SOCKET.decode().splitlines()


@HOSTILE
@given(st.lists(st.sampled_from(_LINES) | st.text(max_size=30), max_size=40))
@example([*_LINES[:60], '"' * 3, *_LINES[60:]])
def test_any_lines_are_a_state_or_a_bad_answer(lines: list[str]) -> None:
    for text in ("\n".join(lines), "\n".join([*_LINES[:60], *lines, "", "", ""])):
        try:
            state = parse_socket(text.encode("utf-8", "replace"))
        except BadAnswerError:
            continue
        assert state.proxies


@HOSTILE
@given(st.binary(max_size=200), st.integers(0, len(SOCKET)), st.integers(0, 60))
def test_any_bytes_are_a_state_or_a_bad_answer(noise: bytes, at: int, cut: int) -> None:
    try:
        parse_socket(SOCKET[:at] + noise + SOCKET[at + cut :])
    except BadAnswerError:
        return


@HOSTILE
@given(st.lists(st.sampled_from(PAGE.splitlines()) | st.text(max_size=30), max_size=20))
def test_any_page_is_a_state_or_a_bad_answer(lines: list[str]) -> None:
    try:
        parse_page("\n".join(lines))
    except BadAnswerError:
        return


def test_setters_that_are_obeyed_answer_with_empty_lines_alone() -> None:
    assert dialogue.split(b"\n\n", 2) == [[], []]
    with pytest.raises(BadAnswerError, match="without an answer"):
        dialogue.split(b"", 1)
