"""What a failover asks of the new holder's key: that it is there, seen or stated by the operator.

When the new holder is started the old one is stopped, and on a host that is fenced nothing is left
to go back to. So a key that is known to be missing refuses, and one that is not seen must be stated
by somebody who has looked: a host that shows it (`lptui sudoers`) needs no such word.
"""

from __future__ import annotations

from lptui.actions.plan import Precondition
from lptui.fleet.facts.keystore import KeyAtStart
from lptui.fleet.key_at_start import Verdict, files_there, key_there
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.fleet.units import Address


def conditions(
    snapshot: Snapshot, node: Node, account: Address, stated: str
) -> tuple[Precondition, ...]:
    """Whether a node's unit would find the key of an account, and the other files that it names.

    `stated`: the host of which the operator says that they are there; what is known to be
    otherwise is not overruled.
    """
    key, files = _verdicts(snapshot, node, account)
    found = [_condition(f"{node.name} has its key on {node.host}", key, node, stated)]
    if files is not None:
        unit = node.service.name if node.service is not None else node.name
        name = f"the files that {unit} names are on {node.host}"
        found.append(_condition(name, files, node, stated))
    return tuple(found)


def not_seen(snapshot: Snapshot, node: Node, account: Address) -> bool:
    """Whether something of it is known by nobody's word but the operator's."""
    verdicts = _verdicts(snapshot, node, account)
    return any(one is not None and one.holds is None for one in verdicts)


def _verdicts(snapshot: Snapshot, node: Node, account: Address) -> tuple[Verdict, Verdict | None]:
    found = snapshot.fresh(KeyAtStart, node.name)
    if found is None:
        problem = snapshot.reading(KeyAtStart, node.name).problem
        return Verdict(None, str(problem) if problem else "its last answer is too old"), None
    return key_there(found, account), files_there(found)


def _condition(name: str, verdict: Verdict, node: Node, stated: str) -> Precondition:
    if verdict.holds is not None:
        return Precondition(name, verdict.holds, verdict.words, verdict.remedy)
    if stated == node.host:
        words = f"{verdict.words}; its operator states that it is there"
        return Precondition(name, True, words)
    remedy = (
        f"let the login see it (`lptui sudoers {node.host}` prints the rules), or look, and say so:"
        f" --has-key {node.host}"
    )
    return Precondition(name, None, verdict.words, remedy)
