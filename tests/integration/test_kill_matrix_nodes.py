"""A console is killed while it changes what a node works with, on hosts with a real systemd.

Its RPC, or the orchestrator of a transcoder: a setting in an environment file. Whatever follows,
the node never starts with another file than the old or the new one, never runs twice, and is
started no more often than it takes; nothing is left beside its file but what an undo needs.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.backend import get
from tests.devnet.anvil import FIRST_BLOCK, AnvilOptions, running_anvil
from tests.devnet.fixtures import require_anvil
from tests.killing import (
    EACH_ONCE,
    Copy,
    Report,
    Scenario,
    Wanted,
    kill_report,
    matrix,
    once_begun,
)
from tests.killing_hosts import Copies, Hosts, Own, SiteCopy, own_site, running
from tests.killing_pool import PoolCopy, in_pool, orchestrator_unit
from tests.orchestrators import Orchestrator, orchestrator
from tests.relay import relayed
from tests.site import installed, unit
from tests.sshd import Sshd, sshd
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["kill_report", "sshd", "systemd_hosts"]

MODE = 0o640
GROUP = 1000
"""The environment files' own, which no change of them may change."""

AT_ONCE = 8
"""Copies at the same time."""


@pytest.fixture
def hosts(systemd_hosts: HostFactory) -> Hosts:
    h1, h2 = systemd_hosts(2)
    return h1, h2


# A node's environment file.


@dataclass(frozen=True, slots=True)
class Setting:
    """An environment file in a folder of its own, and what each start of the node has read.

    `texts` are what it may say, by a word for it.
    """

    host: SystemdHost
    own: Own
    texts: Mapping[str, str]

    @property
    def folder(self) -> str:
        return f"/etc/livepeer-killed/{self.own.number}"

    @property
    def path(self) -> str:
        return f"{self.folder}/env"

    @property
    def read(self) -> str:
        return f"/var/lib/livepeer-killed/{self.own.number}"

    @property
    def of_unit(self) -> str:
        """Lines of a unit that has it, and keeps what it was started with."""
        keep = f"/bin/cp -p --backup=numbered {self.path} {self.read}/env"
        return f"EnvironmentFile={self.path}\nExecStartPre={keep}\n"

    @contextmanager
    def written(self, word: str) -> Iterator[None]:
        """It says this, for the length of a block."""
        self.say(self.texts[word])
        self._here(self.read).mkdir(parents=True)
        try:
            yield
        finally:
            for folder in (self.folder, self.read):
                shutil.rmtree(self._here(folder))

    def say(self, text: str) -> None:
        """Writes it."""
        self.host.write(self.path, text, MODE)
        os.chown(self._here(self.path), 0, GROUP)

    def says(self) -> str:
        """The word for what it says, and what lies beside it."""
        beside = [one.name for one in self._here(self.folder).iterdir() if one.name != "env"]
        word, fault = self._word(self._here(self.path))
        return " beside ".join([fault or word, *sorted(beside)])

    def broken(self) -> str:
        """What is wrong with the file, or was when the node started."""
        files = [self._here(self.path), *self._here(self.read).iterdir()]
        faults = [fault for _, fault in map(self._word, files) if fault]
        return "; ".join(faults)

    def _word(self, file: Path) -> tuple[str, str]:
        try:
            status, text = file.stat(), file.read_text()
        except FileNotFoundError:
            return "", f"{file.name} is gone"
        if (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) != (MODE, 0, GROUP):
            return "", f"{file.name} has {status.st_mode:o} {status.st_uid}:{status.st_gid}"
        word = next((word for word, one in self.texts.items() if one == text), "")
        return word, "" if word else f"{file.name} says {text!r}"

    def _here(self, path: str) -> Path:
        return self.host.root / path.lstrip("/")


def begun(times: int) -> str:
    """As copies tell it."""
    return f", begun {times} times" if times > 1 else ""


