"""Tells nginx by its files (load-balancers.md §3.2): edit, test, rename, reload, and the proof that
new workers run. `nginx -t` and `-s reload` both end well where the master then takes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from lptui.actions.drivers import nginx_lines
from lptui.actions.drivers.driver import Change
from lptui.actions.drivers.nginx_files import (
    FileEdit,
    NginxHost,
    check_command,
    draft_of,
    kept_of,
    reload_command,
)
from lptui.actions.drivers.nginx_lines import Line
from lptui.actions.nginx_edit import edit
from lptui.actions.spec import Execution, Source
from lptui.errors import CommandError, LptuiError, ProblemKind
from lptui.fleet.facts.balancer import BalancerState, NginxConfig
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, Host

LOADED_S: Final = 8.0
"""How long new workers are waited for: a master tries for 2.5 s to get a port."""

APART_S: Final = 1.0
"""An edit is no sooner after the last load than this, so that the file's date tells them apart."""

FIRST_LOOK_S: Final = 0.05
SLOWEST_LOOK_S: Final = 0.5

_NOT_LOADED: Final = "its files are not loaded yet"


class NginxDriver:
    """See the module."""

    def sources(self, balancer: Balancer) -> Sequence[Source]:
        return (("nginx-config", balancer.name), ("nginx", balancer.name))

    def unloaded(self, balancer: Balancer, now: Snapshot) -> str:
        state = now.fresh(BalancerState, balancer.name)
        return "" if state is not None and state.edited is False else _NOT_LOADED

    def hindrance(self, balancer: Balancer, now: Snapshot, changes: Sequence[Change]) -> str:
        config = now.fresh(NginxConfig, balancer.name)
        if config is None:
            reading = now.reading(NginxConfig, balancer.name)
            return f"its configuration could not be read: {reading.problem or 'not read yet'}"
        if config.refused:
            return f"nginx would not start with its files: {config.refused}"
        if config.pid is None or not config.workers:
            notes = "; ".join(config.notes)
            return f"whether nginx loads its files could not be told: {notes or 'no worker serves'}"
        why = nginx_lines.hindrance(config, changes)
        if why:
            return why
        if config.edited and nginx_lines.are_before(config, changes):
            return (
                "its files were changed and not loaded: a reload would bring that into force too;"
                f" see to it first ({' '.join(reload_command(balancer.config_path))})"
            )
        return ""

    def call_words(
        self, balancer: Balancer, changes: Sequence[Change], now: Snapshot | None = None
    ) -> str:
        config = now.fresh(NginxConfig, balancer.name) if now is not None else None
        edits = list(_in_words(config, changes)) if config is not None else ["edits its files"]
        test, load = check_command(balancer.config_path), reload_command(balancer.config_path)
        return f"{balancer.host}: {'; '.join((*edits, ' '.join(test), ' '.join(load)))}"

    async def set(self, balancer: Balancer, changes: Sequence[Change], execution: Execution) -> str:
        return await _Setting(balancer, execution).set(changes)

    async def clear(
        self, balancer: Balancer, changes: Sequence[Change], execution: Execution
    ) -> None:
        await execution.hold()
        await _Setting(balancer, execution).clear(changes)

    async def cut(
        self, balancer: Balancer, servers: Sequence[tuple[str, str]], execution: Execution
    ) -> str:
        names = ", ".join("/".join(one) for one in servers)
        raise CommandError(
            f"connections to {names}",
            "nginx cannot end those of one server",
            "wait, or restart the server; worker_shutdown_timeout ends all connections of the"
            " workers from before the reload",
            kind=ProblemKind.NOT_CONFIGURED,
        )


