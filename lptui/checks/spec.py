"""What a check is to the rest of the console."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lptui.checks.view import View
from lptui.fleet.finding import Finding


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One check.

    Attributes:
        id: as in its findings; scripts and acknowledgements refer to it.
        title: what it looks at, in a few words.
        meaning: what it means when it is not well.
        runbook: what to do then, in one line.
        function: gives a finding for each target, those that are well included.
        of_chain: it judges the chain's state, which is as old as the head it was read at.
    """

    id: str
    title: str
    meaning: str
    runbook: str
    function: Callable[[View], Iterable[Finding]]
    of_chain: bool = False
