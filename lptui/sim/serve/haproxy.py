"""The runtime socket of a simulated HAProxy 2.6, with the answers that the real one gives
(load-balancers.md §1): one line a connection, commands parted by `;`, each answer ended by an
empty line, errors as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from lptui.sim.serve.haproxy_tables import servers_state, show_info, show_stat
from lptui.sim.serve.link import Link
from lptui.sim.world.balancer import (
    FORCED_DRAIN,
    FORCED_MAINT,
    WELL,
    BackendServer,
    HaproxyProcess,
)
from lptui.sim.world.world import World

LINE_LIMIT: Final = 16_384
DENIED: Final = "Permission denied"
_STATES: Final = {"ready": 0, "drain": FORCED_DRAIN, "maint": FORCED_MAINT}
UNKNOWN: Final = "Unknown command, but maybe one of the following ones is a better match:"


class CliError(Exception):
    """A refused command, with HAProxy's severity."""

    def __init__(self, text: str, severity: int = 3) -> None:
        super().__init__(text)
        self.severity = severity


class HaproxyCli:
    """One connection to the socket."""

    def __init__(self, link: Link, world: World, balancer: HaproxyProcess) -> None:
        self._link = link
        self._world = world
        self._balancer = balancer
        self._buffer = b""
        self._done = False
        self._severity = ""

    def received(self, data: bytes) -> None:
        if self._done:
            return
        self._buffer += data
        line, newline, _ = self._buffer.partition(b"\n")
        if newline or len(self._buffer) > LINE_LIMIT:
            self._done = True
            self._link.write(self.answer(line.decode("utf-8", "replace")).encode())
            self._link.close()

    def finished(self) -> None:
        if not self._done and self._buffer:
            self.received(b"\n")
        else:
            self._link.close()

    def lost(self) -> None:
        return

    def answer(self, line: str) -> str:
        """The answers to all commands of a line."""
        out = []
        for command in re.split(r"(?<!\\);", line):
            if not command.strip():
                continue
            try:
                said = self._run(command.split())
            except CliError as error:
                said = self._prefix(error.severity) + str(error)
            out.append(said.rstrip("\n") + "\n\n" if said else "\n")
        return "".join(out)

    def _prefix(self, severity: int) -> str:
        if self._severity == "number":
            return f"[{severity}]: "
        if self._severity == "string":
            return {3: "[err]: ", 4: "[warning]: ", 6: "[info]: "}[severity]
        return ""

    def _run(self, words: list[str]) -> str:
        if words[:2] == ["set", "severity-output"]:
            self._severity = "" if words[2:] == ["none"] else "".join(words[2:3])
            return ""
        for start, command in self._commands().items():
            if words[: len(start)] == list(start):
                return command(words[len(start) :])
        raise CliError(UNKNOWN, 6)

    def _commands(self) -> dict[tuple[str, ...], Callable[[list[str]], str]]:
        world, balancer = self._world, self._balancer
        return {
            ("show", "info"): lambda _: show_info(world, balancer),
            ("show", "stat"): self._stat,
            ("show", "servers", "state"): self._state,
            ("show", "cli", "level"): lambda _: balancer.level,
            ("show", "cli", "sockets"): lambda _: (
                f"# socket lvl processes\n{balancer.socket} {balancer.level} all"
            ),
            ("show", "version"): lambda _: self._prefix(6) + balancer.version,
            ("show", "backend"): lambda _: "\n".join(
                ["# name", *(backend.name for backend in balancer.backends)]
            ),
            ("show", "table"): lambda _: "\n".join(
                f"# table: {backend.name}, type: ip, size:1048576, used:0"
                for backend in balancer.backends
                if backend.is_sticky
            ),
            ("get", "weight"): self._get_weight,
            ("set", "server"): self._set_server,
            ("set", "weight"): lambda words: self._set_weight(words[0] if words else "", words[1:]),
            ("shutdown", "sessions", "server"): self._shut_down_sessions,
            ("disable", "server"): lambda w: self._set_server([*w[:1], "state", "maint"]),
            ("enable", "server"): lambda w: self._set_server([*w[:1], "state", "ready"]),
        }

    def _stat(self, words: list[str]) -> str:
        names = {b.name for b in self._balancer.backends}
        names |= {f.name for f in self._balancer.frontends}
        if words and not words[0].lstrip("-").isdecimal() and words[0] not in names:
            if words[0] in ("typed", "json", "desc", "up", "no-maint"):
                words = []
            else:
                raise CliError("No such proxy.")
        only = words[0] if words and words[0] in names else ""
        kinds = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 7
        return show_stat(self._world, self._balancer, only=only, kinds=kinds)

    def _state(self, words: list[str]) -> str:
        if words and self._balancer.backend(words[0]) is None:
            raise CliError("Can't find backend.")
        return servers_state(self._world, self._balancer, only=words[0] if words else "")

    def _find(self, path: str) -> BackendServer:
        backend_name, slash, server_name = path.partition("/")
        if not slash:
            raise CliError("Require 'backend/server'.")
        backend = self._balancer.backend(backend_name)
        if backend is None:
            raise CliError("No such backend.")
        server = backend.find(server_name)
        if server is None:
            raise CliError("No such server.")
        return server

    def _get_weight(self, words: list[str]) -> str:
        server = self._find(words[0] if words else "")
        return f"{server.weight} (initial {server.initial_weight})"

    def _admin(self) -> None:
        if self._balancer.level != "admin":
            raise CliError(DENIED)

    def _set_server(self, words: list[str]) -> str:
        self._admin()
        server = self._find(words[0] if words else "")
        match words[1:]:
            case ["state", state, *_] if state in ("ready", "drain", "maint"):
                server.tell(_STATES[state], self._world.now)
                return ""
            case ["state", *_]:
                raise CliError("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
            case ["weight", *rest]:
                return self._set_weight(words[0], rest)
            case ["health", health, *_] if health in ("up", "stopping", "down"):
                server.health = WELL if health != "down" else 0
                return ""
            case _:
                raise CliError(
                    "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port |"
                    " agent-send | check-addr | check-port | fqdn | health | ssl | state | weight"
                )

    def _shut_down_sessions(self, words: list[str]) -> str:
        self._admin()
        server = self._find(words[0] if words else "")
        server.sessions = 0
        node = self._world.nodes.get(server.node)
        if node is not None:
            node.sessions = 0
        return ""

    def _set_weight(self, path: str, words: list[str]) -> str:
        self._admin()
        server = self._find(path)
        given = words[0] if words else ""
        if not given:
            raise CliError("Require <weight> or <weight%>.")
        relative = given.endswith("%")
        digits = given.removesuffix("%")
        if not digits[:1].isdecimal():
            raise CliError("Empty weight string empty or preceded by garbage")
        if not digits.isdecimal():
            raise CliError("Trailing garbage in weight string")
        value = int(digits)
        if relative:
            value = min(256, server.initial_weight * value // 100)
        elif value > 256:
            raise CliError("Absolute weight can only be between 0 and 256 inclusive.")
        server.weight = value
        server.changed = self._world.now
        return ""
