"""Transactions that were sent and that nobody knows of any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import ago, span
from lptui.fleet.facts.chain import SignerAccount
from lptui.fleet.facts.rpc import RpcHead, SentTransaction, SentTransactions, TransactionState
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.topology import Chain, Signer
from lptui.text import plural

LOST: Final = "transaction-lost"

GRACE_S: Final = 30.0
"""A transaction on its way from one client to the next is known to nobody for a moment."""

_REMEDY: Final = (
    "see the node's log, and the RPC endpoint that it sends through; the next transaction of this "
    "key takes the same nonce"
)

_GAP_REMEDY: Final = (
    "the endpoint has lost the one before them: see the node's log, and send that nonce again"
)

Verdict = tuple[Severity, str, str]


def transaction_lost(view: View) -> Iterator[Finding]:
    """A client may take a transaction and drop it in silence: then nothing is pending, nothing is
    mined, and its node waits.

    Known by its hash where an endpoint's pool or a node told it; else by a nonce that was pending
    and is unused. go-livepeer replaces what is not mined in time, so that of a nonce counts.
    """
    chain = view.fleet.chain
    if chain is None:
        return
    reading = view.reading(SentTransactions, chain.network)
    sent = view.value(reading)
    for signer in view.fleet.signers:
        held = view.reading(SignerAccount, signer.address)
        account = view.value(held)
        if account is None:
            yield view.unknown(LOST, "signer", signer.name, held, cause=view.chain_blocker())
            continue
        own = [s for s in (sent.sent if sent else ()) if s.sender == signer.address]
        evidence = [view.says(held, f"nonce {account.nonce}, pending {account.pending_nonce}")]
        evidence += [_told(view, chain, item) for item in own]
        severity, summary, remedy = _verdict(view, chain, signer, account, own)
        yield Finding(LOST, severity, "signer", signer.name, summary, tuple(evidence), remedy)


def _verdict(
    view: View, chain: Chain, signer: Signer, account: SignerAccount, own: list[SentTransaction]
) -> Verdict:
    lost = [item for item in own if _is_lost(view, chain, item)]
    if lost:
        item = lost[0]
        since = view.now - (item.pooled_at or item.seen_at)
        if since > GRACE_S:
            # One whose nonce is not known may have been replaced by another.
            late = since > view.limits.pending_nonce_s and item.nonce is not None
            severity = Severity.CRITICAL if late else Severity.WARNING
            nonce = f", nonce {item.nonce} is unused"
            nonce = ": lost, or replaced by another" if item.nonce is None else nonce
            text = f"{item.hash} is known to no endpoint for {span(since)}{nonce}"
            return severity, text, _REMEDY
    waited = None if account.pending_since is None else view.now - account.pending_since
    if not account.pending and waited is not None and waited > view.limits.pending_nonce_s:
        text = f"a transaction seen {ago(waited)} is gone and was not mined: "
        return Severity.WARNING, f"{text}nonce {account.nonce} is still unused", _REMEDY
    behind = _behind_a_gap(account)
    if behind:
        text = f"nonce {account.pending_nonce} is missing: {plural(behind, 'transaction')} of later"
        return Severity.WARNING, f"{text} nonces wait in the pool behind it", _GAP_REMEDY
    if own and not lost:
        return Severity.OK, f"{own[0].hash} is known and not mined yet", ""
    return Severity.OK, "none missing", ""


def _behind_a_gap(account: SignerAccount) -> int:
    """How many of an account's transactions wait for one that the endpoint does not have."""
    pool = account.pool or ()
    if any(item.nonce == account.pending_nonce for item in pool):
        return 0
    return sum(item.queued and item.nonce > account.pending_nonce for item in pool)


def _is_lost(view: View, chain: Chain, item: SentTransaction) -> bool:
    """Whether every endpoint that answers has never heard of it, and one at least does."""
    told = [state for _, state in _states(view, chain, item)]
    return bool(told) and all(state is TransactionState.UNKNOWN for state in told)


def _states(view: View, chain: Chain, item: SentTransaction) -> list[tuple[str, TransactionState]]:
    found = []
    for name in chain.rpcs:
        head = view.fresh(RpcHead, name)
        for seen in head.transactions if head is not None else ():
            if seen.hash == item.hash:
                found.append((name, seen.state))
    return found


def _told(view: View, chain: Chain, item: SentTransaction) -> str:
    states = dict(_states(view, chain, item))
    said = [f"{name}: {states[name].value}" for name in states]
    silent = [name for name in chain.rpcs if name not in states]
    words = ", ".join([*said, *(f"{name}: did not say" for name in silent)])
    return f"{item.hash}, from {item.known_to} {ago(view.now - item.seen_at)}; {words}"