def taken_back(scenario: Scenario, stop: int, start: int, before: Callable[[int], str]) -> Scenario:
    """An undo leaves it as it was, with the node started again as often as that takes.

    That is once if it was killed after step `stop` was made, twice after `start`.
    """
    points = scenario.points
    stopped, started = (points.index(f"{number} make+") for number in (stop, start))
    times = {point: 1 + (at >= stopped) + (at >= started) for at, point in enumerate(points)}
    besides = {
        (point, "undo"): Wanted("as it was", (before(times[point]),), 0)
        for point in points
        if point not in ("1 began-", "end+")
    }
    return replace(scenario, besides=besides)


# The RPC of an orchestrator behind a pool.


@dataclass
class RpcCopy(PoolCopy):
    """An orchestrator in a pool, whose file says which RPC it uses."""

    setting: Setting

    async def state(self) -> str:
        pooled = await super().state()
        return f"{pooled}, {self.setting.says()}, follows {await self._followed()}"

    async def _followed(self) -> str:
        """The endpoint whose blocks its watcher has seen."""
        block = 0
        async with asyncio.timeout(30):
            while block <= 1:
                answer = await get(self.own.port, "/currentBlock", self.site.h1.address)
                block = int.from_bytes(answer.partition(b"\r\n\r\n")[2], "big")
        return "new" if block >= FIRST_BLOCK else "old"

    def broken(self) -> str:
        return super().broken() or self.setting.broken()


def followers(hosts: Hosts, sshd: Sshd, folder: Path, old: str, new: str) -> Copies:
    """Copies of an orchestrator in a pool of three under traffic, which reads the chain by `old`.

    Its address there holds a secret, which nobody but the host may know.
    """

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_site(hosts, folder) as (site, own, watch), running(ExitStack()) as units:
            text = "# how it reaches the chain\nLP_ETHURL={}\nLP_V=6\n"
            texts = {"old": text.format(f"{old}/v2/0123456789abcdef"), "new": text.format(new)}
            setting = Setting(site.h1, own, texts)
            units.enter_context(setting.written("old"))
            one = installed(site.h1, own.unit, orchestrator_unit(own, watch, setting.of_unit))
            await asyncio.to_thread(units.enter_context, one)
            words = ("failover", "rpc:old", "--to", "new")
            async with in_pool(site, own, watch, sshd, words) as made:
                site.document["rpcs"] = {
                    name: {"url": url, "via": "direct", "chain_id": 42161}
                    for name, url in (("old", old), ("new", new))
                }
                site.document["thresholds"] = {"watcher_lag_blocks": 4}
                more = {"rpc": "old", "environment_file": setting.path}
                site.document["nodes"]["orch"].update(more)
                site.write()
                yield RpcCopy(site, own, watch, words, made.haproxy, made.clients, setting)

    return copy


@asynccontextmanager
async def failover(hosts: Hosts, sshd: Sshd, folder: Path) -> AsyncIterator[Scenario]:
    require_anvil()
    at = hosts[0].gateway
    async with (
        running_anvil(AnvilOptions(first_block=FIRST_BLOCK - 5)) as stalled,
        running_anvil(AnvilOptions(block_time_s=0.5)) as moving,
        relayed(stalled.port, at) as old,
        relayed(moving.port, at) as new,
    ):

        def before(times: int) -> str:
            return f"active UP serves{begun(times)}, old, follows old"

        scenario = Scenario(
            steps=10,
            before=before(1),
            after=f"active UP serves{begun(2)}, new beside .env.lptui-old, follows new",
            copy=followers(hosts, sshd, folder, old, new),
            moments=EACH_ONCE,
            waits=frozenset({6, 7, 10}),
            over=frozenset({2, 8}),
            within={4: ("cp", "tee")},
            at_once=AT_ONCE,
        )
        yield taken_back(scenario, 3, 5, before)


# A transcoder that works for another orchestrator.


@dataclass
class TranscoderCopy(SiteCopy):
    """A transcoder, and two orchestrators that tell who is registered there."""

    setting: Setting
    orchestrators: Sequence[Orchestrator]

    async def state(self) -> str:
        await until(lambda: any(one.peers for one in self.orchestrators), 60, "a registration")
        at = [one.node.config.name for one in self.orchestrators for _ in one.peers]
        active = await self.of_unit(self.site.h1, "ActiveState")
        again = begun(self.watch.begun)
        return f"{active}{again}, {self.setting.says()}, at {' '.join(at)}"

    def broken(self) -> str:
        if self.watch.together:
            return f"it ran twice at once: {self.watch.together}"
        return self.setting.broken()


