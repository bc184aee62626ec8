"""Load balancers: answering, serving, every server as it should be, and the right ones in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import SILENCE, View
from lptui.checks.words import listed, span
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    Proxy,
    Server,
)
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.pools import SERVING, entry_of, node_of
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Balancer, BalancerKind
from lptui.text import plural

UP: Final = "lb-up"
BACKEND: Final = "lb-backend"
SERVER: Final = "lb-server"
MEMBERS: Final = "lb-membership"

_MEND: Final = "mend it before nginx is reloaded or restarted; nginx -t tests it"


def balancer_up(view: View) -> Iterator[Finding]:
    """Does the balancer answer, and does it run what is on its disk?"""
    for balancer in view.fleet.balancers.values():
        reading = view.reading(BalancerState, balancer.name)
        state = view.value(reading)
        if state is None:
            yield _silent(view, balancer, reading)
            continue
        severity, summary, remedy = _well(view, balancer, state)
        yield Finding(
            UP,
            severity,
            "balancer",
            balancer.name,
            summary,
            (view.seen(reading), *state.notes[:3]),
            remedy,
        )


def _well(view: View, balancer: Balancer, state: BalancerState) -> tuple[Severity, str, str]:
    """Severity, summary, remedy of a balancer that was read."""
    has_page, note = balancer.stub_status is not None, "".join(state.notes[:1])
    runs = " ".join((state.kind, state.version)).strip()
    if _is_gone(state):
        # A login that may not see the processes of others would not see it run either.
        remedy = "see whether its service runs; nginx -t tests its configuration"
        if has_page:
            return Severity.CRITICAL, "nginx is not seen to run, nor does it answer", remedy
        return Severity.UNKNOWN, "nginx is not seen to run", remedy
    if any(proxy.status == "SILENT" for proxy in state.proxies):
        remedy = "see its error log; is the address of its `stub_status` right?"
        return Severity.CRITICAL, f"{runs} runs, but does not answer ({note})", remedy
    if broken := _broken(view, balancer):
        summary = f"{runs} runs, but its configuration on disk is broken: {broken}"
        return Severity.CRITICAL, summary, _MEND
    if shut := _shut(state):
        remedy = "`enable frontend NAME` on the runtime socket opens it; so does a reload"
        return Severity.CRITICAL, f"{runs} takes no connections on {listed(shut)}", remedy
    if state.edited:
        remedy = "test the configuration and reload, or put it back"
        return Severity.WARNING, f"{runs}: its files are newer than what it has loaded", remedy
    if has_page and state.connections is None:
        remedy = "correct `stub_status`: its address and path, and whom nginx allows there"
        return Severity.WARNING, f"{runs} runs; its status page cannot be read ({note})", remedy
    # Without a status page, only the servers behind nginx were asked.
    is_heard = state.kind != "nginx" or state.connections is not None
    summary = f"{runs} {'answers' if is_heard else 'runs'}"
    if state.old_workers:
        summary += f"; {plural(state.old_workers, 'old worker')} still finishing"
    return Severity.OK, summary, ""


def _is_gone(state: BalancerState) -> bool:
    """An nginx of which neither a process nor a page was found: all else is from its files."""
    fronts = [proxy for proxy in state.proxies if proxy.kind == "frontend"]
    return state.kind == "nginx" and bool(fronts) and not any(front.status for front in fronts)


def _broken(view: View, balancer: Balancer) -> str:
    """Why nginx would not start again; "" where nothing is known against it."""
    reading = view.readings(NginxConfig).get(balancer.name)
    if reading is None:
        return ""
    if reading.problem is not None:
        return str(reading.problem) if reading.problem.kind is ProblemKind.BAD_ANSWER else ""
    config = view.value(reading)
    return config.refused if config is not None else ""


def _shut(state: BalancerState) -> list[str]:
    """Frontends that somebody has told to take no connections."""
    fronts = [proxy for proxy in state.proxies if proxy.kind == "frontend"]
    return [one.name for one in fronts if one.status.upper().startswith(("PAUSED", "STOP"))]


def _silent(view: View, balancer: Balancer, reading: Reading[BalancerState]) -> Finding:
    cause = _blocker(view, balancer)
    found = view.unknown(UP, "balancer", balancer.name, reading, cause=cause)
    problem = reading.problem
    if cause or problem is None or problem.kind not in SILENCE - {ProblemKind.OUTPUT_TOO_LARGE}:
        return found
    if balancer.kind is BalancerKind.NGINX and problem.kind is ProblemKind.BAD_ANSWER:
        return Finding(
            UP,
            Severity.CRITICAL,
            "balancer",
            balancer.name,
            f"its configuration is broken: {problem}",
            found.evidence,
            _MEND,
        )
    return Finding(
        UP,
        Severity.CRITICAL,
        "balancer",
        balancer.name,
        f"does not answer: {problem}",
        found.evidence,
        problem.remedy or "see whether its service runs",
    )


def _blocker(view: View, balancer: Balancer) -> str:
    via = balancer.host
    if balancer.stats is not None and balancer.socket is None:
        via = balancer.stats.via
    return view.blocker(via)


def _states(
    view: View, check: str
) -> Iterator[tuple[Balancer, Reading[BalancerState], BalancerState] | Finding]:
    for balancer in view.fleet.balancers.values():
        reading = view.reading(BalancerState, balancer.name)
        state = view.value(reading)
        if state is not None:
            yield balancer, reading, state
        else:
            cause = _blocker(view, balancer) or f"{UP}@{balancer.name}"
            yield view.unknown(check, "balancer", balancer.name, reading, cause=cause)


def _of_interest(balancer: Balancer, backend: str) -> bool:
    return not balancer.backends or backend in balancer.backends


def backends(view: View) -> Iterator[Finding]:
    """Is there a server left to take traffic, and is it one of the ordinary ones?"""
    for item in _states(view, BACKEND):
        if isinstance(item, Finding):
            yield item
            continue
        balancer, reading, state = item
        names = dict.fromkeys(p.name for p in state.proxies if p.kind == "backend")
        names.update(dict.fromkeys(server.backend for server in state.servers))
        for gone in balancer.backends:
            names.setdefault(gone)
        for name in names:
            if not _of_interest(balancer, name):
                continue
            servers = state.backend_servers(name)
            proxy = state.backend(name)
            wanted = tuple(one for one in servers if serves(one) or not _rest(view, balancer, one))
            severity, summary = _backend(proxy, wanted)
            usable = sum(serves(server) for server in servers)
            yield Finding(
                BACKEND,
                severity,
                "balancer",
                f"{balancer.name}/{name}",
                summary,
                (view.says(reading, f"status {proxy.status or 'unknown'}" if proxy else "no row"),),
                _backend_remedy(severity, is_known=proxy is not None or bool(servers)),
                metrics=(Metric("servers_usable", usable, "", "", "1:"),) if servers else (),
                cause=_first_missing(balancer, servers) if severity is Severity.WARNING else "",
            )


def _rest(view: View, balancer: Balancer, server: Server) -> str:
    """Why the node that a server is does not run, as it should be; "" otherwise."""
    node = view.fleet.nodes.get(node_of(balancer, server))
    return view.rest(node) if node is not None else ""


def _first_missing(balancer: Balancer, servers: tuple[Server, ...]) -> str:
    """Id of the finding of the first server that takes no traffic."""
    missing = (server for server in _ordinary(servers) if not serves(server))
    return next((f"{SERVER}@{_target(balancer, server)}" for server in missing), "")


def _ordinary(servers: tuple[Server, ...]) -> list[Server]:
    """The servers that should take traffic: neither backups nor spare slots."""
    return [one for one in servers if not one.backup and one.health is not Health.UNUSED]


def _target(balancer: Balancer, server: Server) -> str:
    return f"{balancer.name}/{server.backend}/{server.name}"


def _backend_remedy(severity: Severity, *, is_known: bool) -> str:
    if not is_known:
        return "correct the balancer's `backends`, or put the backend into its configuration"
    if severity is Severity.CRITICAL:
        return "bring a server back: look at the nodes behind it"
    return "look at the servers that are not up" if severity else ""


def serves(server: Server) -> bool:
    """Whether new traffic may go to a server."""
    return server.admin is AdminState.READY and server.weight != 0 and server.health in SERVING


def _backend(proxy: Proxy | None, servers: tuple[Server, ...]) -> tuple[Severity, str]:
    if proxy is None and not servers:
        return Severity.CRITICAL, "the balancer knows no such backend"
    if not servers:
        if proxy is not None and proxy.status.upper().startswith(("UP", "OPEN")):
            return Severity.OK, "up; it has no servers of its own"
        return Severity.CRITICAL, "no servers"
    if proxy is not None and proxy.status.upper().startswith(("DOWN", "STOP")):
        return Severity.CRITICAL, f"down: none of {plural(len(servers), 'server')} can serve"
    ordinary = _ordinary(servers)
    spare = [server for server in servers if server.backup]
    up = [server for server in ordinary if serves(server)]
    unknown = sum(server.health is Health.UNKNOWN for server in servers)
    text = f"{len(up)} of {plural(len(ordinary), 'server')} serving"
    if up:
        some_missing = len(up) < len(ordinary)
        return (Severity.WARNING if some_missing else Severity.OK), text
    if any(serves(server) for server in spare):
        return Severity.WARNING, "running on a backup server alone"
    if unknown:
        return Severity.UNKNOWN, f"not known: the health of {plural(unknown, 'server')}"
    return Severity.CRITICAL, f"no server can serve ({plural(len(servers), 'server')} in all)"


def servers(view: View) -> Iterator[Finding]:
    """Each server: down by itself, or taken out by somebody?"""
    for item in _states(view, SERVER):
        if isinstance(item, Finding):
            yield item
            continue
        balancer, reading, state = item
        for server in state.servers:
            if not _of_interest(balancer, server.backend):
                continue
            severity, summary, remedy, action = _server(server)
            if server.changed_s is not None and severity:
                summary += f" for {span(server.changed_s)}"
            node = node_of(balancer, server)
            resting = _rest(view, balancer, server)
            if resting and severity and action == "restart":
                severity, summary, remedy, action = Severity.OK, resting, "", ""
            evidence = f"{server.admin}, {server.health}"
            if server.check:
                evidence += f", {server.check} {server.check_detail}".rstrip()
            yield Finding(
                SERVER,
                severity,
                "server",
                _target(balancer, server),
                summary + (f"; it is {node}" if node and severity else ""),
                (view.says(reading, evidence),),
                remedy,
                action,
                # A server that is down because its node is: the node is to be mended.
                cause=f"node-up@{node}" if node and action == "restart" else "",
            )


def _server(server: Server) -> tuple[Severity, str, str, str]:
    """Severity, summary, remedy, action."""
    down = server.health in (Health.DOWN, Health.GOING_UP, Health.UNRESOLVED)
    if server.admin is AdminState.DRAIN and server.health_source == "agent":
        return Severity.WARNING, "drained by its agent", "see what its agent answers, and why", ""
    if server.admin in (AdminState.DRAIN, AdminState.MAINT, AdminState.DOWN):
        word = {AdminState.DRAIN: "drained", AdminState.MAINT: "in maintenance"}
        text = f"{word.get(server.admin, 'disabled')} by hand{', and down too' * down}"
        return Severity.WARNING, text, "put it back when its work is done", "undrain"
    if server.health is Health.UNRESOLVED:
        return Severity.CRITICAL, "its name does not resolve", "see the balancer's resolvers", ""
    if server.health is Health.UNUSED:
        return Severity.OK, "a spare slot: its name has no address for it", "", ""
    if server.health is Health.DOWN:
        severity = Severity.WARNING if server.backup else Severity.CRITICAL
        text = "down by its health check"
        if server.health_source == "agent":
            text = "down by the word of its agent"
        if server.health_source == "probe":
            text = f"does not answer its balancer's host ({server.check_detail})"
        return severity, text, "look at the node behind it", "restart"
    if server.health is Health.GOING_UP:
        return Severity.WARNING, "was down, is coming back", "wait for its checks", ""
    if server.health is Health.GOING_DOWN:
        return Severity.WARNING, "its checks have begun to fail", "look at the node behind it", ""
    if server.health is Health.UNKNOWN or server.admin is AdminState.UNKNOWN:
        return Severity.UNKNOWN, "not known: the balancer does not tell its state", "", ""
    if server.weight == 0:
        return Severity.WARNING, "has weight 0: it gets no new traffic", "give it a weight", ""
    if server.health is Health.STARTING:
        return Severity.OK, "up, still warming up", "", ""
    if server.health is Health.NO_CHECK:
        return Severity.OK, "takes traffic; the balancer does not check it", "", ""
    return Severity.OK, "up", "", ""


def membership(view: View) -> Iterator[Finding]:
    """Servers that the fleet does not know, and nodes that the balancer does not."""
    for item in _states(view, MEMBERS):
        if isinstance(item, Finding):
            yield item
            continue
        balancer, reading, state = item
        if not balancer.servers:
            continue
        present: set[str] = set()
        strangers: list[str] = []
        for server in state.servers:
            entry = entry_of(balancer, server)
            is_meant = _of_interest(balancer, server.backend) and server.health is not Health.UNUSED
            if entry:
                present.add(entry)
            elif is_meant:
                strangers.append(f"{server.backend}/{server.name} ({server.address})")
        wanted = [name for name in balancer.servers if name not in present]
        lost = [f"{balancer.servers[name]} ({name})" for name in wanted]
        parts = []
        if lost:
            parts.append(f"not in the balancer: {listed(lost)}")
        if strangers:
            parts.append(f"unknown to the configuration: {listed(strangers)}")
        yield Finding(
            MEMBERS,
            Severity.WARNING if parts else Severity.OK,
            "balancer",
            balancer.name,
            "; ".join(parts) or f"{plural(len(present), 'server')}, all known",
            (view.seen(reading),),
            "correct the balancer's configuration or lptui's" if parts else "",
            metrics=(Metric("servers_missing", len(lost)), Metric("strangers", len(strangers))),
        )
