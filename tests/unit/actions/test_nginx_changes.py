"""What is refused of nginx before anything is written, and what a plan shows of an edit."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lptui.actions.drivers.driver import STATE, WEIGHT, Change
from lptui.actions.drivers.nginx import NginxDriver
from lptui.actions.moves import servers, sessions
from lptui.actions.moves.move import Seen, Standing
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    NginxConnections,
    Server,
)
from lptui.fleet.pools import Place
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Fleet, Host
from lptui.probes.nginx.dump import read, split
from lptui.probes.nginx.upstreams import find

LB = "edge"
BALANCER = Balancer(LB, BalancerKind.NGINX, "h", config_path="/etc/nginx/nginx.conf")
FLEET = Fleet(
    "test",
    hosts=MappingProxyType({"h": Host("h", None)}),
    balancers=MappingProxyType({LB: BALANCER}),
)
DRIVER = NginxDriver()
DUMP = """# configuration file /etc/nginx/nginx.conf:
stream { upstream orch { server 192.0.2.7:1; server 192.0.2.7:1; } }
http {
  upstream orch { ip_hash; server 192.0.2.1:1 weight=2; server 192.0.2.2:1; }
  upstream pair { server 192.0.2.1:1; server 192.0.2.2:1 backup; server 192.0.2.3:1 down; }
  upstream a { include /etc/nginx/shared; }
  upstream b { include /etc/nginx/shared; }
  server { location / { proxy_pass http://192.0.2.9:99; } }
}

# configuration file /etc/nginx/shared:
server 192.0.2.4:1;
server 192.0.2.5:1;
"""


def config(**changes: Any) -> NginxConfig:
    known = find(read(split(DUMP))).known
    usual = NginxConfig(known, pid=700, workers=(701, 702), edited=False, old_workers=0)
    return replace(usual, **changes)


def snapshot(*values: Any) -> Snapshot:
    readings = {Key(type(one), LB): Reading(one, None, "", 1.0, interval_s=60.0) for one in values}
    return Snapshot(FLEET, readings, taken_at=1.0)


def out(path: str, to: str = AdminState.DRAIN) -> Change:
    backend, _, name = path.rpartition("/")
    was = AdminState.READY if to == AdminState.DRAIN else AdminState.DRAIN
    return Change(backend, name, STATE, was, to)


def weight(path: str, to: str, was: str = "1") -> Change:
    backend, _, name = path.rpartition("/")
    return Change(backend, name, WEIGHT, was, to)


def hindrance(*changes: Change, **facts: Any) -> str:
    return DRIVER.hindrance(BALANCER, snapshot(config(**facts)), changes)


def test_what_may_be_done() -> None:
    assert hindrance(out("orch/192.0.2.1:1"), out("orch (stream)/192.0.2.7:1 #2")) == ""
    assert hindrance(weight("orch/192.0.2.1:1", "5", "2")) == ""
    assert hindrance(out("a/192.0.2.4:1"), out("b/192.0.2.4:1")) == ""
    assert hindrance(out("pair/192.0.2.1:1")) == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (out("orch/192.0.2.99:1"), "not in its files"),
        (out("192.0.2.9:99/192.0.2.9:99"), "in no upstream block"),
        (out("a/192.0.2.4:1"), "b/192.0.2.4:1 would change as well"),
        (out("orch/192.0.2.1:1", AdminState.MAINT), "no state maint"),
        (weight("orch/192.0.2.1:1", "0", "2"), "no weight 0"),
        (weight("orch/192.0.2.1:1", "1; }", "2"), "no weight"),
        (weight("pair/192.0.2.2:1", "3"), "only one of its kind"),
        (weight("pair/192.0.2.3:1", "3"), "its weight would not show"),
    ],
)
def test_what_is_refused(change: Change, why: str) -> None:
    assert why in hindrance(change)


def test_a_configuration_that_is_not_what_runs_is_not_loaded_by_the_way() -> None:
    change = out("orch/192.0.2.1:1")
    assert "[emerg]" in hindrance(change, refused="[emerg] broken")
    assert "could not be told" in hindrance(change, pid=None, notes=("2 nginx are running",))
    assert "nginx -s reload -c /etc/nginx/nginx.conf" in hindrance(change, edited=True)
    # Its own edit, which a console did not come to load.
    assert hindrance(out("pair/192.0.2.3:1"), edited=True) == ""
    assert "not read" in DRIVER.hindrance(BALANCER, snapshot(), [change])


def test_the_plan_shows_each_statement_before_and_after() -> None:
    changes = [out("pair/192.0.2.3:1", AdminState.READY), weight("pair/192.0.2.3:1", "4")]
    words = DRIVER.call_words(BALANCER, changes, snapshot(config()))
    assert (
        "/etc/nginx/nginx.conf: `server 192.0.2.3:1 down;` -> `server 192.0.2.3:1 weight=4;`"
        in words
    )
    assert "mv -f /etc/nginx/.nginx.conf.lptui-new /etc/nginx/nginx.conf" in words
    assert words.endswith(
        "nginx -t -c /etc/nginx/nginx.conf; nginx -s reload -c /etc/nginx/nginx.conf"
    )
    assert DRIVER.call_words(BALANCER, changes).startswith("h: ")


def state(admin: AdminState, *, edited: bool | None = False, old: int | None = 0) -> BalancerState:
    server = Server("orch", "192.0.2.1:1", "192.0.2.1:1", admin, Health.UP, weight=2)
    return BalancerState("nginx", "", (), (server,), edited=edited, old_workers=old)


def seen(admin: AdminState, *, edited: bool | None = False) -> Standing:
    step = servers.step(BALANCER, [out("orch/192.0.2.1:1")], "out", floor=1)
    move = servers.ServersMove()
    return move.seen(step, snapshot(state(admin, edited=edited)), None).standing


def test_what_a_file_says_is_made_only_when_it_is_loaded() -> None:
    assert seen(AdminState.READY) is Standing.BEFORE
    assert seen(AdminState.DOWN) is Standing.MADE
    for edited in (True, None):
        assert seen(AdminState.DOWN, edited=edited) is Standing.PARTLY
        # The file was put back, and what runs may be the other one.
        assert seen(AdminState.READY, edited=edited) is Standing.PARTLY


def waited(old: int | None, held: int | None) -> Seen:
    place = Place(LB, "orch", "192.0.2.1:1")
    step = sessions.step(BALANCER, [place], wait_s=1, late="stop")
    values: list[Any] = [state(AdminState.DOWN, old=old)]
    if held is not None:
        values.append(NginxConnections((("192.0.2.1:1", held),)))
    return sessions.SessionsMove().seen(step, snapshot(*values), None)


@pytest.mark.parametrize(
    ("old", "held", "standing"),
    [
        (0, 0, Standing.MADE),
        (0, 5, Standing.MADE),  # somebody else's
        (0, None, Standing.MADE),
        (1, 0, Standing.MADE),
        (1, 5, Standing.BEFORE),
        (1, None, Standing.BEFORE),
        (None, 0, Standing.MADE),
        (None, 5, Standing.BEFORE),
        (None, None, Standing.UNKNOWN),
    ],
)
def test_sessions_have_ended_when_no_old_worker_can_have_one(
    old: int | None, held: int | None, standing: Standing
) -> None:
    assert waited(old, held).standing is standing


def test_what_still_holds_a_server_is_named() -> None:
    assert waited(2, 3).words == "orch/192.0.2.1:1: 3 connections from h, 2 old workers"
