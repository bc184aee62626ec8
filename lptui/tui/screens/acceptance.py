"""A node's acceptance, judged anew with each reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lptui.present.model import Line, Span, Tone
from lptui.present.view import Findings
from lptui.tui.screens.page import Page

if TYPE_CHECKING:
    from lptui.fleet.snapshot import Snapshot
    from lptui.present.acceptance import Acceptance
    from lptui.tui.app import LptuiApp


class AcceptanceScreen(Page):
    """The list as of the newest findings, made once for each."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node
        self._of: tuple[Snapshot | None, Findings, int] = (None, Findings(checked=False), 0)
        self._found: Acceptance | None = None
        self._lines: list[Line] = []

    def title_line(self) -> Line:
        from lptui.present.acceptance_page import title

        self._judge()
        return title(self._node, self._found, self._of[1])

    def content(self) -> Sequence[Line]:
        from lptui.present.acceptance_page import counted

        self._judge()
        if self._found is None:
            return [(Span(" the checks have not run yet", Tone.MUTED),)]
        now = cast("LptuiApp", self.app).clock.now()
        return [counted(self._found, self._of[1], now), (), *self._lines]

    def _judge(self) -> None:
        from lptui.present.acceptance import acceptance
        from lptui.present.acceptance_page import lines

        feed = cast("LptuiApp", self.app).feed
        if feed is None or feed.snapshot is None or not feed.findings.checked:
            return
        snapshot, findings, width = feed.snapshot, feed.findings, self.body.size.width - 1
        if self._of[0] is snapshot and self._of[1] is findings and self._of[2] == width:
            return
        self._of = (snapshot, findings, width)
        self._found = acceptance(snapshot, snapshot.fleet.nodes[self._node], findings.all)
        self._lines = lines(self._found, width)
