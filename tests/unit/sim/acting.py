"""Commands as the console's actions send them to a simulated host, and time that goes by."""

from __future__ import annotations

import shlex

from lptui.clock import FrozenClock
from lptui.sim.serve.oneoff import Outcome, command
from lptui.sim.world.build import build_world
from lptui.sim.world.world import World

NONCE = "0a1b2c3d4e5f6071"
ANNOUNCING = f'echo "{NONCE} $$" >&2;exec "$@"'
AS_ROOT = '[ "$(id -u)" = 0 ]||exec sudo -n -- "$@";exec "$@"'


class Hosts:
    """A world, what is done to it from outside, and its clock."""

    def __init__(self, hosts: int | None = None) -> None:
        self.clock = FrozenClock()
        self.world: World = build_world(self.clock, hosts=hosts, seed=1)

    def run(self, host: str, *argv: str, stdin: bytes = b"") -> Outcome:
        """What the login gets for a command."""
        words = ("/bin/sh", "-c", ANNOUNCING, "lptui", *argv)
        asked = command(self.world, self.world.machines[host], f"exec {shlex.join(words)}")
        assert asked is not None
        asked.received(stdin)
        done = asked.run()
        number, _, said = done.stderr.partition(b"\n")
        assert number.split()[0] == NONCE.encode()
        return done._replace(stderr=said)

    def root(self, host: str, *argv: str, stdin: bytes = b"") -> Outcome:
        """The same as root."""
        return self.run(host, "/bin/sh", "-c", AS_ROOT, "lptui", *argv, stdin=stdin)

    def done(self, host: str, *argv: str, stdin: bytes = b"") -> str:
        """What a command printed that root ran well."""
        outcome = self.root(host, *argv, stdin=stdin)
        assert outcome.status == 0, outcome
        return outcome.stdout.decode()

    def show(self, host: str, unit: str, *properties: str) -> dict[str, str]:
        """What systemd says of a unit."""
        said = self.run(host, "systemctl", "show", "-p", ",".join(properties), "--", unit)
        return dict(line.split("=", 1) for line in said.stdout.decode().splitlines())

    def later(self, seconds: float) -> None:
        """Lets time go by."""
        self.clock.advance(seconds)
        self.world.advance()

    def wait(self, seconds: float) -> None:
        """The same, a step at a time."""
        for _ in range(round(seconds * 2)):
            self.later(0.5)
