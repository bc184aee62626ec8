"""Failover of a pool behind a real nginx to its backup and back, under traffic that is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.nginx_pool import SITE, NginxPool, nginx_pool
from tests.sshd import Sshd, sshd
from tests.traffic import traffic

__all__ = ["sshd"]

WITH_BACKUP = "upstream orch { server @o1@; server @o2@; server @o3@ backup; }"


@pytest.fixture
async def pair(sshd: Sshd, tmp_path: Path) -> AsyncIterator[NginxPool]:
    """Two primaries, and `o3` as their backup."""
    async with nginx_pool(sshd, tmp_path, WITH_BACKUP + SITE) as made:
        yield made


async def test_the_backup_takes_over_and_primaries_come_back_at_no_request(
    pair: NginxPool,
) -> None:
    before = pair.nginx.config.read_bytes()
    async with traffic(pair.nginx.port) as clients:
        assert (await clients.more()).keys() == {"o1", "o2"}
        code, told = await pair.act("failover", "lb:orch")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"o3"}
        code, told = await pair.act("failover", "lb:orch")
        assert code == 0
        assert "already" in told["result"]["summary"]
        code, told = await pair.act("failover", "lb:orch", "--to", "primary")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"o1", "o2"}
    assert clients.failed == []
    assert pair.nginx.config.read_bytes() == before


async def test_it_is_taken_back_on_request(pair: NginxPool) -> None:
    before = pair.nginx.config.read_bytes()
    async with traffic(pair.nginx.port) as clients:
        code, told = await pair.act("failover", "lb:orch")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        [newest] = (await pair.lptui("runs", "--format", "json")).json["runs"]
        undone = await pair.lptui("undo", newest["run"], "--yes")
        assert undone.code == 0, undone.out + undone.err
        assert (await clients.more()).keys() == {"o1", "o2"}
    assert clients.failed == []
    assert pair.nginx.config.read_bytes() == before


async def test_a_named_server_takes_all(pair: NginxPool) -> None:
    async with traffic(pair.nginx.port) as clients:
        code, told = await pair.act("failover", "lb:orch", "--to", pair.servers["o2"].address)
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"o2"}
    assert clients.failed == []
