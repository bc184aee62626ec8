"""stub_status: the whole instance in six numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError
from lptui.text import clean

_PAGE: Final = re.compile(
    r"Active connections:\s+(\d{1,18})\s+server accepts handled requests\s+"
    r"(\d{1,18})\s+(\d{1,18})\s+(\d{1,18})\s+"
    r"Reading:\s+(\d{1,18})\s+Writing:\s+(\d{1,18})\s+Waiting:\s+(\d{1,18})\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class StubStatus:
    """Connections now, and counters since the start (they survive reloads).

    `dropped` connections were accepted and not served: a connection limit was hit.
    """

    active: int
    requests: int
    dropped: int


def parse(text: str) -> StubStatus:
    """The page of stub_status; raises BadAnswerError for any other."""
    match = _PAGE.fullmatch(text.strip())
    if match is None:
        raise BadAnswerError("stub_status", f"unexpected page: {clean(text, 60)!r}")
    accepted, handled = int(match[2]), int(match[3])
    return StubStatus(int(match[1]), int(match[4]), max(0, accepted - handled))
