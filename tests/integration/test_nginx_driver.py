"""Drain and undrain of a pool behind a real nginx, whose host is reached through a real sshd."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from lptui.actions.drivers.nginx_files import (
    check_command,
    draft_of,
    kept_of,
    reload_command,
    write_commands,
)
from lptui.actions.plan import Outcome
from lptui.errors import ProblemKind, TransportError
from lptui.transport.protocols import Command, ExecResult, Reach
from tests.lesser_login import lesser_login
from tests.nginx import has_stream
from tests.nginx_pool import SITE, UPSTREAM, NginxPool, nginx_pool
from tests.smalldisk import small_disk
from tests.sshd import Sshd, sshd
from tests.traffic import traffic
from tests.waiting import until

__all__ = ["sshd"]

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="it needs root")


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The record of this process's consoles."""
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))


@pytest.fixture
async def three(sshd: Sshd, tmp_path: Path) -> AsyncIterator[NginxPool]:
    async with nginx_pool(sshd, tmp_path) as one:
        yield one


async def test_a_rolling_restart_costs_no_request(three: NginxPool) -> None:
    before = three.nginx.config.read_bytes()
    async with traffic(three.nginx.port) as clients:
        for name, server in three.servers.items():
            code, told = await three.act("drain", three.at(name))
            assert (code, told["result"]["outcome"]) == (0, "done"), told
            assert name not in await clients.more()
            await server.stop()
            await clients.more()
            await server.start()
            code, told = await three.act("undrain", three.at(name))
            assert (code, told["result"]["outcome"]) == (0, "done"), told
            assert name in await clients.more()
    assert clients.failed == []
    assert three.nginx.config.read_bytes() == before


@pytest.mark.skipif(not has_stream(), reason="no stream module")
async def test_layer_four_is_drained_the_same_way(sshd: Sshd, tmp_path: Path) -> None:
    stream = UPSTREAM + "server { listen 127.0.0.1:@port@; proxy_pass orch; }"
    async with nginx_pool(sshd, tmp_path, "", stream) as pool, pool.console() as console:
        async with traffic(pool.nginx.port) as clients:
            result = await console.act("drain", pool.at("o2"))
            assert result.outcome is Outcome.DONE, result
            assert (await clients.more()).keys() == {"o1", "o3"}
            await pool.servers["o2"].stop()
            await clients.more()
            await pool.servers["o2"].start()
            result = await console.act("undrain", pool.at("o2"))
            assert result.outcome is Outcome.DONE, result
            assert "o2" in await clients.more()
        assert clients.failed == []


@pytest.mark.skipif(not has_stream(), reason="no stream module")
@pytest.mark.parametrize("late", ["cut", "go-on"])
async def test_the_operator_chooses_what_becomes_of_connections_that_do_not_end(
    sshd: Sshd, tmp_path: Path, late: str
) -> None:
    stream = UPSTREAM + "server { listen 127.0.0.1:@port@; proxy_pass orch; }"
    async with nginx_pool(sshd, tmp_path, "", stream) as pool, pool.console() as console:
        _, writer = await asyncio.open_connection("127.0.0.1", pool.nginx.port)
        try:
            await until(lambda: any(one.connections for one in pool.servers.values()))
            [name] = [name for name, one in pool.servers.items() if one.connections]
            result = await console.act("drain", pool.at(name), wait="0.5", late=late)
        finally:
            writer.close()
        if late == "go-on":
            assert result.outcome is Outcome.DONE, result
            assert "old worker" in result.summary
        else:
            assert result.outcome is Outcome.FAILED, result
            assert "undone: take out of service" in result.summary
            assert any("nginx cannot end those of one server" in line for line in console.said)


async def test_the_plan_shows_the_edit_and_the_commands_and_does_nothing(three: NginxPool) -> None:
    before, workers = three.nginx.config.stat().st_mtime_ns, three.nginx.workers()
    outcome = await three.lptui("drain", three.at("o1"), "--dry-run", "--format", "json")
    call = outcome.json["plan"]["steps"][0]["call"]
    address, config = three.servers["o1"].address, three.nginx.config
    assert f"`server {address};` -> `server {address} down;`" in call
    for argv in (*write_commands(str(config))[:4], check_command(str(config))):
        assert " ".join(argv) in call
    assert f"nginx -s reload -c {config}" in call
    assert not any("forgets" in warning for warning in outcome.json["plan"]["warnings"])
    assert (three.nginx.config.stat().st_mtime_ns, three.nginx.workers()) == (before, workers)


