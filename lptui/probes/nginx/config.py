"""Asks a host for nginx's configuration and processes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, CommandError, LptuiError, ProblemKind
from lptui.fleet.facts.balancer import NginxConfig
from lptui.fleet.reading import Key
from lptui.fleet.topology import Balancer, BalancerKind, Fleet
from lptui.probes.nginx import commands, processes, upstreams
from lptui.probes.nginx.dump import Directive, Dump, includes, read, split
from lptui.probes.outcome import NOT_FOUND
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Output, Shell

USUAL_PATH: Final = "/etc/nginx/nginx.conf"

SLACK_S: Final = 0.4
"""How exactly the start of a worker is known: a file that was loaded at once is not newer."""

_ROUNDS: Final = 8
_RIGHTS: Final = ("ermission denied", "not permitted", "Read-only file system")
"""What nginx says when it is the login that may not test the files."""

_VERSION: Final = re.compile(r"nginx version: (\S{1,60})")
_MESSAGE: Final = re.compile(r"\[(?:emerg|crit|alert|error)\] (?:[0-9#]+: )?(.*)")


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration as it was read, and what nginx has against it."""

    dump: Dump
    directives: tuple[Directive, ...]
    refused: str = ""


class NginxConfigProbe:
    """`nginx -T`; where the login may not do that, the files themselves; then as root, where
    the host's `privilege` lets it.

    It is what is on disk. Whether it is loaded shows by the age of the workers. A test of a
    configuration creates missing logs and the pid file, so it is only run beside a running nginx.
    """

    name: ClassVar[str] = "nginx-config"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return nginx_balancers(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        return f"{fleet.balancers[target].host}: nginx -T"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NginxConfig, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        balancer = asking.fleet.balancers[target]
        shell = asking.reach.shell(host_of(balancer))
        left = time_left(asking)
        version, running = await shell.run([commands.VERSION, commands.PROCESSES], left())
        is_running = b"nginx: master process" in running.stdout
        host = asking.fleet.hosts.get(host_of(balancer))
        as_root = commands.AS_ROOT.get(host.privilege if host else "sudo", ())
        found = await _configuration(shell, balancer, is_running, as_root, left)
        [changed] = await shell.run([commands.modified(tuple(found.dump.files))], left())
        value = describe(found, version.text, running, changed, balancer.config_path)
        return [Answer(Key(NginxConfig, target), value)]


def nginx_balancers(fleet: Fleet) -> tuple[str, ...]:
    """The balancers that are nginx and have a host."""
    return tuple(
        balancer.name
        for balancer in fleet.balancers.values()
        if balancer.kind is BalancerKind.NGINX and balancer.host is not None
    )


def host_of(balancer: Balancer) -> str:
    if balancer.host is None:
        raise LptuiError(balancer.name, "has no host", kind=ProblemKind.NOT_CONFIGURED)
    return balancer.host


def describe(
    found: Found, version: str, running: Output, changed: Output, config_path: str | None
) -> NginxConfig:
    """The configuration together with what is running."""
    said = _VERSION.search(version)
    notes: list[str] = []
    newest = max(processes.parse_modified(changed.text).values(), default=None)
    generation = None
    try:
        now, all_processes = processes.parse(running.text)
        generation = processes.generation(now, all_processes, config_path)
        masters = [one for one in all_processes if "master process" in one.title]
        if generation is None:
            notes.append(_which(len(masters)))
    except BadAnswerError as error:
        notes.append(str(error))
    found_upstreams = upstreams.find(found.directives)
    if found_upstreams.unknown:
        targets = ", ".join(found_upstreams.unknown[:3])
        notes.append(f"requests also go where variables lead, which is not followed: {targets}")
    loaded = generation.loaded_at if generation else None
    return NginxConfig(
        upstreams=found_upstreams.known,
        listen=upstreams.listens(found.directives),
        files=tuple(clean(path, 400) for path in found.dump.files),
        version=clean(said[1].removeprefix("nginx/"), 60) if said else "",
        pid=generation.pid if generation else None,
        uptime_s=generation.uptime_s if generation else None,
        changed_at=newest,
        loaded_at=loaded,
        edited=newest > loaded + SLACK_S if newest is not None and loaded is not None else None,
        refused=found.refused,
        old_workers=generation.old_workers if generation else None,
        notes=tuple(notes),
        workers=generation.workers if generation else (),
        serving_s=generation.serving_s if generation else None,
        error_log=upstreams.error_log(found.directives),
    )


def _which(masters: int) -> str:
    if masters == 0:
        return "no nginx is running on the host (or its processes are hidden from the login)"
    if masters == 1:
        return "the nginx that runs on the host has another configuration"
    return f"{masters} nginx are running, and which one is meant is not clear: set its config path"


async def _configuration(
    shell: Shell,
    balancer: Balancer,
    is_running: bool,
    as_root: tuple[str, ...],
    left: Callable[[], float],
) -> Found:
    """By `nginx -T` where nginx runs: where it does not, the test would create its files anew."""
    path = balancer.config_path
    complaint, is_broken = "nginx is not running", False
    if is_running:
        [dumped] = await shell.run([commands.dump(path)], left())
        if _is_dump(dumped):
            return await _accepted(dumped.text, balancer)
        complaint, is_broken = f"nginx -T: {_complaint(dumped)}", _is_broken(dumped)
    try:
        found = await _parsed(await _files(shell, path or USUAL_PATH, left))
    except LptuiError as error:
        what = f"nginx configuration on {balancer.host}"
        why = f"{complaint}; the files: {error}"
        if not is_running or is_broken:
            remedy = "correct the balancer's `config`, or mend the file; nginx -t tests it"
            raise CommandError(what, why, remedy, kind=error.kind) from None
        if as_root:
            [by_root] = await shell.run([commands.dump(path, as_root)], left())
            if _is_dump(by_root):
                return await _accepted(by_root.text, balancer)
            why = f"{why}; {as_root[0]}: {_complaint(by_root)}"
        raise CommandError(what, why, _remedy(path), kind=ProblemKind.FORBIDDEN) from None
    return Found(found.dump, found.directives, complaint if is_broken else "")


def _is_dump(output: Output) -> bool:
    return output.status == 0 and b"# configuration file " in output.stdout


async def _files(shell: Shell, main: str, left: Callable[[], float]) -> Dump:
    """The main file and, round after round, what it includes; raises when one may not be read."""
    files: dict[str, str] = {}
    patterns: tuple[str, ...] = (main,)
    asked: set[str] = set()
    for _ in range(_ROUNDS):
        patterns = tuple(pattern for pattern in patterns if pattern not in asked)
        if not patterns:
            break
        asked.update(patterns)
        [output] = await shell.run([commands.files(patterns)], left())
        got = split(output.text)
        if got.unreadable:
            raise CommandError(
                f"{clean(got.unreadable[0], 200)}", "may not be read", kind=ProblemKind.FORBIDDEN
            )
        new = {path: body for path, body in got.files.items() if path not in files}
        if not files and main not in new:
            raise CommandError(clean(main, 200), "there is no such file, or it is out of reach")
        files |= new
        patterns = await asyncio.to_thread(includes, Dump({main: "", **new}))
    return Dump(files)


async def _accepted(text: str, balancer: Balancer) -> Found:
    """A dump that nginx has tested: what cannot be read in it is no fault of the files."""
    try:
        return await _parsed(split(text))
    except BadAnswerError as error:
        raise CommandError(
            f"nginx configuration on {balancer.host}",
            f"nginx accepts it, but lptui cannot read it: {error}",
            "it may hold another language (Lua, njs) or be very large; please report it",
        ) from None


async def _parsed(dump: Dump) -> Found:
    return Found(dump, await asyncio.to_thread(read, dump))


def _is_broken(output: Output) -> bool:
    """The test failed for what is written in the files, not for the login's rights."""
    said = output.text
    return output.status == 1 and "[emerg]" in said and not any(word in said for word in _RIGHTS)


def _complaint(output: Output) -> str:
    """The line that says what is wrong."""
    found = _MESSAGE.search(output.text)
    if found is not None:
        return clean(found[1], 200)
    if output.status == NOT_FOUND:
        return "not installed, or not in the login's path"
    lines = [line for line in output.text.split("\n") if line.strip()]
    return clean(lines[0], 160) if lines else f"status {output.status}"


def _remedy(path: str | None) -> str:
    option = f" -c {path}" if path else ""
    return (
        "let the login read the files, or give it in sudoers: "
        f"LOGIN ALL=(root) NOPASSWD: /usr/sbin/nginx -T{option}"
    )
