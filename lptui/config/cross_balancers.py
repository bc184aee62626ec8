"""What a load balancer's keys mean together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic_core import PydanticCustomError

from lptui.config.addresses import address_port
from lptui.config.defaults import DIRECT
from lptui.config.mistakes import Mistake, shown
from lptui.config.schema import NO_ENDPOINT, BalancerSpec
from lptui.config.view import View

_SOCKET_PREFIX: Final = re.compile(r"(?:unix|tcp|ipv[46])(?:://|@|:)(?=.)|UNIX-CONNECT:|TCP:")
_ONLY: dict[str, tuple[str, ...]] = {
    "haproxy": ("socket", "stats"),
    "nginx": ("config", "stub_status"),
}


def mistakes(view: View, name: str, balancer: BalancerSpec) -> Iterator[Mistake]:
    """All mistakes of one balancer."""
    loc = ("balancers", name)
    if balancer.host is not None:
        yield from view.unknown((*loc, "host"), "host", balancer.host)
    for kind, keys in _ONLY.items():
        for key in keys if kind != balancer.kind else ():
            if getattr(balancer, key) is not None:
                yield view.mistake(
                    (*loc, key), f"`{key}` is for {kind}, and '{name}' is {balancer.kind}", key=True
                )
    for key in ("stats", "stub_status"):
        endpoint = getattr(balancer, key)
        if endpoint is not None and endpoint.via is not None:
            yield from view.unknown((*loc, key, "via"), "host", endpoint.via, (DIRECT,))
        if endpoint is not None and endpoint.url == NO_ENDPOINT:
            yield view.mistake((*loc, key), f"`{key}` cannot be 'none': leave it out")
    if balancer.kind == "haproxy":
        yield from _haproxy(view, name, balancer)
    elif balancer.host is None and not view.is_wrong(loc, "host"):
        yield view.mistake(
            loc, f"nginx '{name}' has no `host`: its configuration is read there", key=True
        )
    for server, node in (balancer.servers or {}).items():
        yield from view.unknown((*loc, "servers", server), "node", node)


def _haproxy(view: View, name: str, balancer: BalancerSpec) -> Iterator[Mistake]:
    loc = ("balancers", name)
    readable = balancer.socket is not None or balancer.stats is not None
    if not readable and not view.is_wrong(loc, "socket", "stats"):
        yield view.mistake(
            loc, f"haproxy '{name}' has neither `socket` nor `stats`: nothing to read", key=True
        )
    if balancer.socket is None:
        return
    if balancer.host is None and not view.is_wrong(loc, "host"):
        yield view.mistake(
            (*loc, "socket"), "a runtime socket is on a host: `host` is missing", key=True
        )
    if not balancer.socket.startswith("/"):
        try:
            address_port(balancer.socket)
        except PydanticCustomError:
            yield view.mistake(
                (*loc, "socket"),
                f"'{shown(balancer.socket)}' is neither /path nor address:port",
                balancer.socket,
                _bare_socket(balancer.socket),
            )


def _bare_socket(written: str) -> str:
    """A socket as haproxy.cfg, socat or a URL writes it, without what stands before it."""
    bare = _SOCKET_PREFIX.sub("", written)
    return bare if bare != written else ""