HAND_WRITTEN = (
    "# caf\xe9: who is asked \u00a7\r\n"
    "upstream orch {\r\n"
    "\tleast_conn; server @o1@ max_fails=2;\tserver @o2@; # two on a line\r\n"
    "  server\r\n    '@o3@' # three { ;\r\n    fail_timeout=3s\r\n  ;\r\n"
    "\tinclude more.servers;\r\n"
    "}\r\n"
)


async def test_every_other_byte_mode_and_link_stays(sshd: Sshd, tmp_path: Path) -> None:
    http = "include sites-enabled/*;" + SITE
    async with nginx_pool(sshd, tmp_path, http, files={"sites-enabled/orch": UPSTREAM}) as pool:
        folder = pool.nginx.folder
        file, link = folder / "sites-available/orch", folder / "sites-enabled/orch"
        text = HAND_WRITTEN
        for name, server in pool.servers.items():
            text = text.replace(f"@{name}@", server.address)
        file.parent.mkdir()
        file.write_bytes(text.encode("latin-1"))
        file.chmod(0o640)
        link.unlink()
        link.symlink_to("../sites-available/orch")
        (folder / "more.servers").write_text(f"server {pool.servers['o1'].address} backup;\n")
        before = file.stat()
        await pool.nginx.reload()
        async with pool.console() as console:
            result = await console.act("drain", pool.at("o3"), pool.at("o2"))
            assert result.outcome is Outcome.DONE, result
            two = pool.servers["o2"].address
            wished = text.replace(f"server {two};", f"server {two} down;")
            wished = wished.replace("fail_timeout=3s", "fail_timeout=3s down")
            assert file.read_bytes() == wished.encode("latin-1")
            assert Path(kept_of(str(file))).read_bytes() == text.encode("latin-1")
            assert not Path(draft_of(str(file))).exists()
            assert link.is_symlink()
            now = file.stat()
            assert (now.st_mode, now.st_uid, now.st_gid) == (
                before.st_mode, before.st_uid, before.st_gid,
            )  # fmt: skip
            assert await pool.answers() == {b"o1"}
            # The same address once more, in the file that is included.
            more = folder / "more.servers"
            result = await console.act("drain", f"{pool.at('o1')} #2")
            assert result.outcome is Outcome.DONE, result
            assert more.read_text().endswith(" backup down;\n")
            result = await console.act("undrain", pool.at("o3"), pool.at("o2"))
            assert result.outcome is Outcome.DONE, result
        assert file.read_bytes() == text.encode("latin-1")


async def test_a_configuration_that_fails_its_own_test_is_not_touched(
    sshd: Sshd, tmp_path: Path
) -> None:
    files = {"conf.d/other.conf": "# nothing"}
    http = "include conf.d/*.conf;" + UPSTREAM + SITE
    async with nginx_pool(sshd, tmp_path, http, files=files) as pool, pool.console() as console:
        other = pool.nginx.folder / "conf.d/other.conf"
        other.write_text("upstream broken { server 127.0.0.1:1 weight=0; }")
        before = pool.nginx.config.stat()
        result = await console.act("drain", pool.at("o1"))
        assert result.outcome is Outcome.REFUSED
        assert "weight=0" in result.summary
        assert pool.nginx.config.stat() == before
        # Broken between the plan and the change.
        other.write_text("# nothing")
        await pool.nginx.reload()
        workers = pool.nginx.workers()
        reach = _Watching(console.session.runner.reach)
        reach.before = lambda argv: other.write_text("upstream broken {}") if "-t" in argv else None
        console.session.runner.reach = reach
        result = await console.act("drain", pool.at("o1"))
        assert result.outcome is Outcome.FAILED
        assert "no servers are inside upstream" in result.summary
        assert pool.nginx.config.stat() == before
        assert pool.nginx.workers() <= workers


