"""The framed shell answers requests in order and ignores everything else."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.sim.hostile import garble
from lptui.sim.serve.host import COMMANDS, run
from lptui.sim.serve.shell import FramedShell
from lptui.sim.world.build import build_world
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

NONCE = "00112233445566ff"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(FrozenClock(), hosts=None, seed=1)


def shell(world: World, host: str = "gpu-2") -> FramedShell:
    opened = FramedShell(world, world.machines[host])
    opened.received(f"N={NONCE}\n_q() {{ :; }}\n".encode())
    return opened


def test_requests_are_answered_in_order_with_their_status(world: World) -> None:
    reply = shell(world).received(b"_q 1 0 lptui_vitals\n_m 2 3.5 nonsense 'a b'\n_q 3 0 true\n")
    first, second, third, rest = reply.split(f"\n@@{NONCE} ".encode())
    assert first.startswith(b"uptime ")
    assert second == b"1 0\n"
    assert third == b"2 127\n"
    assert rest == b"3 0\n"


def test_definitions_and_other_lines_are_not_answered(world: World) -> None:
    lines = b"lptui_vitals() { set --; }\nexport LC_ALL=C\n_t=\n\n_qq 1 0 true\n"
    assert shell(world).received(lines) == b""


def test_a_request_may_come_in_pieces(world: World) -> None:
    opened = shell(world)
    pieces = [opened.received(bytes([byte])) for byte in b"_q 7 0 uname -m\n"]
    assert pieces[:-1] == [b""] * (len(pieces) - 1)
    assert pieces[-1] == f"x86_64\n\n@@{NONCE} 7 0\n".encode()


def test_an_open_quotation_is_not_answered(world: World) -> None:
    assert shell(world).received(b"_q 1 0 'open\n") == b""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_no_input_raises(world: World, chunks: list[bytes]) -> None:
    opened = shell(world)
    for chunk in chunks:
        opened.received(chunk)
        opened.received(b"_q 1 0 " + chunk.replace(b"\n", b" ") + b"\n")


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(COMMANDS)), st.lists(st.text(max_size=12), max_size=4))
def test_no_arguments_raise(world: World, name: str, words: list[str]) -> None:
    argv = [name, *(word.replace("\n", " ") for word in words)]
    run(world, world.machines["edge-1"], argv)
    assert shlex.split(shlex.join(argv)) == argv


def test_sudo_and_paths_find_the_same_command(world: World) -> None:
    machine = world.machines["rpc-edge"]
    plain = run(world, machine, ["nginx", "-T"])
    assert plain.status == 0
    assert run(world, machine, ["sudo", "-n", "/usr/sbin/nginx", "-T"]) == plain


def test_errors_are_merged_where_it_is_asked_for(world: World) -> None:
    request = b"cat /none"
    reply = shell(world).received(b"_q 1 0 " + request + b"\n_m 2 0 " + request + b"\n")
    apart, merged, _ = reply.split(f"\n@@{NONCE} ".encode())
    assert apart == b""
    assert merged == b"1 1\ncat: /none: No such file or directory\n"


def test_a_card_that_fell_off_is_not_listed(world: World) -> None:
    machine: Machine = replace(world.machines["gpu-3"])
    machine.gpus = [replace(card) for card in machine.gpus]
    query = ["nvidia-smi", "--query-gpu=index,name", "--format=csv,noheader,nounits"]
    assert run(world, machine, query).out.count("\n") == 2
    machine.gpus[1].lost = True
    assert run(world, machine, query).out.count("\n") == 1
    machine.gpus[0].lost = True
    assert run(world, machine, query) == ("No devices were found\n", 6, "")


def test_one_unknown_field_fails_the_whole_query(world: World) -> None:
    words = ["nvidia-smi", "--query-gpu=index,flux.capacity", "--format=csv,noheader,nounits"]
    reply = run(world, world.machines["gpu-1"], words)
    assert reply.status == 2
    assert "flux.capacity" in reply.out


def test_a_host_without_cards_has_no_nvidia_smi(world: World) -> None:
    assert run(world, world.machines["edge-1"], ["nvidia-smi", "-L"]).status == 127


def test_garbage_is_made_of_what_hurts_and_holds_no_line_feed() -> None:
    text = garble("edge-1")
    assert "edge-1" in text
    assert "\x1b" in text
    assert "[" in text
    assert len(text) > 1000
    assert "\n" not in text
    every = "".join(garble("x" * n) for n in range(20))
    for poison in ("\x1b]52;", "\u202e", "\x00", "$(", "[@click"):
        assert poison in every
