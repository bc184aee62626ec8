"""The settings in a node's environment file that the node is moved by: its orchestrator, its RPC.

Only their lines leave the host; of an address that may hold a secret, only scheme and host are
kept here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import ClassVar, Final
from urllib.parse import urlsplit

from lptui.errors import BadAnswerError
from lptui.fleet.facts.environment import HIDDEN, NodeEnvironment
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, Node
from lptui.probes.host import assignments
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command

_LIMIT: Final = 400
_BECOME: Final = {"sudo": "sudo", "doas": "doas"}
_READ: Final = (
    '[ -L "$1" ] && echo link; '
    'if [ -r "$1" ] || [ -z "$3" ]; then x=$(cat "$1"); else x=$("$3" -n cat "$1"); fi || exit; '
    'printf \'%s\\n\' "$x" | grep -E "$2"; exit 0'
)


def command(path: str, variables: Sequence[str], become: str) -> Command:
    """The lines of an environment file that set these variables, and whether its path is a link.

    Where the login may not read it, `become` (sudo, doas) is asked to; "" asks nobody. Status 1
    and a message when that fails too.

        link
        export LP_ORCHADDR="orch-1.example.org:8935"
    """
    pattern = rf"^[[:blank:]]*(export[[:blank:]]+)?({'|'.join(variables)})="
    argv = ("sh", "-c", _READ, "lptui", path, pattern, become)
    return Command(argv, timeout_s=4.0, merge_stderr=True)


def variables_of(node: Node) -> tuple[str, ...]:
    """The variables that a node is moved by."""
    names = node.environment
    return tuple(dict.fromkeys((names.rpc, names.orchestrator)))


def kept(value: str, harmless: Collection[str] = ()) -> str:
    """What may be kept of a value: the whole of it, unless it is an address with more than a host.

    Addresses of RPC providers carry their keys in path, query or user name. `harmless` are those
    that the operator has written into the configuration.
    """
    if "://" not in value or value in harmless:
        return clean(value, _LIMIT)
    try:
        parts = urlsplit(value)
        bare = f"{parts.scheme}://{parts.netloc}"
        if parts.path in ("", "/") and value.rstrip("/") == bare and "@" not in parts.netloc:
            return clean(value, _LIMIT)
        shown = f"{parts.scheme}://{parts.hostname or ''}"
    except ValueError:
        shown = ""
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{clean(shown, 120)}{HIDDEN}{digest}>"


def parse(text: bytes, variables: Collection[str], harmless: Collection[str]) -> NodeEnvironment:
    """The variables in the lines that the host sent; the last assignment is the one that counts.

    Raises BadAnswerError when one is written in a way that is not taken apart.
    """
    found: dict[str, str] = {}
    lines = text.split(b"\n")
    for line in lines:
        one = assignments.parse(line) if assignments.variable_of(line) in variables else None
        if one is not None:
            found[one.variable] = kept(one.value, harmless)
    return NodeEnvironment(tuple(found.items()), is_link=b"link" in lines)


class EnvironmentProbe:
    """One loop a node that has an environment file."""

    name: ClassVar[str] = "environment"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(name for name, node in fleet.nodes.items() if node.environment_file)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        node = fleet.nodes[target]
        return f"{node.host}: {node.environment_file}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeEnvironment, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        fleet, node = asking.fleet, asking.fleet.nodes[target]
        path = node.environment_file or ""
        become = _BECOME.get(fleet.hosts[node.host].privilege, "")
        asked = command(path, variables_of(node), become)
        [output] = await asking.reach.shell(node.host).run([asked], asking.deadline_s)
        if output.status != 0:
            remedy = f"let the login read it, itself or by `sudo -n cat {path}`"
            raise failure(f"{path} on {node.host}", output, remedy)
        harmless = {rpc.url for rpc in fleet.rpcs.values()}
        try:
            facts = parse(output.stdout, variables_of(node), harmless)
        except BadAnswerError as error:
            raise BadAnswerError(f"{path}: {error.what}", error.why, error.remedy) from None
        return [Answer(Key(NodeEnvironment, target), facts)]
