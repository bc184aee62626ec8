"""The choices that actions leave to the operator: on the command line, and on the screen."""

from __future__ import annotations

from typing import Final, NamedTuple


class Option(NamedTuple):
    """A choice. `values` () takes any text; else the first is the default."""

    name: str
    help: str
    values: tuple[str, ...] = ()
    metavar: str = ""


WAIT: Final = Option("wait", "seconds that sessions get to end; 300", metavar="S")
LATE: Final = Option(
    "late", "when they have not ended then: stop, go-on, or cut them off", ("stop", "go-on", "cut")
)
TO: Final = Option("to", "who takes over: a server, a node or an RPC endpoint", metavar="NAME")
URL: Final = Option(
    "url", "the address under which nodes reach an RPC endpoint, where it is not known"
)
ADDRESS: Final = Option(
    "address",
    "where transcoders reach an orchestrator, if that is not known",
    metavar="HOST:PORT",
)
FENCED: Final = Option(
    "fenced", "the host that cannot be reached and is certainly off: its name", metavar="HOST"
)
HAS_KEY: Final = Option(
    "has-key", "the host whose key cannot be seen and is certainly there: its name", metavar="HOST"
)
MAX_UNAVAILABLE: Final = Option(
    "max-unavailable", "nodes that a restart takes away at once", metavar="N"
)
SYNC: Final = Option(
    "sync", "seconds that an RPC node gets to be in sync again after its start; 1800", metavar="S"
)
PRESET: Final = Option(
    "preset", "what is restarted, and how", ("restart", "rpc-first", "reload", "upgrade", "reboot")
)
WITH: Final = Option(
    "with", "of an upgrade: the declared command that runs between stop and start", metavar="NAME"
)
MOST_STEP: Final = Option(
    "most-step", "most that a weight is changed at once, in percent of itself; 50", metavar="N"
)
TOGGLE: Final = ("no", "yes")
"""Values of an option that is given on the command line by its name alone."""

WHEN_SAFE: Final = Option(
    "when-safe",
    "only with no reward to call, no session and no round's end in the way",
    TOGGLE,
)
CALLER: Final = Option(
    "caller",
    "who may call reward besides the registered key: a node, an account, or none",
    metavar="WHO",
)
PRICE: Final = Option(
    "price",
    "the most that a node pays for gas, like '0.05 gwei'; else what is suggested",
    metavar="PRICE",
)
SESSIONS: Final = Option("sessions", "how many sessions an orchestrator takes", metavar="N")
LEVEL: Final = Option("level", "how much a node writes into its log, 0 to 10; 3", metavar="N")

ALL: Final = (
    WAIT,
    LATE,
    TO,
    URL,
    ADDRESS,
    FENCED,
    HAS_KEY,
    MAX_UNAVAILABLE,
    SYNC,
    PRESET,
    WITH,
    MOST_STEP,
    WHEN_SAFE,
    CALLER,
    PRICE,
    SESSIONS,
    LEVEL,
)
