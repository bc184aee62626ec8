"""The simulated nginx: what is in its files, what of that it has loaded, and whom it asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lptui.sim.world.files import Files
from lptui.sim.world.machine import Machine

MAIN: Final = "/etc/nginx/nginx.conf"
MASTER: Final = "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"
WORKER: Final = "nginx: worker process"
FINISHING: Final = "nginx: worker process is shutting down"
FINISHING_SECONDS: Final = 3.0
"""How long workers from before a reload have connections."""

_TOKEN: Final = re.compile(
    r"""[ \t\r\n]+|\#[^\n]*|(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<sign>[{};])|(?P<word>(?:\\.|\$\{|[^ \t\r\n{};])+)""",
    re.DOTALL,
)
_SERVER: Final = re.compile(
    r"backup|down|weight=[1-9][0-9]*|max_(?:fails|conns)=[0-9]+|fail_timeout=[0-9]+m?[smhd]?"
)


class ConfigError(Exception):
    """What nginx says of files that it does not start with."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A `server` line of an upstream."""

    address: str
    weight: int = 1
    is_backup: bool = False
    is_down: bool = False


Upstreams = Mapping[str, tuple[Peer, ...]]


@dataclass(slots=True)
class NginxProcess:
    """An nginx. `accepts` and `requests` only grow.

    Attributes:
        upstreams: as they were when its files were last loaded.
        before: as they were for the workers that only finish; those end at `until`.
        asked: requests that were passed on since it started.
    """

    name: str
    host: str
    unit: str
    status_port: int
    version: str = "1.22.1"
    upstreams: Upstreams = field(default_factory=dict)
    before: Upstreams = field(default_factory=dict)
    until: float = 0.0
    accepts: int = 184_220
    requests: int = 9_442_118
    active: int = 12
    asked: int = 0

    def route(self, upstream: str, answers: Callable[[str], bool]) -> str | None:
        """The address that gets the next request; None when nobody answers.

        By weight among those that serve; a server that does not answer is passed over.
        """
        self.asked += 1
        for peers in serving(self.upstreams.get(upstream, ())):
            first = _turn(peers, self.asked)
            for peer in (*peers[first:], *peers[:first]):
                if answers(peer.address):
                    return peer.address
        return None


def serving(peers: Sequence[Peer]) -> Iterator[list[Peer]]:
    """Those that get requests, then those that get them when none of the first answers."""
    for is_backup in (False, True):
        found = [peer for peer in peers if peer.is_backup is is_backup and not peer.is_down]
        if found:
            yield found


def load(nginx: NginxProcess, machine: Machine, now: float) -> None:
    """Loads its files: new workers serve, those from before only finish. Raises ConfigError."""
    upstreams = parse(machine.files)
    for process in machine.processes.values():
        if process.argv == (WORKER,):
            process.argv = (FINISHING,)
            nginx.before, nginx.until = nginx.upstreams, now + FINISHING_SECONDS
    nginx.upstreams = upstreams
    for _ in range(machine.cpus):
        machine.start_process((WORKER,), now, user="www-data", unit=nginx.unit)


def retire(nginx: NginxProcess, machine: Machine, now: float) -> None:
    """Ends the workers that have finished."""
    if not nginx.before or now < nginx.until:
        return
    nginx.before = {}
    for process in tuple(machine.processes.values()):
        if process.argv == (FINISHING,):
            machine.end_process(process.pid)


def config_files(files: Files) -> dict[str, str]:
    """The main file and what it includes, by path, in the order of `nginx -T`.

    Raises ConfigError.
    """
    found: dict[str, str] = {}
    waiting = [MAIN]
    while waiting:
        path = waiting.pop(0)
        file = files.find(path)
        if file is None:
            raise ConfigError(f'open() "{path}" failed (2: No such file or directory)')
        if path not in found:
            found[path] = file.text
            waiting += _included(files, path, file.text)
    return found


def parse(files: Files) -> Upstreams:
    """The upstreams in its files; raises ConfigError for what nginx would not start with."""
    found: dict[str, tuple[Peer, ...]] = {}
    for path, text in config_files(files).items():
        for block, words, line in _statements(path, text):
            where = f"in {path}:{line}"
            if words[0] == "upstream" and len(words) == 2:
                if words[1] in found:
                    raise ConfigError(f'duplicate upstream "{words[1]}" {where}')
                found[words[1]] = ()
            elif block[:1] == ("upstream",) and words[0] == "server" and len(words) > 1:
                name = " ".join(block[1:])
                found[name] = (*found.get(name, ()), _peer(words, where))
    for name, peers in found.items():
        if not peers:
            raise ConfigError(f"no servers are inside upstream in {MAIN}")
        if all(peer.is_backup for peer in peers):
            raise ConfigError(f'no servers in upstream "{name}" in {MAIN}')
    return found


def _turn(peers: Sequence[Peer], number: int) -> int:
    """Whose turn a request is, by weight."""
    left = number % sum(peer.weight for peer in peers)
    for place, peer in enumerate(peers):
        left -= peer.weight
        if left < 0:
            return place
    return 0


def _included(files: Files, path: str, text: str) -> list[str]:
    found = []
    for _, words, _ in _statements(path, text):
        if words[0] == "include" and len(words) == 2:
            pattern = words[1] if words[1].startswith("/") else f"/etc/nginx/{words[1]}"
            found += list(files.matching(pattern)) if "*" in pattern else [pattern]
    return found


def _peer(words: Sequence[str], where: str) -> Peer:
    for word in words[2:]:
        if not _SERVER.fullmatch(word):
            raise ConfigError(f'invalid parameter "{word}" {where}')
    weights = [int(word[7:]) for word in words[2:] if word.startswith("weight=")]
    return Peer(
        words[1],
        weight=weights[-1] if weights else 1,
        is_backup="backup" in words[2:],
        is_down="down" in words[2:],
    )


def _statements(path: str, text: str) -> Iterator[tuple[tuple[str, ...], list[str], int]]:
    """The block around each statement, its words, its line; a block's own words come first."""
    blocks: list[tuple[str, ...]] = []
    words: list[str] = []
    line = 1
    for match in _TOKEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        sign = match["sign"]
        if match["quoted"]:
            words.append(match["quoted"][1:-1])
        elif match["word"]:
            words.append(match["word"])
        elif sign in (";", "{"):
            if not words:
                raise ConfigError(f'unexpected "{sign}" in {path}:{line}')
            yield (blocks[-1] if blocks else ()), words, line
            if sign == "{":
                blocks.append(tuple(words))
            words = []
        elif sign == "}":
            if words or not blocks:
                raise ConfigError(f'unexpected "}}" in {path}:{line}')
            blocks.pop()
    if words or blocks:
        wanted = '"}"' if blocks and not words else '";" or "}"'
        raise ConfigError(f"unexpected end of file, expecting {wanted} in {path}:{line}")
