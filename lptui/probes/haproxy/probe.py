"""Asks HAProxy: by its runtime socket, else by its statistics page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import urlsplit

from lptui.errors import BadAnswerError, HttpError, LptuiError, ProblemKind, TransportError
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.reading import Key
from lptui.fleet.topology import Balancer, BalancerKind, Endpoint, Fleet
from lptui.probes import sockets
from lptui.probes.backends import only
from lptui.probes.haproxy.commands import CSV_SUFFIX, READ
from lptui.probes.haproxy.state import parse_page, parse_socket, with_shares
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Reach

DUMP_LIMIT: Final = 4 * 1024 * 1024
"""Bytes; a server takes about 300."""

_UNEXPLAINED: Final = frozenset(
    {ProblemKind.UNREACHABLE, ProblemKind.REFUSED, ProblemKind.FORBIDDEN}
)
"""sshd says the same of a socket that is missing, not allowed or forbidden to forward."""


_PATH_REMEDY: Final = "check its address: the path is what `stats uri` says in haproxy.cfg"


class HaproxyProbe:
    """One loop a balancer, one connection a reading: HAProxy serves only ten at a time."""

    name: ClassVar[str] = "haproxy"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(
            balancer.name
            for balancer in fleet.balancers.values()
            if balancer.kind is BalancerKind.HAPROXY and (_socket(balancer) or balancer.stats)
        )

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.balancer

    def source(self, fleet: Fleet, target: str) -> str:
        balancer = fleet.balancers[target]
        if _socket(balancer):
            return f"{balancer.host}: {balancer.socket}"
        return page_words(balancer.stats) if balancer.stats else ""

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(BalancerState, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        balancer = asking.fleet.balancers[target]
        left = time_left(asking)
        state = await _read(asking.reach, balancer, left)
        wanted = with_shares(state, asking.latest.value(BalancerState, target))
        return [Answer(Key(BalancerState, target), only(wanted, balancer.backends))]


def page_words(page: Endpoint) -> str:
    """A page's address without a user name and password."""
    split = urlsplit(page.url)
    where = f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}"
    return clean(f"{page.via}: {where}" if page.via else where, 160)


def _socket(balancer: Balancer) -> tuple[str, str] | None:
    """Host and address of the runtime socket."""
    if balancer.host is None or not balancer.socket:
        return None
    return balancer.host, balancer.socket


async def _read(reach: Reach, balancer: Balancer, left: Callable[[], float]) -> BalancerState:
    socket = _socket(balancer)
    if socket is None:
        return await _read_page(reach, balancer, left)
    try:
        raw = await reach.exchange(*socket, READ, left() * 0.6, DUMP_LIMIT)
        return _with_warning(parse_socket(raw), socket[1])
    except LptuiError as error:
        if error.kind in _UNEXPLAINED and socket[1].startswith("/"):
            error = await _explained(reach, *socket, error, left)
        if balancer.stats is None:
            raise error from None
        try:
            state = await _read_page(reach, balancer, left)
        except LptuiError as other:
            why = f"{other.why}; the socket: {error}"
            raise TransportError(other.what, why, other.remedy, kind=other.kind) from None
        return replace(state, notes=(*state.notes, f"read by HTTP: {error}"))


async def _read_page(reach: Reach, balancer: Balancer, left: Callable[[], float]) -> BalancerState:
    page = balancer.stats
    if page is None:
        raise BadAnswerError(balancer.name, "has neither a socket nor a statistics page")
    what = f"statistics page of {balancer.name}"
    path = f"/{CSV_SUFFIX}" if urlsplit(page.url).path in ("", "/") else CSV_SUFFIX
    answer = await reach.http(page).request("GET", path, deadline_s=left(), limit=DUMP_LIMIT)
    if answer.status in (401, 403):
        raise HttpError(
            what,
            f"status {answer.status}: it wants another login",
            "give its `stats auth` login as the endpoint's secret",
            kind=ProblemKind.AUTHENTICATION,
            status=answer.status,
        )
    if answer.status != 200:
        raise HttpError(what, f"status {answer.status}", _PATH_REMEDY, status=answer.status)
    try:
        return parse_page(answer.text)
    except BadAnswerError as error:
        raise BadAnswerError(what, str(error), _PATH_REMEDY) from None


def _with_warning(state: BalancerState, address: str) -> BalancerState:
    """A runtime socket on TCP lets every local user in, whatever its level."""
    if address.startswith("/") or state.level in ("", "user"):
        return state
    note = f"the runtime socket {clean(address, 60)} is TCP: anybody who reaches it may use it"
    return replace(state, notes=(*state.notes, note))


async def _explained(
    reach: Reach, host: str, path: str, error: LptuiError, left: Callable[[], float]
) -> LptuiError:
    """The same error with its cause, as far as the host can be asked."""
    try:
        seen = await sockets.look(reach.shell(host), path, left())
    except LptuiError:
        return error
    what = f"{clean(path, 80)} on {host}"
    if seen.is_hidden:
        return TransportError(
            what,
            "the login may not look into its folder",
            "add the login to the folder's group (haproxy), and log in anew",
            kind=ProblemKind.FORBIDDEN,
        )
    if not seen.is_there:
        return TransportError(
            what,
            "there is no such socket",
            "check `stats socket` in haproxy.cfg, and that HAProxy runs",
            kind=ProblemKind.REFUSED,
        )
    if not seen.may_use:
        return TransportError(
            what,
            "the login may not use the socket",
            "add the login to group haproxy (and log in anew)",
            kind=ProblemKind.FORBIDDEN,
        )
    return TransportError(
        what,
        "the socket is there and may be used, but it could not be opened",
        "HAProxy has ended, or sshd forbids it (AllowStreamLocalForwarding, PermitOpen)",
        kind=error.kind,
    )
