"""Looking at a unix socket with a real shell."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import MappingProxyType

import pytest

from lptui.fleet.topology import Fleet, Host
from lptui.probes.sockets import Seen, look
from lptui.transport.reach import FleetReach

HERE = "here"


async def seen(path: Path) -> Seen:
    reach = FleetReach(Fleet("test", hosts=MappingProxyType({HERE: Host(HERE, None)})))
    try:
        return await look(reach.shell(HERE), str(path), 5.0)
    finally:
        await reach.close()


async def test_a_socket_is_told_from_a_file_and_from_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "it's a socket"))
        assert await seen(tmp_path / "it's a socket") == Seen(True, True, False)
    (tmp_path / "file").touch()
    assert not (await seen(tmp_path / "file")).is_there
    assert await seen(tmp_path / "nothing") == Seen(False, False, False)
    assert await seen(tmp_path / "no" / "folder") == Seen(False, False, False)
    assert await seen(Path("/nothing")) == Seen(False, False, False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
async def test_what_is_in_a_closed_folder_is_not_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o600)
    assert await seen(tmp_path / "closed" / "socket") == Seen(False, False, True)