def transcoders(hosts: Hosts, folder: Path) -> Copies:
    """Copies of a transcoder, which the other orchestrator takes once it is waited for."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with (
            own_site(hosts, folder) as (site, own, watch),
            running(ExitStack()) as units,
            orchestrator("o1", site.h1.gateway) as o1,
            orchestrator("o2", site.h1.gateway) as o2,
        ):
            text = '# Which orchestrator\nLP_ORCHADDR="{}"\nLP_MAXSESSIONS=8\n'
            texts = {name: text.format(one.address) for name, one in (("o1", o1), ("o2", o2))}
            setting = Setting(site.h1, own, texts)
            units.enter_context(setting.written("o1"))
            started = unit("-transcoder", extra=watch.environment + setting.of_unit)
            await asyncio.to_thread(units.enter_context, installed(site.h1, own.unit, started))
            declare(site.document, own, setting, {"o1": o1, "o2": o2})
            site.write()
            o2.closed = True

            async def opens() -> None:
                o2.closed = False

            fleet = str(site.document["name"])
            async with once_begun(site.operator, fleet, 4, opens):
                words = ("move-transcoder", "t1", "--to", "o2")
                yield TranscoderCopy(site, own, watch, words, setting, (o1, o2))

    return copy


def declare(
    document: dict[str, Any], own: Own, setting: Setting, orchestrators: Mapping[str, Orchestrator]
) -> None:
    """The transcoder and its orchestrators, as the console knows them."""
    document["hosts"]["console"] = {"local": True}
    for name, one in orchestrators.items():
        document["nodes"][name] = {
            "host": "console",
            "role": "orchestrator",
            "cli": {"url": one.node.url, "via": "direct"},
            "service_uri": f"https://{one.address}",
        }
    document["nodes"]["t1"] = {
        "host": "h1",
        "role": "transcoder",
        "unit": own.unit,
        "cli": "none",
        "environment_file": setting.path,
    }
    document["guards"] = {"lock_hosts": ["h1"]}


@asynccontextmanager
async def move(hosts: Hosts, sshd: Sshd, folder: Path) -> AsyncIterator[Scenario]:
    def before(times: int) -> str:
        return f"active{begun(times)}, o1, at o1"

    scenario = Scenario(
        steps=4,
        before=before(1),
        after=f"active{begun(2)}, o2, at o2",
        copy=transcoders(hosts, folder),
        moments=EACH_ONCE,
        waits=frozenset({4}),
        within={2: ("cp", "tee")},
        at_once=AT_ONCE,
    )
    yield taken_back(scenario, 1, 3, before)


SCENARIOS: Mapping[str, Callable[[Hosts, Sshd, Path], AbstractAsyncContextManager[Scenario]]] = {
    "failover of an RPC": failover,
    "move of a transcoder": move,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere_it_can_be_resumed_and_undone(
    name: str, hosts: Hosts, sshd: Sshd, tmp_path: Path, kill_report: Report
) -> None:
    async with SCENARIOS[name](hosts, sshd, tmp_path) as scenario:
        cells = await matrix(scenario)
        kill_report.add(name, scenario, cells)
        assert [cell for cell in cells if cell.fault] == []


async def test_a_start_with_another_file_is_seen(hosts: Hosts, tmp_path: Path) -> None:
    """What the matrix relies on: that it was put right since does not hide it."""
    async with transcoders(hosts, tmp_path)() as copy:
        assert isinstance(copy, TranscoderCopy)
        assert copy.broken() == ""
        setting = copy.setting
        setting.say("LP_MAXSESSIONS=8\n")
        copy.site.h1.run("systemctl", "restart", copy.own.unit)
        setting.say(setting.texts["o1"])
        assert "env says 'LP_MAXSESSIONS=8" in copy.broken()
