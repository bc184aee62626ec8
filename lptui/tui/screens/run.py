"""One change, on its way, ended or cut: its steps, and the keys that stop it or take it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from lptui.present.model import Line
from lptui.tui.screens.page import Page, keys_line

if TYPE_CHECKING:
    from lptui.tui.acting import Acting
    from lptui.tui.app import LptuiApp


class RunScreen(Page):
    """Follows the change that `Acting` shows; closing it ends nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", show=False),
        Binding("u", "again('undo')", show=False),
        Binding("r", "again('resume')", show=False),
    ]

    @property
    def _acting(self) -> Acting:
        acting = cast("LptuiApp", self.app).acting
        assert acting is not None  # noqa: S101 (it has opened this screen)
        return acting

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.follow)

    def title_line(self) -> Line:
        from lptui.present.courses import title

        course = self._acting.shown
        return title(course, self._now) if course is not None else ()

    def content(self) -> Sequence[Line]:
        from lptui.present.courses import lines

        course = self._acting.shown
        return lines(course, self._now) if course is not None else []

    def keys(self) -> Line:
        offered = [f"{key} {word}" for key, word in self._acting.offered]
        leave = "Esc later" if self._acting.is_cut else "Esc hide"
        rest = (f"{leave}, w shows it again", "↑↓ scroll", "q quit")
        return keys_line("   ".join((*offered, *rest)))

    @property
    def _now(self) -> float:
        return cast("LptuiApp", self.app).clock.now()

    def action_stop(self) -> None:
        """No further step, after a question."""
        self._acting.stop()

    def action_again(self, verb: str) -> None:
        """Takes it up again, or back, after a question."""
        self._acting.again(verb)
