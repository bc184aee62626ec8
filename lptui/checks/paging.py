"""Which findings are worth a page now, and which can wait for the end of the quiet hours.

What costs money before they end cannot wait, however harmless it looks now.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from lptui.checks import callers, keys, money, reward, rounds, spending, stake, tickets
from lptui.checks import invariants as duties
from lptui.checks.spending import runway_of
from lptui.checks.view import View
from lptui.checks.words import span
from lptui.errors import LptuiError
from lptui.fleet.deadline import TimeLeft, pace_of, time_left
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.finding import Finding, Page, Severity
from lptui.fleet.paging import Paging
from lptui.fleet.topology import Chain
from lptui.text import clean

Cost = tuple[float | None, str]
"""When something is lost (UTC seconds; None: that cannot be told), and what, in words."""


def routed(view: View, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that are not well with their `page`; unchanged without an operator's word."""
    paging = view.fleet.paging
    if paging is None:
        return tuple(findings)
    routes = _Routes(view, paging)
    return tuple(
        replace(found, page=routes.page(found)) if found.severity else found for found in findings
    )


def worth_a_page(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that are, and what is well."""
    return tuple(found for found in findings if found.page is None or found.page.now)


def refuse_unknown(paging: Paging | None, known: Collection[str]) -> None:
    """Raises LptuiError for a check that there is not: what it should say would go unheard."""
    if paging is None:
        return
    for key, names in (("always", paging.always), ("can_wait", paging.can_wait)):
        for name in sorted(names - set(known)):
            meant = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {meant[0]}?" if meant else "lptui --headless check lists all"
            raise LptuiError(f"paging.{key}", f"there is no check {clean(name, 80)!r}", remedy)


@dataclass(frozen=True)
class _Routes:
    """What is the same for all findings of one snapshot."""

    view: View
    paging: Paging

    def page(self, found: Finding) -> Page:
        paging, now = self.paging, self.view.now
        if found.check in paging.always:
            return Page(True, "pages at any hour")
        if not paging.is_quiet(now):
            if found.severity in paging.severities:
                return Page(True, "outside of the quiet hours")
            return Page(False, f"{found.severity.name} is not worth a page")
        until = paging.quiet_until(now)
        cost = _COSTS.get(found.check)
        if cost is not None and (urgent := self._urgent(cost(self, found), until)):
            return Page(True, urgent)
        if found.check in paging.can_wait or found.severity not in paging.quiet_severities:
            return self._wait(found, until)
        return Page(True, f"{found.severity.name} pages in quiet hours")

    def _wait(self, found: Finding, until: float | None) -> Page:
        if until is None:
            return Page(False, "the quiet hours have no end")
        if found.severity not in self.paging.severities:
            return Page(False, f"{found.severity.name} is not worth a page")
        return Page(False, f"can wait until {self.paging.clock(until)}", until)

    def _urgent(self, cost: Cost, until: float | None) -> str:
        """Why it cannot wait; "" when it can."""
        at, what = cost
        if at is None:
            return f"when {what} is not known"
        if until is not None and at >= until:
            return ""
        return f"{what} in {span(max(0.0, at - self.view.now))}, before the quiet hours end"

    @property
    def chain(self) -> Chain | None:
        return self.view.fleet.chain

    @cached_property
    def round_end(self) -> float | None:
        """The earliest end that the round may have."""
        left = self._left
        return None if left is None else self.view.now + max(0.0, left.seconds - left.error_s)

    @cached_property
    def _left(self) -> TimeLeft | None:
        if self.chain is None:
            return None
        reading = self.view.reading(ChainRound, self.chain.network)
        clock = self.view.value(reading)
        if clock is None:
            return None
        return time_left(clock, pace_of(self.view.snapshot), reading.age(self.view.now))

    @cached_property
    def is_called(self) -> bool | None:
        """Whether all rewards of this round have been called; None when that cannot be told."""
        chain = self.chain
        clock = self.view.fresh(ChainRound, chain.network) if chain else None
        if chain is None or clock is None:
            return None
        records = [self.view.fresh(OrchestratorRecord, one.name) for one in chain.orchestrators]
        if any(record is None for record in records):
            return None
        return all(r.last_reward_round >= clock.round or not r.active for r in records if r)

    def with_the_round(self, _: Finding) -> Cost:
        return self.round_end, "the round ends"

    def with_the_next_call(self, _: Finding) -> Cost:
        """The next reward to be called is this round's, or that of the next one."""
        what = "a reward is lost"
        clock = self.view.fresh(ChainRound, self.chain.network) if self.chain else None
        if self.round_end is None or clock is None or self.is_called is None:
            return None, what
        block_s = pace_of(self.view.snapshot).seconds
        return self.round_end + (clock.length * block_s if self.is_called else 0.0), what

    def with_the_balance(self, found: Finding) -> Cost:
        """When a key has run dry, by what it spends."""
        what = f"{found.target} runs dry"
        chain = self.chain
        signer = next((s for s in self.view.fleet.signers if s.name == found.target), None)
        if chain is None or signer is None:
            return None, what
        account = self.view.fresh(SignerAccount, signer.address)
        clock = self.view.fresh(ChainRound, chain.network)
        lasts = runway_of(self.view, chain, signer, account) if account else None
        if lasts is None or clock is None:
            return None, what
        if lasts.rounds is None:
            return float("inf"), what
        return self.view.now + lasts.rounds * clock.length * chain.block_seconds, what


_COSTS: Final[Mapping[str, Callable[[_Routes, Finding], Cost]]] = {
    reward.DUE: _Routes.with_the_round,
    reward.ACTIVE: _Routes.with_the_round,
    stake.MARGIN: _Routes.with_the_round,
    rounds.INITIALIZED: _Routes.with_the_round,
    tickets.EXPIRING: _Routes.with_the_round,
    duties.REDEEMER: _Routes.with_the_round,
    reward.DISAGREES: _Routes.with_the_next_call,
    keys.CALLER: _Routes.with_the_next_call,
    keys.DELEGATE: _Routes.with_the_next_call,
    callers.FUNDS: _Routes.with_the_next_call,
    money.GAS_CAP: _Routes.with_the_next_call,
    spending.RUNWAY: _Routes.with_the_balance,
    money.BALANCE: _Routes.with_the_balance,
}
"""What is lost by waiting, of the checks that tell of it beforehand."""


def words(found: Finding) -> str:
    """`page: …` or `no page: …`; "" where nothing is said of pages."""
    page = found.page
    if page is None or found.severity is Severity.OK:
        return ""
    return f"page: {page.why}" if page.now else f"no page: {page.why}"