async def test_what_was_edited_and_not_loaded_is_not_brought_into_force(three: NginxPool) -> None:
    text = three.nginx.config.read_text()
    two = three.servers["o2"].address
    three.nginx.config.write_text(text.replace(f"server {two};", f"server {two} down;"))
    # A file that is younger than the workers by less than their age is known cannot be told.
    later = three.nginx.config.stat().st_mtime + 2
    os.utime(three.nginx.config, (later, later))
    async with three.console() as console:
        for name in ("o1", "o2"):
            plan = await console.plan("drain", three.at(name))
            assert not plan.done
            assert "not loaded" in plan.why_not
    assert await three.answers() == {b"o1", b"o2", b"o3"}


async def test_a_connection_that_is_lost_while_it_loads_is_told_by_what_runs_then(
    three: NginxPool,
) -> None:
    def lost(argv: tuple[str, ...]) -> None:
        if "reload" in argv:
            raise TransportError("edge", "connection lost", kind=ProblemKind.DISCONNECTED)

    async with three.console() as console:
        reach = console.session.runner.reach = _Watching(console.session.runner.reach)
        reach.after = lost
        result = await console.act("drain", three.at("o1"))
        assert result.outcome is Outcome.DONE, result
        assert await three.answers() == {b"o2", b"o3"}


async def test_an_edit_that_the_master_rejects_is_taken_back(sshd: Sshd, tmp_path: Path) -> None:
    """`nginx -t` and `nginx -s reload` both end well where a port is taken."""
    http = "include taken/*.conf;" + UPSTREAM + SITE
    files = {"taken/taken.conf": "# nothing"}
    async with nginx_pool(sshd, tmp_path, http, files=files) as pool, pool.console() as console:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            taken = pool.nginx.folder / "taken/taken.conf"
            taken.write_text(f"server {{ listen 127.0.0.1:{port}; }}")
            os.utime(taken, (1, 1))  # as old as if it had been loaded
            before, workers = pool.nginx.config.stat(), pool.nginx.workers()
            text = pool.nginx.config.read_bytes()
            result = await console.act("drain", pool.at("o1"))
            assert result.outcome is Outcome.FAILED, result
            assert f"bind() to 127.0.0.1:{port} failed" in result.summary
            assert pool.nginx.config.read_bytes() == text
            assert pool.nginx.config.stat().st_mtime_ns == before.st_mtime_ns
            assert pool.nginx.workers() <= workers
            assert await pool.answers() == {b"o1", b"o2", b"o3"}
        # The port is free: nothing is left that stands in the way.
        result = await console.act("drain", pool.at("o1"))
        assert result.outcome is Outcome.DONE, result
        assert await pool.answers() == {b"o2", b"o3"}


