"""One try of one address."""

from __future__ import annotations

from lptui.errors import LptuiError
from lptui.fleet.facts.links import Attempt
from lptui.probes.probe import Asking


async def attempt(
    asking: Asking, host: str | None, address: str, deadline_s: float, *, tls: bool
) -> Attempt:
    """Opens and closes a connection to `address:port` from a host (None: from here)."""
    try:
        made = await asking.reach.contact(host, address, deadline_s, tls=tls)
    except LptuiError as error:
        return Attempt(address, problem=error.problem())
    return Attempt(address, made.took_s, certificate=made.certificate)
