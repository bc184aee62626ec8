"""What is said to hold of hosts, against what is known of them; where keys are looked for."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.config.defaults import roles_of
from lptui.config.mistakes import Mistake
from lptui.config.schema import HostSpec
from lptui.config.view import View
from lptui.fleet.topology import Role

_KEYLESS = frozenset({Role.RPC, Role.TRANSCODER})


def mistakes(view: View) -> Iterator[Mistake]:
    """All mistakes of `safety`, and of `keystore_check`."""
    for name, host in view.hosts.items():
        yield from _host(view, name, host)
    for name, node in view.nodes.items():
        roles = roles_of(node)
        if node.keystore_check and roles and roles <= _KEYLESS:
            yield view.mistake(
                ("nodes", name, "keystore_check"), "a node of this role has no key", key=True
            )


def _host(view: View, name: str, host: HostSpec) -> Iterator[Mistake]:
    safety = host.safety
    if safety is None:
        return
    loc = ("hosts", name, "safety")
    closed = set(safety.closed_ports or ())
    is_direct = host.address is not None and not host.jump
    if closed and safety.public_address is None and not is_direct:
        yield view.mistake(
            (*loc, "closed_ports"),
            "where are they tried? give `public_address`: the host's own is not reached from here",
            key=True,
        )
    for port in sorted(closed & set(safety.allowed_ports or ())):
        yield view.mistake(
            (*loc, "closed_ports"), f"port {port} is among `allowed_ports` as well", key=True
        )
    if safety.public_address is not None and not closed:
        yield view.mistake(
            (*loc, "public_address"), "it is for `closed_ports`, and there are none", key=True
        )