class _Watching:
    """A reach with something that happens before and after each command on a host."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self.before: Callable[[tuple[str, ...]], object] = lambda _: None
        self.after: Callable[[tuple[str, ...]], object] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reach, name)

    async def execute(self, host: str, command: Command, stdin: bytes = b"") -> ExecResult:
        self.before(command.argv)
        done = await self._reach.execute(host, command, stdin)
        self.after(command.argv)
        return done


def _cut(*words: str) -> Callable[[tuple[str, ...]], None]:
    """The console ends at a command with these words."""

    def cut(argv: tuple[str, ...]) -> None:
        if set(words) <= set(argv):
            raise asyncio.CancelledError

    return cut


@pytest.mark.parametrize(
    ("point", "way"),
    [
        ("half a draft", "resume"),
        ("before mv", "undo"),
        ("after mv", "resume"),
        ("after mv", "undo"),
        ("after reload", "resume"),
        ("after reload", "undo"),
    ],
)
async def test_cut_anywhere_it_can_be_taken_up_and_taken_back(
    three: NginxPool, point: str, way: str
) -> None:
    before = three.nginx.config.read_bytes()
    async with three.console() as console:
        runner = console.session.runner
        reach = _Watching(runner.reach)
        match point:
            case "half a draft":
                reach.before = _cut("tee")
            case "before mv":
                reach.before = _cut("mv")
            case "after mv":
                reach.after = _cut("mv")
            case _:
                reach.after = _cut("reload")
        runner.reach = reach
        with pytest.raises(asyncio.CancelledError):
            await console.act("drain", three.at("o1"))
    async with three.console() as console:
        runner = console.session.runner
        [entry] = runner.unfinished()
        if way == "resume":
            result = await runner.resume(entry, console.said.append)
            assert result.outcome is Outcome.DONE, result
            assert await three.answers() == {b"o2", b"o3"}
        else:
            result = await runner.undo(entry, console.said.append)
            assert result.outcome is Outcome.DONE, result
            assert await three.answers() == {b"o1", b"o2", b"o3"}
            assert three.nginx.config.read_bytes() == before
        assert runner.unfinished() == ()


@ROOT
async def test_a_full_disk_changes_nothing(sshd: Sshd, tmp_path: Path) -> None:
    http, files = "include small/*.conf;" + SITE, {"small/orch.conf": UPSTREAM}
    async with nginx_pool(sshd, tmp_path, http, files=files) as pool, pool.console() as console:
        file = pool.nginx.folder / "small/orch.conf"
        with small_disk(file.parent) as fill:
            await pool.nginx.reload()
            before, workers, text = file.stat(), pool.nginx.workers(), file.read_bytes()
            fill()
            result = await console.act("drain", pool.at("o1"))
            assert result.outcome is Outcome.FAILED, result
            assert "No space left" in result.summary
            assert (file.stat().st_mtime_ns, file.read_bytes()) == (before.st_mtime_ns, text)
            assert not Path(draft_of(str(file))).exists()
            assert pool.nginx.workers() <= workers
            (file.parent / "full").unlink()
            result = await console.act("drain", pool.at("o1"))
            assert result.outcome is Outcome.DONE, result


@ROOT
async def test_a_login_that_may_run_exactly_these_commands(tmp_path: Path) -> None:
    with lesser_login(tmp_path / "login") as login:
        async with nginx_pool(login.sshd, tmp_path) as pool, pool.console() as console:
            config = str(pool.nginx.config)
            pool.nginx.folder.chmod(0o755)
            text = pool.nginx.config.read_bytes()
            commands = [check_command(config), *write_commands(config), reload_command(config)]
            for missing in (commands[0], commands[4], commands[-1]):
                login.allow(argv for argv in commands if argv != missing)
                result = await console.act("drain", pool.at("o1"))
                assert result.outcome is Outcome.FAILED, result
                assert f"NOPASSWD: {' '.join(missing)}`" in result.summary
                assert pool.nginx.config.read_bytes() == text
                assert not Path(draft_of(config)).exists()
            login.allow(commands)
            result = await console.act("drain", pool.at("o1"))
            assert result.outcome is Outcome.DONE, result
            assert await pool.answers() == {b"o2", b"o3"}
            assert pool.nginx.config.owner() == "root"
            result = await console.act("undrain", pool.at("o1"))
            assert result.outcome is Outcome.DONE, result


@ROOT
async def test_a_folder_of_the_login_s_own_needs_no_right_to_write(tmp_path: Path) -> None:
    """The managed include of load-balancers.md §3.2: test and reload are all that is root's."""
    http = "upstream orch { include own/orch.servers; }" + SITE
    files = {"own/orch.servers": "server @o1@;\nserver @o2@;\nserver @o3@;\n"}
    with lesser_login(tmp_path / "login") as login:
        async with nginx_pool(login.sshd, tmp_path, http, files=files) as pool:
            config, own = str(pool.nginx.config), pool.nginx.folder / "own"
            pool.nginx.folder.chmod(0o755)
            for path in (own, *own.iterdir()):
                os.chown(path, login.uid, login.uid)
            login.allow([check_command(config), reload_command(config)])
            async with pool.console() as console:
                result = await console.act("drain", pool.at("o1"))
                assert result.outcome is Outcome.DONE, result
            assert await pool.answers() == {b"o2", b"o3"}
            assert (own / "orch.servers").stat().st_uid == login.uid
