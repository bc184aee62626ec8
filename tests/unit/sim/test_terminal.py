"""A person's shell on a simulated host."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.sim.serve.terminal import Terminal
from lptui.sim.world.build import build_world
from lptui.sim.world.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(FrozenClock(), hosts=12, seed=1)


def opened(world: World) -> Terminal:
    return Terminal(world, world.machines["vault-1"])


def test_lines_are_echoed_and_answered(world: World) -> None:
    terminal = opened(world)
    assert b"simulated host" in terminal.greeting
    shown = terminal.received(b"unx\x7fame -m\r")
    assert shown == b"unx\b \bame -m\r\nx86_64\r\nlptui@vault-1:~$ "


def test_unknown_programs_and_open_quotations_are_told(world: World) -> None:
    assert b"vi: not found" in opened(world).received(b"vi\r")
    assert b"sh: No closing quotation" in opened(world).received(b"echo 'a\r")


@pytest.mark.parametrize("keys", [b"exit\r", b"\x04", b"abc\x03\x04"])
def test_it_ends(world: World, keys: bytes) -> None:
    terminal = opened(world)
    terminal.received(keys)
    assert terminal.ended


def test_arrow_keys_leave_no_trace(world: World) -> None:
    assert opened(world).received(b"\x1b[A\x1bOB\x1b[3~") == b""


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_no_keys_raise(world: World, keys: bytes) -> None:
    opened(world).received(keys + b"\r")