class _Setting:
    """One call of `set`."""

    def __init__(self, balancer: Balancer, execution: Execution) -> None:
        self._balancer = balancer
        self._execution = execution
        self._what = f"nginx on {balancer.host}"
        self._machine = NginxHost(execution.reach, _host(balancer, execution), balancer.config_path)

    async def set(self, changes: Sequence[Change]) -> str:
        """Repeats what was cut: a file that says it already is only tested and loaded."""
        try:
            return await self._set(changes)
        except CommandError as error:
            if error.kind is not ProblemKind.FORBIDDEN:
                raise
            # The rule that is missing belongs into the end of the run.
            why = f"{error.why}; {error.remedy}"
            raise CommandError(error.what, why, error.remedy, kind=error.kind) from None

    async def clear(self, changes: Sequence[Change]) -> None:
        """Removes new texts that were never put in place."""
        lines = nginx_lines.wishes(await self._config(), changes)
        for file in dict.fromkeys(line.file for line in lines):
            await self._machine.drop_draft(await self._machine.real_path(file))

    async def _set(self, changes: Sequence[Change]) -> str:
        config = await self._config()
        edits = await self._edits(config, changes)
        complaint = await self._machine.complaint()
        if complaint and not (edits and config.edited):
            raise self._refused("does not accept its files as they are", complaint)
        if edits:
            await self._settle(config)
        await self._write(edits)
        log = await self._machine.log_emergencies(config.error_log)
        try:
            await self._machine.reload()
        except CommandError as error:  # nothing was sent; a lost connection may have sent it
            left = "" if config.edited else await self._put_back(edits)
            raise CommandError(
                error.what, f"{error.why}{left}", error.remedy, kind=error.kind
            ) from None
        rejected = await self._rejected(config, log)
        if not rejected:
            return "new workers run"
        # Where it was edited before, what was on the disk is not what runs either.
        left = "" if config.edited else await self._put_back(edits)
        if edits and not config.edited and not left:
            with suppress(LptuiError):
                await self._machine.reload()
                await self._rejected(await self._config(), log)
        raise self._refused("tested its files well, and did not load them", f"{rejected}{left}")

    async def _config(self) -> NginxConfig:
        name = self._balancer.name
        now = await self._execution.look_at([("nginx-config", name)])
        config = now.fresh(NginxConfig, name)
        if config is None:
            problem = now.reading(NginxConfig, name).problem
            raise CommandError(f"{self._what}: configuration", f"could not be read: {problem}")
        return config

    async def _edits(self, config: NginxConfig, changes: Sequence[Change]) -> list[FileEdit]:
        """What must be written; nothing for files that say it already."""
        wanted: dict[str, list[Line]] = {}
        for line in nginx_lines.wishes(config, changes):
            wanted.setdefault(await self._machine.real_path(line.file), []).append(line)
        edits = []
        for path, lines in wanted.items():
            old = new = await self._machine.read(path)
            # From the end: a change may take a line's end away.
            for line in sorted(lines, key=lambda one: one.order, reverse=True):
                new = edit(new, line.which, line.wish).text
            if new != old:
                edits.append(FileEdit(path, old, new))
        return edits

    async def _settle(self, config: NginxConfig) -> None:
        """Not within the moment of the last load."""
        if config.serving_s is not None and config.serving_s < APART_S:
            await asyncio.sleep(APART_S - config.serving_s)

    async def _write(self, edits: Sequence[FileEdit]) -> None:
        """All files or none; raises when nginx does not accept them, with the old ones back."""
        begun: list[FileEdit] = []
        try:
            for one in edits:
                await self._machine.stage(one)
            for one in edits:
                await self._machine.keep(one)
                begun.append(one)
                await self._machine.replace(one)
            complaint = await self._machine.complaint() if edits else ""
            if complaint:
                raise self._refused("does not accept the change", complaint)
        except LptuiError as error:
            left = await self._put_back(begun)
            for one in edits:
                with suppress(LptuiError):
                    await self._machine.drop_draft(one.path)
            why = f"{error.why}{left or '; nothing was changed'}"
            raise CommandError(error.what, why, error.remedy, kind=error.kind) from None

    async def _put_back(self, edits: Sequence[FileEdit]) -> str:
        """What could not be put back, as the end of a sentence."""
        left = []
        for one in reversed(edits):
            try:
                await self._machine.put_back(one)
            except LptuiError as error:
                left.append(f"{one.path} ({error})")
        return f"; NOT put back: {', '.join(left)}" if left else ""

    async def _rejected(self, before: NginxConfig, log: Sequence[str]) -> str:
        """Waits for workers that were not there before; why there are none, "" when they run."""
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + LOADED_S, FIRST_LOOK_S
        while True:
            config = await self._config()
            is_new = bool(config.workers) and not set(config.workers) & set(before.workers)
            if is_new and config.edited is False:
                return ""
            late = loop.time() >= end
            new = await self._new_emergencies(config, log, by_root=late)
            # A port that is taken is tried again for a while.
            if late or any("bind() to" not in line for line in new):
                return new[0] if new else f"no new workers within {LOADED_S:g} s"
            await asyncio.sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _new_emergencies(
        self, config: NginxConfig, log: Sequence[str], *, by_root: bool
    ) -> list[str]:
        found = await self._machine.log_emergencies(config.error_log, by_root=by_root)
        return [line for line in found if line not in log]

    def _refused(self, what: str, why: str) -> CommandError:
        remedy = "see what stands in the way with nginx -t and in its error log"
        return CommandError(f"{self._what} {what}", why, remedy)


def _in_words(config: NginxConfig, changes: Sequence[Change]) -> Iterator[str]:
    """Each file's statements before and after, and the commands that write it."""
    by_file: dict[str, list[Line]] = {}
    for line in nginx_lines.wishes(config, changes):
        by_file.setdefault(line.file, []).append(line)
    for file, lines in by_file.items():
        for line in lines:
            yield f"{file}: `{' '.join(line.words)};` -> `{' '.join(line.new_words)};`"
        draft, kept = draft_of(file), kept_of(file)
        yield f"cp -p {file} {draft}; tee {draft}; cp -p {file} {kept}; mv -f {draft} {file}"


def _host(balancer: Balancer, execution: Execution) -> Host:
    host = execution.fleet.hosts.get(balancer.host or "")
    if host is None:
        raise CommandError(balancer.name, "has no host", kind=ProblemKind.NOT_CONFIGURED)
    return host
