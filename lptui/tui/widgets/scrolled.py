"""The keys and the wheel that scroll a text, the same in every widget that has one."""

from __future__ import annotations

from textual import events

from lptui.tui.widgets.painted import Painted

_WHEEL = 3


class Scrolled(Painted, can_focus=True):
    """Scrolls; subclasses say by `move` how, and by `length` how many steps there are at most.

    The space bar is left to them: where lines come, it holds them.
    """

    @property
    def page(self) -> int:
        return max(1, self.size.height - 1)

    @property
    def length(self) -> int:
        raise NotImplementedError

    def move(self, steps: int) -> None:
        """So many steps towards the end, or back; no further than there is something."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        steps = {
            "up": -1, "k": -1, "down": 1, "j": 1, "pageup": -self.page, "pagedown": self.page,
            "home": -self.length, "g": -self.length, "end": self.length, "G": self.length,
        }.get(event.key)  # fmt: skip
        if steps is None:
            return
        self.move(steps)
        event.stop()
        event.prevent_default()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.move(_WHEEL)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.move(-_WHEEL)
        event.stop()
