"""Which nodes ought to be set up alike, and in what they differ. Pure.

Compared is what runs: a process's flags from wherever they are set, its unit's properties, its
container's image. Of secrets it is compared whether they are given, never what they are, by no
digest either: a passphrase and an RPC provider's key are each node's own by good practice, and to
read the one that is not (`-orchSecret`) where it ought to be, in a file that only root may read,
the login would need the right to read it. What a wrong one does shows: its transcoders are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.host import LivepeerProcess, Origin
from lptui.fleet.facts.upkeep import ContainerImage, UnitText
from lptui.fleet.settings import TYPE_FLAGS
from lptui.fleet.topology import Node, Role

TOLD: Final = (
    "network",
    "ethUrl",
    "ethAcctAddr",
    "ethOrchAddr",
    "cliAddr",
    "httpAddr",
    "serviceAddr",
    "orchAddr",
    "redeemerAddr",
    "reward",
    "initializeRound",
    "orchestrator",
    "transcoder",
    "redeemer",
    "gateway",
    "broadcaster",
    "aiWorker",
    "remoteSigner",
    "monitor",
    "maxSessions",
    "nvidia",
    "pricePerUnit",
    "pixelsPerUnit",
    "maxGasPrice",
    "minGasPrice",
    "ticketEV",
    "maxTicketEV",
    "maxFaceValue",
    "depositMultiplier",
    "blockPollingInterval",
    "autoAdjustPrice",
    "enableCliTxRoutes",
    "transcodingOptions",
    "dataDir",
    "config",
    "v",
)
"""Flags that hold no secret. Of the others in a unit nothing leaves its host."""

OWN: Final = frozenset(
    {
        # where it is, and what it acts with
        *("serviceaddr", "orchaddr", "cliaddr", "httpaddr", "rtmpaddr", "nodes", "redeemeraddr"),
        *("ethurl", "ethacctaddr", "ethorchaddr", "ethkeystorepath", "datadir", "config"),
        # what its machine can do, and what it asks for that: other checks compare prices
        *("nvidia", "netint", "maxsessions", "aimodels", "aimodelsdir", "priceperunit"),
        *("pixelsperunit", "maxpriceperunit", "pricepergateway", "priceperbroadcaster"),
        # what it is there for: its roles say so; and how much it says of that
        *(flag.lower() for flag, _ in TYPE_FLAGS),
        *("reward", "initializeround", "v", "vmodule", "version", "testtranscoder"),
    }
)
"""Flags, in lower case, that are each node's own."""

_SECRET: Final = re.compile(r"password|secret|creds|key$|token|headers|uri$|^<", re.IGNORECASE)
_ON: Final = frozenset({"", "t", "T", "TRUE", "True"})
_OFF: Final = frozenset({"f", "F", "FALSE", "False", "false"})

IMAGE: Final = "image"

GIVEN: Final = "given"
NOT_GIVEN: Final = "not given"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What is known of how a node is set up.

    Attributes:
        values: by name in lower case: the name as written, and its value.
        complete: a flag that is not among them is not given at all.
    """

    node: str
    values: Mapping[str, tuple[str, str]]
    complete: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting, and which nodes have which value of it."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        return f"{self.name}: " + "; ".join(
            f"{value} on {', '.join(nodes[:5])}{' and others' if len(nodes) > 5 else ''}"
            for value, nodes in self.values
        )


def groups(nodes: Iterable[Node]) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Nodes of the same roles for the same orchestrator, under a name that is theirs alone."""
    found: dict[tuple[frozenset[Role], str], list[Node]] = {}
    for node in nodes:
        if node.is_livepeer:
            found.setdefault((node.roles, node.recipient or ""), []).append(node)
    names: set[str] = set()
    for (roles, recipient), members in found.items():
        if len(members) < 2:
            continue
        name = "+".join(role.value for role in Role if role in roles)
        if name in names:
            name = f"{name} of {recipient or members[0].name}"
        names.add(name)
        yield name, tuple(members)


def set_up(
    node: str,
    process: LivepeerProcess | None,
    unit: UnitText | None,
    image: ContainerImage | None,
    may_differ: frozenset[str] = frozenset(),
) -> SetUp:
    """What is known of a node, but for what may differ."""
    values: dict[str, tuple[str, str]] = {}
    for name, value in process.flags if process is not None else ():
        key = name.lower()
        if _SECRET.search(name):
            values[key] = (f"-{name}", GIVEN)
        elif key not in OWN and not _SECRET.search(value):
            word = "true" if value in _ON else value
            values[key] = (f"-{name}", NOT_GIVEN if word in _OFF else word)
    for name, value in unit.settings if unit is not None else ():
        values[name.lower()] = (name, value or NOT_GIVEN)
    if image is not None:
        values[IMAGE] = (IMAGE, (image.digests or (f"sha256:{image.running}",))[0])
    kept = {key: value for key, value in values.items() if key not in may_differ}
    return SetUp(node, kept, process is not None and _is_complete(process, unit))


def _is_complete(process: LivepeerProcess, unit: UnitText | None) -> bool:
    """Whether a flag that was not seen is not given: of files and variables only a few settings
    are read, whoever reads them."""
    if process.config_file or Origin.ENVIRONMENT in process.origins:
        return False
    return unit is not None and not unit.environment


def differences(found: Sequence[SetUp]) -> tuple[Difference, ...]:
    """In what they differ, by name. What cannot be told of a node is no difference."""
    names = sorted({key for one in found for key in one.values})
    return tuple(it for it in (_difference(key, found) for key in names) if it is not None)


def _difference(key: str, found: Sequence[SetUp]) -> Difference | None:
    written = {one.values[key][0] for one in found if key in one.values}
    # A variable names a flag without its capitals.
    name = max(sorted(written), key=lambda word: sum(map(str.isupper, word)))
    by_value: dict[str, list[str]] = {}
    for one in found:
        if key in one.values:
            by_value.setdefault(one.values[key][1], []).append(one.node)
        elif one.complete and name.startswith("-"):
            by_value.setdefault(NOT_GIVEN, []).append(one.node)
    if len(by_value) < 2:
        return None
    most_first = sorted(by_value.items(), key=lambda item: (-len(item[1]), item[0]))
    return Difference(name, tuple((value, tuple(nodes)) for value, nodes in most_first))


def not_as_told(process: LivepeerProcess, unit: UnitText) -> tuple[str, ...] | None:
    """How the arguments of a process differ from those that its unit gives now, in words.

    None where that cannot be told: variables stand in the unit, or it starts a wrapper.
    """
    program = unit.program.rpartition("/")[2]
    if not unit.plain or not program.startswith("livepeer") or process.program != "livepeer":
        return None
    told = {name.lower(): (name, value) for name, value in unit.flags}
    runs = {
        name.lower(): (name, value)
        for at, (name, value) in enumerate(process.flags)
        if at >= len(process.origins) or process.origins[at] is Origin.ARGUMENT
    }
    words = []
    for key in (name.lower() for name in TOLD):
        now, then = told.get(key), runs.get(key)
        if now is not None and then is not None and _word(now[1]) == _word(then[1]):
            continue
        if now is not None:
            had = f"with {_given(then)}" if then is not None else f"without -{now[0]}"
            words.append(f"runs {had}, its unit says {_given(now)}")
        elif then is not None:
            words.append(f"runs with {_given(then)}, its unit does not give it")
    return tuple(words)


def _word(value: str) -> str:
    return "true" if value in _ON else value


def _given(flag: tuple[str, str]) -> str:
    return f"-{flag[0]}{' ' if flag[1] else ''}{flag[1]}"
