"""A real ssh-agent for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sshd import need


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """A running ssh-agent; its socket."""
    program = need(shutil.which("ssh-agent"), "ssh-agent")
    path = tmp_path / "agent"
    process = subprocess.Popen(
        [program, "-D", "-a", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(500):
            if path.exists():
                break
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
        yield path
    finally:
        process.terminate()
        process.wait(5)


def add(agent: Path, key: Path, passphrase: str = "") -> None:
    """ssh-add without a terminal."""
    helper = agent.parent / "askpass"
    helper.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    helper.chmod(0o700)
    subprocess.run(
        ["ssh-add", "-q", str(key)],
        env={
            **os.environ,
            "SSH_AUTH_SOCK": str(agent),
            "SSH_ASKPASS": str(helper),
            "SSH_ASKPASS_REQUIRE": "force",
        },
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
